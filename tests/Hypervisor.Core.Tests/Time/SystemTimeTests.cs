// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class SystemTimeTests
{
    private const ulong Year = 365UL * 86400;

    public static TheoryData<ulong> Rates =>
    [
        1_000_000, 99_999_999, 1_000_000_000, 1_000_000_001, 1_193_182_000, 2_598_302_411, 3_999_999_999, 6_200_000_000,
    ];

    [Theory]
    [MemberData(nameof(Rates))]
    public void Time_is_the_exact_product_of_ticks_and_scale(ulong hz)
    {
        FakeMachine machine = Start(hz, tsc: 123_456_789);
        Random random = new(1);
        for (int round = 0; round < 1000; round++)
        {
            ulong ticks = (ulong)random.NextInt64((long)Math.Min(hz * Year, (ulong)long.MaxValue));
            machine.Tsc = 123_456_789 + ticks;
            Assert.Equal((ulong)(((UInt128)ticks * SystemTime.Scale) >> 32), SystemTime.Now());
        }
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void The_scale_is_within_a_billionth_of_the_rate_or_as_near_as_the_format_allows(ulong hz)
    {
        _ = Start(hz);
        double exact = 4294967296.0 * 1_000_000_000 / hz;
        Assert.InRange(SystemTime.Scale / exact, 1 - (1 / exact) - 1e-9, 1 + 1e-9);
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void A_guest_s_record_gives_the_hypervisor_s_time_to_the_nanosecond(ulong hz)
    {
        using TestSystem system = new(cpus: 1, hz);
        Vcpu* vcpu = system.AddVcpu(system.AddDomain());
        GuestTime.Publish(vcpu);
        Xen.Abi.VcpuTimeInfo record = vcpu->Info->Time;
        Random random = new(2);
        for (int round = 0; round < 1000; round++)
        {
            system.Machine.Tsc = (ulong)random.NextInt64((long)Math.Min(hz * Year, 1UL << 58));
            UInt128 delta = system.Machine.Tsc - record.TscTimestamp;
            UInt128 shifted = record.TscShift >= 0 ? delta << record.TscShift : delta >> -record.TscShift;
            ulong guest = record.SystemTime + (ulong)((shifted * record.TscToSystemMul) >> 32);
            Assert.Equal(SystemTime.Now(), guest);
        }
    }

    [Theory]
    [MemberData(nameof(Rates))]
    public void The_tsc_of_a_time_is_the_first_at_which_that_time_has_come(ulong hz)
    {
        FakeMachine machine = Start(hz, tsc: 555);
        Random random = new(3);
        for (int round = 0; round < 1000; round++)
        {
            ulong time = (ulong)random.NextInt64(1, (long)(Year * SystemTime.Second));
            ulong tsc = SystemTime.ToTsc(time);
            Assert.True(SystemTime.OfTsc(tsc) >= time);
            Assert.True(SystemTime.OfTsc(tsc - 1) < time);
        }

        Assert.Equal(555UL, SystemTime.ToTsc(0));
        machine.Tsc = SystemTime.ToTsc(1_000_000);
        Assert.True(SystemTime.Now() >= 1_000_000);
    }

    [Fact]
    public void The_hardware_is_never_told_zero_which_would_disarm_it()
    {
        _ = Start(1_000_000_000);
        Assert.Equal(1UL, SystemTime.ToTsc(0));
    }

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(6_200_000_000)]
    public void A_time_that_never_comes_is_the_last_tsc(ulong hz)
    {
        _ = Start(hz);
        Assert.True(SystemTime.ToTsc(SystemTime.Never) >= SystemTime.Never / 1000);
        Assert.True(SystemTime.ToTsc(SystemTime.Never) >= SystemTime.ToTsc(SystemTime.Never - 1));
    }

    [Fact]
    public void A_better_calibration_does_not_let_time_jump()
    {
        FakeMachine machine = Start(2_000_000_000);
        machine.Tsc = 2_000_000_000;
        ulong before = SystemTime.Now();
        SystemTime.Calibrate(2_100_000_000);
        Assert.Equal(before, SystemTime.Now());
        machine.Tsc += 2_100_000_000;
        Assert.InRange(SystemTime.Now() - before, SystemTime.Second - 2, SystemTime.Second);
    }

    [Fact]
    public void A_counter_that_does_not_count_stops_the_machine()
    {
        TestSystem.ResetClock();
        _ = Assert.Throws<HypervisorPanicException>(() => SystemTime.Calibrate(0));
    }

    private static FakeMachine Start(ulong hz, ulong tsc = 0)
    {
        FakeMachine machine = FakeMachine.Reset();
        machine.Tsc = tsc;
        TestSystem.ResetClock();
        SystemTime.Calibrate(hz);
        return machine;
    }
}
