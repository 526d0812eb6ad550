// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Tests.Lifecycle;
using Hypervisor.Core.Time;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class ClockWatchTests : IDisposable
{
    private const ulong Rate = 1_000_000_000; // TestHost's

    private readonly TestHost _host = new();
    private readonly FakeTimers _board;

    public ClockWatchTests()
    {
        _host.Machine.Tsc = 5_000_000_000;
        _board = new FakeTimers(_host.Machine, Rate);
        Start(isInvariant: false);
    }

    public void Dispose()
    {
        PlatformTimer none = default;
        ClockWatch.Start(in none, true);
    }

    private static void Start(bool isInvariant)
    {
        Assert.True(PlatformTimer.TryOpenAcpiTimer(FakeTimers.AcpiPort, false, out PlatformTimer timer));
        ClockWatch.Start(in timer, isInvariant);
    }

    private void Watch(int seconds)
    {
        for (int tick = 0; tick < 10 * seconds; tick++)
        {
            _board.Pass(0.1m);
            ClockWatch.Tick();
        }
    }

    [Fact]
    public void A_counter_that_keeps_its_pace_is_left_alone_though_the_timer_wraps()
    {
        Watch(60);

        Assert.Equal(0u, ClockWatch.Corrections);
        Assert.Equal(Rate, SystemTime.TscHz);
    }

    [Fact]
    public void Another_pace_is_believed_when_found_twice_and_time_goes_on_without_a_jump()
    {
        Watch(10);
        _board.TscHertz = Rate * 9 / 10;
        Watch(5);
        Assert.Equal(0u, ClockWatch.Corrections);
        Watch(20);

        Assert.Equal(1u, ClockWatch.Corrections);
        Assert.InRange(SystemTime.TscHz, 899_900_000UL, 900_100_000UL);
        Assert.Contains("900000 kHz by the ACPI timer, not 1000000 kHz", _host.Machine.Console, StringComparison.Ordinal);

        // From now on the clock keeps real time.
        ulong before = SystemTime.Now();
        _board.Pass(10);
        Assert.InRange(SystemTime.Now() - before, 9_999_000_000UL, 10_001_000_000UL);
    }

    [Fact]
    public void A_correction_never_sets_the_clock_back()
    {
        ulong last = SystemTime.Now();
        _board.TscHertz = Rate * 11 / 10;
        for (int tick = 0; tick < 300; tick++)
        {
            _board.Pass(0.1m);
            ClockWatch.Tick();
            ulong now = SystemTime.Now();
            Assert.True(now >= last);
            Assert.True(now - last < 200_000_000);
            last = now;
        }

        Assert.Equal(1u, ClockWatch.Corrections);
    }

    [Fact]
    public void A_promise_of_a_constant_rate_is_believed_and_the_deviation_told()
    {
        Start(isInvariant: true);
        _board.TscHertz = Rate * 9 / 10;
        Watch(30);

        Assert.NotEqual(0u, ClockWatch.Corrections);
        Assert.Equal(Rate, SystemTime.TscHz);
        Assert.Contains("promises a constant rate", _host.Machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public void Readings_that_took_long_prove_nothing()
    {
        Random random = new(3);
        _board.Disturbance = () => 500 + random.Next(20_000);
        Watch(120);

        Assert.Equal(0u, ClockWatch.Corrections);
    }

    [Fact]
    public void A_look_that_comes_after_the_timer_has_wrapped_begins_anew()
    {
        for (int look = 0; look < 30; look++)
        {
            _board.Pass(4.9m);
            ClockWatch.Tick();
        }

        Assert.Equal(0u, ClockWatch.Corrections);
    }

    [Fact]
    public void Every_vCPU_renews_its_records_before_it_goes_on()
    {
        Domain* guest = _host.AddDomain();
        Vcpu* vcpu = guest->VcpuOf(0);
        GuestTime.Publish(vcpu);
        uint version = vcpu->Info->Time.Version;
        uint before = vcpu->Info->Time.TscToSystemMul;
        SystemTime.Rescale(Rate / 4 * 5);

        GuestTime.RenewAll();

        Assert.NotEqual(0u, vcpu->Work & VcpuWork.Time);
        GuestTime.Renew(vcpu);
        Assert.Equal(0u, vcpu->Work & VcpuWork.Time);
        VcpuTimeInfo record = vcpu->Info->Time;
        Assert.Equal(version + 2, record.Version);
        Assert.NotEqual(before, record.TscToSystemMul);
        Assert.Equal(SystemTime.Base, record.SystemTime);
        SystemTime.Rescale(Rate);
    }
}
