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
        IretRest rest;
        if (!GuestMemory.IsOutsideHole(frame->Rsp, 72) || !Machine.LoadIretFrame(frame, frame->Rsp, (ulong*)&rest))
        {
            DomainLifecycle.Crash(vcpu->Domain, "iret with an unreadable stack"u8);
            return;
        }

        if ((rest.Cs & 3) == 3)
        {
            if (vcpu->UserRoot.IsNone)
            {
                DomainLifecycle.Crash(vcpu->Domain, "iret to user mode without a user page table"u8);
                return;
            }

            GuestMode.EnterUser(vcpu);
        }

        frame->Rflags = (rest.Rflags & ~RefusedFlags) | Rflags.If;
        if ((rest.Flags & VgcfFlags.InSyscall) != 0)
        {
            frame->Cs = GuestBounce.FlatKernelCs;
            frame->Ss = GuestBounce.FlatKernelSs;
        }
        else
        {
            frame->EntryVector = 0;
            frame->Cs = (ushort)(rest.Cs | 3);
            frame->Ss = (ushort)(rest.Ss | 3);
        }

        vcpu->Info->EventChannelUpcallMask = (rest.Rflags & Rflags.If) == 0 ? (byte)1 : (byte)0;
        if (vcpu->NmiMasked)
        {
            vcpu->NmiMasked = false;
            if (vcpu->NmiPending)
            {
                VcpuWork.Set(vcpu, VcpuWork.Nmi);
            }
        }
    }

    /// <summary>What of the frame is not a register to be loaded as it is.</summary>
    private struct IretRest
    {
        public ulong Flags;
        public ulong Cs;
        public ulong Rflags;
        public ulong Ss;
    }
}
