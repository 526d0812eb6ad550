// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Xen.Abi;
using Xunit;

namespace Dom0.Xend.Tests;

/// <summary>What a host is in the midst of when something dies.</summary>
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

/// <summary>Brings hosts into scenarios, and judges what came of them.</summary>
internal static class Scenarios
{
    public static TheoryData<Scenario> All => [.. Enum.GetValues<Scenario>()];

    internal static Action Prepare(FakeHost host, Scenario scenario)
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

    internal static int DevicesOf(FakeHost host, string kind, int domid) => host.Store.Nodes.Keys.Count(path =>
        path.StartsWith($"/local/domain/0/backend/{kind}/{domid}/", StringComparison.Ordinal)
        && path.EndsWith("/state", StringComparison.Ordinal));

    /// <summary>What was asked for has come about.</summary>
    internal static void AssertDone(FakeHost host, Scenario scenario, string when)
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
    internal static void AssertWhole(FakeHost host, Scenario scenario, string when)
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
}
