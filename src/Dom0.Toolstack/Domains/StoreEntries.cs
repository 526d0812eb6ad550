// SPDX-License-Identifier: MIT
//
// What guests and daemons look for in the store. Three directories describe a domain: /local/domain/N, which the guest
// may read and of which it owns the nodes that it reports by; /vm/UUID, which outlives a restart; and /libxl/N, which
// Debian's tools read to know what kind of guest it is (LibxlRecord.cs has the rest of what they want). The console's back end has a directory below Domain-0's, as
// every device has, though xenconsoled looks only at the guest's side.
//
// Permission lists name the owner first: 'n0' keeps everybody but Domain-0 out, 'rN' lets the guest read, and a list
// that begins with 'nN' gives the node to the guest.
using System;
using System.Collections.Generic;
using System.Globalization;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Domains;

/// <summary>A new domain's rings, as the builder made them.</summary>
public readonly record struct DomainRings(ulong StoreFrame, uint StorePort, ulong ConsoleFrame, uint ConsolePort);

/// <summary>Writes and removes a domain's entries in the store.</summary>
public static class StoreEntries
{
    private const string ConsoleLimit = "1048576";

    /// <summary>Nodes that the guest itself writes, below /local/domain/N.</summary>
    private static readonly string[] s_guestNodes =
    [
        "control/shutdown", "control/feature-poweroff", "control/feature-reboot", "control/feature-suspend",
        "control/sysrq", "device/suspend/event-channel", "data", "drivers", "feature", "attr", "error",
    ];

    /// <summary>Where a domain's own entries stand.</summary>
    public static string DomainPath(int id) => $"/local/domain/{id}";

    /// <summary>Where the entries that outlive a restart stand.</summary>
    public static string VmPath(Guid uuid) => $"/vm/{uuid:D}";

    /// <summary>
    /// Writes what a new store lacks of Domain-0 and the first CPU pool; what is there stays. The entry <c>domid</c> is left
    /// to xen-init-dom0: with it and the name present that program believes its work done, and libxl would be without
    /// its record of Domain-0.
    /// </summary>
    public static void WriteDomain0(StoreClient store)
    {
        foreach ((string path, string value) in (ReadOnlySpan<(string, string)>)
        [
            ("/local/domain/0/name", "Domain-0"), ("/local/pool/0/name", "Pool-0"),

            // libxl runs hotplug scripts itself: no udev does it.
            ("/local/domain/0/libxl/disable_udev", "1"),
        ])
        {
            if (store.TryRead(path) is null)
            {
                store.Write(path, value);
            }
        }
    }

    /// <summary>Writes all entries of a new domain.</summary>
    public static void Write(StoreClient store, int id, DomainConfig config, string guestOs, DomainRings rings)
    {
        string domain = DomainPath(id);
        string vm = VmPath(config.Uuid);
        string[] toolsOnly = ["n0"];
        string[] guestReads = ["n0", $"r{id}"];
        string[] guestOwns = [$"n{id}"];
        store.InTransaction(transaction =>
        {
            void Make(string path, IReadOnlyList<string> permissions)
            {
                store.MakeDirectory(path, transaction);
                store.SetPermissions(path, permissions, transaction);
            }

            void Write(string path, string value, IReadOnlyList<string> permissions)
            {
                store.Write(path, value, transaction);
                store.SetPermissions(path, permissions, transaction);
            }

            void WriteConsoleState(string directory, IReadOnlyList<string> permissions)
            {
                Write($"{directory}/frontend-id", Text((ulong)id), permissions);
                Write($"{directory}/online", "1", permissions);
                Write($"{directory}/state", "1", permissions);
                Write($"{directory}/protocol", "vt100", permissions);
            }

            store.Remove(domain, transaction);
            Make(domain, guestReads);
            Make(vm, guestReads);
            Write($"{domain}/vm", vm, guestReads);
            Write($"{domain}/name", config.Name, guestReads);
            Write($"{domain}/domid", Text((ulong)id), guestReads);
            foreach (string directory in (string[])["cpu", "memory", "device", "control", "console", "store"])
            {
                Make($"{domain}/{directory}", guestReads);
            }

            foreach (string node in s_guestNodes)
            {
                Make($"{domain}/{node}", guestOwns);
            }

            Write($"{domain}/control/platform-feature-multiprocessor-suspend", "1", guestReads);
            Write($"{domain}/control/platform-feature-xs_reset_watches", "1", guestReads);
            Write($"{domain}/memory/static-max", Text(config.MaximumMemoryKib), guestReads);
            Write($"{domain}/memory/target", Text(config.MemoryKib), guestReads);
            Write($"{domain}/memory/videoram", "0", guestReads);
            Write($"{domain}/store/ring-ref", Text(rings.StoreFrame), guestReads);
            Write($"{domain}/store/port", Text(rings.StorePort), guestReads);
            for (int vcpu = 0; vcpu < config.MaximumVcpus; vcpu++)
            {
                Make($"{domain}/cpu/{vcpu}", guestReads);
                Write($"{domain}/cpu/{vcpu}/availability", config.OnlineVcpus[vcpu] ? "online" : "offline", guestReads);
            }

            string backend = $"/local/domain/0/backend/console/{id}/0";
            string console = $"{domain}/console";
            Make($"/local/domain/0/backend/console/{id}", toolsOnly);
            Make(backend, guestReads);
            Write($"{backend}/frontend", console, guestReads);
            WriteConsoleState(backend, guestReads);
            Make($"/libxl/{id}", toolsOnly);
            Write($"/libxl/{id}/type", "pv", toolsOnly);
            string record = $"/libxl/{id}/device/console/0";
            Make(record, toolsOnly);
            Write($"{record}/frontend", console, toolsOnly);
            Write($"{record}/backend", backend, toolsOnly);
            WriteConsoleState(record, toolsOnly);

            Write($"{console}/backend", backend, guestReads);
            Write($"{console}/backend-id", "0", guestReads);
            Write($"{console}/limit", ConsoleLimit, guestReads);
            Write($"{console}/type", "xenconsoled", guestReads);
            Write($"{console}/output", "pty", guestReads);
            Write($"{console}/tty", "", guestReads);
            Write($"{console}/ring-ref", Text(rings.ConsoleFrame), guestReads);
            Write($"{console}/port", Text(rings.ConsolePort), guestReads);

            Write($"{vm}/name", config.Name, guestReads);
            Write($"{vm}/uuid", config.Uuid.ToString("D"), guestReads);
            Write($"{vm}/start_time", DateTimeOffset.UtcNow.ToUnixTimeSeconds() + ".00", guestReads);
            Write($"{vm}/image/ostype", guestOs.ToLowerInvariant() is { Length: > 0 } os ? os : "linux", guestReads);
            Write($"{vm}/image/kernel", config.Kernel, guestReads);
            Write($"{vm}/image/ramdisk", config.Ramdisk ?? "", guestReads);
            Write($"{vm}/image/cmdline", config.CommandLine, guestReads);
            if (config.BootLoader is not null)
            {
                Write($"{vm}/image/bootloader", config.BootLoader, guestReads);
                Write($"{vm}/image/bootargs", string.Join('\n', config.BootLoaderArguments ?? []), guestReads);
            }

            Write($"{vm}/on_poweroff", Text(config.OnPoweroff), guestReads);
            Write($"{vm}/on_reboot", Text(config.OnReboot), guestReads);
            Write($"{vm}/on_crash", Text(config.OnCrash), guestReads);
        });
        LibxlRecord.Write(id, config);
    }

    /// <summary>
    /// Removes all that <see cref="Write"/> made. The domain's own directory goes last: as long as anything is left, that
    /// leads to it.
    /// </summary>
    public static void Remove(StoreClient store, int id)
    {
        string? vm = store.TryRead($"{DomainPath(id)}/vm");
        if (vm is not null && vm.StartsWith("/vm/", StringComparison.Ordinal) && vm.Length > 4)
        {
            store.Remove(vm);
        }

        foreach (string kind in store.List("/local/domain/0/backend"))
        {
            store.Remove($"/local/domain/0/backend/{kind}/{id}");
        }

        store.Remove($"/libxl/{id}");
        store.Remove(DomainPath(id));
        LibxlRecord.Remove(id);
    }

    /// <summary>An action as configurations spell it.</summary>
    public static string Text(LifecycleAction action) => action switch
    {
        LifecycleAction.Destroy => "destroy",
        LifecycleAction.Restart => "restart",
        LifecycleAction.Preserve => "preserve",
        LifecycleAction.RenameRestart => "rename-restart",
        LifecycleAction.CoredumpDestroy => "coredump-destroy",
        _ => "coredump-restart",
    };

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
