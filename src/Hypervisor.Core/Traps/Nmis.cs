// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Non-maskable interrupts: counted, and passed to Domain-0's first vCPU.</summary>
public static unsafe class Nmis
{
    /// <summary>A hardware NMI while a guest ran.</summary>
    public static void FromGuest(Vcpu* vcpu, CpuUserRegs* frame)
    {
        if (Machine.IsEnding)
        {
            Machine.HaltForever();
        }

        Machine.Cpu->NmiCount++;
        Domain* dom0 = DomainTable.Peek(0);
        if (dom0 != null && dom0->VcpuOf(0) == vcpu)
        {
            Raise(vcpu);
        }
    }

    /// <summary>Makes an NMI pending; it is delivered on the way back to the guest unless one is being handled.</summary>
    public static void Raise(Vcpu* vcpu)
    {
        vcpu->NmiPending = true;
        VcpuWork.Set(vcpu, VcpuWork.Nmi);
    }

    /// <summary>Delivers a pending NMI.</summary>
    public static void Deliver(Vcpu* vcpu, CpuUserRegs* frame)
    {
        VcpuWork.Clear(vcpu, VcpuWork.Nmi);
        if (!vcpu->NmiPending || vcpu->NmiMasked || vcpu->Traps[Vector.Nmi].Address == 0)
        {
            return;
        }

        vcpu->NmiPending = false;
        vcpu->NmiMasked = true;
        GuestBounce.Inject(vcpu, frame, Vector.Nmi);
    }
}
