// SPDX-License-Identifier: MIT

using System;
using System.Linq;
using Hypervisor.Sched.Credit;
using Xunit;
using static Hypervisor.Sched.Tests.Simulation;

namespace Hypervisor.Sched.Tests;

public sealed unsafe class CreditTests
{
    [Theory]
    [InlineData(1, new[] { 256, 512 })]
    [InlineData(1, new[] { 256, 256, 256 })]
    [InlineData(1, new[] { 1, 2, 4, 8 })]
    [InlineData(1, new[] { 100, 1000, 10000, 20000 })]
    [InlineData(2, new[] { 256, 256, 256 })]
    [InlineData(2, new[] { 256, 512, 256, 512 })]
    [InlineData(4, new[] { 100, 200, 300, 400, 100, 200, 300, 400, 100, 200, 300, 400 })]
    [InlineData(4, new[] { 256, 256, 256, 256, 256 })]
    [InlineData(3, new[] { 300, 200, 200, 200, 100, 100 })]
    [InlineData(2, new[] { 1, 1, 1 })]
    [InlineData(2, new[] { 10_000, 20_000, 30_000 })]
    public void Units_that_never_sleep_have_shares_by_weight(uint cpus, int[] weights)
    {
        using Simulation simulation = new(cpus);
        foreach (int weight in weights)
        {
            _ = simulation.Add(simulation.AddDomain((uint)weight));
        }

        simulation.WakeAll();
        ulong time = weights.Max() > 10 * weights.Min() ? 2 * Hour : 20 * Minute;
        simulation.RunFor(time);
        AssertShares(simulation, weights, time * cpus);
    }

    /// <summary>Who cannot use all of its share leaves it to the others, in proportion.</summary>
    [Fact]
    public void A_share_beyond_one_cpu_goes_to_the_others()
    {
        using Simulation simulation = new(2);
        SimulatedUnit big = simulation.Add(simulation.AddDomain(10_000));
        SimulatedUnit one = simulation.Add(simulation.AddDomain(100));
        SimulatedUnit two = simulation.Add(simulation.AddDomain(200));
        simulation.WakeAll();
        simulation.RunFor(Hour);
        AssertShare(1.0, big.Ran, Hour);
        AssertShare(1.0 / 3, one.Ran, Hour);
        AssertShare(2.0 / 3, two.Ran, Hour);
    }

    [Fact]
    public void Who_had_a_cpu_alone_does_not_starve_those_that_come_later()
    {
        using Simulation simulation = new(2);
        SimulatedUnit big = simulation.Add(simulation.AddDomain(10_000));
        SimulatedUnit one = simulation.Add(simulation.AddDomain(100));
        simulation.WakeAll();
        simulation.RunFor(Hour);
        SimulatedUnit late = simulation.Add(simulation.AddDomain(100), hard: 1UL << (int)big.Unit->Cpu);
        simulation.Wake(late);
        ulong before = late.Ran;
        simulation.RunFor(10 * Second);
        Assert.InRange(late.Ran - before, 50 * Millisecond, 10 * Second);
    }

    [Fact]
    public void A_unit_that_ran_alone_owes_nothing_to_one_that_comes()
    {
        using Simulation simulation = new(1);
        SimulatedUnit first = simulation.Add(simulation.AddDomain(256));
        simulation.Wake(first);
        simulation.RunFor(Hour);
        SimulatedUnit second = simulation.Add(simulation.AddDomain(256));
        simulation.Wake(second);
        ulong before = first.Ran;
        simulation.RunFor(Second);
        Assert.InRange(first.Ran - before, 450 * Millisecond, 550 * Millisecond);
    }

    [Theory]
    [InlineData(1, 25, 1)]
    [InlineData(1, 1, 1)]
    [InlineData(1, 50, 3)]
    [InlineData(2, 150, 2)]
    [InlineData(4, 100, 4)]
    [InlineData(4, 250, 8)]
    public void A_cap_holds_on_idle_cpus(uint cpus, uint cap, int units)
    {
        using Simulation simulation = new(cpus);
        SchedDomain* domain = simulation.AddDomain(256, cap);
        for (int index = 0; index < units; index++)
        {
            _ = simulation.Add(domain);
        }

        simulation.WakeAll();
        simulation.RunFor(10 * Minute);
        AssertShare(cap / 100.0, Sum(simulation), 10 * Minute);
    }

    [Fact]
    public void What_a_cap_leaves_goes_to_the_others_by_weight()
    {
        using Simulation simulation = new(1);
        SimulatedUnit capped = simulation.Add(simulation.AddDomain(10_000, 25));
        SimulatedUnit one = simulation.Add(simulation.AddDomain(256));
        SimulatedUnit two = simulation.Add(simulation.AddDomain(512));
        simulation.WakeAll();
        simulation.RunFor(Hour);
        AssertShare(0.25, capped.Ran, Hour);
        AssertShare(0.25, one.Ran, Hour);
        AssertShare(0.50, two.Ran, Hour);
    }

    [Fact]
    public void A_cap_holds_for_a_unit_that_sleeps_often_and_wakes_at_the_wrong_time()
    {
        Random random = new(5);
        using Simulation simulation = new(2);
        SchedDomain* domain = simulation.AddDomain(256, 30);
        for (int index = 0; index < 3; index++)
        {
            _ = simulation.Add(domain, () => (ulong)random.Next(1_000, 400_000), () => (ulong)random.Next(1_000, 100_000));
        }

        simulation.WakeAll();
        simulation.RunFor(10 * Minute);
        AssertShare(0.30, Sum(simulation), 10 * Minute);
    }

    [Fact]
    public void The_weight_is_the_domain_s_however_many_units_it_has()
    {
        using Simulation simulation = new(2);
        SchedDomain* many = simulation.AddDomain(256);
        SchedDomain* few = simulation.AddDomain(256);
        for (int index = 0; index < 6; index++)
        {
            _ = simulation.Add(many);
        }

        SimulatedUnit[] pair = [simulation.Add(few), simulation.Add(few)];
        simulation.WakeAll();
        simulation.RunFor(Hour);
        AssertShare(0.5, pair[0].Ran + pair[1].Ran, 2 * Hour);
    }

    /// <summary>Two units of a domain, one of which sleeps for a blink before each turn of the other ends.</summary>
    [Fact]
    public void Sleeping_at_the_right_moment_does_not_make_time_cheaper()
    {
        using Simulation simulation = new(2);
        SchedDomain* cunning = simulation.AddDomain(256);
        SchedDomain* plain = simulation.AddDomain(256);
        _ = simulation.Add(cunning, () => 9_990 * Microsecond, () => 20 * Microsecond);
        _ = simulation.Add(cunning);
        SimulatedUnit[] honest = [simulation.Add(plain), simulation.Add(plain), simulation.Add(plain)];
        simulation.WakeAll();
        simulation.RunFor(Hour);
        Assert.InRange(honest.Sum(unit => (double)unit.Ran) / (2.0 * Hour), 0.49, 0.52);
    }

    /// <summary>Nothing is gained by being asleep when a tick comes, or by any other pattern of short sleeps.</summary>
    [Theory]
    [InlineData(9_900_000, 10_000)]
    [InlineData(29_000_000, 100_000)]
    [InlineData(900_000, 1_000)]
    [InlineData(100_000, 1_000)]
    [InlineData(3_000_000, 3_000)]
    public void Tick_dodging_gains_nothing(ulong work, ulong rest)
    {
        using Simulation simulation = new(1);
        SimulatedUnit dodger = simulation.Add(work, rest);
        SimulatedUnit plain = simulation.Add();
        simulation.WakeAll();
        simulation.RunFor(20 * Minute);
        Assert.InRange(dodger.Ran / (double)(20 * Minute), 0, 0.51);
        Assert.InRange(plain.Ran / (double)(20 * Minute), 0.49, 1);
    }

    [Fact]
    public void Who_uses_less_than_its_share_gets_in_within_the_rate_limit()
    {
        using Simulation simulation = new(1);
        _ = simulation.Add();
        _ = simulation.Add();
        SimulatedUnit sleeper = simulation.Add(Millisecond / 2, 9 * Millisecond);
        simulation.WakeAll();
        simulation.RunFor(Minute);
        sleeper.WorstDelay = 0;
        simulation.RunFor(10 * Minute);
        Assert.InRange(sleeper.WorstDelay, 0UL, SystemParameters.Default.RateLimit);
        AssertShare(0.5 / 9.5, sleeper.Ran, 11 * Minute, tolerance: 0.1);
    }

    [Fact]
    public void Sleepers_together_do_not_starve_a_unit_that_never_sleeps()
    {
        using Simulation simulation = new(1);
        SimulatedUnit plain = simulation.Add();
        for (int index = 0; index < 5; index++)
        {
            _ = simulation.Add(2 * Millisecond, 3 * Millisecond);
        }

        simulation.WakeAll();
        simulation.RunFor(10 * Minute);
        AssertShare(1.0 / 6, plain.Ran, 10 * Minute, tolerance: 0.03);
        Assert.InRange(plain.WorstWait, 0UL, 500 * Millisecond);
    }

    [Fact]
    public void Who_yields_goes_behind_the_others()
    {
        using Simulation simulation = new(1);
        SimulatedUnit[] units = [simulation.Add(), simulation.Add(), simulation.Add()];
        simulation.WakeAll();
        simulation.RunFor(Second);
        SimulatedUnit first = simulation.RunningOn(0);
        simulation.Yield(first);
        SimulatedUnit second = simulation.RunningOn(0);
        simulation.Yield(second);
        SimulatedUnit third = simulation.RunningOn(0);
        Assert.Equal(3, new[] { first, second, third }.Distinct().Count());
    }

    [Fact]
    public void A_unit_that_spins_and_yields_lets_those_without_credit_work()
    {
        using Simulation simulation = new(1);
        SimulatedUnit spinner = simulation.Add(simulation.AddDomain(60_000), () => 2 * Microsecond, () => 0);
        SimulatedUnit holder = simulation.Add(simulation.AddDomain(1));
        simulation.WakeAll();
        simulation.RunFor(Second);
        Assert.InRange(holder.Ran, 800 * Millisecond, Second);
        Assert.True(spinner.Ran > 0);
    }

    [Fact]
    public void Affinity_is_kept_even_if_a_cpu_stays_idle()
    {
        using Simulation simulation = new(2);
        _ = simulation.Add(hard: 2);
        _ = simulation.Add(hard: 2);
        simulation.WakeAll();
        simulation.RunFor(Second);
        Assert.Equal(Second, Sum(simulation));
        Assert.Null(simulation.RunningOn(0));
    }

    /// <summary>Groups that affinity keeps apart hand out credit at rates that have nothing to do with each
    /// other.</summary>
    [Fact]
    public void Shares_hold_among_units_that_are_pinned_to_a_cpu()
    {
        using Simulation simulation = new(2);
        _ = simulation.Add(simulation.AddDomain(1), hard: 1);
        _ = simulation.Add(simulation.AddDomain(1), hard: 1);
        SimulatedUnit one = simulation.Add(simulation.AddDomain(1000), hard: 2);
        SimulatedUnit two = simulation.Add(simulation.AddDomain(2000), hard: 2);
        simulation.WakeAll();
        simulation.RunFor(Hour);
        AssertShare(1.0 / 3, one.Ran, Hour);
        AssertShare(2.0 / 3, two.Ran, Hour);
    }

    [Fact]
    public void Of_two_idle_cpus_the_preferred_one_is_taken()
    {
        using Simulation simulation = new(4);
        SimulatedUnit unit = simulation.Add(soft: 4);
        simulation.Wake(unit);
        Assert.Equal(2u, unit.Unit->Cpu);
    }

    [Fact]
    public void A_weight_or_cap_that_changes_counts_from_then_on()
    {
        using Simulation simulation = new(1);
        SimulatedUnit one = simulation.Add();
        SimulatedUnit two = simulation.Add();
        simulation.WakeAll();
        simulation.RunFor(Minute);
        Set(simulation, one, new CreditParameters { Weight = 768 });
        ulong before = one.Ran;
        simulation.RunFor(Hour);
        AssertShare(0.75, one.Ran - before, Hour);
        Set(simulation, one, new CreditParameters { Weight = 768, Cap = 10 });
        before = one.Ran;
        simulation.RunFor(Hour);
        AssertShare(0.10, one.Ran - before, Hour);
        Set(simulation, one, new CreditParameters { Weight = 256 });
        before = two.Ran;
        simulation.RunFor(Hour);
        AssertShare(0.5, two.Ran - before, Hour);
    }

    private static void Set(Simulation simulation, SimulatedUnit unit, CreditParameters parameters)
    {
        unit.Unit->Domain->Credit = parameters;
        PolicyTable.ApplyParameters(simulation.System, unit.Unit->Domain, simulation.Now);
    }

    private static ulong Sum(Simulation simulation) => simulation.Units.Aggregate(0UL, (sum, unit) => sum + unit.Ran);

    private static void AssertShares(Simulation simulation, int[] weights, ulong total)
    {
        Assert.Equal(total, Sum(simulation));
        for (int index = 0; index < weights.Length; index++)
        {
            AssertShare((double)weights[index] / weights.Sum(), simulation.Units[index].Ran, total);
        }
    }

    private static void AssertShare(double expected, ulong ran, ulong total, double tolerance = 0.01) =>
        Assert.InRange((double)ran / total, expected * (1 - tolerance), expected * (1 + tolerance));
}
