// SPDX-License-Identifier: MIT
using Dom0.Toolstack.Interop;
using Xen.Abi.Extensions;
using Xunit;

namespace Xm.Cli.Tests;

public sealed class SchedulerTests
{
    private readonly XmHarness _xm = new();

    public SchedulerTests() => _xm.Hypervisor.Policy = SchedulingPolicy.Credit;

    [Fact]
    public void Sched_set_shows_and_changes_the_scheduler_and_says_how_long_it_took()
    {
        Assert.Equal(0, _xm.Run("sched-set"));
        Assert.Equal("credit\n", _xm.Output);
        Assert.Equal(0, _xm.Run("sched-set", "bvt"));
        Assert.Equal("credit to bvt: 3 vCPUs, pause 12.3 us\n", _xm.Output);
        Assert.Equal(SchedulingPolicy.Bvt, _xm.Hypervisor.Policy);
        Assert.Equal(0, _xm.Run("sched-set", "sedf", "--json"));
        Assert.Contains("\"policy\": \"sedf\"", _xm.Output);
        Assert.Contains("\"pause_microseconds\": 12.345", _xm.Output);
        Assert.Equal(2, _xm.Run("sched-set", "rtds"));
        Assert.StartsWith("Error: the schedulers are credit, sedf and bvt, not 'rtds'", _xm.Errors);
    }

    [Fact]
    public void A_change_that_is_refused_says_why()
    {
        _xm.Hypervisor.SchedulingAnswer = -LibcErrno.NoSpace;
        Assert.Equal(1, _xm.Run("sched-set", "sedf"));
        Assert.Contains("do not fit on the CPUs", _xm.Errors);
        Assert.Equal(1, _xm.Run("sched-sedf", "0", "-s", "90"));
        Assert.Contains("Some CPU would be overbooked", _xm.Errors);
    }

    [Fact]
    public void On_a_hypervisor_with_one_scheduler_there_is_nothing_to_set()
    {
        _xm.Hypervisor.Policy = null;
        Assert.Equal(1, _xm.Run("sched-set"));
        Assert.Contains("this hypervisor has one scheduler only", _xm.Errors);
    }

    [Fact]
    public void Sched_sedf_changes_what_is_named_and_shows_it()
    {
        _xm.Hypervisor.SchedulingParameters[(0, SchedulingPolicy.Sedf)] = new SchedulingOp
        {
            Sedf = new SedfReservation { Period = 100_000_000, Weight = 256, ExtraTime = 1 },
        };
        Assert.Equal(0, _xm.Run("sched-sedf", "Domain-0", "-p", "20", "-s", "2.5"));
        Assert.Equal(0, _xm.Run("sched-sedf"));
        Assert.Equal(
            "Name                                ID Period(ms) Slice(ms) Lat(ms) Extra Weight\n"
            + "Domain-0                             0         20       2.5       0     1    256\n", _xm.Output);
        Assert.Equal(2, _xm.Run("sched-sedf", "-d", "0", "-s", "21"));
        Assert.StartsWith("Error: the slice cannot be longer than the period", _xm.Errors);
        Assert.Equal(2, _xm.Run("sched-sedf", "-d", "0", "-s", "0", "-e", "0"));
        Assert.Equal(2, _xm.Run("sched-sedf", "-p", "20"));
        Assert.StartsWith("Error: say whose parameters are to change", _xm.Errors);
    }

    [Fact]
    public void Sched_bvt_is_written_the_old_way_or_with_options()
    {
        Assert.Equal(0, _xm.Run("sched-bvt", "0", "20", "1", "50", "10", "200"));
        Assert.Equal(0, _xm.Run("sched-bvt"));
        Assert.Equal(
            "Name                                ID McuAdv Warpback Warp(ms) WarpL(ms) WarpU(ms)\n"
            + "Domain-0                             0     20        1       50        10       200\n", _xm.Output);
        Assert.Equal(0, _xm.Run("sched-bvt", "--all", "-m", "5"));
        Assert.Equal(5u, _xm.Hypervisor.SchedulingParameters[(0, SchedulingPolicy.Bvt)].Bvt.Advance);
        Assert.Equal(2, _xm.Run("sched-bvt", "0", "20", "1"));
    }

    [Fact]
    public void Bvt_s_allowance_is_shown_and_set()
    {
        Assert.Equal(0, _xm.Run("sched-bvt-ctxallow"));
        Assert.Equal("5 ms\n", _xm.Output);
        Assert.Equal(0, _xm.Run("sched-bvt-ctxallow", "8"));
        Assert.Equal(8_000_000UL, _xm.Hypervisor.Times.ContextSwitchAllowance);
        Assert.Equal(2, _xm.Run("sched-bvt-ctxallow", "2000"));
    }
}
