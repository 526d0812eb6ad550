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
    }

    public static TheoryData<Scenario> All => [.. Enum.GetValues<Scenario>()];

    private static Action Prepare(FakeHost host, Scenario scenario)
    {
        DomainConfig config = FakeHost.Config() with
        {
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
            case Scenario.Preserve:
                config = config with { OnPoweroff = LifecycleAction.Preserve };
                break;
        }

        _ = host.Manager.Create(config, paused: false);
        switch (scenario)
        {
            case Scenario.CreateAnother:
                return () => host.Manager.Create(FakeHost.Config("another"), paused: false);
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
        }

        // Only the running domains, and of Domain-0, may have entries.
        foreach (string path in host.Store.Nodes.Keys)
        {
            string[] words = path.Split('/');
            bool isStray = words switch
            {
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
