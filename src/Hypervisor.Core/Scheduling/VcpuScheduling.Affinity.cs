// SPDX-License-Identifier: MIT

using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Hypervisor.Sched.Sedf;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

public static unsafe partial class VcpuScheduling
{
    /// <summary>Says where the vCPU may run and where it rather would. EINVAL: on no CPU that there is; EBUSY: it is
    /// pinned; ENOSPC: its reservation does not fit there.</summary>
    public static Errno SetAffinity(Vcpu* vcpu, CpuMask hard, CpuMask soft)
    {
        SchedUnit* unit = &vcpu->Sched;
        if ((hard & System->Online).IsEmpty)
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        Errno error = unit->IsPinned ? Errno.Busy : ChangeAffinity(system, unit, hard, soft);
        system->UnitsLock.Release();
        return error;
    }

    /// <summary>SCHEDOP_pin_override: pins to one CPU whatever the affinity says, or, for a negative number, ends
    /// that.</summary>
    /// <returns>EINVAL: no such CPU; EBUSY: pinned already; ENOENT: not pinned; ENOSPC: its reservation does not fit
    /// there.</returns>
    public static Errno PinOverride(Vcpu* vcpu, int number)
    {
        SchedUnit* unit = &vcpu->Sched;
        if (number >= 0 && (number >= MemoryLayout.MaxCpus || !System->Online.Contains((uint)number)))
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        Errno result;
        if (number < 0)
        {
            result = unit->IsPinned ? ChangeAffinity(system, unit, unit->SavedAffinity, unit->SoftAffinity) : Errno.NoEnt;
            unit->IsPinned = unit->IsPinned && result != Errno.Ok;
        }
        else if (unit->IsPinned)
        {
            result = Errno.Busy;
        }
        else
        {
            CpuMask former = unit->HardAffinity;
            result = ChangeAffinity(system, unit, CpuMask.Of((uint)number), unit->SoftAffinity);
            if (result == Errno.Ok)
            {
                unit->SavedAffinity = former;
                unit->IsPinned = true;
            }
        }

        system->UnitsLock.Release();
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

    /// <summary>Sets both masks. ENOSPC: the unit's reservation does not fit on the CPUs that are left to it; nothing
    /// has changed. UnitsLock is held.</summary>
    private static Errno ChangeAffinity(SchedSystem* system, SchedUnit* unit, CpuMask hard, CpuMask soft)
    {
        SchedCpu* cpu = Acquire(unit);
        CpuMask formerHard = unit->HardAffinity;
        CpuMask formerSoft = unit->SoftAffinity;
        unit->HardAffinity = hard;
        unit->SoftAffinity = soft;
        uint number = cpu->Cpu;
        cpu->Lock.Release();
        if (unit->Home != SchedUnit.NoHome && !hard.Contains(unit->Home)
            && !SedfAdmission.TryPlace(system, unit->Domain, unit->Domain->Sedf))
        {
            cpu = Acquire(unit);
            unit->HardAffinity = formerHard;
            unit->SoftAffinity = formerSoft;
            cpu->Lock.Release();
            return Errno.NoSpace;
        }

        // Wherever it waits or runs, it may have to leave; a sleeping one is looked at when it wakes.
        if (unit->IsAwake)
        {
            SoftIrqs.RaiseOn(number, SoftIrq.Schedule);
        }

        return Errno.Ok;
    }
}
