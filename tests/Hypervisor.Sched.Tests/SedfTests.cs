// SPDX-License-Identifier: MIT

using System;
using System.Linq;
using Xunit;
using static Hypervisor.Sched.Tests.Simulation;

namespace Hypervisor.Sched.Tests;

public sealed unsafe class SedfTests
{
    /// <summary>Each unit has its slice in each of its periods, whatever the others do.</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 4)]
    [InlineData(6, 4)]
    public void Admitted_reservations_are_never_missed(int seed, uint cpus)
    {
        Random random = new(seed);
        using Simulation simulation = new(cpus, PolicyId.Sedf);
        for (int index = 0; index < 6; index++)
        {
            // Hostile company without reservations.
            simulation.Wake(simulation.Add(
                null, () => (ulong)random.Next(1_000, 9_000_000), () => (ulong)random.Next(0, 2_000_000)));
        }

        simulation.Wake(simulation.Add());
        int admitted = 0;
        for (int index = 0; index < 40; index++)
        {
            ulong period = (ulong)random.Next(1_000, 200_000) * Microsecond;
            SedfParameters parameters = new()
            {
                Period = period,
                Slice = Math.Max(SedfParameters.MinSlice, period * (ulong)random.Next(1, 40) / 100),
                Weight = (uint)random.Next(1, 1000),
                ExtraTime = (uint)random.Next(0, 2),
            };
            SchedDomain* domain = simulation.AddDomain();
            SimulatedUnit unit = simulation.Add(domain);
            if (simulation.TrySet(domain, parameters))
            {
                admitted++;
            }

            simulation.Wake(unit);
        }

        Assert.InRange(admitted, 3, 40);
        SimulatedUnit[] reserved = [.. simulation.Units.Where(unit => unit.Unit->Home != SchedUnit.NoHome)];
        ulong[] checkedTo = [.. reserved.Select(_ => simulation.Now)];
        ulong[] ran = [.. reserved.Select(unit => unit.Ran)];
        for (int step = 0; step < 60_000; step++)
        {
            int index = Enumerable.Range(0, reserved.Length).MinBy(i => checkedTo[i] + reserved[i].Unit->Domain->Sedf.Period);
            SedfParameters parameters = reserved[index].Unit->Domain->Sedf;
            ulong end = checkedTo[index] + parameters.Period;
            simulation.RunFor(end - simulation.Now);
            ulong got = reserved[index].Ran - ran[index];
            Assert.True(got >= parameters.Slice, $"{got} of {parameters.Slice} in a period of {parameters.Period}");
            ran[index] = reserved[index].Ran;
            checkedTo[index] = end;
        }
    }

    [Fact]
    public void A_reservation_without_extra_time_is_a_ceiling_too()
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        SimulatedUnit unit = simulation.AddReserved(Reservation(20, 5));
        simulation.Wake(unit);
        simulation.RunFor(10 * Minute);
        AssertShare(0.25, unit.Ran, 10 * Minute);
    }

    [Fact]
    public void What_would_overbook_a_cpu_is_refused_and_changes_nothing()
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        SimulatedUnit first = simulation.AddReserved(Reservation(10, 6));
        SchedDomain* second = simulation.AddDomain();
        SimulatedUnit other = simulation.Add(second);
        Assert.False(simulation.TrySet(second, Reservation(100, 36)));
        Assert.Equal(SchedUnit.NoHome, other.Unit->Home);
        Assert.True(simulation.TrySet(second, Reservation(100, 34)));
        Assert.False(simulation.TrySet(first.Unit->Domain, Reservation(10, 7)));
        simulation.WakeAll();
        simulation.RunFor(Minute);
        AssertShare(0.6, first.Ran, Minute);
    }

    [Fact]
    public void Reservations_spread_over_the_cpus_where_their_units_may_run()
    {
        using Simulation simulation = new(2, PolicyId.Sedf);
        SimulatedUnit[] units = [simulation.AddReserved(Reservation(10, 6)), simulation.AddReserved(Reservation(10, 6))];
        Assert.NotEqual(units[0].Unit->Home, units[1].Unit->Home);
        SchedDomain* third = simulation.AddDomain();
        _ = simulation.Add(third, hard: 2);
        Assert.False(simulation.TrySet(third, Reservation(10, 4)));
        Assert.True(simulation.TrySet(third, Reservation(10, 3)));
    }

    [Fact]
    public void Left_over_time_is_shared_by_weight()
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        SimulatedUnit reserved = simulation.AddReserved(Reservation(10, 4));
        SimulatedUnit one = Weighted(simulation, 100);
        SimulatedUnit two = Weighted(simulation, 200);
        simulation.WakeAll();
        simulation.RunFor(Hour);
        AssertShare(0.4, reserved.Ran, Hour);
        AssertShare(0.2, one.Ran, Hour);
        AssertShare(0.4, two.Ran, Hour);
    }

    [Theory]
    [InlineData(2, new[] { 256, 256, 256 })]
    [InlineData(2, new[] { 256, 512, 256, 512 })]
    [InlineData(2, new[] { 1, 1, 1 })]
    [InlineData(2, new[] { 10_000, 20_000, 30_000 })]
    [InlineData(3, new[] { 300, 200, 200, 200, 100, 100 })]
    [InlineData(4, new[] { 100, 200, 300, 400, 100, 200, 300, 400, 100, 200, 300, 400 })]
    [InlineData(4, new[] { 256, 256, 256, 256, 256 })]
    public void Left_over_time_is_shared_by_weight_over_all_cpus(uint cpus, int[] weights)
    {
        using Simulation simulation = new(cpus, PolicyId.Sedf);
        SimulatedUnit[] units = [.. weights.Select(weight => Weighted(simulation, (uint)weight))];
        simulation.WakeAll();
        simulation.RunFor(Hour);
        for (int index = 0; index < units.Length; index++)
        {
            AssertShare((double)weights[index] * cpus / weights.Sum(), units[index].Ran, Hour);
        }
    }

    [Fact]
    public void A_cpu_that_is_reserved_mostly_does_not_keep_left_over_time_from_those_that_wait_there()
    {
        using Simulation simulation = new(2, PolicyId.Sedf);
        SimulatedUnit reserved = simulation.AddReserved(Reservation(10, 8), hard: 1);
        SimulatedUnit[] units = [Weighted(simulation, 256), Weighted(simulation, 256), Weighted(simulation, 256)];
        simulation.WakeAll();
        simulation.RunFor(Hour);
        AssertShare(0.8, reserved.Ran, Hour);
        Assert.All(units, unit => AssertShare(0.4, unit.Ran, Hour));
    }

    [Fact]
    public void Extra_time_comes_on_top_of_the_reservation()
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        SimulatedUnit reserved = simulation.AddReserved(Reservation(10, 4) with { ExtraTime = 1, Weight = 256 });
        SimulatedUnit other = Weighted(simulation, 256);
        simulation.WakeAll();
        simulation.RunFor(Hour);
        AssertShare(0.7, reserved.Ran, Hour);
        AssertShare(0.3, other.Ran, Hour);
    }

    [Fact]
    public void Sleeping_saves_no_budget_up()
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        SchedDomain* domain = simulation.AddDomain();
        SimulatedUnit sleeper = simulation.Add(domain, () => 3 * Millisecond, () => 1 * Millisecond);
        Assert.True(simulation.TrySet(domain, Reservation(10, 3)));
        SimulatedUnit victim = simulation.AddReserved(Reservation(7, 4));
        simulation.WakeAll();
        simulation.RunFor(10 * Minute);
        Assert.InRange((double)sleeper.Ran / (10 * Minute), 0, 0.303);
        Assert.InRange((double)victim.Ran / (10 * Minute), 4.0 / 7 * 0.999, 1);
    }

    [Fact]
    public void A_latency_brings_a_waking_unit_in_earlier()
    {
        ulong[] worst = new ulong[2];
        for (int turn = 0; turn < 2; turn++)
        {
            using Simulation simulation = new(1, PolicyId.Sedf);
            SimulatedUnit rival = simulation.AddReserved(Reservation(20, 12));
            SchedDomain* domain = simulation.AddDomain();
            SimulatedUnit sleeper = simulation.Add(domain, () => Millisecond, () => 333 * Millisecond);
            SedfParameters parameters = Reservation(100, 20);
            parameters.Latency = turn == 0 ? 0 : 5 * Millisecond;
            Assert.True(simulation.TrySet(domain, parameters));
            simulation.WakeAll();
            simulation.RunFor(10 * Minute);
            worst[turn] = sleeper.WorstDelay;
            AssertShare(0.6, rival.Ran, 10 * Minute);
        }

        Assert.InRange(worst[0], 8 * Millisecond, 20 * Millisecond);
        Assert.InRange(worst[1], 0UL, 4 * Millisecond);
    }

    [Fact]
    public void A_unit_that_wakes_without_a_reservation_gets_in_within_the_rate_limit()
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        _ = simulation.Add();
        _ = simulation.Add();
        SimulatedUnit sleeper = simulation.Add(Millisecond / 2, 9 * Millisecond);
        simulation.WakeAll();
        simulation.RunFor(Minute);
        sleeper.WorstDelay = 0;
        simulation.RunFor(10 * Minute);
        Assert.InRange(sleeper.WorstDelay, 0UL, SystemParameters.Default.RateLimit);
    }

    [Theory]
    [InlineData(9_900_000, 10_000)]
    [InlineData(900_000, 1_000)]
    [InlineData(100_000, 1_000)]
    public void Dodging_gains_no_left_over_time(ulong work, ulong rest)
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        SimulatedUnit dodger = simulation.Add(work, rest);
        SimulatedUnit plain = simulation.Add();
        simulation.WakeAll();
        simulation.RunFor(20 * Minute);
        Assert.InRange(dodger.Ran / (double)(20 * Minute), 0, 0.51);
        Assert.InRange(plain.Ran / (double)(20 * Minute), 0.49, 1);
    }

    [Fact]
    public void A_unit_that_comes_later_than_its_domain_s_reservation_has_one_or_is_refused()
    {
        using Simulation simulation = new(1, PolicyId.Sedf);
        SimulatedUnit first = simulation.AddReserved(Reservation(10, 4));
        SimulatedUnit second = simulation.Add(first.Unit->Domain);
        Assert.NotEqual(SchedUnit.NoHome, second.Unit->Home);
        SchedUnit third = default;
        third.Domain = first.Unit->Domain;
        third.HardAffinity = CpuMask.All;
        Assert.False(SchedSystem.TryInsert(simulation.System, &third, simulation.Now));
        Assert.False(third.IsInserted);
        Assert.Equal(2u, first.Unit->Domain->Units);
        simulation.WakeAll();
        simulation.RunFor(Minute);
        AssertShare(0.4, second.Ran, Minute);
    }

    private static SedfParameters Reservation(ulong period, ulong slice) =>
        new() { Period = period * Millisecond, Slice = slice * Millisecond, Weight = 256 };

    private static SimulatedUnit Weighted(Simulation simulation, uint weight)
    {
        SchedDomain* domain = simulation.AddDomain();
        domain->Sedf.Weight = weight;
        return simulation.Add(domain);
    }

    private static void AssertShare(double expected, ulong ran, ulong total) =>
        Assert.InRange((double)ran / total, expected * 0.99, expected * 1.01);
}
