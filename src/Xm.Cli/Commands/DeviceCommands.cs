// SPDX-License-Identifier: MIT
//
// Devices are made and taken back by this process, with or without the daemon. A daemon is told what changed, so that
// the domain has the same devices when it starts over.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;

namespace Xm.Cli.Commands;

/// <summary>Disks and network interfaces of domains that run.</summary>
internal static class DeviceCommands
{
    public static int AttachDisk(CommandContext context)
    {
        DomainReference domain = context.Domain();
        DeviceAddress device = AttachDisk(context, domain, DiskEntry(context.Arguments.Positional.Skip(1).ToArray()));
        return ReportDisk(context, device);
    }

    public static int DetachDisk(CommandContext context)
    {
        DomainReference domain = context.Domain();
        DeviceAddress device = new DeviceDirectory(context.Store).FindDisk(domain.Id, context.Arguments.Positional[1]);
        DetachDisk(context, device);
        return context.Done(domain);
    }

    /// <summary>Puts another disk in the place of one; when that fails the former one comes back.</summary>
    public static int ConfigureDisk(CommandContext context)
    {
        DomainReference domain = context.Domain();
        string entry = DiskEntry(context.Arguments.Positional.Skip(1).ToArray());
        DiskSpec disk = DiskSpec.Parse(entry);
        DiskSummary former = new DeviceDirectory(context.Store).Disks(domain.Id)
            .FirstOrDefault(known => known.Vdev == disk.Number)
            ?? throw new ToolstackException($"domain {domain.Id} has no disk '{disk.Name}'",
                $"Attach it: xm block-attach {domain.Id} …");
        DetachDisk(context, new DeviceAddress(DeviceKind.Vbd, domain.Id, former.Vdev));
        try
        {
            return ReportDisk(context, AttachDisk(context, domain, entry));
        }
        catch (ToolstackException)
        {
            string type = former.Target == former.Node ? "phy" : "file";
            _ = AttachDisk(context, domain,
                $"{type}:{former.Target},{former.Name}:{former.DeviceType ?? "disk"},{former.Mode}");
            throw;
        }
    }

    public static int ListDisks(CommandContext context)
    {
        DeviceDirectory directory = new(context.Store);
        IReadOnlyList<DiskSummary> disks = [.. Domains(context).SelectMany(domain => directory.Disks(domain.Id))];
        return context.Report(disks, XmJson.Default.IReadOnlyListDiskSummary, list =>
        {
            if (context.Arguments.Has("long"))
            {
                PrintLong(context, list);
                return;
            }

            TableWriter table = new(context.Output, new("Vdev", 5, IsLeft: true), new("BE", 3, IsLeft: true),
                new("handle", 6, IsLeft: true), new("state", 5, IsLeft: true), new("evt-ch", 6, IsLeft: true),
                new("ring-ref", 8, IsLeft: true), new("BE-path", 30, IsLeft: true));
            foreach (DiskSummary disk in list)
            {
                table.Write(Text(disk.Vdev), Text(disk.BackendId), Text(disk.Handle), Text(disk.State),
                    Text(disk.EventChannel), Text(disk.RingRef), disk.BackendPath);
            }
        });
    }

    public static int AttachVif(CommandContext context)
    {
        DomainReference domain = context.Domain();
        string entry = VifSpec.Complete([string.Join(',', context.Arguments.Positional.Skip(1))])[0];
        DeviceManager devices = new(context.Store);
        DeviceAddress device = devices.AttachVif(domain.Id, VifSpec.Parse(entry));
        Tell(context, new DeviceChange(Text(domain.Id), Vif: entry));
        WaitForGuest(context, devices, device);
        return context.Report(new DeviceDirectory(context.Store).Vifs(domain.Id).First(vif => vif.Idx == device.Index),
            XmJson.Default.VifSummary, _ => { });
    }

    public static int DetachVif(CommandContext context)
    {
        DomainReference domain = context.Domain();
        DeviceDirectory directory = new(context.Store);
        DeviceAddress device = directory.FindVif(domain.Id, context.Arguments.Positional[1]);
        string mac = directory.Vifs(domain.Id).First(vif => vif.Idx == device.Index).Mac;
        new DeviceManager(context.Store).Detach(device, context.Arguments.Has("force"));
        Tell(context, new DeviceChange(Text(domain.Id), VifGone: mac));
        return context.Done(domain);
    }

    public static int ListVifs(CommandContext context)
    {
        DeviceDirectory directory = new(context.Store);
        IReadOnlyList<VifSummary> vifs = [.. Domains(context).SelectMany(domain => directory.Vifs(domain.Id))];
        return context.Report(vifs, XmJson.Default.IReadOnlyListVifSummary, list =>
        {
            if (context.Arguments.Has("long"))
            {
                PrintLong(context, list);
                return;
            }

            TableWriter table = new(context.Output, new("Idx", 3, IsLeft: true), new("BE", 2, IsLeft: true),
                new("Mac Addr.", 17, IsLeft: true), new("handle", 6, IsLeft: true), new("state", 5, IsLeft: true),
                new("evt-ch", 6, IsLeft: true), new("tx-/rx-ring-ref", 17, IsLeft: true),
                new("BE-path", 30, IsLeft: true));
            foreach (VifSummary vif in list)
            {
                table.Write(Text(vif.Idx), Text(vif.BackendId), vif.Mac, Text(vif.Handle), Text(vif.State),
                    Text(vif.EventChannel), $"{Text(vif.TxRingRef),5}/{Text(vif.RxRingRef)}", vif.BackendPath);
            }
        });
    }

    /// <summary>
    /// A disk as words: <c>BACKDEV FRONTDEV MODE [BACKDOM]</c> as xm has it, or the parts of an entry of <c>disk</c>.
    /// </summary>
    private static string DiskEntry(string[] words)
    {
        bool isEntry = words.Any(word => word.Contains(',') || word.Contains('='));
        if (isEntry)
        {
            return string.Join(',', words);
        }

        if (words.Length is < 2 or > 4 || (words.Length == 4 && words[3] is not ("0" or "Domain-0")))
        {
            throw new UsageException("a disk is BACKDEV FRONTDEV [MODE], such as phy:/dev/vg/data xvdb w; its back end is "
                + "Domain-0's");
        }

        string separator = words[0].StartsWith('/') ? ",raw," : ",";
        return words[0] + separator + string.Join(',', words[1..Math.Min(words.Length, 3)]);
    }

    private static DeviceAddress AttachDisk(CommandContext context, DomainReference domain, string entry)
    {
        DeviceManager devices = new(context.Store);
        DeviceAddress device = devices.AttachDisk(domain.Id, DiskSpec.Parse(entry));
        Tell(context, new DeviceChange(Text(domain.Id), Disk: entry));
        WaitForGuest(context, devices, device);
        return device;
    }

    private static void DetachDisk(CommandContext context, DeviceAddress device)
    {
        new DeviceManager(context.Store).Detach(device, context.Arguments.Has("force"));
        Tell(context, new DeviceChange(Text(device.Domain), DiskGone: device.Index));
    }

    private static int ReportDisk(CommandContext context, DeviceAddress device) => context.Report(
        new DeviceDirectory(context.Store).Disks(device.Domain).First(disk => disk.Vdev == device.Index),
        XmJson.Default.DiskSummary, _ => { });

    /// <summary>A paused domain takes its device later; one that runs is given a while, and said when it does not.</summary>
    private static void WaitForGuest(CommandContext context, DeviceManager devices, DeviceAddress device)
    {
        DomainInfo info = context.Domains.Info(new DomainReference(device.Domain, ""));
        if (!info.IsPaused && devices.WaitForGuest(device) is { } complaint)
        {
            context.Errors.WriteLine($"Warning: {complaint}.");
        }
    }

    private static void Tell(CommandContext context, DeviceChange change) => _ = context.Daemon?.Call(
        "domain.device_changed", change, ApiJson.Default.DeviceChange, ApiJson.Default.DomainReference);

    private static IEnumerable<DomainReference> Domains(CommandContext context) =>
        context.Arguments.Positional.Select(name => context.Domains.Find(name));

    private static void PrintLong(CommandContext context, IReadOnlyList<DiskSummary> disks)
    {
        foreach (DiskSummary disk in disks)
        {
            PrintNested(context, "vbd", ("virtual-device", Text(disk.Vdev)), ("dev", disk.Name),
                ("backend-id", Text(disk.BackendId)), ("state", Text(disk.State)),
                ("event-channel", Text(disk.EventChannel)), ("ring-ref", Text(disk.RingRef)),
                ("device-type", disk.DeviceType), ("mode", disk.Mode), ("params", disk.Target), ("node", disk.Node),
                ("backend", disk.BackendPath), ("backend-state", Text(disk.BackendState)));
        }
    }

    private static void PrintLong(CommandContext context, IReadOnlyList<VifSummary> vifs)
    {
        foreach (VifSummary vif in vifs)
        {
            PrintNested(context, "vif", ("handle", Text(vif.Handle)), ("mac", vif.Mac),
                ("backend-id", Text(vif.BackendId)), ("state", Text(vif.State)),
                ("event-channel", Text(vif.EventChannel)), ("tx-ring-ref", Text(vif.TxRingRef)),
                ("rx-ring-ref", Text(vif.RxRingRef)), ("bridge", vif.Bridge), ("vifname", vif.Interface), ("ip", vif.Ip),
                ("rate", vif.Rate), ("script", vif.Script), ("backend", vif.BackendPath),
                ("backend-state", Text(vif.BackendState)));
        }
    }

    private static void PrintNested(CommandContext context, string kind, params (string Name, string? Value)[] entries)
    {
        context.Output.WriteLine($"({kind}");
        foreach ((string name, string? value) in entries.Where(entry => entry.Value is not null))
        {
            context.Output.WriteLine($"    ({name} {value})");
        }

        context.Output.WriteLine(")");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
