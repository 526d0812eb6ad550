// SPDX-License-Identifier: MIT
//
// A domain is either wholly there or not at all. Whatever can be refused without the hypervisor (the kernel's and the
// ramdisk's files, the name) is tried before anything is created; once the domain exists, any failure destroys it and
// removes its entries, and the error that is reported is the first one.
using System;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>Creates domains from their configurations.</summary>
public sealed class DomainCreator
{
    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _store;
    private readonly IDeviceService _devices;

    /// <summary>Creates on <paramref name="hypervisor"/> and tells <paramref name="store"/>.</summary>
    public DomainCreator(Hypervisor hypervisor, StoreClient store)
        : this(hypervisor, store, new DeviceManager(store))
    {
    }

    /// <summary>As the other, with devices from <paramref name="devices"/>.</summary>
    public DomainCreator(Hypervisor hypervisor, StoreClient store, IDeviceService devices)
    {
        _hypervisor = hypervisor;
        _store = store;
        _devices = devices;
    }

    /// <summary>Creates the domain and leaves it paused.</summary>
    /// <exception cref="ToolstackException">It cannot be created; nothing of it is left.</exception>
    public DomainReference Create(DomainConfig config)
    {
        RefuseTakenName(config.Name);
        return Create(config, BootFiles.Load(config));
    }

    /// <summary>Creates the domain from files that are read already, unless its name was taken meanwhile.</summary>
    public DomainReference Create(DomainConfig config, BootFiles files)
    {
        RefuseTakenName(config.Name);
        return Build(config, files);
    }

    /// <summary>Creates the domain from files that are read already.</summary>
    public DomainReference Create(DomainConfig config, PvKernel kernel, byte[] ramdisk) =>
        Build(config, new BootFiles(kernel, ramdisk, config.CommandLine));

    private DomainReference Build(DomainConfig config, BootFiles files)
    {
        (PvKernel kernel, byte[] ramdisk, string commandLine) = files;
        _ = PvLayout.Plan(kernel, (ulong)ramdisk.Length, config.MemoryKib / 4);
        DomId domain = CreateEmpty(config);
        try
        {
            PvDomainBuilder builder = new(_hypervisor, domain, config with { CommandLine = commandLine })
            {
                NameOf = new DomainDirectory(_hypervisor, () => _store).NameOf,
            };
            builder.Configure();
            JoinPool(domain, config);
            DomainRings rings = builder.Build(kernel, ramdisk);
            StoreEntries.Write(_store, domain.Raw, config, kernel.GuestOs, rings);
            _store.Introduce(domain.Raw, rings.StoreFrame, rings.StorePort);
            if (config.Disks.Count + config.Vifs.Count > 0)
            {
                Progress.Report("making its devices");
            }

            _devices.AttachAll(domain.Raw, config);
            return new DomainReference(domain.Raw, config.Name);
        }
        catch
        {
            Undo(domain);
            throw;
        }
    }

    /// <summary>Fails when a domain has the name already.</summary>
    internal void RefuseTakenName(string name)
    {
        DomainDirectory directory = new(_hypervisor, () => _store);
        foreach (DomainInfo info in _hypervisor.System.ListDomains())
        {
            if (directory.NameOf(info.Id) == name)
            {
                throw new ToolstackException($"name: there is a domain '{name}' already, number {info.Id}",
                    $"Choose another name (name=OTHER on the command line), or end that one: xm destroy {name}");
            }
        }
    }

    /// <summary>A domain with nothing in it.</summary>
    internal DomId CreateEmpty(DomainConfig config)
    {
        uint capabilities = _hypervisor.System.PhysicalInfo().Capabilities;
        int grantVersion = (capabilities & PhysicalCapabilities.GrantTableV2) != 0 ? 2 : 1;
        try
        {
            return _hypervisor.Domains.Create(config.Uuid, config.MaximumVcpus, grantVersion);
        }
        catch (XenException refused)
        {
            throw new ToolstackException($"creating '{config.Name}': {refused.Message}", refused.Remedy, refused);
        }
    }

    /// <summary>Moves the domain to the pool that its configuration names.</summary>
    internal void JoinPool(DomId domain, DomainConfig config)
    {
        if (config.Pool is null or "Pool-0")
        {
            return;
        }

        foreach (string id in _store.List("/local/pool"))
        {
            if (_store.TryRead($"/local/pool/{id}/name") == config.Pool && int.TryParse(id, out int pool))
            {
                _hypervisor.System.MoveToPool(domain, pool);
                return;
            }
        }

        throw new ToolstackException($"pool: there is no CPU pool '{config.Pool}'", "See 'xl cpupool-list'");
    }

    /// <summary>Removes all of a half-built domain; failures on the way are not reported.</summary>
    internal void Undo(DomId domain)
    {
        try
        {
            _ = _devices.RemoveAll(domain.Raw);
            StoreEntries.Remove(_store, domain.Raw);
        }
        catch (ToolstackException)
        {
            // The first failure is the one to report; stray entries are overwritten by the next domain of this number.
        }

        try
        {
            _hypervisor.Domains.Destroy(domain);
        }
        catch (ToolstackException)
        {
            // As above; the domain shows in 'xm list' and can be destroyed again.
        }

        try
        {
            _store.Release(domain.Raw);
        }
        catch (ToolstackException)
        {
            // The daemon notices by itself.
        }
    }
}
