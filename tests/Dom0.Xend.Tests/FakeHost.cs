// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Build;
using Dom0.Toolstack.Tests.Fakes;
using Dom0.Xend.Backends;
using Dom0.Xend.Domains;
using Xen.Abi;

namespace Dom0.Xend.Tests;

/// <summary>A fake hypervisor and store with a daemon on top that can be killed and started again.</summary>
internal sealed class FakeHost : IDisposable
{
    /// <summary>Little more than the 4 MiB that a kernel finds mapped: thousands of domains are built.</summary>
    public const ulong Pages = 1040;

    private readonly TemporaryFolder _folder = new();
    private readonly Hypervisor _hypervisor;
    private StoreClient _client;
    private int _storeDeaths;

    public FakeHost()
    {
        _hypervisor = new Hypervisor(Xen);
        Devices = new FakeHostDevices(Store);
        _client = ConnectToStore();
        Store.Put("/local/domain/0/name", "Domain-0");
        Manager = NewManager();
    }

    /// <summary>Where commands note what they are about.</summary>
    public string Transfers => _folder["transfers"];

    public FakeHypervisor Xen { get; } = new();

    public FakeStoreServer Store { get; } = new();

    /// <summary>What the process of the back ends works on; it can be killed by itself.</summary>
    public FakeHostDevices Devices { get; }

    /// <summary>After so many steps the process of the back ends is killed, and started again; negative for never.</summary>
    public int BackendsDieAfter { get; set; } = -1;

    /// <summary>After so many steps the store's process is killed, and started again; negative for never.</summary>
    public int StoreDiesAfter { get; set; } = -1;

    public Turn Turn { get; } = new();

    public FakeConsoles Consoles { get; private set; } = new();

    public TestClock Clock { get; } = new();

    public List<DomainEvent> Events { get; } = [];

    public List<string> Log { get; } = [];

    /// <summary>Adds a line to the log, from any thread.</summary>
    public void Note(string line)
    {
        lock (Log)
        {
            Log.Add(line);
        }
    }

    public List<(int Domid, string Path)> Dumps { get; } = [];

    public DomainManager Manager { get; private set; }

    /// <summary>Files of suspended domains, whole or not.</summary>
    public string[] States => Directory.Exists(_folder["states"])
        ? [.. Directory.GetFiles(_folder["states"]).Select(path => Path.GetFileName(path)!)]
        : [];

    /// <summary>The state of a domain lies there although the domain does.</summary>
    public void LeaveState(string name) => File.WriteAllText(
        Path.Combine(_folder["states"], $"{Manager.List().Single(domain => domain.Name == name).Uuid}.save"), name);

    /// <summary>Guests do not suspend themselves.</summary>
    public bool SuspendFails { get; set; }

    /// <summary>The next dump fails.</summary>
    public bool DumpFails { get; set; }

    /// <summary>Names and kinds of the events so far.</summary>
    public string[] Happened => [.. Events.Select(happened => $"{happened.Event} {happened.Name}")];

    private static readonly PvKernel s_kernel = TestKernels.Modern();

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
    /// Runs something that is killed at its n-th step outside (a hypercall, a request to the store, or a record that is
    /// written); nothing that it does afterwards has any effect. True when it came to its end before.
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

    /// <summary>Records whose writing is a step like any other; a file is there or is not.</summary>
    private sealed class MortalRecords(FakeHost host, string folder) : RecordStore(folder, host.Note)
    {
        public override void Save(DomainRecord record)
        {
            host.Xen.BeforeEach?.Invoke();
            base.Save(record);
        }

        public override void Remove(Guid uuid)
        {
            host.Xen.BeforeEach?.Invoke();
            base.Remove(uuid);
        }
    }

    /// <summary>The process of the back ends: at its death nothing that it goes on to do has any effect.</summary>
    private sealed class MortalDevices(FakeHost host) : IDeviceService
    {
        private sealed class BackendsKilledException : Exception;

        public void AttachAll(int domain, DomainConfig config) => Live(service =>
        {
            service.AttachAll(domain, config);
            return true;
        });

        public IReadOnlyList<string> RemoveAll(int domain) => Live(service => service.RemoveAll(domain));

        private T Live<T>(Func<IDeviceService, T> work)
        {
            bool isDead = false;
            Action? outer = host.Store.BeforeEach;
            host.Store.BeforeEach = host.Devices.BeforeEach = () =>
            {
                outer?.Invoke();
                isDead |= host.BackendsDieAfter >= 0 && host.BackendsDieAfter-- == 0;
                if (isDead)
                {
                    throw new BackendsKilledException();
                }
            };
            try
            {
                using StoreClient store = host.ConnectToStore();
                return work(new DeviceManager(store, host.Devices));
            }
            catch (BackendsKilledException)
            {
                throw new XendDisconnectedException("killed", wasConnected: true);
            }
            finally
            {
                host.Store.BeforeEach = outer;
                host.Devices.BeforeEach = null;
            }
        }
    }

    /// <summary>A connection to the store; all of them break for good when the store's process dies. The tree stays.</summary>
    private sealed class BreakingLink(FakeHost host) : IStoreTransport
    {
        private readonly FakeStoreServer.Link _link = host.Store.Connect();
        private readonly int _deaths = host._storeDeaths;

        public void Send(ReadOnlySpan<byte> data)
        {
            Step();
            _link.Send(data);
        }

        public void Receive(Span<byte> buffer)
        {
            // The answer comes whole or not at all: one step, not one for each part of it.
            if (buffer.Length == StorePacket.HeaderSize)
            {
                Step();
            }

            _link.Receive(buffer);
        }

        public bool WaitForInput(int milliseconds) => _link.WaitForInput(milliseconds);

        public void Dispose() => _link.Dispose();

        private void Step()
        {
            if (host.StoreDiesAfter >= 0 && host.StoreDiesAfter-- == 0)
            {
                host._storeDeaths++;
            }

            if (_deaths != host._storeDeaths)
            {
                throw new StoreDisconnectedException("broken");
            }
        }
    }

    /// <summary>A daemon that was killed and starts again: all it has is files, the hypervisor and the store.</summary>
    public void Restart()
    {
        Consoles = new FakeConsoles();
        _client.Dispose();
        _client = ConnectToStore();
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

    private StoreClient ConnectToStore() => new(() => new BreakingLink(this), 5000);

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
            Running = new MortalRecords(this, _folder["run"]),
            Defined = new MortalRecords(this, _folder["lib"]),
            Consoles = Consoles,
            Events = events,
            Load = config => new BootFiles(s_kernel, [1, 2, 3], config.CommandLine),
            Build = (config, files, devices) =>
            {
                Built++;
                return new DomainCreator(_hypervisor, _client, devices).Create(config, files);
            },
            Devices = new EnduringDevices(new MortalDevices(this), _ => { }, Note),
            States = _folder["states"],
            Suspend = (domain, path) =>
            {
                Store.BeforeEach?.Invoke();
                Stop(domain.Id, ShutdownReason.Suspend);
                Store.BeforeEach?.Invoke();
                if (SuspendFails)
                {
                    Xen.Domains[domain.Id].IsShutdown = false;
                    throw new ToolstackException("the guest does not answer; it runs on");
                }

                File.WriteAllText(path + ".1.part", domain.Name);
                Store.BeforeEach?.Invoke();
                File.Move(path + ".1.part", path);
                Store.BeforeEach?.Invoke();
            },
            GoOn = domain =>
            {
                Store.BeforeEach?.Invoke();
                Xen.Domains[domain.Id].IsShutdown = false;
            },
            Restore = path => new DomainCreator(_hypervisor, _client).Create(
                Config(File.ReadAllText(path)) with
                {
                    Uuid = Guid.Parse(Path.GetFileNameWithoutExtension(path)),
                }, s_kernel, [1]),
            Turn = Turn,
            Begin = action => action(),
            ReadLive = domain => Config(domain.Name) with { Uuid = Xen.Domains[domain.Id].Uuid },
            Dump = (domain, path, _) =>
            {
                Dumps.Add((domain.Id, path));
                return DumpFails ? throw new ToolstackException("no room") : new DumpResult(path, Pages);
            },
            Transfers = Transfers,
            Clock = Clock,
            Log = Note,
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
