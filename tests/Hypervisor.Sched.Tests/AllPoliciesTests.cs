// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using Xunit;
using static Hypervisor.Sched.Tests.Simulation;

namespace Hypervisor.Sched.Tests;

/// <summary>What holds whichever policy is in force, and while it changes.</summary>
public sealed unsafe class AllPoliciesTests
{
    [Theory]
    [InlineData(PolicyId.Credit)]
    [InlineData(PolicyId.Sedf)]
    [InlineData(PolicyId.Bvt)]
    public void A_unit_alone_has_its_cpu(PolicyId policy)
    {
        using Simulation simulation = new(1, policy);
        SimulatedUnit unit = simulation.Add();
        simulation.Wake(unit);
        simulation.RunFor(Second);
        Assert.Equal(Second, unit.Ran);
    }

    [Theory]
    [InlineData(PolicyId.Credit, 8, 1)]
    [InlineData(PolicyId.Credit, 8, 2)]
    [InlineData(PolicyId.Credit, 16, 4)]
    [InlineData(PolicyId.Sedf, 8, 1)]
    [InlineData(PolicyId.Sedf, 8, 2)]
    [InlineData(PolicyId.Sedf, 16, 4)]
    [InlineData(PolicyId.Bvt, 8, 1)]
    [InlineData(PolicyId.Bvt, 8, 2)]
    [InlineData(PolicyId.Bvt, 16, 4)]
    public void A_domain_may_have_more_units_than_there_are_cpus(PolicyId policy, int units, uint cpus)
    {
        Random random = new(units);
        using Simulation simulation = new(cpus, policy);
        SchedDomain* domain = simulation.AddDomain();
        for (int index = 0; index < units; index++)
        {
            _ = simulation.Add(
                domain, () => (ulong)random.Next(100_000, 40_000_000), () => (ulong)random.Next(0, 3) * 100_000);
        }

        simulation.WakeAll();
        simulation.RunFor(10 * Minute);
        Assert.All(simulation.Units, unit => Assert.InRange(unit.WorstWait, 0UL, Second));
        Assert.InRange(
            simulation.Units.Sum(unit => (double)unit.Ran), 0.98 * cpus * 10 * Minute, 1.0 * cpus * 10 * Minute);
    }

    /// <summary>What a unit was charged while it was alone, and another CPU idle, does not count later.</summary>
    [Theory]
    [InlineData(PolicyId.Credit)]
    [InlineData(PolicyId.Sedf)]
    [InlineData(PolicyId.Bvt)]
    public void Shares_hold_on_cpus_one_of_which_was_idle_for_long(PolicyId policy)
    {
        using Simulation simulation = new(2, policy);
        simulation.Wake(simulation.Add());
        simulation.RunFor(Hour);
        ulong before = simulation.Units[0].Ran;
        simulation.Wake(simulation.Add());
        simulation.Wake(simulation.Add());
        simulation.RunFor(10 * Minute);
        Assert.InRange((simulation.Units[0].Ran - before) / (double)(10 * Minute), 0.66, 0.673);
        Assert.InRange(simulation.Units[1].Ran / (double)(10 * Minute), 0.66, 0.673);
        Assert.InRange(simulation.Units[2].Ran / (double)(10 * Minute), 0.66, 0.673);
    }

    /// <summary>The same after an hour in which one CPU's unit slept for half of the time, and the other's never.</summary>
    [Theory]
    [InlineData(PolicyId.Credit)]
    [InlineData(PolicyId.Sedf)]
    [InlineData(PolicyId.Bvt)]
    public void Shares_hold_on_cpus_one_of_which_was_idle_often(PolicyId policy)
    {
        using Simulation simulation = new(2, policy);
        bool isBusy = false;
        simulation.Wake(simulation.Add());
        simulation.Wake(simulation.Add(null, () => isBusy ? Hour : Millisecond, () => Millisecond));
        simulation.RunFor(Hour);
        isBusy = true;
        simulation.Wake(simulation.Add());
        ulong[] before = [.. simulation.Units.Select(unit => unit.Ran)];
        simulation.RunFor(10 * Minute);
        Assert.All(simulation.Units, unit =>
            Assert.InRange((unit.Ran - before[unit.Index]) / (double)(10 * Minute), 0.65, 0.68));
    }

    /// <summary>Wherever it wakes.</summary>
    [Theory]
    [InlineData(PolicyId.Credit, 2)]
    [InlineData(PolicyId.Credit, 4)]
    [InlineData(PolicyId.Sedf, 2)]
    [InlineData(PolicyId.Sedf, 4)]
    [InlineData(PolicyId.Bvt, 2)]
    [InlineData(PolicyId.Bvt, 4)]
    public void Who_uses_little_responds_soon_on_many_busy_cpus(PolicyId policy, uint cpus)
    {
        Random random = new((int)cpus);
        using Simulation simulation = new(cpus, policy);
        for (int index = 0; index < 2 * cpus; index++)
        {
            _ = simulation.Add(null, () => (ulong)random.Next(1_000_000, 500_000_000), () => (ulong)random.Next(1_000, 20_000_000));
        }

        SimulatedUnit sleeper = simulation.Add(Millisecond / 5, 9 * Millisecond);
        List<ulong> delays = [];
        sleeper.OnFirstRun = delays.Add;
        simulation.WakeAll();
        simulation.RunFor(10 * Minute);
        delays.Sort();
        Assert.InRange(delays.Average(delay => (double)delay), 0, Millisecond);
        Assert.InRange(delays[delays.Count * 99 / 100], 0UL, 3 * Millisecond);
    }

    /// <summary>With the widest spread of parameters everybody still has a turn.</summary>
    [Theory]
    [InlineData(PolicyId.Credit)]
    [InlineData(PolicyId.Sedf)]
    [InlineData(PolicyId.Bvt)]
    public void Nobody_starves(PolicyId policy)
    {
        using Simulation simulation = new(2, policy);
        for (int index = 0; index < 4; index++)
        {
            SchedDomain* heavy = simulation.AddDomain(65535);
            heavy->Sedf.Weight = 65535;
            heavy->Bvt.Advance = 1;
            _ = simulation.Add(heavy);
        }

        SchedDomain* light = simulation.AddDomain(64);
        light->Sedf.Weight = 64;
        light->Bvt.Advance = 1024;
        SimulatedUnit unit = simulation.Add(light);
        simulation.WakeAll();
        simulation.RunFor(Hour);
        Assert.True(unit.Ran > 0);
        Assert.InRange(unit.WorstWait, 0UL, Minute);
    }

    /// <summary>The cost of a choice must not depend on how many units sleep.</summary>
    [Theory]
    [InlineData(PolicyId.Credit)]
    [InlineData(PolicyId.Sedf)]
    [InlineData(PolicyId.Bvt)]
    public void Sleeping_units_cost_nothing(PolicyId policy)
    {
        double few = Cost(policy, sleepers: 10);
        double many = Cost(policy, sleepers: 5_000);

        // Wall-clock time on a shared machine: only a cost that grows with the number would be beyond this.
        Assert.InRange(many / few, 0, 10);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(4, 4)]
    [InlineData(5, 4)]
    [InlineData(6, 2)]
    [InlineData(7, 8)]
    [InlineData(8, 1)]
    public void Whatever_happens_no_unit_is_lost_or_runs_twice(int seed, uint cpus)
    {
        Random random = new(seed);
        using Simulation simulation = new(cpus, (PolicyId)(seed % 3));
        ulong all = (1UL << (int)cpus) - 1;
        for (int index = 0; index < 24; index++)
        {
            SchedDomain* domain = index % 3 == 0 || index == 0
                ? simulation.AddDomain((uint)random.Next(1, 2000), random.Next(4) == 0 ? (uint)random.Next(1, 120) : 0)
                : simulation.Units[index - 1].Unit->Domain;
            _ = simulation.Add(
                domain, () => (ulong)random.Next(1_000, 20_000_000), () => (ulong)random.Next(0, 20_000_000));
        }

        simulation.WakeAll();
        for (int step = 0; step < 4_000; step++)
        {
            simulation.RunFor((ulong)random.Next(1, 5_000_000));
            Disturb(simulation, random, all, cpus);
            simulation.CheckEverything();
        }

        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            simulation.SetOnline(cpu, isOnline: true);
        }

        // Nobody was forgotten in some queue: each unit that is awake gets on.
        ulong[] before = [.. simulation.Units.Select(unit => unit.Ran)];
        simulation.RunFor(2 * Minute);
        for (int index = 0; index < before.Length; index++)
        {
            bool wasSleeping = !simulation.Units[index].Unit->IsAwake && !simulation.Units[index].IsResting;
            Assert.True(wasSleeping || simulation.Units[index].Ran > before[index], $"Unit {index} is lost");
        }
    }

    [Fact]
    public void Parameters_of_every_policy_survive_the_others()
    {
        using Simulation simulation = new(1);
        SimulatedUnit one = simulation.Add(simulation.AddDomain(256));
        SimulatedUnit two = simulation.Add(simulation.AddDomain(768));
        one.Unit->Domain->Sedf = new SedfParameters { Period = 10 * Millisecond, Slice = 9 * Millisecond, Weight = 1 };
        two.Unit->Domain->Bvt.Advance = 40;
        simulation.WakeAll();
        for (int turn = 0; turn < 3; turn++)
        {
            Assert.True(simulation.TrySwitch(PolicyId.Credit));
            AssertShare(simulation, one, 0.25);
            Assert.True(simulation.TrySwitch(PolicyId.Sedf));
            AssertShare(simulation, one, 0.9);
            Assert.True(simulation.TrySwitch(PolicyId.Bvt));
            AssertShare(simulation, one, 0.8);
        }
    }

    [Fact]
    public void A_switch_to_sedf_that_cannot_keep_its_reservations_changes_nothing()
    {
        using Simulation simulation = new(1);
        SimulatedUnit one = simulation.Add(simulation.AddDomain(256));
        SimulatedUnit two = simulation.Add(simulation.AddDomain(768));
        one.Unit->Domain->Sedf = new SedfParameters { Period = 10 * Millisecond, Slice = 5 * Millisecond, Weight = 1 };
        two.Unit->Domain->Sedf = one.Unit->Domain->Sedf;
        simulation.WakeAll();
        simulation.RunFor(Second);
        uint generation = simulation.System->Generation;
        Assert.False(simulation.TrySwitch(PolicyId.Sedf));
        Assert.Equal(PolicyId.Credit, simulation.System->Policy);
        Assert.Equal(generation, simulation.System->Generation);
        Assert.All(simulation.Units, unit => Assert.Equal(SchedUnit.NoHome, unit.Unit->Home));
        AssertShare(simulation, one, 0.25);
    }

    private static void AssertShare(Simulation simulation, SimulatedUnit unit, double expected)
    {
        ulong before = unit.Ran;
        simulation.RunFor(10 * Minute);
        Assert.InRange((unit.Ran - before) / (double)(10 * Minute), expected * 0.99, expected * 1.01);
    }

    private static void Disturb(Simulation simulation, Random random, ulong all, uint cpus)
    {
        SimulatedUnit unit = simulation.Units[random.Next(simulation.Units.Count)];
        switch (random.Next(8))
        {
            case 0:
                _ = simulation.TrySwitch((PolicyId)random.Next(3));
                break;
            case 1:
                simulation.SetAffinity(unit, 1 + ((ulong)random.NextInt64() % all));
                break;
            case 2:
                simulation.SetOnline((uint)random.Next((int)cpus), random.Next(2) == 0);
                break;
            case 3:
                ulong period = (ulong)random.Next(1_000, 100_000) * Microsecond;
                SedfParameters parameters = new()
                {
                    Period = period,
                    Slice = random.Next(3) == 0 ? 0 : period * (ulong)random.Next(1, 30) / 100,
                    Weight = (uint)random.Next(1, 1000),
                    ExtraTime = 1,
                };
                if (parameters.IsValid && simulation.System->Policy == PolicyId.Sedf)
                {
                    _ = simulation.TrySet(unit.Unit->Domain, parameters);
                }

                break;
            case 4:
                simulation.Set(unit.Unit->Domain, new CreditParameters { Weight = (uint)random.Next(1, 3000) });
                break;
            case 5:
                simulation.Set(unit.Unit->Domain, new BvtParameters
                {
                    Advance = (uint)random.Next(1, 100),
                    IsWarping = (uint)random.Next(2),
                    WarpValue = (ulong)random.Next(0, 50_000_000),
                });
                break;
            case 6 when unit.Unit->IsAwake:
                simulation.Sleep(unit);
                break;
            case 6:
            case 7 when !unit.Unit->IsAwake:
                simulation.Wake(unit);
                break;
            default:
                if (unit.Unit->IsRunning)
                {
                    simulation.Yield(unit);
                }

                break;
        }
    }

    private static double Cost(PolicyId policy, int sleepers)
    {
        using Simulation simulation = new(2, policy) { MustConserveWork = false };
        for (int index = 0; index < sleepers; index++)
        {
            _ = simulation.Add();
        }

        for (int index = 0; index < 6; index++)
        {
            simulation.Wake(simulation.Add(Millisecond, Millisecond / 3));
        }

        simulation.RunFor(Second);
        long picks = simulation.Picks;
        Stopwatch watch = Stopwatch.StartNew();
        simulation.RunFor(30 * Second);
        return watch.Elapsed.TotalSeconds / (simulation.Picks - picks);
    }
}
