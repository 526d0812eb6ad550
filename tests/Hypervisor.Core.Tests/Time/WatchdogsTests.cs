// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class WatchdogsTests : IDisposable
{
    private readonly TestSystem _system = new();
    private readonly Domain* _domain;
    private readonly Vcpu* _vcpu;

    public WatchdogsTests()
    {
        _domain = _system.AddDomain();
        _vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public void There_are_two_and_no_third()
    {
        Assert.Equal(1, Set(0, 10));
        Assert.Equal(2, Set(0, 10));
        Assert.Equal(-(long)Errno.NoSpace, Set(0, 10));
    }

    [Fact]
    public void One_that_is_not_poked_shuts_the_domain_down()
    {
        _ = Set(0, 2);
        _system.Advance(1_999_999_999);
        Assert.True(_system.Pass() == _vcpu);
        _system.Advance(1);
        Assert.True(_system.Pass() == null);
        Assert.True(_domain->IsShutDown);
        Assert.Equal((byte)ShutdownReason.Watchdog, _domain->ShutdownCode);
    }

    [Fact]
    public void One_that_is_poked_starts_over()
    {
        long id = Set(0, 2);
        _system.Advance(1_500_000_000);
        Assert.Equal(0, Set((uint)id, 2));
        _system.Advance(1_500_000_000);
        Assert.True(_system.Pass() == _vcpu);
    }

    [Fact]
    public void One_that_is_stopped_may_be_had_again()
    {
        long id = Set(0, 2);
        Assert.Equal(0, Set((uint)id, 0));
        Assert.Equal(-(long)Errno.Inval, Set((uint)id, 5));
        _system.Advance(10_000_000_000);
        Assert.True(_system.Pass() == _vcpu);
        Assert.Equal(id, Set(0, 2));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 5)]
    [InlineData(3, 5)]
    [InlineData(0xFFFFFFFF, 5)]
    public void Numbers_that_nobody_was_given_are_refused(uint id, uint timeout) =>
        Assert.Equal(-(long)Errno.Inval, Set(id, timeout));

    [Fact]
    public void A_dead_domain_s_watchdog_does_not_bark()
    {
        _ = Set(0, 2);
        GuestTime.ReleaseDomain(_domain);
        _system.Advance(5_000_000_000);
        _ = _system.Pass();
        Assert.False(_domain->IsShutDown);
    }

    private long Set(uint id, uint timeout) =>
        Watchdogs.Set(_domain, _system.Put(new SchedWatchdog { Id = id, Timeout = timeout })).Raw;
}
