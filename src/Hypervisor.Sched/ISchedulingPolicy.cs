// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Sched;

/// <summary>Who runs next: the contract of a scheduler. An implementation is a struct without fields; its data lie
/// in the <see cref="PolicyData"/> of units, CPUs and domains. It knows no clock and no machine: time comes in,
/// decisions go out as values, so that it runs in a simulation exactly as on a processor.</summary>
/// <remarks>The mechanism (Hypervisor.Core.Scheduling) calls in with the lock of the CPU concerned held, and keeps
/// <see cref="SchedUnit.IsAwake"/>, <see cref="SchedUnit.IsRunning"/> and <see cref="SchedCpu.Running"/>; the policy
/// keeps its queues and <see cref="SchedCpu.Waiting"/>. A unit that runs is in no queue. All members are static: the
/// policy is chosen by a compare (<see cref="PolicyTable"/>), never by an indirect call.</remarks>
public unsafe interface ISchedulingPolicy
{
    /// <summary>A CPU joins, or the policy takes it over from another; its data are zero.</summary>
    static abstract void InitialiseCpu(SchedCpu* cpu, ulong now);

    /// <summary>A domain is made, or the policy takes it over from another; its data are zero.
    /// <see cref="SchedSystem.UnitsLock"/> is held.</summary>
    static abstract void InitialiseDomain(SchedSystem* system, SchedDomain* domain, ulong now);

    /// <summary>The domain's parameters have changed; they are valid. <see cref="SchedSystem.UnitsLock"/> is held,
    /// no CPU's lock.</summary>
    static abstract void ApplyParameters(SchedSystem* system, SchedDomain* domain, ulong now);

    /// <summary>A unit is about to join, by way of creation: the policy may give it a home, or refuse it. <see
    /// cref="SchedSystem.UnitsLock"/> is held, no CPU's lock.</summary>
    static abstract bool TryAdmit(SchedSystem* system, SchedUnit* unit);

    /// <summary>A unit joins, asleep; its data are zero. <see cref="SchedSystem.UnitsLock"/> is held as
    /// well.</summary>
    static abstract void Insert(SchedCpu* cpu, SchedUnit* unit, ulong now);

    /// <summary>A unit that has just joined runs on the CPU already, since now: the policy takes it over from
    /// another.</summary>
    static abstract void Adopt(SchedCpu* cpu, SchedUnit* unit, ulong now);

    /// <summary>A sleeping unit goes for good.</summary>
    static abstract void Remove(SchedCpu* cpu, SchedUnit* unit);

    /// <summary>A sleeping unit wants to run on <paramref name="cpu"/>. True when that CPU should choose
    /// anew.</summary>
    static abstract bool Wake(SchedCpu* cpu, SchedUnit* unit, ulong now);

    /// <summary>An awake unit cannot run any more. It waits in a queue, or it is <see cref="SchedCpu.Running"/> and
    /// ran until now.</summary>
    static abstract void Sleep(SchedCpu* cpu, SchedUnit* unit, ulong now);

    /// <summary>The running unit lets others go first; <see cref="Pick"/> follows.</summary>
    static abstract void Yield(SchedCpu* cpu, SchedUnit* unit, ulong now);

    /// <summary>Chooses. <see cref="SchedCpu.Running"/> is the unit that ran until now and could go on, or null;
    /// unless it is the choice it is queued. May take a waiting unit of another CPU whose lock is free, if the unit
    /// is movable and may run here: it then sets the unit's <see cref="SchedUnit.Cpu"/> with both locks held. The
    /// time of the decision is later than <paramref name="now"/>.</summary>
    static abstract SchedDecision Pick(SchedCpu* cpu, ulong now);

    /// <summary>Where a unit that is about to wake should run: one of its places. Only the lock of the unit's present
    /// CPU is held, or <see cref="SchedSystem.UnitsLock"/> while the unit is new.</summary>
    static abstract uint ChooseCpu(SchedSystem* system, SchedUnit* unit);

    /// <summary>CPUs on which some unit may run that waits here: those of them that are idle are asked to choose.</summary>
    static abstract CpuMask PlacesWanted(SchedCpu* cpu);

    /// <summary>A sleeping unit changes CPUs; both locks are held. The mechanism then sets
    /// <see cref="SchedUnit.Cpu"/>.</summary>
    static abstract void Migrate(SchedUnit* unit, SchedCpu* from, SchedCpu* to, ulong now);
}
