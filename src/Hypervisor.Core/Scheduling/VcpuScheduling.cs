// SPDX-License-Identifier: MIT
// The mechanism of scheduling: when a vCPU may run, how it wakes, how a CPU passes from one to another. Who comes next
// is the policy's business (Hypervisor.Sched).
//
// A vCPU is runnable when it is online, neither blocked nor paused, and its domain is neither paused by the tools nor
// shut down nor dying. These conditions change at any time on any CPU, without a lock. Whoever makes one better calls
// Wake, whoever makes one worse calls Sleep, both after the change; they, and Reschedule, look at all of them anew
// under the lock of the unit's CPU. Of two such looks the later one sees every earlier change, so the last word is
// right: no wake-up is lost. The unit's IsAwake says what the policy was last told.
//
// Blocking is the one race that the guest itself must win: it marks the vCPU blocked, passes a full barrier, then
// looks for events. Who brings an event sets it pending (a locked instruction), then looks whether the vCPU is
// blocked. One of the two sees the other.
//
// A CPU that falls idle while a vCPU begins to wait for another one is the same race between CPUs: one queues, then
// looks who is idle; the other says that it is idle, then looks who waits (LookAgain). Each has a full barrier between
// the two, so one of them sees the other.
//
// Registers. A CPU that turns from one vCPU to another stores the first one's registers before it loads the second's
// (ContextSwitch.To). Until then, and while the CPU idles with them still loaded, the unit cannot move:
// SchedUnit.IsMovable. A unit that must leave a CPU (its affinity says so) goes to sleep there, its registers are
// stored, then it wakes elsewhere. A CPU that falls idle keeps the registers of a vCPU that is merely blocked; those
// of a paused one it stores (ContextSwitch.Evict), so that whoever paused it finds them in the Vcpu.
//
// Locking: SchedCpu.Lock (see there). No other lock but the timer queues' is taken inside it. LoadedOn is written by
// ContextSwitch, on the CPU that it names.

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

/// <summary>Lets vCPUs run, sleep and change places.</summary>
public static unsafe partial class VcpuScheduling
{
    /// <summary>The conditions under which a vCPU may run, as they are at this moment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsRunnable(Vcpu* vcpu) =>
        Volatile.Read(ref vcpu->Sched.IsBlocked) == 0 && !IsHeld(vcpu);

    /// <summary>Blocked in SCHEDOP_block or SCHEDOP_poll.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsBlocked(Vcpu* vcpu) => Volatile.Read(ref vcpu->Sched.IsBlocked) != 0;

    /// <summary>Some condition has become better: the vCPU begins to wait for a CPU if it may run.</summary>
    public static void Wake(Vcpu* vcpu)
    {
        SchedUnit* unit = &vcpu->Sched;
        SchedCpu* cpu = Acquire(unit);
        bool chooseAnew = false;
        CpuMask helpers = default;
        if (!unit->IsAwake && unit->IsInserted && IsRunnable(vcpu))
        {
            ulong now = SystemTime.Now();
            cpu = MoveSleeping(cpu, unit, now);
            unit->IsAwake = true;
            RunStates.BecomeRunnable(&vcpu->Time, now);
            chooseAnew = PolicyTable.Wake(cpu, unit, now);
            if (!chooseAnew)
            {
                helpers = IdleNow(cpu->System) & unit->PlacesIn(cpu->System);
            }
        }

        uint number = cpu->Cpu;
        cpu->Lock.Release();
        if (chooseAnew)
        {
            SoftIrqs.RaiseOn(number, SoftIrq.Schedule);
        }
        else
        {
            AskToChoose(helpers);
        }
    }

    /// <summary>Some condition has become worse: the vCPU stops if it may not run. It may run on another CPU for a
    /// moment yet (<see cref="IsStopped"/>).</summary>
    public static void Sleep(Vcpu* vcpu)
    {
        SchedUnit* unit = &vcpu->Sched;
        SchedCpu* cpu = Acquire(unit);
        if (!IsRunnable(vcpu) && unit->IsAwake && !unit->IsRunning)
        {
            FallAsleep(cpu, vcpu, SystemTime.Now());
        }

        // The CPU that runs it chooses anew, be the registers loaded yet or not; one that idles with them stores them.
        uint target = unit->IsRunning ? cpu->Cpu : Volatile.Read(ref vcpu->LoadedOn);
        cpu->Lock.Release();
        if (target != Vcpu.NotLoaded)
        {
            SoftIrqs.RaiseOn(target, SoftIrq.Schedule);
        }
    }

    /// <summary>There is something for the vCPU to see: it ends its blocking, or passes through the hypervisor
    /// soon.</summary>
    public static void Kick(Vcpu* vcpu)
    {
        if (IsBlocked(vcpu))
        {
            Unblock(vcpu);
            return;
        }

        uint loadedOn = Volatile.Read(ref vcpu->LoadedOn);
        if (vcpu->Sched.IsRunning && loadedOn != Vcpu.NotLoaded && loadedOn != Machine.Cpu->CpuId)
        {
            Machine.Kick(loadedOn);
        }
    }

    /// <summary>Ends SCHEDOP_block or SCHEDOP_poll, whichever it was.</summary>
    public static void Unblock(Vcpu* vcpu)
    {
        Polling.Forget(vcpu);
        if (Interlocked.Exchange(ref vcpu->Sched.IsBlocked, 0) != 0)
        {
            Wake(vcpu);
        }
    }

    /// <summary>SCHEDOP_block of the calling vCPU: enables upcalls and waits for one, unless it is there
    /// already.</summary>
    public static void Block(Vcpu* vcpu)
    {
        vcpu->Info->EventChannelUpcallMask = 0;
        _ = Interlocked.Exchange(ref vcpu->Sched.IsBlocked, 1);
        if (Volatile.Read(ref vcpu->Info->EventChannelUpcallPending) != 0)
        {
            Volatile.Write(ref vcpu->Sched.IsBlocked, 0);
            return;
        }

        Machine.RaiseSoftIrq(SoftIrq.Schedule);
    }

    /// <summary>SCHEDOP_yield of the calling vCPU.</summary>
    public static void Yield(Vcpu* vcpu)
    {
        CpuInfo* info = Machine.Cpu;
        SchedCpu* cpu = (SchedCpu*)info->SchedCpu;
        if (Volatile.Read(ref cpu->Waiting) == 0)
        {
            return;
        }

        cpu->Lock.Acquire();
        PolicyTable.Yield(cpu, &vcpu->Sched, SystemTime.Now());
        cpu->Lock.Release();
        info->SoftIrqPending |= SoftIrq.Schedule;
    }

    private static SchedSystem* System
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ((SchedCpu*)Machine.Cpu->SchedCpu)->System;
    }

    /// <summary>Kept from running by others than itself.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsHeld(Vcpu* vcpu)
    {
        Domain* domain = vcpu->Domain;
        return vcpu->Offline || Volatile.Read(ref vcpu->PauseCount) != 0 || domain->IsPausedByTools
            || domain->IsShuttingDown || domain->IsShutDown || domain->IsDying;
    }

    /// <summary>Locks the CPU that the unit is assigned to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static SchedCpu* Acquire(SchedUnit* unit) => SchedSystem.Acquire(System, unit);

    /// <summary>Tells the policy that an awake unit sleeps, and books the time.</summary>
    private static void FallAsleep(SchedCpu* cpu, Vcpu* vcpu, ulong now)
    {
        SchedUnit* unit = &vcpu->Sched;
        PolicyTable.Sleep(cpu, unit, now);
        unit->IsAwake = false;
        unit->AsleepSince = now;
        RunStates.Change(&vcpu->Time, IsBlocked(vcpu) ? RunState.Blocked : RunState.Offline, now);
    }

    /// <summary>Assigns a sleeping unit to the CPU where the policy wants it, if that is possible now; gives the CPU
    /// that is locked and assigned afterwards.</summary>
    private static SchedCpu* MoveSleeping(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        uint target = PolicyTable.ChooseCpu(cpu->System, unit);
        if (target == cpu->Cpu || !unit->IsMovable)
        {
            return cpu;
        }

        SchedCpu* other = cpu->System->Cpu(target);
        if (target > cpu->Cpu)
        {
            other->Lock.Acquire();
        }
        else if (!other->Lock.TryAcquire())
        {
            // Against the order of locks only a try is allowed; the unit wakes where it is.
            return cpu;
        }

        PolicyTable.Migrate(unit, cpu, other, now);
        Volatile.Write(ref unit->Cpu, target);
        cpu->Lock.Release();
        return other;
    }
}
