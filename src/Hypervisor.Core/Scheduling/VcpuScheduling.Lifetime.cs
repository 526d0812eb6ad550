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
        TimerQueue.Prepare(&scheduler->Tick, TimerKind.SchedulerTick, cpu, queue);
        ulong now = SystemTime.Now();
        SchedSystem.Add(system, &scheduler->Policy, cpu->CpuId, now);
        OnTick(cpu, now);
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

    public static void InitialiseDomain(Domain* domain)
    {
        domain->Sched = default;
        PolicyTable.InitialiseDomain(System, &domain->Sched);
    }

    /// <summary>Makes the scheduler know a new vCPU, which is offline.</summary>
    public static void Initialise(Vcpu* vcpu)
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
        unit->Cpu = PolicyTable.ChooseCpu(system, unit);
        SchedCpu* cpu = Acquire(unit);
        PolicyTable.Insert(cpu, unit, now);
        unit->IsInserted = true;
        cpu->Lock.Release();
    }

    /// <summary>The scheduler forgets a vCPU that is stopped (<see cref="IsStopped"/>) and will never be runnable
    /// again.</summary>
    public static void ReleaseVcpu(Vcpu* vcpu)
    {
        SchedUnit* unit = &vcpu->Sched;
        SchedCpu* cpu = Acquire(unit);
        if (unit->IsInserted)
        {
            if (unit->IsAwake)
            {
                Panic.Because("A vCPU that is freed could still run"u8);
            }

            PolicyTable.Remove(cpu, unit);
            unit->IsInserted = false;
        }

        cpu->Lock.Release();
    }
}
