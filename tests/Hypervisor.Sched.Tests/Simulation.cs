// SPDX-License-Identifier: MIT
// Plays the mechanism's part towards a policy: time goes from event to event (a slice
// ends, a unit has done its work, a unit wakes), and at each the rules of ISchedulingPolicy are checked. What
// Hypervisor.Core.Scheduling does with locks and registers is left out.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using Xunit;

namespace Hypervisor.Sched.Tests;

internal sealed unsafe class Simulation : IDisposable
{
    private const uint NotLoaded = 0xFFFFFFFF;

    private readonly List<nint> _blocks = [];
    private readonly List<SimulatedUnit> _units = [];
    private readonly SchedSystem* _system;
    private readonly ulong[] _until;
    private readonly uint _cpus;

    public Simulation(uint cpus, SchedulerId policy = SchedulerId.RoundRobin)
    {
        _ = FakeMachine.Reset(cpus: cpus);
        _cpus = cpus;
        _until = new ulong[cpus];
        _system = Allocate<SchedSystem>();
        _system->Policy = policy;
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            SchedSystem.Add(_system, Allocate<SchedCpu>(), cpu, 0);
            _until[cpu] = SchedDecision.NoLimit;
        }
    }

    public ulong Now { get; private set; }

    public IReadOnlyList<SimulatedUnit> Units => _units;

    public SchedSystem* System => _system;

    public SimulatedUnit Add(ulong work = 0, ulong rest = 0, ulong hard = ulong.MaxValue, ulong soft = ulong.MaxValue)
    {
        SchedUnit* unit = Allocate<SchedUnit>();
        uint* loadedOn = Allocate<uint>();
        *loadedOn = NotLoaded;
        unit->LoadedOn = loadedOn;
        unit->Domain = Allocate<SchedDomain>();
        unit->HardAffinity = new CpuMask(hard);
        unit->SoftAffinity = new CpuMask(soft);
        unit->Cpu = PolicyTable.ChooseCpu(_system, unit);
        unit->AsleepSince = Now;
        PolicyTable.Insert(_system->Cpu(unit->Cpu), unit, Now);
        unit->IsInserted = true;
        SimulatedUnit simulated = new(unit) { Work = work, Rest = rest, WorkLeft = work };
        _units.Add(simulated);
        return simulated;
    }

    public void Wake(SimulatedUnit simulated)
    {
        SchedUnit* unit = simulated.Unit;
        Assert.False(unit->IsAwake);
        uint target = PolicyTable.ChooseCpu(_system, unit);
        Assert.True(unit->HardAffinity.Contains(target));
        if (target != unit->Cpu)
        {
            PolicyTable.Migrate(unit, _system->Cpu(unit->Cpu), _system->Cpu(target), Now);
            unit->Cpu = target;
        }

        unit->IsAwake = true;
        simulated.WakesAt = ulong.MaxValue;
        simulated.WokeAt = Now;
        simulated.IsWaitingForFirstRun = true;
        if (PolicyTable.Wake(_system->Cpu(target), unit, Now))
        {
            Choose(target);
        }
        else if (_system->Idle.Bits != 0)
        {
            Choose(_system->Idle.First);
        }
    }

    public void Yield(SimulatedUnit simulated)
    {
        Assert.True(simulated.Unit->IsRunning);
        PolicyTable.Yield(_system->Cpu(simulated.Unit->Cpu), simulated.Unit, Now);
        Choose(simulated.Unit->Cpu);
    }

    /// <summary>Who runs on the CPU, or null.</summary>
    public SimulatedUnit RunningOn(uint cpu) => _units.SingleOrDefault(u => u.Unit == _system->Cpu(cpu)->Running);

    /// <summary>Lets time pass.</summary>
    public void RunFor(ulong duration)
    {
        ulong end = Now + duration;
        while (Now < end)
        {
            ulong next = end;
            foreach (SimulatedUnit unit in _units)
            {
                next = Math.Min(next, unit.WakesAt);
                next = unit.Unit->IsRunning && unit.Work != 0 ? Math.Min(next, Now + unit.WorkLeft) : next;
            }

            next = Math.Max(Now, Math.Min(next, _until.Min()));
            foreach (SimulatedUnit unit in _units.Where(u => u.Unit->IsRunning))
            {
                unit.Ran += next - Now;
                unit.WorkLeft -= unit.Work != 0 ? next - Now : 0;
            }

            Now = next;
            for (uint cpu = 0; cpu < _cpus; cpu++)
            {
                if (_until[cpu] <= Now)
                {
                    Choose(cpu);
                }
            }

            foreach (SimulatedUnit unit in _units.Where(u => u.Unit->IsRunning && u.Work != 0 && u.WorkLeft == 0))
            {
                unit.WakesAt = Now + unit.Rest;
                unit.WorkLeft = unit.Work;
                Sleep(unit);
            }

            foreach (SimulatedUnit unit in _units.Where(u => u.WakesAt <= Now))
            {
                Wake(unit);
            }

            CheckInvariants();
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
        *unit->LoadedOn = NotLoaded;
        unit->AsleepSince = Now;
        if (ran)
        {
            cpu->Running = null;
            Choose(cpu->Cpu);
        }
    }

    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }
    }

    private void Choose(uint number)
    {
        SchedCpu* cpu = _system->Cpu(number);
        SchedUnit* previous = cpu->Running;
        SchedDecision decision = PolicyTable.Pick(cpu, Now);
        if (previous != null && previous != decision.Unit)
        {
            previous->IsRunning = false;
            *previous->LoadedOn = NotLoaded;
        }

        cpu->Running = decision.Unit;
        _until[number] = decision.Until;
        Assert.True(decision.Until > Now);
        if (decision.Unit == null)
        {
            _ = Machine.TestAndSetBit(&_system->Idle, number);
            return;
        }

        _ = Machine.TestAndClearBit(&_system->Idle, number);
        SchedUnit* unit = decision.Unit;
        Assert.True(unit->IsAwake);
        Assert.Equal(number, unit->Cpu);
        Assert.True(unit->HardAffinity.Contains(number));
        if (unit != previous)
        {
            Assert.False(unit->IsRunning);
            unit->IsRunning = true;
            unit->RunningSince = Now;
            *unit->LoadedOn = number;
        }

        SimulatedUnit simulated = _units.Single(u => u.Unit == unit);
        if (simulated.IsWaitingForFirstRun)
        {
            simulated.IsWaitingForFirstRun = false;
            simulated.WorstDelay = Math.Max(simulated.WorstDelay, Now - simulated.WokeAt);
        }
    }

    private void CheckInvariants()
    {
        uint waiting = 0;
        for (uint number = 0; number < _cpus; number++)
        {
            SchedCpu* cpu = _system->Cpu(number);
            Assert.False(cpu->Lock.IsHeld);
            waiting += cpu->Waiting;
        }

        Assert.Equal(_units.Count(u => u.Unit->IsAwake && !u.Unit->IsRunning), (int)waiting);
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
