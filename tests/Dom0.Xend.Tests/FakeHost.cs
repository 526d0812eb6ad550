// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Build;
using Dom0.Toolstack.Tests.Fakes;
using Dom0.Xend.Domains;
using Xen.Abi;

namespace Dom0.Xend.Tests;

/// <summary>A fake hypervisor and store with a daemon on top that can be killed and started again.</summary>
internal sealed class FakeHost : IDisposable
{
    public const ulong Pages = 1536;

    private readonly TemporaryFolder _folder = new();
    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _client;

    public FakeHost()
    {
        _hypervisor = new Hypervisor(Xen);
        _client = new StoreClient(Store);
        Store.Put("/local/domain/0/name", "Domain-0");
        Manager = NewManager();
    }

    /// <summary>Where commands note what they are about.</summary>
    public string Transfers => _folder["transfers"];

    public FakeHypervisor Xen { get; } = new();

    public FakeStoreServer Store { get; } = new();

    public FakeConsoles Consoles { get; private set; } = new();

    public TestClock Clock { get; } = new();

    public List<DomainEvent> Events { get; } = [];

    public List<string> Log { get; } = [];

    public List<(int Domid, string Path)> Dumps { get; } = [];

    public DomainManager Manager { get; private set; }

    /// <summary>The next dump fails.</summary>
    public bool DumpFails { get; set; }

    /// <summary>Names and kinds of the events so far.</summary>
    public string[] Happened => [.. Events.Select(happened => $"{happened.Event} {happened.Name}")];

    public static DomainConfig Config(string name = "guest") => new()
    {
        Name = name,
        Uuid = Guid.NewGuid(),
        Kernel = "/boot/k",
        MemoryKib = Pages * 4,
        MaximumMemoryKib = Pages * 4,
        MaximumVcpus = 1,
        OnlineVcpus = [true],
        Affinity = [CpuSet.All],
        OnReboot = LifecycleAction.Restart,
    };

    /// <summary>
    /// Runs something that is killed at its n-th step outside (a hypercall, or a request to the store); nothing that it
    /// does afterwards has any effect. True when it came to its end before.
    /// </summary>
    public bool RunUntil(int step, Action action)
    {
        bool isDead = false;
        Xen.BeforeEach = Store.BeforeEach = () =>
        {
            if (isDead || step-- <= 0)
            {
                isDead = true;
                throw new KilledException();
            }
        };
        try
        {
            action();
            return !isDead;
        }
        catch (KilledException)
        {
            return false;
        }
        finally
        {
            Xen.BeforeEach = Store.BeforeEach = null;
        }
    }

    private sealed class KilledException : Exception;

    /// <summary>A daemon that was killed and starts again: all it has is files, the hypervisor and the store.</summary>
    public void Restart()
    {
        Consoles = new FakeConsoles();
        Manager = NewManager();
        Manager.Recover();
    }

    /// <summary>A guest stops by itself.</summary>
    public void Stop(int domid, ShutdownReason reason)
    {
        Xen.Domains[domid].IsShutdown = true;
        Xen.Domains[domid].Reason = reason;
    }

    public string? Node(string path) =>
        Store.Nodes.TryGetValue(path, out FakeStoreServer.Node? node) ? node.Value : null;

    /// <summary>Numbers of the guests.</summary>
    public int[] Guests => [.. Xen.Domains.Keys.Where(id => id != 0)];

    public void Dispose()
    {
        _hypervisor.Dispose();
        _folder.Dispose();
    }

    private DomainManager NewManager()
    {
        EventHub events = new(Clock);
        EventSubscription subscription = null!;
        subscription = new EventSubscription(() =>
        {
            while (subscription.TryTake(out DomainEvent? happened))
            {
                Events.Add(happened!);
            }
        });
        events.Subscribe(subscription);
        return new DomainManager(new DomainServices
        {
            Hypervisor = _hypervisor,
            Store = _client,
            Running = new RecordStore(_folder["run"], Log.Add),
            Defined = new RecordStore(_folder["lib"], Log.Add),
            Consoles = Consoles,
            Events = events,
            Build = config =>
            {
                Built++;
                return new DomainCreator(_hypervisor, _client).Create(config, TestKernels.Modern(), [1, 2, 3]);
            },
            ReadLive = domain => Config(domain.Name) with { Uuid = Xen.Domains[domain.Id].Uuid },
            Dump = (domid, path) =>
            {
                Dumps.Add((domid, path));
                return DumpFails ? throw new ToolstackException("no room") : new DumpResult(path, Pages);
            },
            Transfers = Transfers,
            Clock = Clock,
            Log = Log.Add,
        });
    }

    /// <summary>How often a domain was built, or begun to be.</summary>
    public int Built { get; private set; }
}

/// <summary>A clock that the test moves.</summary>
internal sealed class TestClock : TimeProvider
{
    private DateTimeOffset _now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => _now;

    public void Advance(TimeSpan by) => _now += by;
}
