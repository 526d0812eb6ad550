// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Xen.Abi;
using Xunit;

namespace Dom0.Xend.Tests;

/// <summary>Registered domains whose state the daemon keeps.</summary>
public sealed class SuspendTests : IDisposable
{
    private readonly FakeHost _host = new();

    public SuspendTests() => _ = _host.Manager.Define(FakeHost.Config());

    public void Dispose() => _host.Dispose();

    private string Refused(Action action) => Assert.Throws<ToolstackException>(action).Message;

    [Fact]
    public void A_suspended_domain_is_off_with_its_state_until_it_is_resumed()
    {
        _ = _host.Manager.Start("guest", paused: false);
        Assert.Equal("suspended", _host.Manager.Suspend("guest").Phase);
        Assert.Empty(_host.Guests);
        Assert.Equal($"{_host.Manager.List().Single().Uuid}.save", Assert.Single(_host.States));
        _host.Restart();
        Assert.Equal("suspended", Assert.Single(_host.Manager.List()).Phase);
        Assert.Equal("guest", _host.Manager.Resume("guest", paused: true).Name);
        Assert.Empty(_host.States);
        Assert.True(_host.Xen.Domains.Values.Last().IsPaused);
        ManagedDomain there = Assert.Single(_host.Manager.List());
        Assert.Equal(("running", true), (there.Phase, there.IsManaged));
        Assert.Equal("guest", _host.Consoles.OpenOnes[there.Domid!.Value].Name);
    }

    [Fact]
    public void What_cannot_be_meant_is_refused_and_changes_nothing()
    {
        Assert.Contains("does not exist", Refused(() => _host.Manager.Suspend("guest")));
        Assert.Contains("is not suspended", Refused(() => _host.Manager.Resume("guest", false)));
        _ = _host.Manager.Create(FakeHost.Config("other"), paused: false);
        Assert.Contains("is not registered", Refused(() => _host.Manager.Suspend("other")));
        _ = _host.Manager.Start("guest", paused: false);
        Assert.Contains("is there already", Refused(() => _host.Manager.Resume("guest", false)));
        _ = _host.Manager.Suspend("guest");
        Assert.Contains("is suspended", Refused(() => _host.Manager.Start("guest", false)));
        Assert.Contains("its state would be lost", Refused(() => _host.Manager.Delete("guest")));
        Assert.Single(_host.States);
    }

    [Fact]
    public void A_guest_that_does_not_suspend_itself_runs_on()
    {
        _ = _host.Manager.Start("guest", paused: false);
        _host.SuspendFails = true;
        Assert.Contains("runs on", Refused(() => _host.Manager.Suspend("guest")));
        _host.Manager.Check();
        Assert.Equal("running", Assert.Single(_host.Manager.List()).Phase);
        Assert.Single(_host.Guests);
    }

    [Fact]
    public void State_that_a_running_domain_left_behind_is_not_kept()
    {
        _ = _host.Manager.Start("guest", paused: false);
        _ = _host.Manager.Suspend("guest");
        _ = _host.Manager.Resume("guest", paused: false);
        _host.LeaveState("guest");
        _host.Restart();
        Assert.Empty(_host.States);
        _host.Stop(_host.Guests.Single(), ShutdownReason.Poweroff);
        _host.Manager.Check();
        Assert.Equal("off", Assert.Single(_host.Manager.List()).Phase);
    }
}
