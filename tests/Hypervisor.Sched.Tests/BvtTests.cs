// SPDX-License-Identifier: MIT

using System;
using System.Linq;
using Xunit;
using static Hypervisor.Sched.Tests.Simulation;

namespace Hypervisor.Sched.Tests;

public sealed unsafe class BvtTests
{
    [Theory]
    [InlineData(1, new[] { 10, 20 })]
    [InlineData(1, new[] { 10, 10, 10 })]
    [InlineData(1, new[] { 1, 10, 100 })]
    [InlineData(2, new[] { 10, 10, 10 })]
    [InlineData(2, new[] { 1000, 1000, 1000 })]
    [InlineData(2, new[] { 1, 1, 1 })]
    [InlineData(4, new[] { 10, 20, 30, 10, 20, 30, 10, 20, 30, 10, 20, 30 })]
    public void Running_times_are_inverse_to_advances(uint cpus, int[] advances)
    {
        using Simulation simulation = new(cpus, PolicyId.Bvt);
        foreach (int advance in advances)
        {
            _ = WithAdvance(simulation, (uint)advance);
        }

        simulation.WakeAll();
        simulation.RunFor(Hour);
        double whole = advances.Sum(advance => 1.0 / advance);
        for (int index = 0; index < advances.Length; index++)
        {
            double expected = 1.0 / advances[index] / whole;
            Assert.InRange(simulation.Units[index].Ran / (double)(cpus * Hour), expected * 0.99, expected * 1.01);
        }

        Assert.Equal(cpus * Hour, simulation.Units.Aggregate(0UL, (sum, unit) => sum + unit.Ran));
    }

    [Fact]
    public void Who_has_slept_runs_at_once_and_does_not_catch_up()
    {
        using Simulation simulation = new(1, PolicyId.Bvt);
        SimulatedUnit plain = simulation.Add();
        _ = simulation.Add();
        SimulatedUnit sleeper = simulation.Add(Millisecond / 2, 9 * Millisecond);
        simulation.WakeAll();
        simulation.RunFor(Minute);
        sleeper.WorstDelay = 0;
        simulation.RunFor(10 * Minute);

        Assert.InRange(sleeper.WorstDelay, 0UL, 100 * Microsecond);
        simulation.Sleep(plain);
        simulation.RunFor(10 * Minute);
        simulation.Wake(plain);
        ulong before = plain.Ran;
        simulation.RunFor(Second);
        Assert.InRange(plain.Ran - before, 400 * Millisecond, 520 * Millisecond);
    }

    /// <summary>Their virtual times lie closer together than what it runs at a time.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(50)]
    public void Who_runs_little_runs_at_once_however_many_others_there_are(int others)
    {
        using Simulation simulation = new(1, PolicyId.Bvt);
        for (int index = 0; index < others; index++)
        {
            _ = simulation.Add();
        }

        SimulatedUnit sleeper = simulation.Add(Millisecond / 10, 10 * Millisecond);
        simulation.WakeAll();
        simulation.RunFor(Minute);
        sleeper.WorstDelay = 0;
        simulation.RunFor(10 * Minute);
        Assert.InRange(sleeper.WorstDelay, 0UL, 100 * Microsecond);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(50)]
    public void A_warped_unit_runs_at_once_however_many_others_there_are(int others)
    {
        using Simulation simulation = new(1, PolicyId.Bvt);
        for (int index = 0; index < others; index++)
        {
            _ = simulation.Add();
        }

        SimulatedUnit urgent = simulation.Add(Millisecond / 5, 30 * Millisecond);
        simulation.Set(urgent.Unit->Domain, Warping(100));
        simulation.WakeAll();
        simulation.RunFor(10 * Minute);
        Assert.Equal(0UL, urgent.WorstDelay);
    }

    /// <summary>A greedy unit that warps gains the warp value once, and no more.</summary>
    [Fact]
    public void A_warp_is_borrowed_not_given()
    {
        using Simulation simulation = new(1, PolicyId.Bvt);
        SimulatedUnit greedy = simulation.Add(5 * Millisecond, 1 * Microsecond);
        simulation.Set(greedy.Unit->Domain, Warping(500));
        SimulatedUnit plain = simulation.Add();
        simulation.WakeAll();
        simulation.RunFor(Hour);
        Assert.InRange(greedy.Ran / (double)Hour, 0.49, 0.505);
        Assert.InRange(plain.Ran / (double)Hour, 0.495, 0.51);
        Assert.InRange(plain.WorstWait, 0UL, 1100 * Millisecond);
    }

    [Fact]
    public void The_warp_ends_with_its_limit_and_comes_back_after_the_requirement()
    {
        using Simulation simulation = new(1, PolicyId.Bvt);
        SimulatedUnit plain = simulation.Add();
        SimulatedUnit urgent = simulation.Add(null, () => 50 * Millisecond, () => 100 * Microsecond);
        simulation.Set(urgent.Unit->Domain, Warping(1000) with
        {
            WarpLimit = 10 * Millisecond,
            UnwarpRequirement = 200 * Millisecond,
        });
        simulation.WakeAll();
        simulation.RunFor(10 * Minute);

        // Without the limit the plain unit would wait for a second's worth of warp.
        Assert.InRange(plain.WorstWait, 0UL, 40 * Millisecond);
    }

    [Fact]
    public void The_allowance_keeps_switches_apart()
    {
        using Simulation simulation = new(1, PolicyId.Bvt);
        _ = simulation.Add();
        _ = simulation.Add();
        simulation.WakeAll();
        simulation.RunFor(10 * Second);
        Assert.InRange(simulation.Picks, 500, 2100);
        SystemParameters longer = SystemParameters.Default;
        longer.ContextSwitchAllowance = 50 * Millisecond;
        simulation.System->Parameters = longer;
        long before = simulation.Picks;
        simulation.RunFor(10 * Second);
        Assert.InRange(simulation.Picks - before, 50, 250);
    }

    [Theory]
    [InlineData(9_900_000, 10_000)]
    [InlineData(900_000, 1_000)]
    [InlineData(100_000, 1_000)]
    public void Short_sleeps_gain_nothing(ulong work, ulong rest)
    {
        using Simulation simulation = new(1, PolicyId.Bvt);
        SimulatedUnit dodger = simulation.Add(work, rest);
        SimulatedUnit plain = simulation.Add();
        simulation.WakeAll();
        simulation.RunFor(20 * Minute);
        Assert.InRange(dodger.Ran / (double)(20 * Minute), 0, 0.51);
        Assert.InRange(plain.Ran / (double)(20 * Minute), 0.49, 1);
    }

    private static SimulatedUnit WithAdvance(Simulation simulation, uint advance)
    {
        SchedDomain* domain = simulation.AddDomain();
        domain->Bvt.Advance = advance;
        return simulation.Add(domain);
    }

    private static BvtParameters Warping(ulong milliseconds) =>
        BvtParameters.Default with { IsWarping = 1, WarpValue = milliseconds * Millisecond };
}
