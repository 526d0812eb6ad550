// SPDX-License-Identifier: MIT
//
// Every scenario is killed at each of its steps, and fails at each of its steps; afterwards nothing may be lost and
// nothing half made.
using System;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Interop;
using Xen.Abi;
using Xunit;

namespace Dom0.Xend.Tests;

public sealed class RecoveryTests
{
    public enum Scenario
    {
        Create,
        CreateAnother,
        Destroy,
        Poweroff,
        Restart,
        RenameRestart,
        Preserve,
        StartDefined,
        Rename,
        Suspend,
        Resume,
    }

    public static TheoryData<Scenario> All => [.. Enum.GetValues<Scenario>()];

    private static Action Prepare(FakeHost host, Scenario scenario)
    {
        DomainConfig config = FakeHost.Config() with
        {
            Disks = ["phy:/dev/sdz,xvda,w", "file:/a,xvdb,r"],
            Vifs = ["mac=00:16:3e:00:00:01"],
            OnCrash = LifecycleAction.RenameRestart,
            OnReboot = LifecycleAction.Restart,
        };
        switch (scenario)
        {
            case Scenario.Create:
                return () => host.Manager.Create(config, paused: false);
            case Scenario.StartDefined:
                _ = host.Manager.Define(config);
                return () => host.Manager.Start("guest", paused: false);
            case Scenario.Suspend or Scenario.Resume:
                _ = host.Manager.Define(config with { Disks = [], Vifs = [] });
                _ = host.Manager.Start("guest", paused: false);
                if (scenario == Scenario.Suspend)
                {
                    return () => host.Manager.Suspend("guest");
                }

                _ = host.Manager.Suspend("guest");
                return () => host.Manager.Resume("guest", paused: false);
            case Scenario.Preserve:
                config = config with { OnPoweroff = LifecycleAction.Preserve };
                break;
        }

        _ = host.Manager.Create(config, paused: false);
        switch (scenario)
        {
            case Scenario.CreateAnother:
                return () => host.Manager.Create(FakeHost.Config("another") with
                {
                    Disks = ["file:/b,xvda,w"],
                    Vifs = ["mac=00:16:3e:00:00:02, vifname=other"],
                }, paused: false);
            case Scenario.Destroy:
                return () => host.Manager.Destroy("guest");
            case Scenario.Rename:
                return () => host.Manager.Rename("guest", "renamed");
            default:
                host.Stop(1, scenario switch
                {
                    Scenario.Restart => ShutdownReason.Reboot,
                    Scenario.RenameRestart => ShutdownReason.Crash,
                    _ => ShutdownReason.Poweroff,
                });
                return host.Manager.Check;
        }
    }

    private static int DevicesOf(FakeHost host, string kind, int domid) => host.Store.Nodes.Keys.Count(path =>
        path.StartsWith($"/local/domain/0/backend/{kind}/{domid}/", StringComparison.Ordinal)
        && path.EndsWith("/state", StringComparison.Ordinal));

    /// <summary>What was asked for has come about.</summary>
    private static void AssertDone(FakeHost host, Scenario scenario, string when)
    {
        string[] expected = scenario switch
        {
            Scenario.CreateAnother => ["another", "guest"],
            Scenario.Destroy or Scenario.Poweroff or Scenario.Suspend => [],
            Scenario.RenameRestart => ["guest", "guest-1"],
            Scenario.Rename => ["renamed"],
            _ => ["guest"],
        };
        string[] there = [.. host.Manager.List().Where(domain => domain.Domid is not null).Select(domain => domain.Name)];
        Assert.True(expected.SequenceEqual(there.Order()), $"{when}: {string.Join(' ', there)}");
    }

    /// <summary>Domains, records, consoles, entries and memory agree, and what must be there is.</summary>
    private static void AssertWhole(FakeHost host, Scenario scenario, string when)
    {
        ManagedDomain[] records = [.. host.Manager.List().Where(domain => domain.Domid is not null)];
        Assert.True(host.Guests.Order().SequenceEqual(records.Select(domain => domain.Domid!.Value).Order()),
            $"{when}: domains {string.Join(' ', host.Guests)}, records "
                + string.Join(' ', host.Manager.List().Select(domain => $"{domain.Name}:{domain.Domid}:{domain.Phase}")));
        foreach (ManagedDomain domain in records)
        {
            int domid = domain.Domid!.Value;
            Assert.Equal(domain.Uuid, host.Xen.Domains[domid].Uuid);
            Assert.True(domain.Phase is "running" or "preserved", $"{when}: {domain.Phase}");
            Assert.False(host.Xen.Domains[domid].IsPaused, when);
            Assert.True(host.Consoles.OpenOnes.ContainsKey(domid), $"{when}: no console");
            Assert.Equal(domain.Name, host.Node($"/local/domain/{domid}/name"));
            Assert.Equal($"/vm/{domain.Uuid:D}", host.Node($"/local/domain/{domid}/vm"));

            // One that is kept under another name has left its devices to the next.
            bool isLeft = domain.Name.StartsWith("guest-", StringComparison.Ordinal);
            Assert.Equal(isLeft ? 0 : domain.Config.Disks.Count, DevicesOf(host, "vbd", domid));
            Assert.Equal(isLeft ? 0 : domain.Config.Vifs.Count, DevicesOf(host, "vif", domid));
        }

        Assert.Empty(host.Devices.Held);
        foreach (ManagedDomain definition in host.Manager.List().Where(domain => domain.IsManaged))
        {
            // There is the domain or its state, never both and never neither.
            string[] states = [.. host.States.Where(file => file.StartsWith($"{definition.Uuid}", StringComparison.Ordinal))];
            bool isThere = definition.Domid is { } domid && !host.Xen.Domains[domid].IsShutdown;
            Assert.True(scenario is not (Scenario.Suspend or Scenario.Resume) || isThere == (states.Length == 0),
                $"{when}: {definition.Phase}, {string.Join(' ', states)}");
            Assert.DoesNotContain(states, file => file.EndsWith(".part", StringComparison.Ordinal));
        }


        // Only the running domains, and of Domain-0, may have entries.
        foreach (string path in host.Store.Nodes.Keys)
        {
            string[] words = path.Split('/');
            bool isStray = words switch
            {
                ["", "local", "domain", "0", "backend", _, var id, ..] => !host.Guests.Contains(int.Parse(id)),
                ["", "local", "domain", var id, ..] => id != "0" && !host.Guests.Contains(int.Parse(id)),
                ["", "libxl", var id, ..] => !host.Guests.Contains(int.Parse(id)),
                ["", "vm", var uuid, ..] => !records.Any(domain => $"{domain.Uuid:D}" == uuid),
                _ => false,
            };
            Assert.False(isStray, $"{when}: left in the store: {path}");
        }

        ulong held = (ulong)host.Guests.Sum(id => host.Xen.Domains[id].Frames.Count);
        Assert.Equal(100_000UL, host.Xen.FreeFrames + held);
        Assert.All(host.Xen.Domains.Values, domain => Assert.Equal(0UL, domain.Claim));
        switch (scenario)
        {
            case Scenario.CreateAnother or Scenario.Rename or Scenario.Preserve:
                Assert.Contains(1, host.Guests);
                break;
            case Scenario.Destroy or Scenario.Poweroff:
                Assert.True(host.Guests.Length <= 1, when);
                break;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Killed_at_any_step_a_new_daemon_brings_everything_to_an_end(Scenario scenario)
    {
        int step = 0;
        while (true)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            bool isComplete = host.RunUntil(step, action);
            host.Restart();
            host.Manager.Check();
            string when = $"{scenario} killed at step {step}";
            AssertWhole(host, scenario, when);
            if (scenario is Scenario.Restart or Scenario.RenameRestart)
            {
                Assert.Contains(host.Manager.List(), domain => domain is { Name: "guest", Phase: "running" });
                Assert.Equal(scenario == Scenario.Restart ? 1 : 2, host.Guests.Length);
            }

            if (isComplete)
            {
                break;
            }

            step++;
        }

        Assert.InRange(step, 3, 1000);
    }

    [Theory]
    [InlineData(Scenario.Create)]
    [InlineData(Scenario.Destroy)]
    [InlineData(Scenario.RenameRestart)]
    public void Killed_during_recovery_as_well_the_next_daemon_does_it(Scenario scenario)
    {
        for (int step = 0; step < 60; step += 13)
        {
            for (int second = 0; second < 40; second += 7)
            {
                using FakeHost host = new();
                _ = host.RunUntil(step, Prepare(host, scenario));
                _ = host.RunUntil(second, host.Restart);
                host.Restart();
                host.Manager.Check();
                AssertWhole(host, scenario, $"{scenario} killed at step {step} and again at {second}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_process_of_the_back_ends_killed_at_any_step_what_was_asked_for_is_done_all_the_same(Scenario scenario)
    {
        int step = 0;
        while (true)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.BackendsDieAfter = step;
            action();
            bool wasKilled = host.BackendsDieAfter < 0;
            host.BackendsDieAfter = -1;
            string when = $"{scenario} with the back ends killed at step {step}";
            AssertWhole(host, scenario, when);
            AssertDone(host, scenario, when);
            if (!wasKilled)
            {
                break;
            }

            Assert.Contains(host.Log, line => line.Contains("is begun anew", StringComparison.Ordinal));
            step++;
        }

        bool hasDevices = scenario is not (Scenario.Preserve or Scenario.Rename or Scenario.Suspend or Scenario.Resume);
        Assert.InRange(step, hasDevices ? 3 : 0, 1000);
    }

    [Fact]
    public void Back_ends_that_die_over_a_domain_again_and_again_cost_that_domain_and_nothing_else()
    {
        using FakeHost host = new();
        _ = host.Manager.Create(FakeHost.Config(), paused: false);
        host.Devices.Script = _ =>
        {
            host.BackendsDieAfter = 0;
            return default;
        };
        ToolstackException failure = Assert.Throws<ToolstackException>(() => host.Manager.Create(
            FakeHost.Config("fatal") with { Vifs = ["mac=00:16:3e:00:00:01, script=/fatal"] }, paused: false));
        Assert.Contains("died 3 times", failure.Message);
        host.BackendsDieAfter = -1;
        host.Devices.Script = _ => default;
        host.Manager.Check();
        AssertWhole(host, Scenario.CreateAnother, "after a script that kills the back ends");
        Assert.Equal([1], host.Guests);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_stores_process_killed_at_any_step_nothing_is_lost_and_nothing_half_made(Scenario scenario)
    {
        int step = 0;
        int refused = 0;
        while (true)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.StoreDiesAfter = step;
            string when = $"{scenario} with the store killed at step {step}";
            bool isDone = true;
            try
            {
                action();
            }
            catch (ToolstackException)
            {
                // Told to whoever asked.
                isDone = false;
                refused++;
            }

            bool wasKilled = host.StoreDiesAfter < 0;
            host.StoreDiesAfter = -1;
            host.Manager.Check();
            AssertWhole(host, scenario, when);
            if (isDone)
            {
                AssertDone(host, scenario, when);
            }

            if (!wasKilled)
            {
                break;
            }

            step++;
        }

        Assert.InRange(step, scenario == Scenario.Preserve ? 0 : 3, 10000);
        Assert.Equal(0, refused);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Whatever_hypercall_fails_once_the_next_checks_bring_everything_to_an_end(Scenario scenario)
    {
        for (int step = 0; ; step++)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.Xen.FailWith = LibcErrno.Invalid;
            host.Xen.FailAfter = step;
            try
            {
                action();
            }
            catch (ToolstackException)
            {
                // Told to whoever asked.
            }

            bool hasFailed = host.Xen.FailAfter < 0;
            host.Xen.FailAfter = -1;
            host.Manager.Check();
            host.Manager.Check();
            AssertWhole(host, scenario, $"{scenario} with a failure at step {step}");
            if (!hasFailed)
            {
                return;
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Whatever_request_to_the_store_fails_once_the_next_checks_bring_everything_to_an_end(Scenario scenario)
    {
        for (int step = 0; ; step++)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.Store.FailAfter = step;
            try
            {
                action();
            }
            catch (ToolstackException)
            {
                // Told to whoever asked.
            }

            bool hasFailed = host.Store.FailAfter < 0;
            host.Store.FailAfter = -1;
            host.Manager.Check();
            host.Manager.Check();
            AssertWhole(host, scenario, $"{scenario} with a failed request {step}");
            if (!hasFailed)
            {
                return;
            }
        }
    }

    [Fact]
    public void Consoles_are_served_again_after_a_restart_of_the_daemon()
    {
        using FakeHost host = new();
        _ = host.Manager.Create(FakeHost.Config(), paused: false);
        host.Restart();
        Assert.Equal([1], host.Consoles.OpenOnes.Keys);
        host.Stop(1, ShutdownReason.Poweroff);
        host.Manager.Check();
        Assert.Empty(host.Guests);
    }

    [Fact]
    public void A_restart_limit_counts_over_restarts_of_the_daemon()
    {
        using FakeHost host = new();
        _ = host.Manager.Create(FakeHost.Config(), paused: false);
        for (int round = 1; round <= 5; round++)
        {
            host.Stop(round, ShutdownReason.Reboot);
            host.Restart();
        }

        Assert.Equal([6], host.Guests);
        host.Stop(6, ShutdownReason.Reboot);
        host.Restart();
        Assert.Empty(host.Guests);
    }
}
