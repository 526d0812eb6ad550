// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Hypercall iret: the guest kernel leaves a handler. The most frequent hypercall of all.</summary>
public static unsafe class IretOps
{
    private const ulong RefusedFlags = Rflags.Iopl | Rflags.Vm;

    /// <summary>Takes the frame from the guest's stack; whatever it says, the vCPU goes on in ring 3 with interrupts enabled.</summary>
    [SkipLocalsInit]
    public static void Run(Vcpu* vcpu, CpuUserRegs* frame)
    {
        IretContext context;
        if (!GuestMemory.Read(frame->Rsp, &context))
        {
            DomainLifecycle.Crash(vcpu->Domain, "iret with an unreadable stack"u8);
            return;
        }

        if ((context.Cs & 3) == 3)
        {
            if (vcpu->UserRoot.IsNone)
            {
                DomainLifecycle.Crash(vcpu->Domain, "iret to user mode without a user page table"u8);
                return;
            }

            GuestMode.EnterUser(vcpu);
        }

        frame->Rax = context.Rax;
        frame->Rip = context.Rip;
        frame->Rflags = (context.Rflags & ~RefusedFlags) | Rflags.If;
        frame->Rsp = context.Rsp;
        if ((context.Flags & VgcfFlags.InSyscall) != 0)
        {
            frame->Cs = GuestBounce.FlatKernelCs;
            frame->Ss = GuestBounce.FlatKernelSs;
        }
        else
        {
            frame->EntryVector = 0;
            frame->R11 = context.R11;
            frame->Rcx = context.Rcx;
            frame->Cs = (ushort)(context.Cs | 3);
            frame->Ss = (ushort)(context.Ss | 3);
        }

        vcpu->Info->EventChannelUpcallMask = (context.Rflags & Rflags.If) == 0 ? (byte)1 : (byte)0;
        if (vcpu->NmiMasked)
        {
            vcpu->NmiMasked = false;
            vcpu->Work |= vcpu->NmiPending ? VcpuWork.Nmi : 0;
        }
    }
}
