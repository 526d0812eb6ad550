// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>
/// The configuration of a running domain, from what the hypervisor and the store know at this moment: changes since its
/// creation (memory, virtual CPUs, name, shares) are in it.
/// </summary>
internal static class LiveConfig
{
    /// <summary>The configuration, and how many virtual CPUs the hypervisor has for the domain.</summary>
    public static (SavedConfig Config, int Vcpus) Read(
        Hypervisor hypervisor, StoreClient store, DomainReference domain)
    {
        DomainInfo info = hypervisor.Domains.TryGetInfo(domain.Id)
            ?? throw new ToolstackException($"the domain '{domain.Name}' does not exist any more");
        if (info.IsHvm)
        {
            throw new ToolstackException($"'{domain.Name}' is fully virtualized; only paravirtualized domains are saved");
        }

        DomId id = new((ushort)domain.Id);
        string path = StoreEntries.DomainPath(domain.Id);
        string vm = store.TryRead($"{path}/vm") is { Length: > 0 } named ? named : StoreEntries.VmPath(info.Uuid);
        (IReadOnlyList<string> disks, IReadOnlyList<string> vifs) = LiveDevices.Read(store, domain);
        int vcpus = info.MaximumVcpuId + 1;
        ulong memory = Number(store, $"{path}/memory/target") ?? info.MemoryKib;
        ulong maximum = Math.Max(Number(store, $"{path}/memory/static-max") ?? memory, info.TotalPages * 4);
        (int? weight, int? cap) = Share(hypervisor, id);
        string guestOs = store.TryRead($"{vm}/image/ostype") is { Length: > 0 } os ? os : "linux";
        DomainConfig config = new()
        {
            Name = domain.Name,
            Uuid = info.Uuid,
            Kernel = store.TryRead($"{vm}/image/kernel") ?? "",
            Ramdisk = store.TryRead($"{vm}/image/ramdisk") is { Length: > 0 } ramdisk ? ramdisk : null,
            CommandLine = store.TryRead($"{vm}/image/cmdline") ?? "",
            BootLoader = store.TryRead($"{vm}/image/bootloader"),
            BootLoaderArguments = store.TryRead($"{vm}/image/bootargs") is { Length: > 0 } words ? words.Split('\n') : null,
            MemoryKib = Math.Min(memory, maximum),
            MaximumMemoryKib = maximum,
            MaximumVcpus = vcpus,
            OnlineVcpus =
            [
                .. Enumerable.Range(0, vcpus).Select(vcpu =>
                    store.TryRead($"{path}/cpu/{vcpu}/availability") is not "offline"),
            ],
            Affinity = [.. Enumerable.Range(0, vcpus).Select(vcpu => Affinity(hypervisor, id, vcpu))],
            Weight = weight,
            Cap = cap,
            Pool = info.Pool == 0 ? null : store.TryRead($"/local/pool/{info.Pool}/name"),
            TscMode = (int)hypervisor.States.GetTsc(id).TscMode,
            OnPoweroff = Action(store, $"{vm}/on_poweroff", LifecycleAction.Destroy),
            OnReboot = Action(store, $"{vm}/on_reboot", LifecycleAction.Restart),
            OnCrash = Action(store, $"{vm}/on_crash", LifecycleAction.Restart),
            Disks = disks,
            Vifs = vifs,
        };
        return (new SavedConfig(config, guestOs, IsOurs: true)
        {
            Requests =
            [
                .. SavedConfig.KnownRequests.Where(request => store.TryRead($"{path}/control/feature-{request}") is "1"),
            ],
        }, vcpus);
    }

    /// <summary>A set that leaves no CPU of the host out is a set of all: the next host may have more.</summary>
    private static CpuSet Affinity(Hypervisor hypervisor, DomId id, int vcpu)
    {
        CpuSet set = hypervisor.Domains.GetAffinity(id, vcpu);
        int last = hypervisor.System.PhysicalInfo().MaximumCpuId;
        return Enumerable.Range(0, last + 1).All(set.Contains) ? CpuSet.All : set;
    }

    private static (int? Weight, int? Cap) Share(Hypervisor hypervisor, DomId id)
    {
        SchedulerId scheduler = hypervisor.System.Scheduler();
        return scheduler is SchedulerId.Credit or SchedulerId.Credit2
            ? hypervisor.Domains.GetShare(id, scheduler)
            : (null, null);
    }

    private static ulong? Number(StoreClient store, string path) =>
        ulong.TryParse(store.TryRead(path), out ulong number) ? number : null;

    private static LifecycleAction Action(StoreClient store, string path, LifecycleAction otherwise)
    {
        string? text = store.TryRead(path);
        foreach (LifecycleAction action in Enum.GetValues<LifecycleAction>())
        {
            if (StoreEntries.Text(action) == text)
            {
                return action;
            }
        }

        return otherwise;
    }
}
