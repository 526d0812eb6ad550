// SPDX-License-Identifier: MIT

using System.Threading;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Non-maskable interrupts: counted, and passed to Domain-0's first vCPU.</summary>
public static unsafe class Nmis
{
    private static int s_halted;

    /// <summary>CPUs that have stopped because the machine ends.</summary>
    public static uint HaltedCpus => (uint)Volatile.Read(ref s_halted);

    /// <summary>A hardware NMI while a guest ran.</summary>
    public static void FromGuest(Vcpu* vcpu, CpuUserRegs* frame)
    {
        if (IsDealtWith(frame))
        {
            return;
        }

        Domain* dom0 = DomainTable.Peek(0);
        if (dom0 != null && dom0->VcpuOf(0) == vcpu)
        {
            Raise(vcpu);
        }
    }

    /// <summary>What the hypervisor itself makes of an NMI: the machine ends, or the lock-up watch looks. Takes no lock and
    /// does not fault.</summary>
    /// <returns>False: it is for Domain-0.</returns>
    public static bool IsDealtWith(CpuUserRegs* frame)
    {
        if (Machine.IsEnding)
        {
            _ = Interlocked.Add(ref s_halted, 1);
            Machine.HaltForever();
        }

        CpuInfo* cpu = Machine.Cpu;
        cpu->NmiCount++;
        bool isWatch = LockupWatch.OnNmi(cpu, out bool isLockedUp);
        if (isLockedUp)
        {
            Machine.Panic("watchdog: this CPU is locked up"u8, frame);
        }

        return isWatch;
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
