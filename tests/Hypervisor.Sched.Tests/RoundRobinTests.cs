// SPDX-License-Identifier: MIT

using System;
using System.Linq;
using Hypervisor.Sched.RoundRobin;
using Xunit;

namespace Hypervisor.Sched.Tests;

public sealed unsafe class RoundRobinTests
{
    private const ulong Millisecond = 1_000_000;
    private const ulong Second = 1_000_000_000;

    [Fact]
    public void A_unit_alone_runs_without_a_limit()
    {
        using Simulation simulation = new(cpus: 1);
        SimulatedUnit unit = simulation.Add();
        simulation.Wake(unit);
        simulation.RunFor(Second);
        Assert.Equal(Second, unit.Ran);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    public void Units_that_never_sleep_share_a_cpu_evenly(int count)
    {
        using Simulation simulation = new(cpus: 1);
        for (int index = 0; index < count; index++)
        {
            simulation.Wake(simulation.Add());
        }

        simulation.RunFor(10 * Second);
        Assert.Equal(10 * Second, simulation.Units.Aggregate(0UL, (sum, unit) => sum + unit.Ran));
        Assert.All(simulation.Units, unit => Assert.InRange(
            unit.Ran,
            (10 * Second / (ulong)count) - RoundRobinPolicy.Slice,
            (10 * Second / (ulong)count) + RoundRobinPolicy.Slice));
    }

    [Fact]
    public void A_unit_that_mostly_sleeps_gets_in_at_once()
    {
        using Simulation simulation = new(cpus: 1);
        simulation.Wake(simulation.Add());
        simulation.Wake(simulation.Add());
        simulation.RunFor(Second);
        SimulatedUnit sleeper = simulation.Add(work: Millisecond / 10, rest: 5 * Millisecond);
        simulation.Wake(sleeper);
        simulation.RunFor(5 * Second);
        Assert.Equal(0UL, sleeper.WorstDelay);
    }

    [Fact]
    public void A_unit_that_sleeps_a_blink_does_not_starve_another()
    {
        using Simulation simulation = new(cpus: 1);
        SimulatedUnit plain = simulation.Add();
        SimulatedUnit greedy = simulation.Add(work: 9 * Millisecond, rest: 1000);
        simulation.Wake(plain);
        simulation.Wake(greedy);
        simulation.RunFor(10 * Second);
        Assert.InRange(plain.Ran, 4 * Second, 10 * Second);
    }

    [Fact]
    public void Sleepers_together_do_not_starve_a_unit_that_never_sleeps()
    {
        using Simulation simulation = new(cpus: 1);
        SimulatedUnit plain = simulation.Add();
        simulation.Wake(plain);
        for (int index = 0; index < 3; index++)
        {
            simulation.Wake(simulation.Add(work: 2 * Millisecond, rest: 8 * Millisecond));
        }

        simulation.RunFor(10 * Second);
        Assert.InRange(plain.Ran, 2 * Second, 10 * Second);
    }

    [Fact]
    public void Who_yields_goes_behind_the_others()
    {
        using Simulation simulation = new(cpus: 1);
        SimulatedUnit[] units = [simulation.Add(), simulation.Add(), simulation.Add()];
        foreach (SimulatedUnit unit in units)
        {
            simulation.Wake(unit);
        }

        SimulatedUnit first = simulation.RunningOn(0);
        simulation.Yield(first);
        SimulatedUnit second = simulation.RunningOn(0);
        simulation.Yield(second);
        SimulatedUnit third = simulation.RunningOn(0);
        Assert.Equal(3, new[] { first, second, third }.Distinct().Count());
        simulation.Yield(third);
        Assert.Same(first, simulation.RunningOn(0));
    }

    [Fact]
    public void As_many_units_as_cpus_each_have_one()
    {
        using Simulation simulation = new(cpus: 4);
        for (int index = 0; index < 4; index++)
        {
            simulation.Wake(simulation.Add());
        }

        simulation.RunFor(Second);
        Assert.All(simulation.Units, unit => Assert.Equal(Second, unit.Ran));
    }

    [Fact]
    public void A_cpu_that_falls_idle_takes_over_who_waits_elsewhere()
    {
        using Simulation simulation = new(cpus: 2);
        SimulatedUnit brief = simulation.Add(work: 100 * Millisecond, rest: 100 * Second);
        SimulatedUnit[] hogs = [simulation.Add(), simulation.Add()];
        simulation.Wake(brief);
        simulation.Wake(hogs[0]);
        simulation.Wake(hogs[1]);
        simulation.RunFor(Second);
        ulong total = hogs[0].Ran + hogs[1].Ran;
        Assert.InRange(total, (2 * Second) - (101 * Millisecond), 2 * Second);
        Assert.NotEqual(hogs[0].Unit->Cpu, hogs[1].Unit->Cpu);
    }

    [Fact]
    public void Affinity_is_kept_even_if_a_cpu_stays_idle()
    {
        using Simulation simulation = new(cpus: 2);
        SimulatedUnit[] units = [simulation.Add(hard: 2), simulation.Add(hard: 2)];
        simulation.Wake(units[0]);
        simulation.Wake(units[1]);
        simulation.RunFor(Second);
        Assert.Equal(Second, units[0].Ran + units[1].Ran);
        Assert.Null(simulation.RunningOn(0));
    }

    [Fact]
    public void Of_two_idle_cpus_the_preferred_one_is_taken()
    {
        using Simulation simulation = new(cpus: 4);
        SimulatedUnit unit = simulation.Add(soft: 4);
        simulation.Wake(unit);
        Assert.Equal(2u, unit.Unit->Cpu);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_cpu_is_idle_while_a_unit_waits_that_may_run_there(int seed)
    {
        Random random = new(seed);
        using Simulation simulation = new(cpus: 3);
        for (int index = 0; index < 8; index++)
        {
            simulation.Wake(simulation.Add(
                work: (ulong)random.Next(1_000, 20_000_000), rest: (ulong)random.Next(1_000, 20_000_000)));
        }

        for (int step = 0; step < 2000; step++)
        {
            simulation.RunFor((ulong)random.Next(1, 3_000_000));
            bool somebodyWaits = simulation.Units.Any(unit => unit.Unit->IsAwake && !unit.Unit->IsRunning);
            Assert.False(somebodyWaits && simulation.System->Idle.Bits != 0);
        }

        Assert.All(simulation.Units, unit => Assert.True(unit.Ran > 0));
    }

    [Fact]
    public void It_has_no_parameters()
    {
        using Simulation simulation = new(cpus: 1);
        PolicyParameters parameters;
        Assert.Equal(
            Xen.Abi.Errno.OpNotSupp,
            PolicyTable.Adjust(simulation.System, simulation.Add().Unit->Domain, null, &parameters, isWrite: false));
    }
}
