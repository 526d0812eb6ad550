// SPDX-License-Identifier: MIT
// Plays the mechanism's part towards a policy: time goes from event to event (a slice ends, a unit has done its work, a
// unit wakes), and at each the rules of ISchedulingPolicy are checked. What Hypervisor.Core.Scheduling does with
// registers is left out, but for one thing: a unit cannot move while some CPU holds its registers.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Xunit;

namespace Hypervisor.Sched.Tests;

internal sealed unsafe partial class Simulation : IDisposable
{
    public const ulong Microsecond = 1_000;
    public const ulong Millisecond = 1_000_000;
    public const ulong Second = 1_000_000_000;
    public const ulong Minute = 60 * Second;
    public const ulong Hour = 60 * Minute;

    private const uint NotLoaded = 0xFFFFFFFF;

    private readonly List<nint> _blocks = [];
    private readonly List<SimulatedUnit> _units = [];
    private readonly PriorityQueue<(SimulatedUnit Unit, int Alarm), ulong> _alarms = new();
    private readonly SchedSystem* _system;
    private readonly ulong[] _until;
    private readonly SimulatedUnit[] _loaded;
    private readonly uint _cpus;
    private int _eventsAtOnce;

    public Simulation(uint cpus, PolicyId policy = PolicyId.Credit)
    {
        _ = FakeMachine.Reset(cpus: cpus);
        _cpus = cpus;
        _until = new ulong[cpus];
        _loaded = new SimulatedUnit[cpus];
        _system = Allocate<SchedSystem>();
        SchedSystem.Initialise(_system, policy);
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            SchedSystem.Add(_system, Allocate<SchedCpu>(), cpu, 0);
            _until[cpu] = SchedDecision.NoLimit;
        }
    }

    public ulong Now { get; private set; }

    public IReadOnlyList<SimulatedUnit> Units => _units;

    public SchedSystem* System => _system;

    /// <summary>How often a policy was asked to choose.</summary>
    public long Picks { get; private set; }

    /// <summary>Check after every event that no CPU is idle while a unit waits that may run there.</summary>
    public bool MustConserveWork { get; set; } = true;

    public SchedDomain* AddDomain()
    {
        SchedDomain* domain = Allocate<SchedDomain>();
        SchedDomain.Initialise(domain);
        return domain;
    }

    /// <summary>A domain with a weight and a cap, not known to the policy yet.</summary>
    public SchedDomain* AddDomain(uint weight, uint cap = 0)
    {
        SchedDomain* domain = AddDomain();
        domain->Credit = new CreditParameters { Weight = weight, Cap = cap };
        return domain;
    }

    public SimulatedUnit Add(ulong work, ulong rest) => Add(null, () => work, () => rest);

    public SimulatedUnit Add(
        SchedDomain* domain = null,
        Func<ulong> work = null,
        Func<ulong> rest = null,
        ulong hard = ulong.MaxValue,
        ulong soft = ulong.MaxValue)
    {
        SchedUnit* unit = Allocate<SchedUnit>();
        SimulatedUnit simulated = new(unit, _units.Count) { Work = work, Rest = rest, WorkLeft = work?.Invoke() ?? 0 };
        uint* loadedOn = Allocate<uint>();
        *loadedOn = NotLoaded;
        unit->LoadedOn = loadedOn;
        unit->Owner = (void*)_units.Count;
        unit->Domain = domain == null ? AddDomain() : domain;
        unit->HardAffinity = new CpuMask(hard);
        unit->SoftAffinity = new CpuMask(soft);
        unit->AsleepSince = Now;
        Assert.True(SchedSystem.TryInsert(_system, unit, Now), "Not admitted");
        _units.Add(simulated);
        return simulated;
    }

    public SimulatedUnit Of(SchedUnit* unit) => unit == null ? null : _units[(int)(nint)unit->Owner];

    public void WakeAll()
    {
        foreach (SimulatedUnit unit in _units)
        {
            Wake(unit);
        }
    }

    public void Wake(SimulatedUnit simulated)
    {
        SchedUnit* unit = simulated.Unit;
        Assert.False(unit->IsAwake);
        simulated.Alarm++;
        simulated.IsResting = false;
        uint target = PolicyTable.ChooseCpu(_system, unit);
        Assert.True(unit->PlacesIn(_system).Contains(target), "A unit is to wake where it may not run");
        if (target != unit->Cpu && unit->IsMovable)
        {
            PolicyTable.Migrate(unit, _system->Cpu(unit->Cpu), _system->Cpu(target), Now);
            unit->Cpu = target;
        }

        unit->IsAwake = true;
        simulated.WokeAt = Now;
        simulated.WaitsSince = Now;
        simulated.IsWaitingForFirstRun = true;
        uint cpu = unit->Cpu;
        if (PolicyTable.Wake(_system->Cpu(cpu), unit, Now))
        {
            Choose(cpu);
        }
        else
        {
            AskHelpers(cpu);
        }
    }

    /// <summary>The unit cannot run any more, wherever it is.</summary>
    public void Sleep(SimulatedUnit simulated)
    {
        SchedUnit* unit = simulated.Unit;
        SchedCpu* cpu = _system->Cpu(unit->Cpu);
        bool ran = unit->IsRunning;
        PolicyTable.Sleep(cpu, unit, Now);
        unit->IsAwake = false;
        unit->IsRunning = false;
        unit->AsleepSince = Now;
        if (ran)
        {
            cpu->Running = null;
            Choose(cpu->Cpu);
        }
    }

    public void Yield(SimulatedUnit simulated)
    {
        Assert.True(simulated.Unit->IsRunning);
        uint cpu = simulated.Unit->Cpu;
        if (_system->Cpu(cpu)->Waiting != 0)
        {
            PolicyTable.Yield(_system->Cpu(cpu), simulated.Unit, Now);
            Choose(cpu);
        }
    }

    /// <summary>Who runs on the CPU, or null.</summary>
    public SimulatedUnit RunningOn(uint cpu) => Of(_system->Cpu(cpu)->Running);

    /// <summary>Lets time pass.</summary>
    public void RunFor(ulong duration)
    {
        ulong end = Now + duration;
        while (true)
        {
            ulong next = NextEvent(end);
            _eventsAtOnce = next == Now ? _eventsAtOnce + 1 : 0;
            Assert.True(_eventsAtOnce < 10_000, "Time does not go on");
            Pass(next - Now);
            if (Now >= end && _eventsAtOnce != 0)
            {
                return;
            }

            for (uint cpu = 0; cpu < _cpus; cpu++)
            {
                if (_until[cpu] <= Now)
                {
                    Choose(cpu);
                }
            }

            EndWork();
            WakeDue();
            CheckInvariants();
        }
    }

    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }
    }

    private ulong NextEvent(ulong end)
    {
        ulong next = end;
        for (uint cpu = 0; cpu < _cpus; cpu++)
        {
            next = Math.Min(next, _until[cpu]);
            SimulatedUnit running = RunningOn(cpu);
            if (running?.Work != null)
            {
                next = Math.Min(next, Now + running.WorkLeft);
            }
        }

        if (_alarms.TryPeek(out _, out ulong due))
        {
            next = Math.Min(next, due);
        }

        return Math.Max(next, Now);
    }

    private void Pass(ulong time)
    {
        for (uint cpu = 0; cpu < _cpus; cpu++)
        {
            SimulatedUnit running = RunningOn(cpu);
            if (running != null)
            {
                running.Ran += time;
                running.WorkLeft -= running.Work != null ? time : 0;
            }
        }

        Now += time;
    }

    private void EndWork()
    {
        for (uint cpu = 0; cpu < _cpus; cpu++)
        {
            SimulatedUnit unit = RunningOn(cpu);
            if (unit?.Work == null || unit.WorkLeft != 0)
            {
                continue;
            }

            unit.WorkLeft = Math.Max(1, unit.Work());
            ulong rest = unit.Rest();
            if (rest == 0)
            {
                Yield(unit);
                continue;
            }

            unit.IsResting = true;
            _alarms.Enqueue((unit, ++unit.Alarm), Now + rest);
            Sleep(unit);
        }
    }

    private void WakeDue()
    {
        while (_alarms.TryPeek(out (SimulatedUnit Unit, int Alarm) first, out ulong due) && due <= Now)
        {
            _ = _alarms.Dequeue();
            if (first.Unit.IsResting && first.Alarm == first.Unit.Alarm)
            {
                Wake(first.Unit);
            }
        }
    }

    private void Choose(uint number)
    {
        SchedCpu* cpu = _system->Cpu(number);
        SchedUnit* previous = cpu->Running;
        List<SimulatedUnit> displaced = [];
        if (previous != null && !previous->MayRunOn(cpu))
        {
            Displace(cpu, previous, displaced);
            previous = null;
        }

        SchedDecision decision = default;
        while (true)
        {
            Picks++;
            decision = PolicyTable.Pick(cpu, Now);
            Assert.True(decision.Until > Now, "A decision for no time");
            if (decision.Unit == null || decision.Unit->MayRunOn(cpu))
            {
                break;
            }

            if (previous != null)
            {
                previous->IsRunning = false;
                Of(previous).WaitsSince = Now;
                previous = null;
            }

            cpu->Running = decision.Unit;
            decision.Unit->RunningSince = Now;
            Displace(cpu, decision.Unit, displaced);
        }

        if (previous != null && previous != decision.Unit)
        {
            previous->IsRunning = false;
            Of(previous).WaitsSince = Now;
        }

        cpu->Running = decision.Unit;
        _until[number] = decision.Until;
        if (decision.Unit == null)
        {
            _ = Machine.TestAndSetBit(&_system->Idle, number);
        }
        else
        {
            _ = Machine.TestAndClearBit(&_system->Idle, number);
            Begin(cpu, previous, decision.Unit);
        }

        foreach (SimulatedUnit unit in displaced)
        {
            if (_loaded[number] == unit)
            {
                Unload(number);
            }

            Wake(unit);
        }

        AskHelpers(number);
    }

    /// <summary>A unit that may not run where it is sleeps there and wakes elsewhere.</summary>
    private void Displace(SchedCpu* cpu, SchedUnit* unit, List<SimulatedUnit> displaced)
    {
        PolicyTable.Sleep(cpu, unit, Now);
        unit->IsAwake = false;
        unit->IsRunning = false;
        unit->AsleepSince = Now;
        cpu->Running = null;
        displaced.Add(Of(unit));
    }

    private void Begin(SchedCpu* cpu, SchedUnit* previous, SchedUnit* unit)
    {
        Assert.True(unit->IsAwake, "A unit that sleeps is chosen");
        Assert.Equal(cpu->Cpu, unit->Cpu);
        SimulatedUnit simulated = Of(unit);
        if (unit != previous || !unit->IsRunning)
        {
            Assert.False(unit->IsRunning, "A unit is on two CPUs");
            unit->IsRunning = true;
            unit->RunningSince = Now;
            simulated.WorstWait = Math.Max(simulated.WorstWait, Now - simulated.WaitsSince);
        }

        if (_loaded[cpu->Cpu] != simulated)
        {
            Assert.True(unit->IsMovable, "A unit runs here whose registers are elsewhere");
            Unload(cpu->Cpu);
            _loaded[cpu->Cpu] = simulated;
            *unit->LoadedOn = cpu->Cpu;
        }

        if (simulated.IsWaitingForFirstRun)
        {
            simulated.IsWaitingForFirstRun = false;
            simulated.WorstDelay = Math.Max(simulated.WorstDelay, Now - simulated.WokeAt);
            simulated.OnFirstRun?.Invoke(Now - simulated.WokeAt);
        }
    }

    private void Unload(uint cpu)
    {
        if (_loaded[cpu] != null)
        {
            *_loaded[cpu].Unit->LoadedOn = NotLoaded;
            _loaded[cpu] = null;
        }
    }

    private void AskHelpers(uint number)
    {
        SchedCpu* cpu = _system->Cpu(number);
        CpuMask idle = _system->Idle & _system->Online;
        if (cpu->Waiting == 0 || idle.Without(number).IsEmpty)
        {
            return;
        }

        for (CpuMask helpers = (idle & PolicyTable.PlacesWanted(cpu)).Without(number);
            !helpers.IsEmpty && cpu->Waiting != 0;
            helpers = helpers.Without(helpers.First))
        {
            if (_system->Cpu(helpers.First)->Running == null)
            {
                Choose(helpers.First);
            }
        }
    }

    private T* Allocate<T>()
        where T : unmanaged
    {
        T* block = (T*)NativeMemory.AlignedAlloc((nuint)sizeof(T), 64);
        *block = default;
        _blocks.Add((nint)block);
        return block;
    }
}
