// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class VcpuTimersTests : IDisposable
{
    private readonly TestSystem _system = new(cpus: 2);
    private readonly Domain* _domain;
    private readonly Vcpu* _vcpu;

    public VcpuTimersTests()
    {
        _domain = _system.AddDomain();
        _vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
    }

    private bool HasTick => (_domain->SharedInfo->EventChannelPending[0] >> 1 & 1) != 0;

    public void Dispose() => _system.Dispose();

    [Fact]
    public void The_one_shot_timer_raises_the_interrupt_at_its_time_and_wakes()
    {
        Assert.Equal(Errno.Ok, SetSingleShot(10_000));
        VcpuScheduling.Block(_vcpu);
        Assert.True(_system.Pass() == null);
        _system.Advance(9_999);
        Assert.True(_system.Pass() == null);
        Assert.False(HasTick);
        _system.Advance(1);
        Assert.True(_system.Pass() == _vcpu);
        Assert.True(HasTick);
        Assert.Equal(1, _vcpu->Info->EventChannelUpcallPending);
    }

    [Theory]
    [InlineData(4_999, 0)]
    [InlineData(0, 0)]
    [InlineData(ulong.MaxValue, 0)]
    [InlineData(1UL << 63, 0)]
    public void A_deadline_in_the_past_succeeds_and_fires_at_once(ulong deadline, uint flags)
    {
        _system.Advance(5_000);
        Assert.Equal(Errno.Ok, SetSingleShot(deadline, flags));
        Assert.True(FakeMachine.Cpu.ArmedTimer <= _system.Machine.Tsc);
        _system.Advance(0);
        _ = _system.Pass();
        Assert.True(HasTick);
    }

    [Fact]
    public void A_deadline_in_the_past_is_an_error_for_who_asks_so()
    {
        _system.Advance(5_000);
        Assert.Equal(Errno.Time, SetSingleShot(4_000, SingleShotTimerFlags.Future));
        Assert.False(_vcpu->Time.SingleShot.IsSet);
        Assert.Equal(Errno.Ok, SetSingleShot(6_000, SingleShotTimerFlags.Future));
    }

    [Fact]
    public void A_second_deadline_replaces_the_first()
    {
        _ = SetSingleShot(1_000);
        _ = SetSingleShot(50_000);
        _system.Advance(2_000);
        _ = _system.Pass();
        Assert.False(HasTick);
        _system.Advance(48_000);
        _ = _system.Pass();
        Assert.True(HasTick);
    }

    [Fact]
    public void The_old_call_sets_the_same_timer_and_stops_it_with_zero()
    {
        Assert.Equal(0, VcpuTimers.SetTimerOp(_vcpu, 1_000).Raw);
        Assert.Equal(1_000UL, _vcpu->Time.SingleShot.Deadline);
        Assert.Equal(0, VcpuTimers.SetTimerOp(_vcpu, 0).Raw);
        Assert.False(_vcpu->Time.SingleShot.IsSet);
    }

    [Fact]
    public void Timers_go_along_when_the_vcpu_changes_cpus()
    {
        _ = SetSingleShot(10_000);
        _ = VcpuScheduling.SetAffinity(_vcpu, Sched.CpuMask.Of(1), Sched.CpuMask.All);
        Assert.True(_system.Pass(0) == null);
        Assert.True(_system.Pass(1) == _vcpu);
        Assert.True(_vcpu->Time.SingleShot.Queue == Machine.CpuOf(1)->TimerQueue);
        Assert.Equal(10_000UL, _system.Machine.CpuOf(1).ArmedTimer);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(999_999)]
    [InlineData(ulong.MaxValue)]
    public void Periods_out_of_range_are_refused(ulong period) =>
        Assert.Equal(Errno.Inval, SetPeriodic(period));

    [Fact]
    public void A_running_vcpu_gets_every_tick()
    {
        Assert.Equal(Errno.Ok, SetPeriodic(1_000_000));
        for (int tick = 0; tick < 5; tick++)
        {
            _system.Advance(1_000_000);
            _ = _system.Pass();
            Assert.True(HasTick);
            TestSystem.ClearEvents(_vcpu);
            Assert.Equal((ulong)(tick + 2) * 1_000_000, _vcpu->Time.Periodic.Deadline);
        }
    }

    [Fact]
    public void Ticks_missed_while_blocked_come_once_on_waking_and_the_phase_stays()
    {
        _ = SetPeriodic(1_000_000);
        VcpuScheduling.Block(_vcpu);
        Assert.True(_system.Pass() == null);
        _system.Advance(3_500_000);
        Assert.True(_system.Pass() == null);
        VcpuScheduling.Unblock(_vcpu);
        Assert.True(_system.Pass() == _vcpu);
        Assert.True(HasTick);
        Assert.Equal(4_000_000UL, _vcpu->Time.Periodic.Deadline);
    }

    [Fact]
    public void A_stopped_periodic_timer_stays_stopped()
    {
        _ = SetPeriodic(1_000_000);
        VcpuTimers.StopPeriodic(_vcpu);
        _system.Advance(5_000_000);
        _ = _system.Pass();
        Assert.False(HasTick);
        Assert.False(_vcpu->Time.Periodic.IsSet);
    }

    [Fact]
    public void A_new_vcpu_ticks_a_hundred_times_a_second()
    {
        GuestTime.InitialiseVcpu(_vcpu);
        Assert.Equal(10_000_000UL, _vcpu->Time.Period);
    }

    [Fact]
    public void An_address_that_cannot_be_read_is_a_fault()
    {
        Assert.Equal(Errno.Fault, VcpuTimers.SetSingleShot(_vcpu, 1UL << 40));
        Assert.Equal(Errno.Fault, VcpuTimers.SetPeriodic(_vcpu, 1UL << 40));
    }

    private Errno SetSingleShot(ulong deadline, uint flags = 0) => VcpuTimers.SetSingleShot(
        _vcpu, _system.Put(new VcpuSetSingleShotTimer { TimeoutAbsNs = deadline, Flags = flags }));

    private Errno SetPeriodic(ulong period) =>
        VcpuTimers.SetPeriodic(_vcpu, _system.Put(new VcpuSetPeriodicTimer { PeriodNs = period }));
}
