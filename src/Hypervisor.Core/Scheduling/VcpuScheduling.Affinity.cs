// SPDX-License-Identifier: MIT

using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

public static unsafe partial class VcpuScheduling
{
    /// <summary>Says where the vCPU may run and where it rather would. EINVAL: on no CPU that there is; EBUSY: it is
    /// pinned.</summary>
    public static Errno SetAffinity(Vcpu* vcpu, CpuMask hard, CpuMask soft)
    {
        SchedUnit* unit = &vcpu->Sched;
        if ((hard & System->Online).IsEmpty)
        {
            return Errno.Inval;
        }

        SchedCpu* cpu = Acquire(unit);
        if (unit->IsPinned)
        {
            cpu->Lock.Release();
            return Errno.Busy;
        }

        unit->HardAffinity = hard;
        unit->SoftAffinity = soft;
        uint number = cpu->Cpu;
        bool mustChoose = unit->IsAwake;
        cpu->Lock.Release();
        if (mustChoose)
        {
            SoftIrqs.RaiseOn(number, SoftIrq.Schedule);
        }

        return Errno.Ok;
    }

    /// <summary>SCHEDOP_pin_override: pins to one CPU whatever the affinity says, or, for a negative number, ends
    /// that.</summary>
    /// <returns>EINVAL: no such CPU; EBUSY: pinned already; ENOENT: not pinned.</returns>
    public static Errno PinOverride(Vcpu* vcpu, int number)
    {
        SchedUnit* unit = &vcpu->Sched;
        if (number >= 0 && (number >= MemoryLayout.MaxCpus || !System->Online.Contains((uint)number)))
        {
            return Errno.Inval;
        }

        SchedCpu* cpu = Acquire(unit);
        Errno result = Errno.Ok;
        if (number < 0)
        {
            result = unit->IsPinned ? Errno.Ok : Errno.NoEnt;
            unit->HardAffinity = unit->IsPinned ? unit->SavedAffinity : unit->HardAffinity;
            unit->IsPinned = false;
        }
        else if (unit->IsPinned)
        {
            result = Errno.Busy;
        }
        else
        {
            unit->SavedAffinity = unit->HardAffinity;
            unit->HardAffinity = CpuMask.Of((uint)number);
            unit->IsPinned = true;
        }

        uint present = cpu->Cpu;
        bool mustChoose = unit->IsAwake;
        cpu->Lock.Release();
        if (mustChoose)
        {
            SoftIrqs.RaiseOn(present, SoftIrq.Schedule);
        }

        return result;
    }

    /// <summary>The vCPU's accounts up to this moment.</summary>
    public static void ReadRunState(Vcpu* vcpu, VcpuRunStateInfo* info)
    {
        SchedCpu* cpu = Acquire(&vcpu->Sched);
        RunStates.Read(&vcpu->Time, SystemTime.Now(), info);
        cpu->Lock.Release();
    }

    /// <summary>Nanoseconds that the vCPU has run.</summary>
    public static ulong CpuTime(Vcpu* vcpu)
    {
        VcpuRunStateInfo info;
        ReadRunState(vcpu, &info);
        return info.Time[(int)RunState.Running];
    }
}
