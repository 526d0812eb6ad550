// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Xen.Abi;
using Xunit;

namespace Dom0.Xend.Tests;

public sealed class DomainManagerTests : IDisposable
{
    private readonly FakeHost _host = new();

    public void Dispose() => _host.Dispose();

    private DomainReference Create(DomainConfig? config = null) =>
        _host.Manager.Create(config ?? FakeHost.Config(), paused: false);

    [Fact]
    public void A_created_domain_runs_is_recorded_and_has_its_console()
    {
        DomainReference created = Create();
        Assert.Equal(new DomainReference(1, "guest"), created);
        Assert.False(_host.Xen.Domains[1].IsPaused);
        Assert.Equal("running", Assert.Single(_host.Manager.List()).Phase);
        Assert.Equal("guest", _host.Consoles.OpenOnes[1].Name);
        Assert.Equal("/dev/pts/1", _host.Node("/local/domain/1/console/tty"));
        Assert.Equal(["created guest", "started guest"], _host.Happened);
    }

    [Fact]
    public void A_name_or_identity_that_is_taken_is_refused_before_anything_is_built()
    {
        DomainConfig config = FakeHost.Config();
        _ = Create(config);
        _ = _host.Manager.Define(FakeHost.Config("defined"));
        Assert.Contains("there is a domain 'guest' already",
            Assert.Throws<ToolstackException>(() => Create()).Message);
        Assert.Contains("has " + config.Uuid,
            Assert.Throws<ToolstackException>(() => Create(config with { Name = "other" })).Message);
        Assert.Contains("definition of a domain 'defined'",
            Assert.Throws<ToolstackException>(() => Create(FakeHost.Config("defined"))).Message);
        Assert.Equal(1, _host.Built);
    }

    [Fact]
    public void A_configuration_that_cannot_be_meant_is_refused_whoever_sent_it()
    {
        DomainConfig good = FakeHost.Config();
        foreach (DomainConfig bad in new[]
        {
            good with { Name = "../x" }, good with { Name = "7" }, good with { MemoryKib = 1 },
            good with { MaximumMemoryKib = 1 }, good with { MaximumVcpus = 0 }, good with { MaximumVcpus = 4096 },
            good with { OnlineVcpus = [] }, good with { Affinity = [] }, good with { CommandLine = new string('x', 5000) },
            good with { TscMode = 9 }, good with { Weight = 0 }, good with { Cap = -1 }, good with { Kernel = "" },
        })
        {
            _ = Assert.Throws<ToolstackException>(() => Create(bad));
        }

        Assert.Equal(0, _host.Built);
        Assert.Empty(_host.Manager.List());
    }

    [Theory]
    [InlineData(ShutdownReason.Poweroff, "stopped")]
    [InlineData(ShutdownReason.Crash, "crashed")]
    public void Destroy_ends_the_domain_and_forgets_it(ShutdownReason reason, string told)
    {
        _ = Create();
        _host.Stop(1, reason);
        _host.Manager.Check();
        Assert.Empty(_host.Guests);
        Assert.Empty(_host.Manager.List());
        Assert.Empty(_host.Consoles.OpenOnes);
        Assert.Null(_host.Node("/local/domain/1"));
        Assert.Equal([$"{told} guest", "destroyed guest"], _host.Happened[2..]);
        Assert.Equal(reason.ToString().ToLowerInvariant(), _host.Events[^1].Reason);
    }

    [Fact]
    public void Restart_builds_the_domain_anew_under_its_identity_and_those_who_watch_stay()
    {
        DomainConfig config = FakeHost.Config();
        _ = Create(config);
        _host.Stop(1, ShutdownReason.Reboot);
        _host.Manager.Check();
        Assert.Equal([2], _host.Guests);
        Assert.Equal(config.Uuid, _host.Xen.Domains[2].Uuid);
        Assert.False(_host.Xen.Domains[2].IsPaused);
        Assert.Contains(_host.Consoles.Notices, notice => notice.EndsWith("it starts again (again)", StringComparison.Ordinal));
        Assert.Equal([2], _host.Consoles.OpenOnes.Keys);
        Assert.Equal(["stopped guest", "restarting guest", "created guest", "started guest"], _host.Happened[2..]);
    }

    [Fact]
    public void Preserve_keeps_the_domain_until_somebody_destroys_it()
    {
        _ = Create(FakeHost.Config() with { OnPoweroff = LifecycleAction.Preserve });
        _host.Stop(1, ShutdownReason.Poweroff);
        _host.Manager.Check();
        _host.Manager.Check();
        Assert.Equal([1], _host.Guests);
        Assert.Equal("preserved", Assert.Single(_host.Manager.List()).Phase);
        Assert.Single(_host.Events, happened => happened.Event == "stopped");
        _ = _host.Manager.Destroy("guest");
        Assert.Empty(_host.Guests);
        Assert.Empty(_host.Manager.List());
    }

    [Fact]
    public void Rename_restart_keeps_the_old_one_under_a_free_name_and_the_new_one_gets_its_identity()
    {
        DomainConfig config = FakeHost.Config() with { OnCrash = LifecycleAction.RenameRestart };
        _ = Create(FakeHost.Config("guest-1"));
        _ = Create(config);
        _host.Stop(2, ShutdownReason.Crash);
        _host.Manager.Check();
        Assert.Equal([1, 2, 3], _host.Guests);
        Assert.Equal(config.Uuid, _host.Xen.Domains[3].Uuid);
        Assert.NotEqual(config.Uuid, _host.Xen.Domains[2].Uuid);
        Assert.Equal("guest-2", _host.Node("/local/domain/2/name"));
        Assert.Equal("guest", _host.Node("/local/domain/3/name"));
        Assert.Equal($"/vm/{_host.Xen.Domains[2].Uuid:D}", _host.Node("/local/domain/2/vm"));
        Assert.Equal(["guest", "guest-1", "guest-2"], _host.Manager.List().Select(domain => domain.Name).Order());
        _ = _host.Manager.Destroy("guest-2");
        Assert.Equal("guest", _host.Node($"/vm/{config.Uuid:D}/name"));
        Assert.Equal([1, 3], _host.Guests);
    }

    [Theory]
    [InlineData(LifecycleAction.CoredumpDestroy, false)]
    [InlineData(LifecycleAction.CoredumpRestart, false)]
    [InlineData(LifecycleAction.CoredumpRestart, true)]
    public void Coredump_dumps_first_and_goes_on_even_if_that_fails(LifecycleAction action, bool fails)
    {
        _ = Create(FakeHost.Config() with { OnCrash = action });
        _host.DumpFails = fails;
        _host.Stop(1, ShutdownReason.Crash);
        _host.Manager.Check();
        Assert.Equal((1, "/var/lib/xen/dump/guest-20260102-030405.core"), Assert.Single(_host.Dumps));
        Assert.Equal(action == LifecycleAction.CoredumpRestart ? [2] : Array.Empty<int>(), _host.Guests);
    }

    [Fact]
    public void A_domain_that_keeps_stopping_is_destroyed_in_the_end()
    {
        _ = Create();
        for (int round = 1; round <= 5; round++)
        {
            _host.Stop(round, ShutdownReason.Reboot);
            _host.Manager.Check();
            Assert.Equal([round + 1], _host.Guests);
        }

        _host.Stop(6, ShutdownReason.Reboot);
        _host.Manager.Check();
        Assert.Empty(_host.Guests);
        Assert.Contains(_host.Log, line => line.Contains("5 restarts within 60 seconds", StringComparison.Ordinal));
    }

    [Fact]
    public void Restarts_long_ago_do_not_count()
    {
        _ = Create();
        for (int round = 1; round <= 20; round++)
        {
            _host.Clock.Advance(TimeSpan.FromSeconds(20));
            _host.Stop(round, ShutdownReason.Reboot);
            _host.Manager.Check();
        }

        Assert.Equal([21], _host.Guests);
    }

    [Fact]
    public void A_domain_that_cannot_be_built_again_is_given_up_and_said_so()
    {
        _ = Create();
        _host.Stop(1, ShutdownReason.Reboot);
        _host.Xen.FreeFrames = 0;
        _host.Xen.Domains[1].Frames.Clear();
        _host.Manager.Check();
        Assert.Empty(_host.Guests);
        Assert.Empty(_host.Manager.List());
        Assert.Contains(_host.Consoles.Notices, notice => notice.StartsWith("give up: ", StringComparison.Ordinal));
        Assert.Equal("destroyed guest", _host.Happened[^1]);
    }

    [Fact]
    public void A_suspended_domain_is_nobodys_to_touch()
    {
        _ = Create();
        _host.Stop(1, ShutdownReason.Suspend);
        _host.Manager.Check();
        Assert.Equal([1], _host.Guests);
        Assert.Equal("running", Assert.Single(_host.Manager.List()).Phase);

        // A checkpoint: it is resumed, and looked after as before.
        _host.Xen.Domains[1].IsShutdown = false;
        _host.Manager.Check();
        _host.Stop(1, ShutdownReason.Poweroff);
        _host.Manager.Check();
        Assert.Empty(_host.Guests);
    }

    [Fact]
    public void A_domain_that_another_program_built_can_be_handed_over()
    {
        _host.Xen.Domains[9] = new() { Uuid = Guid.NewGuid(), IsPaused = false };
        _host.Store.Put("/local/domain/9/name", "restored");
        _host.Store.Put("/local/domain/9/vm", $"/vm/{_host.Xen.Domains[9].Uuid:D}");
        _host.Store.Put("/local/domain/9/console/ring-ref", "77");
        _host.Store.Put("/local/domain/9/console/port", "2");
        Assert.Equal(9, _host.Manager.Adopt("restored").Id);
        Assert.Equal(9, _host.Manager.Adopt("9").Id);
        Assert.Equal("running", Assert.Single(_host.Manager.List()).Phase);
        Assert.Equal([9], _host.Consoles.OpenOnes.Keys);
        _host.Stop(9, ShutdownReason.Reboot);
        _host.Manager.Check();
        Assert.DoesNotContain(9, _host.Guests);
        Assert.Equal("restored", Assert.Single(_host.Manager.List()).Name);
        _ = Assert.Throws<ToolstackException>(() => _host.Manager.Adopt("0"));
    }

    [Fact]
    public void A_domain_that_somebody_else_destroyed_is_forgotten_with_its_entries()
    {
        _ = Create();
        _ = _host.Xen.Domains.Remove(1);
        _host.Manager.Check();
        Assert.Empty(_host.Manager.List());
        Assert.Null(_host.Node("/local/domain/1"));
        Assert.Equal("destroyed guest", _host.Happened[^1]);
    }

    [Fact]
    public void When_the_host_stops_nothing_is_started_over()
    {
        _ = Create();
        _host.Manager.HostStops();
        _host.Stop(1, ShutdownReason.Reboot);
        _host.Manager.Check();
        Assert.Empty(_host.Guests);
    }

    [Fact]
    public void A_definition_is_started_ends_and_is_started_again()
    {
        _ = _host.Manager.Define(FakeHost.Config());
        Assert.Equal("off", Assert.Single(_host.Manager.List()).Phase);
        Assert.Equal(1, _host.Manager.Start("guest", paused: false).Id);
        Assert.Contains("is there already",
            Assert.Throws<ToolstackException>(() => _host.Manager.Start("guest", paused: false)).Message);
        Assert.Contains("still exists",
            Assert.Throws<ToolstackException>(() => _host.Manager.Delete("guest")).Message);
        _ = _host.Manager.Destroy("guest");
        Assert.Equal("off", Assert.Single(_host.Manager.List()).Phase);
        Assert.Equal(2, _host.Manager.Start("guest", paused: true).Id);
        Assert.True(_host.Xen.Domains[2].IsPaused);
        _ = _host.Manager.Destroy("2");
        _ = _host.Manager.Delete("guest");
        Assert.Empty(_host.Manager.List());
        _ = Assert.Throws<ToolstackException>(() => _host.Manager.Start("guest", paused: false));
    }

    [Fact]
    public void A_renamed_domain_keeps_its_name_over_a_restart()
    {
        _ = _host.Manager.Define(FakeHost.Config());
        _ = _host.Manager.Start("guest", paused: false);
        _ = _host.Manager.Rename("guest", "other");
        Assert.Equal("other", _host.Node("/local/domain/1/name"));
        Assert.Equal("other", _host.Consoles.OpenOnes[1].Name);
        _host.Stop(1, ShutdownReason.Reboot);
        _host.Manager.Check();
        Assert.Equal("other", _host.Node("/local/domain/2/name"));
        Assert.Equal("other", Assert.Single(_host.Manager.List()).Name);
        Assert.Contains("renamed other", _host.Happened);
        _ = Assert.Throws<ToolstackException>(() => _host.Manager.Rename("other", "1"));
    }

    [Fact]
    public void Devices_that_come_and_go_are_remembered_for_the_next_start()
    {
        DomainReference created = _host.Manager.Create(FakeHost.Config(), paused: false);
        DeviceChange change = new($"{created.Id}");
        _ = _host.Manager.ChangeDevice(change with { Disk = "phy:/dev/x,xvda,w" });
        _ = _host.Manager.ChangeDevice(change with { Disk = "phy:/dev/y,xvdb,r" });
        _ = _host.Manager.ChangeDevice(change with { Vif = "bridge=br1" });
        _ = _host.Manager.ChangeDevice(change with { DiskGone = 51712 });
        DomainConfig config = Assert.Single(_host.Manager.List()).Config;
        Assert.Equal(["phy:/dev/y,xvdb,r"], config.Disks);
        string mac = VifSpec.Parse(Assert.Single(config.Vifs)).Mac!;
        _ = Assert.Throws<ToolstackException>(
            () => _host.Manager.ChangeDevice(change with { Disk = "phy:/dev/z,xvdb,w" }));
        _ = _host.Manager.ChangeDevice(change with { VifGone = mac });
        Assert.Empty(Assert.Single(_host.Manager.List()).Config.Vifs);
    }

    [Fact]
    public void Domains_of_other_tools_are_told_of_and_left_alone()
    {
        _host.Xen.Domains[9] = new() { Uuid = Guid.NewGuid(), IsPaused = false };
        _host.Store.Put("/local/domain/9/name", "foreign");
        _host.Manager.Check();
        _host.Stop(9, ShutdownReason.Crash);
        _host.Manager.Check();
        _host.Manager.Check();
        _ = _host.Xen.Domains.Remove(9);
        _host.Manager.Check();
        Assert.Equal(["created foreign", "crashed foreign", "destroyed foreign"], _host.Happened);
        Assert.Empty(_host.Manager.List());
    }
}
