// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using Hypervisor.Core.Time;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class TscCalibrationTests : IDisposable
{
    private const ulong Rate = 2_600_000_000;

    private readonly FakeMachine _machine = FakeMachine.Reset();
    private readonly FakeTimers _board;
    private readonly byte* _hpet = (byte*)NativeMemory.AllocZeroed(0x400);

    public TscCalibrationTests()
    {
        _machine.Tsc = 1_000_000_000;
        _board = new FakeTimers(_machine, Rate);
    }

    public void Dispose() => NativeMemory.Free(_hpet);

    private static PlatformTimer Acpi(bool is32Bits = false)
    {
        Assert.True(PlatformTimer.TryOpenAcpiTimer(FakeTimers.AcpiPort, is32Bits, out PlatformTimer timer));
        return timer;
    }

    private static TscMeasurement Measure(params PlatformTimer[] timers)
    {
        fixed (PlatformTimer* first = timers)
        {
            return TscCalibration.Measure(first, timers.Length);
        }
    }

    private static void Near(ulong expected, ulong actual, double part) =>
        Assert.InRange(actual, (ulong)(expected * (1 - part)), (ulong)(expected * (1 + part)));

    [Theory]
    [InlineData(0.0)]
    [InlineData(4.68)] // the 24 bits wrap during the measurement
    [InlineData(1199.0)]
    public void The_ACPI_timer_measures_whatever_it_shows_when_it_begins(double seconds)
    {
        _board.Pass((decimal)seconds);

        TscMeasurement found = Measure(Acpi());

        Assert.Equal(PlatformTimerKind.AcpiTimer, found.Source);
        Near(Rate, found.Hertz, 0.0001);
        Assert.Equal(0UL, found.OtherHertz);
        Assert.False(found.IsDisputed);
    }

    [Fact]
    public void The_PIT_confirms_or_serves_alone()
    {
        TscMeasurement found = Measure(Acpi(), PlatformTimer.OpenPit());
        Assert.Equal((PlatformTimerKind.AcpiTimer, PlatformTimerKind.Pit), (found.Source, found.Other));
        Near(Rate, found.OtherHertz, 0.0005);
        Assert.False(found.IsDisputed);

        _board.AcpiHertz = 0;
        found = Measure(Acpi(), PlatformTimer.OpenPit());
        Assert.Equal(PlatformTimerKind.Pit, found.Source);
        Near(Rate, found.Hertz, 0.0005);
    }

    [Fact]
    public void Timers_that_disagree_are_told_and_the_more_trusted_one_is_believed()
    {
        _board.PitHertz = 1_193_182 * 1.01m;

        TscMeasurement found = Measure(Acpi(), PlatformTimer.OpenPit());

        Assert.True(found.IsDisputed);
        Near(Rate, found.Hertz, 0.0001);
    }

    [Fact]
    public void Nothing_that_counts_gives_no_rate()
    {
        _board.AcpiHertz = 0;
        _board.PitHertz = 0;

        Assert.Equal(0UL, Measure(Acpi(), PlatformTimer.OpenPit()).Hertz);
        _machine.OnPortRead = _ => uint.MaxValue;
        Assert.Equal(0UL, Measure(Acpi()).Hertz);
        Assert.False(PlatformTimer.TryOpenAcpiTimer(0, false, out _));
    }

    [Fact]
    public void Of_several_rounds_the_least_disturbed_counts()
    {
        Random random = new(7);
        _board.Disturbance = () => random.Next(1000) < 5 ? random.Next(4000) : 0;

        Near(Rate, Measure(Acpi()).Hertz, 0.0005);
    }

    [Fact]
    public void The_HPET_states_its_period_is_started_and_taken_from_the_PIT_s_wires()
    {
        *(uint*)_hpet = 0x8086_A201;
        *(uint*)(_hpet + 4) = 69_841_279;
        *(uint*)(_hpet + 0x10) = 2;

        Assert.True(PlatformTimer.TryOpenHpet(_hpet, out PlatformTimer timer));

        Assert.Equal(14_318_180UL, timer.Hertz);
        Assert.Equal(1u, *(uint*)(_hpet + 0x10));
        Assert.Equal(0UL, Measure(timer).Hertz); // plain memory does not count
    }

    [Theory]
    [InlineData(0u, 69_841_279u)]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(0x8086_A201u, 0u)]
    [InlineData(0x8086_A201u, 100_000_001u)]
    [InlineData(0x8086_A201u, 5u)]
    public void What_does_not_answer_as_an_HPET_is_none(uint capabilities, uint period)
    {
        *(uint*)_hpet = capabilities;
        *(uint*)(_hpet + 4) = period;

        Assert.False(PlatformTimer.TryOpenHpet(_hpet, out _));
        Assert.False(PlatformTimer.TryOpenHpet(null, out _));
        Assert.Equal(0u, *(uint*)(_hpet + 0x10));
    }

    [Fact]
    public void The_time_to_wrap_follows_from_width_and_rate()
    {
        Assert.InRange(Acpi().WrapTime, 4_680_000_000UL, 4_690_000_000UL);
        Assert.InRange(Acpi(is32Bits: true).WrapTime, 1_199_000_000_000UL, 1_200_000_000_000UL);
    }
}
