// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

public static unsafe partial class VcpuScheduling
{
    /// <summary>Chooses the CPU's next vCPU and turns to it: the schedule soft interrupt. Afterwards
    /// <see cref="SchedCpu.Running"/> is a vCPU whose registers are loaded, or null.</summary>
    public static void Reschedule(CpuInfo* info)
    {
        CpuScheduler* scheduler = CpuScheduler.Of(info);
        SchedCpu* cpu = &scheduler->Policy;

        cpu->Lock.Acquire();
        ulong now = SystemTime.Now();
        SchedUnit* previous = cpu->Running;
        if (previous != null)
        {
            Vcpu* vcpu = (Vcpu*)previous->Owner;
            bool isAtHome = previous->MayRunOn(cpu);
            if (!isAtHome || !IsRunnable(vcpu))
            {
                FallAsleep(cpu, vcpu, now);
                cpu->Running = null;
                if (!isAtHome)
                {
                    Displace(scheduler, previous);
                }
            }
        }

        SchedDecision decision = Pick(scheduler, now);
        SchedUnit* next = decision.Unit;
        if (next == previous && next != null)
        {
            cpu->Running = next;
            cpu->Lock.Release();
            SetSlice(scheduler, decision.Until);
            SendAway(scheduler);
            AskHelpers(cpu);
            return;
        }

        if (previous != null)
        {
            previous->IsRunning = false;
            if (previous->IsAwake)
            {
                RunStates.Change(&((Vcpu*)previous->Owner)->Time, RunState.Runnable, now);
            }
        }

        cpu->Running = next;
        if (next != null)
        {
            next->IsRunning = true;
            next->RunningSince = now;
            RunStates.Change(&((Vcpu*)next->Owner)->Time, RunState.Running, now);
        }

        NoteIdle(cpu, wasIdle: previous == null, isIdle: next == null, now);
        cpu->Lock.Release();
        SetSlice(scheduler, decision.Until);

        if (previous != null)
        {
            GuestTime.OnSwitchedOut((Vcpu*)previous->Owner);
        }

        if (next != null)
        {
            Vcpu* vcpu = (Vcpu*)next->Owner;
            ContextSwitch.To(info, vcpu);
            GuestTime.OnSwitchedIn(info, vcpu, now);
        }
        else
        {
            info->Current = null;
            Vcpu* loaded = (Vcpu*)info->Loaded;
            if (loaded != null && (scheduler->Displaced != null || IsHeld(loaded)))
            {
                ContextSwitch.Evict(info, loaded);
            }
        }

        SendAway(scheduler);
        AskHelpers(cpu);
        if (next == null)
        {
            LookAgain(cpu);
        }
    }

    /// <summary>Asks the policy until it names a unit that may run here; the others are displaced.</summary>
    private static SchedDecision Pick(CpuScheduler* scheduler, ulong now)
    {
        SchedCpu* cpu = &scheduler->Policy;
        while (true)
        {
            SchedDecision decision = PolicyTable.Pick(cpu, now);
            SchedUnit* unit = decision.Unit;
            if (unit == null || (unit->MayRunOn(cpu) && IsRunnable((Vcpu*)unit->Owner)))
            {
                return decision;
            }

            // The policy regards it as running; so it is put to sleep as such.
            bool isAtHome = unit->MayRunOn(cpu);
            cpu->Running = unit;
            unit->RunningSince = now;
            FallAsleep(cpu, (Vcpu*)unit->Owner, now);
            cpu->Running = null;
            if (!isAtHome)
            {
                Displace(scheduler, unit);
            }
        }
    }

    private static void Displace(CpuScheduler* scheduler, SchedUnit* unit)
    {
        unit->NextDisplaced = scheduler->Displaced;
        scheduler->Displaced = unit;
    }

    /// <summary>Wakes units elsewhere that may not run here; their registers are stored by now.</summary>
    private static void SendAway(CpuScheduler* scheduler)
    {
        while (scheduler->Displaced != null)
        {
            SchedUnit* unit = scheduler->Displaced;
            scheduler->Displaced = unit->NextDisplaced;
            Wake((Vcpu*)unit->Owner);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetSlice(CpuScheduler* scheduler, ulong until)
    {
        if (until != SchedDecision.NoLimit)
        {
            TimerQueue.Set(&scheduler->Slice, until);
        }
        else
        {
            TimerQueue.Stop(&scheduler->Slice);
        }
    }

    private static void NoteIdle(SchedCpu* cpu, bool wasIdle, bool isIdle, ulong now)
    {
        if (wasIdle == isIdle)
        {
            return;
        }

        if (isIdle)
        {
            cpu->IdleSince = now;
            _ = Machine.TestAndSetBit(&cpu->System->Idle, cpu->Cpu);
        }
        else
        {
            cpu->IdleTime += now > cpu->IdleSince ? now - cpu->IdleSince : 0;
            _ = Machine.TestAndClearBit(&cpu->System->Idle, cpu->Cpu);
        }
    }

    /// <summary>Asks idle CPUs to choose if a unit waits for this one that they may run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AskHelpers(SchedCpu* cpu)
    {
        if (cpu->Waiting != 0 && !IdleNow(cpu->System).Without(cpu->Cpu).IsEmpty)
        {
            cpu->Lock.Acquire();
            CpuMask helpers = cpu->System->Idle & PolicyTable.PlacesWanted(cpu);
            cpu->Lock.Release();
            AskToChoose(helpers.Without(cpu->Cpu));
        }
    }

    /// <summary>The CPUs that are idle, read after all that this CPU has queued or set free can be seen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static CpuMask IdleNow(SchedSystem* system)
    {
        Interlocked.MemoryBarrier();
        return system->Idle;
    }

    /// <summary>The CPU has said that it is idle (a locked instruction). Whoever queued a unit elsewhere before that has
    /// not seen it, and the policy may have passed by a queue whose lock was taken: it chooses anew if such a unit may
    /// run here.</summary>
    /// <remarks>Many idle CPUs may look at one queue at once. None of them gets in line for its lock: the policy only
    /// tries it, and would never have it while somebody stands there.</remarks>
    private static void LookAgain(SchedCpu* cpu)
    {
        CpuMask others = cpu->System->Online.Without(cpu->Cpu);
        for (; !others.IsEmpty; others = others.Without(others.First))
        {
            SchedCpu* other = cpu->System->Cpu(others.First);
            while (Volatile.Read(ref other->Waiting) != 0)
            {
                if (!other->Lock.TryAcquire())
                {
                    Machine.SpinWait();
                    continue;
                }

                bool isWanted = PolicyTable.PlacesWanted(other).Contains(cpu->Cpu);
                other->Lock.Release();
                if (isWanted)
                {
                    Machine.RaiseSoftIrq(SoftIrq.Schedule);
                    return;
                }

                break;
            }
        }
    }

    private static void AskToChoose(CpuMask cpus)
    {
        for (; !cpus.IsEmpty; cpus = cpus.Without(cpus.First))
        {
            SoftIrqs.RaiseOn(cpus.First, SoftIrq.Schedule);
        }
    }
}
