// SPDX-License-Identifier: MIT

using System.Runtime;
using System.Runtime.CompilerServices;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Where the SYSCALL stub hands a guest kernel's request over.</summary>
public static unsafe class HypercallEntry
{
    private const ulong Iret = (ulong)HypercallNumber.Iret;

    /// <summary>Length of SYSCALL and of INT n: a call that gave way is made again.</summary>
    private const ulong InstructionLength = 2;

    /// <summary>
    /// Number in rax, arguments in rdi, rsi, rdx, r10, r8, r9. rbx, rbp and r12–r15 of the frame are not filled in.
    /// </summary>
    [RuntimeExport("hypercall_from_guest")]
    public static void FromGuest(Vcpu* vcpu, CpuUserRegs* frame)
    {
        vcpu->Counters.Hypercalls++;
        if (frame->Rax == Iret)
        {
            IretOps.Run(vcpu, frame);
            return;
        }

        HypercallResult result = HypercallTable.Dispatch(vcpu, frame);
        if (result.IsPreempted)
        {
            frame->Rip -= InstructionLength;
        }
        else
        {
            frame->Rax = (ulong)result.Raw;
        }
    }
}
