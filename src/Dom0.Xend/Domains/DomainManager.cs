// SPDX-License-Identifier: MIT
//
// Keeps the domains. Whatever it begins is written down first, and each step can be made again: a daemon that is killed
// at any point reads its records, looks at what the hypervisor has, and goes on from there. Identities (UUIDs) join the
// two: the hypervisor keeps each domain's.
//
// One thread at a time has the turn. What waits (files, devices, a dump) gives it up meanwhile; the domain is held then,
// and whoever else wants to do something about it waits. DomainManager.Lifecycle.cs has what happens when domains stop.
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Migration;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Xend.Domains;

/// <summary>What a <see cref="DomainManager"/> works with.</summary>
internal sealed record DomainServices
{
    /// <summary>The hypervisor.</summary>
    public required Hypervisor Hypervisor { get; init; }

    /// <summary>The store.</summary>
    public required StoreClient Store { get; init; }

    /// <summary>Records of domains that exist, or are about to.</summary>
    public required RecordStore Running { get; init; }

    /// <summary>Definitions that outlive their domains.</summary>
    public required RecordStore Defined { get; init; }

    /// <summary>The consoles.</summary>
    public required IConsoles Consoles { get; init; }

    /// <summary>Who wants to know.</summary>
    public required EventHub Events { get; init; }

    /// <summary>Reads what a domain starts with. It may take long; other domains have their turn meanwhile.</summary>
    public required Func<DomainConfig, BootFiles> Load { get; init; }

    /// <summary>Builds a domain, with devices from the service that is given, and leaves it paused.</summary>
    public required Func<DomainConfig, BootFiles, IDeviceService, DomainReference> Build { get; init; }

    /// <summary>Makes devices and takes them back. It may take long; other domains have their turn meanwhile.</summary>
    public required IDeviceService Devices { get; init; }

    /// <summary>The configuration of a domain that is there.</summary>
    public required Func<DomainReference, DomainConfig> ReadLive { get; init; }

    /// <summary>
    /// Writes the memory of a domain to a file, and lets it run meanwhile if so wanted. It may take long; other domains
    /// have their turn meanwhile.
    /// </summary>
    public required Func<DomainReference, string, bool, DumpResult> Dump { get; init; }

    /// <summary>Where the states of suspended domains are kept.</summary>
    public required string States { get; init; }

    /// <summary>
    /// Has a domain suspend itself and writes its state to a file, which is in its place when it is whole; on any failure
    /// the domain goes on. It may take long; other domains have their turn meanwhile.
    /// </summary>
    public required Action<DomainReference, string> Suspend { get; init; }

    /// <summary>Lets a domain go on that has suspended itself.</summary>
    public required Action<DomainReference> GoOn { get; init; }

    /// <summary>Builds a domain from its state, and leaves it paused. It may take long, as above.</summary>
    public required Func<string, DomainReference> Restore { get; init; }

    /// <summary>The right to work on the domains.</summary>
    public required Turn Turn { get; init; }

    /// <summary>Does something that may take long later, or on another thread that takes the turn.</summary>
    public required Action<Action> Begin { get; init; }

    /// <summary>Where commands that save and restore domains are noted.</summary>
    public string Transfers { get; init; } = TransferClaim.Folder;

    /// <summary>The time.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>Takes a sentence for the log.</summary>
    public required Action<string> Log { get; init; }
}

/// <summary>The domains that this daemon looks after.</summary>
internal sealed partial class DomainManager
{
    private readonly DomainServices _services;
    private readonly ForeignDomains _foreign;
    private readonly TransferRecovery _transfers;
    private readonly PatientDevices _devices;
    private readonly HashSet<Guid> _held = [];
    private readonly Queue<(Guid Uuid, DomainEnd End)> _ends = new();
    private bool _hostStops;

    /// <summary>Looks after the domains of <paramref name="services"/>.</summary>
    public DomainManager(DomainServices services)
    {
        _services = services;
        _foreign = new ForeignDomains(services.Events);
        _transfers = new TransferRecovery(
            services.Hypervisor, services.Store, services.Clock, services.Log, services.Transfers);
        _devices = new PatientDevices(services.Devices, services.Turn);
    }

    private Hypervisor Hypervisor => _services.Hypervisor;

    private RecordStore Running => _services.Running;

    private RecordStore Defined => _services.Defined;

    /// <summary>The host stops: from now on no domain that ends is started over or kept.</summary>
    public void HostStops()
    {
        _services.Log("the host stops: domains that end are destroyed");
        _hostStops = true;
    }

    /// <summary>All domains looked after, and all definitions.</summary>
    public IReadOnlyList<ManagedDomain> List() =>
    [
        .. Running.All.Select(Describe),
        .. Defined.All.Where(definition => Running.Find(definition.Uuid) is null).Select(Describe),
    ];

    /// <summary>Builds a domain, and starts it unless it is to stay paused.</summary>
    /// <exception cref="ToolstackException">It cannot be built; nothing of it is left.</exception>
    public DomainReference Create(DomainConfig config, bool paused)
    {
        config = Complete(config);
        RefuseTaken(config.Name, config.Uuid);
        return BuildNew(config, paused, isManaged: false);
    }

    /// <summary>Looks from now on after a domain that somebody else built, such as one that was restored.</summary>
    public DomainReference Adopt(string nameOrId)
    {
        DomainReference domain = FindFree(nameOrId);
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 is nobody's to look after");
        }

        if (RecordOf(domain.Id) is not null)
        {
            return domain;
        }

        DomainConfig config = _services.ReadLive(domain);
        DomainConfigCheck.Check(config);
        DomainRecord record = new()
        {
            Uuid = config.Uuid,
            Name = domain.Name,
            Config = config,
            Phase = DomainPhase.Running,
            Domid = domain.Id,
            IsManaged = Defined.Find(config.Uuid) is not null,
        };
        Running.Save(record);
        OpenConsole(record);
        _services.Log($"looks after '{record.Name}', number {record.Domid}");
        Publish("created", domain.Id, record.Name, record.Uuid);
        return domain;
    }

    /// <summary>Keeps a definition without building anything.</summary>
    public ManagedDomain Define(DomainConfig config)
    {
        config = Complete(config);
        RefuseTaken(config.Name, config.Uuid);
        DomainRecord definition = new()
        {
            Uuid = config.Uuid,
            Name = config.Name,
            Config = config,
            Phase = DomainPhase.Off,
            IsManaged = true,
        };
        Defined.Save(definition);
        _services.Log($"defined '{config.Name}'");
        return Describe(definition);
    }

    /// <summary>Builds a domain from its definition.</summary>
    public DomainReference Start(string name, bool paused)
    {
        DomainRecord definition = FindDefinition(name);
        if (IsSuspended(definition.Uuid) && Running.Find(definition.Uuid) is null)
        {
            throw new ToolstackException($"the domain '{name}' is suspended", $"Let it go on: xm resume {name}");
        }

        return Running.Find(definition.Uuid) is { } running
            ? throw new ToolstackException($"the domain '{name}' is there already" + NumberOf(running))
            : BuildNew(definition.Config, paused, isManaged: true);
    }

    /// <summary>Forgets a definition.</summary>
    public ManagedDomain Delete(string name)
    {
        DomainRecord definition = FindDefinition(name);
        if (Running.Find(definition.Uuid) is { } running)
        {
            throw new ToolstackException($"the domain '{name}' still exists" + NumberOf(running),
                $"End it first: xm shutdown -w {name}, or xm destroy {name}");
        }

        if (IsSuspended(definition.Uuid))
        {
            throw new ToolstackException($"the domain '{name}' is suspended, and its state would be lost",
                $"Resume it, or end it for good: xm resume -p {name}; xm destroy {name}");
        }

        Defined.Remove(definition.Uuid);
        _services.Log($"forgot the definition of '{name}'");
        return Describe(definition);
    }

    /// <summary>Ends a domain at once, whoever created it.</summary>
    public DomainReference Destroy(string nameOrId)
    {
        DomainReference domain = FindFree(nameOrId);
        if (domain.Id == 0)
        {
            // The library refuses with the right words.
            DomainDestroyer.Destroy(Hypervisor, _services.Store, domain);
        }

        Hold(IdentityOf(domain.Id), () =>
        {
            if (RecordOf(domain.Id) is { } record)
            {
                Finish(record, "destroyed", "destroy");
                return;
            }

            _services.Consoles.Close(domain.Id, "the domain was destroyed", comesAgain: false);
            DomainDestroyer.Destroy(Hypervisor, _services.Store, domain, _services.Log, _devices);
            _services.Log($"destroyed '{domain.Name}', number {domain.Id}");
            _foreign.Update(Hypervisor.System.ListDomains(), IsOurs, NameOf);
        });
        return domain;
    }

    /// <summary>Lets a paused domain run.</summary>
    public DomainReference Unpause(string nameOrId)
    {
        DomainReference domain = FindFree(nameOrId);
        Hypervisor.Domains.Unpause(new DomId((ushort)domain.Id));
        Publish("started", domain.Id, domain.Name, RecordOf(domain.Id)?.Uuid ?? default);
        return domain;
    }

    /// <summary>Gives a domain, or a definition, another name.</summary>
    public DomainReference Rename(string nameOrId, string name)
    {
        DomainConfigCheck.CheckName(name);
        if (Defined.Find(nameOrId) is { } off && Running.Find(off.Uuid) is null)
        {
            RefuseTaken(name, null);
            Defined.Save(off with { Name = name, Config = off.Config with { Name = name } });
            return new DomainReference(-1, name);
        }

        DomainReference domain = FindFree(nameOrId);
        if (domain.Name == name)
        {
            return domain;
        }

        RefuseTaken(name, null);
        WriteName(domain.Id, name);
        if (RecordOf(domain.Id) is { } record)
        {
            _ = Adopt(record, name);
        }
        else
        {
            Publish("renamed", domain.Id, name, default);
        }

        return domain with { Name = name };
    }

    /// <summary>Writes a domain's memory to a file while it is held still.</summary>
    public DumpResult DumpCore(DumpParameters wanted)
    {
        DomainReference domain = FindFree(wanted.Domain);
        DumpResult? result = null;
        Hold(IdentityOf(domain.Id), () => result = Dump(
            domain, wanted.File ?? DumpPath(domain.Name), wanted.Live));
        if (wanted.Crash)
        {
            _ = Destroy($"{domain.Id}");
        }

        return result!;
    }

    /// <summary>
    /// Remembers that a domain has got a device or lost one, so that it has the same when it starts over. Nothing is done
    /// to the device.
    /// </summary>
    public DomainReference ChangeDevice(DeviceChange change)
    {
        DomainReference domain = FindFree(change.Domain);
        if (RecordOf(domain.Id) is { } record)
        {
            DomainConfig config = record.Config;
            config = Complete(config with
            {
                Disks =
                [
                    .. config.Disks.Where(disk => DiskSpec.Parse(disk).Number != change.DiskGone),
                    .. change.Disk is { } disk ? [disk] : Array.Empty<string>(),
                ],
                Vifs =
                [
                    .. config.Vifs.Where(vif => change.VifGone is null || VifSpec.Parse(vif).Mac != change.VifGone),
                    .. change.Vif is { } vif ? [vif] : Array.Empty<string>(),
                ],
            });
            Running.Save(record with { Config = config });
            LibxlRecord.Write(domain.Id, config);
        }

        return domain;
    }

    /// <summary>How the domain of an identity ended last; without a reason when it has not.</summary>
    public DomainEnd EndOf(Guid uuid)
    {
        DomainEnd? last = _ends.LastOrDefault(end => end.Uuid == uuid).End;
        return last is null ? new DomainEnd(null, null, Running.Find(uuid) is null) : last;
    }

    /// <summary>The domain with a number or a name.</summary>
    public DomainReference Find(string nameOrId) =>
        new DomainDirectory(Hypervisor, () => _services.Store).Find(nameOrId);

    /// <summary>As <see cref="Find"/>, once nobody is busy with the domain any more.</summary>
    private DomainReference FindFree(string nameOrId)
    {
        while (true)
        {
            DomainReference domain = Find(nameOrId);
            if (!_held.Contains(IdentityOf(domain.Id)))
            {
                return domain;
            }

            _services.Turn.AwaitChange();
        }
    }

    /// <summary>Keeps everybody else from a domain while something is done about it; this thread may do so already.</summary>
    private void Hold(Guid uuid, Action action)
    {
        bool isFirst = _held.Add(uuid);
        try
        {
            action();
        }
        finally
        {
            if (isFirst)
            {
                _ = _held.Remove(uuid);
                _services.Turn.Changed();
            }
        }
    }

    private DumpResult Dump(DomainReference domain, string path, bool isLive) =>
        _services.Turn.GiveUpFor(() => _services.Dump(domain, path, isLive));

    /// <summary>Where the dump of a domain goes if nobody says.</summary>
    private string DumpPath(string name) => DomainDumper.DefaultPath(name, _services.Clock.GetUtcNow());

    private DomainRecord FindDefinition(string name) => Defined.Find(name) ?? throw new ToolstackException(
        $"there is no definition of a domain '{name}'", "Make one with 'xm new', and see 'xm list'");

    /// <summary>A checked configuration in which nothing is left to chance at the next start.</summary>
    private static DomainConfig Complete(DomainConfig config)
    {
        DomainConfigCheck.Check(config);
        return config with { Vifs = VifSpec.Complete(config.Vifs) };
    }

    private ManagedDomain Describe(DomainRecord record) => new()
    {
        Uuid = record.Uuid,
        Name = record.Name,
        Domid = record.Domid,
        Phase = record.Phase == DomainPhase.Off && IsSuspended(record.Uuid)
            ? "suspended"
            : record.Phase.ToString().ToLowerInvariant(),
        IsManaged = record.IsManaged,
        Config = record.Config,
    };

    private void RefuseTaken(string name, Guid? uuid)
    {
        foreach (DomainInfo info in Hypervisor.System.ListDomains())
        {
            if (NameOf(info.Id) == name)
            {
                throw new ToolstackException($"name: there is a domain '{name}' already, number {info.Id}",
                    $"Choose another name (name=OTHER on the command line), or end that one: xm destroy {name}");
            }

            if (info.Uuid == uuid)
            {
                throw new ToolstackException(
                    $"uuid: the domain '{NameOf(info.Id)}', number {info.Id}, has {uuid} already",
                    "Remove uuid from the configuration, or choose another");
            }
        }

        foreach (DomainRecord record in Running.All.Concat(Defined.All))
        {
            if (record.Name == name)
            {
                throw Running.Find(record.Uuid) is null
                    ? new ToolstackException($"name: there is a definition of a domain '{name}' already",
                        $"Start that one (xm start {name}), forget it (xm delete {name}), or choose another name")
                    : new ToolstackException($"name: the domain '{name}' is just being built or destroyed",
                        "Wait until that is done, or choose another name");
            }

            if (record.Uuid == uuid)
            {
                throw new ToolstackException($"uuid: the definition of '{record.Name}' has {uuid} already",
                    "Remove uuid from the configuration, or choose another");
            }
        }
    }

    private DomainReference BuildNew(DomainConfig config, bool paused, bool isManaged)
    {
        int? domid = null;
        Hold(config.Uuid, () => domid = Build(new DomainRecord
        {
            Uuid = config.Uuid,
            Name = config.Name,
            Config = config,
            Phase = DomainPhase.Building,
            IsManaged = isManaged,
        }, paused).Domid);
        return new DomainReference(domid!.Value, config.Name);
    }

    /// <summary>Builds what a record describes; if that fails, nothing is left but the reason.</summary>
    private DomainRecord Build(DomainRecord record, bool paused)
    {
        try
        {
            Running.Save(record);
            BootFiles files = _services.Turn.GiveUpFor(() => _services.Load(record.Config));
            DomainReference built = _services.Build(record.Config, files, _devices);
            record = record with { Domid = built.Id, Phase = paused ? DomainPhase.Running : DomainPhase.Starting };
            Running.Save(record);
            OpenConsole(record);
            _services.Log($"built '{record.Name}', number {record.Domid}");
            Publish("created", built.Id, record.Name, record.Uuid);
            return paused ? record : LetRun(record);
        }
        catch (ToolstackException failure)
        {
            _services.Log($"building '{record.Name}' failed: {failure.Message}");
            Abandon(record);
            throw;
        }
    }

    /// <summary>Lets a domain run for the first time.</summary>
    private DomainRecord LetRun(DomainRecord record)
    {
        Hypervisor.Domains.Unpause(new DomId((ushort)record.Domid!.Value));
        record = record with { Phase = DomainPhase.Running };
        Running.Save(record);
        Publish("started", record.Domid.Value, record.Name, record.Uuid);
        return record;
    }

    private void OpenConsole(DomainRecord record)
    {
        string console = $"{StoreEntries.DomainPath(record.Domid!.Value)}/console";
        if (ulong.TryParse(_services.Store.TryRead($"{console}/ring-ref"), out ulong frame)
            && uint.TryParse(_services.Store.TryRead($"{console}/port"), out uint port)
            && _services.Consoles.Open(record.Domid.Value, record.Uuid, record.Name, frame, port) is { } terminal)
        {
            _services.Store.Write($"{console}/tty", terminal);
        }
    }

    /// <summary>Takes back what a build left; what cannot be taken back now is tried again at each check.</summary>
    private void Abandon(DomainRecord record)
    {
        if (record.Domid is { } domid)
        {
            _services.Consoles.Close(domid, "the domain could not be started", comesAgain: false);
        }

        try
        {
            Dismantle(record);
            Running.Remove(record.Uuid);
        }
        catch (ToolstackException)
        {
            SaveQuietly(record with { Phase = DomainPhase.Destroying });
        }
    }

    private void SaveQuietly(DomainRecord record)
    {
        try
        {
            Running.Save(record);
        }
        catch (ToolstackException failure)
        {
            // The record on disk says less than is known; it still leads to the domain by its identity.
            _services.Log(failure.Message);
        }
    }

    /// <summary>A domain goes by another name: the store says so, and the records follow.</summary>
    private DomainRecord Adopt(DomainRecord record, string name)
    {
        record = record with { Name = name, Config = record.Config with { Name = name } };
        Running.Save(record);
        if (Defined.Find(record.Uuid) is { } definition)
        {
            Defined.Save(definition with { Name = name, Config = definition.Config with { Name = name } });
        }

        _services.Consoles.Rename(record.Domid!.Value, record.Uuid, name);
        Publish("renamed", record.Domid.Value, name, record.Uuid);
        return record;
    }

    private void WriteName(int domid, string name)
    {
        string path = StoreEntries.DomainPath(domid);
        _services.Store.Write($"{path}/name", name);
        if (_services.Store.TryRead($"{path}/vm") is { Length: > 0 } vm)
        {
            _services.Store.Write($"{vm}/name", name);
        }
    }

    private static string NumberOf(DomainRecord record) =>
        record.Domid is { } domid ? $", number {domid}" : ", and is just being built or destroyed";

    private DomainRecord? RecordOf(int domid) => Running.All.FirstOrDefault(record => record.Domid == domid);

    /// <summary>
    /// By what a domain is held. The record of one that is being built has no number yet; the hypervisor knows its identity.
    /// </summary>
    private Guid IdentityOf(int domid) => RecordOf(domid)?.Uuid ?? InfoOf(domid)?.Uuid ?? default;

    private bool IsOurs(Guid uuid) => Running.Find(uuid) is not null;

    private string NameOf(int domid) => new DomainDirectory(Hypervisor, () => _services.Store).NameOf(domid);

    private DomainInfo? InfoOf(int domid) => Hypervisor.Domains.TryGetInfo(domid);

    private void Publish(string what, int domid, string name, Guid uuid, string? reason = null, string? action = null) =>
        _services.Events.Publish(new DomainEvent
        {
            Event = what,
            Domid = domid,
            Name = name,
            Uuid = uuid,
            Reason = reason,
            Action = action,
        });
}
