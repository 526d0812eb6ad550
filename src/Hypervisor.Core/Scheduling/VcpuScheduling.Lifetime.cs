// SPDX-License-Identifier: MIT

using Hypervisor.Core.Time;
using Hypervisor.Sched;

namespace Hypervisor.Core.Scheduling;

public static unsafe partial class VcpuScheduling
{
    /// <summary>Makes the running CPU one that takes units. Its timer queue exists; <paramref name="scheduler"/> is
    /// zero.</summary>
    public static void InitialiseCpu(CpuInfo* cpu, CpuScheduler* scheduler, SchedSystem* system)
    {
        TimerQueue* queue = (TimerQueue*)cpu->TimerQueue;
        cpu->SchedCpu = scheduler;
        TimerQueue.Prepare(&scheduler->Slice, TimerKind.SchedulerSlice, cpu, queue);
        SchedSystem.Add(system, &scheduler->Policy, cpu->CpuId, SystemTime.Now());
    }

    /// <summary>Nanoseconds that a CPU has had nothing to do.</summary>
    public static ulong IdleTime(uint cpu)
    {
        SchedCpu* own = (SchedCpu*)Machine.CpuOf(cpu)->SchedCpu;
        own->Lock.Acquire();
        ulong time = own->IdleTime;
        if (own->Running == null)
        {
            ulong now = SystemTime.Now();
            time += now > own->IdleSince ? now - own->IdleSince : 0;
        }

        own->Lock.Release();
        return time;
    }

    public static void InitialiseDomain(Domain* domain) => SchedDomain.Initialise(&domain->Sched);

    /// <summary>Makes the scheduler know a new vCPU, which is offline. False: the reservation of its domain does not fit
    /// once more.</summary>
    public static bool TryInitialise(Vcpu* vcpu)
    {
        SchedSystem* system = System;
        SchedUnit* unit = &vcpu->Sched;
        *unit = default;
        vcpu->LoadedOn = Vcpu.NotLoaded;
        unit->Owner = vcpu;
        unit->LoadedOn = &vcpu->LoadedOn;
        unit->Domain = &vcpu->Domain->Sched;
        unit->PolledPort = SchedUnit.NoPort;
        unit->HardAffinity = CpuMask.All;
        unit->SoftAffinity = CpuMask.All;
        unit->Cpu = Machine.Cpu->CpuId;

        ulong now = SystemTime.Now();
        unit->AsleepSince = now;
        return SchedSystem.TryInsert(system, unit, now);
    }

    /// <summary>The scheduler forgets a vCPU that is stopped (<see cref="IsStopped"/>) and will never be runnable
    /// again.</summary>
    public static void ReleaseVcpu(Vcpu* vcpu) => SchedSystem.Remove(System, &vcpu->Sched);
}
