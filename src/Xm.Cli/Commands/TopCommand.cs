// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.Json;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;

namespace Xm.Cli.Commands;

/// <summary>One line of <c>xm top</c>.</summary>
internal sealed record DomainUsage
{
    public required string Name { get; init; }

    public required int Id { get; init; }

    public required string State { get; init; }

    public required double CpuSeconds { get; init; }

    /// <summary>Per cent of one CPU since the table before; of the time since the start in the first table.</summary>
    public required double CpuPercent { get; init; }

    public required ulong MemoryKib { get; init; }

    public required double MemoryPercent { get; init; }

    public required ulong MaximumMemoryKib { get; init; }

    public required int Vcpus { get; init; }

    /// <summary>What its devices have moved since they were made.</summary>
    public required DeviceTraffic Devices { get; init; }
}

internal static class TopCommand
{
    private const string NewScreen = "\e[H\e[J";

    public static int Run(CommandContext context)
    {
        int delay = (context.Option("delay", 1, 3600) ?? 3) * 1000;
        int? count = context.Option("iterations", 1, int.MaxValue);
        bool isJson = context.Arguments.Has("json");
        bool isLive = !context.Arguments.Has("batch") && !isJson;
        using KeyInput? keys = isLive ? KeyInput.TryOpen() : null;
        if (isLive && keys is null)
        {
            throw new UsageException("the live table wants a terminal; use --batch for files and pipes");
        }

        Dictionary<(int Id, Guid Uuid), ulong> before = [];
        long last = 0;
        for (int table = 0; count is null || table < count; table++)
        {
            if (table > 0 && (keys is not null ? keys.Wait(delay) == 'q' : Sleep(delay)))
            {
                break;
            }

            long now = Environment.TickCount64;
            IReadOnlyList<DomainUsage> usages = Measure(context, before, table == 0 ? null : now - last);
            last = now;
            if (isJson)
            {
                context.Output.WriteLine(JsonSerializer.Serialize(usages, XmJson.Default.IReadOnlyListDomainUsage));
            }
            else
            {
                context.Output.Write(isLive ? NewScreen : "");
                Print(context, usages, isLive);
            }

            context.Output.Flush();
        }

        return ExitStatus.Success;
    }

    private static bool Sleep(int milliseconds)
    {
        System.Threading.Thread.Sleep(milliseconds);
        return false;
    }

    private static List<DomainUsage> Measure(
        CommandContext context, Dictionary<(int Id, Guid Uuid), ulong> before, long? elapsed)
    {
        PhysicalInfo physical = context.Hypervisor.System.PhysicalInfo();
        double total = Math.Max(physical.TotalPages * 4, 1UL);
        IReadOnlyDictionary<int, DeviceTraffic> traffic = DeviceTraffic.Read();
        List<DomainUsage> usages = [];
        foreach (DomainSummary domain in context.Domains.List())
        {
            int id = domain.Reference.Id;
            (int, Guid) key = (id, domain.Uuid);
            ulong used = before.TryGetValue(key, out ulong old) ? domain.CpuTimeNanoseconds - old : 0;
            before[key] = domain.CpuTimeNanoseconds;
            usages.Add(new DomainUsage
            {
                Name = domain.Name,
                Id = id,
                State = domain.State,
                CpuSeconds = domain.CpuTimeNanoseconds / 1e9,
                CpuPercent = elapsed is > 0 ? used / (elapsed.Value * 1e4) : 0,
                MemoryKib = domain.MemoryKib,
                MemoryPercent = domain.MemoryKib * 100 / total,
                MaximumMemoryKib = domain.MaximumMemoryKib,
                Vcpus = domain.Vcpus,
                Devices = traffic.GetValueOrDefault(id) ?? new DeviceTraffic(),
            });
        }

        return usages;
    }

    private static void Print(CommandContext context, IReadOnlyList<DomainUsage> usages, bool isLive)
    {
        TextWriter output = context.Output;
        if (isLive)
        {
            PhysicalInfo physical = context.Hypervisor.System.PhysicalInfo();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"xm top - {DateTime.Now:HH:mm:ss}   {usages.Count} domains: "
                    + $"{usages.Count(usage => usage.State[0] == 'r')} running, "
                    + $"{usages.Count(usage => usage.State[1] == 'b')} blocked, "
                    + $"{usages.Count(usage => usage.State[2] == 'p')} paused, "
                    + $"{usages.Count(usage => usage.State[4] == 'c')} crashed, "
                    + $"{usages.Count(usage => usage.State[5] == 'd')} dying"));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"Mem: {physical.TotalPages * 4}k total, {(physical.TotalPages - physical.FreePages) * 4}k used, "
                    + $"{physical.FreePages * 4}k free    CPUs: {physical.Cpus} @ {physical.CpuKilohertz / 1000}MHz"));
        }

        TableWriter table = new(output, new("NAME", 20, IsLeft: true), new("STATE", 6), new("CPU(sec)", 10),
            new("CPU(%)", 6), new("MEM(k)", 10), new("MEM(%)", 6), new("MAXMEM(k)", 10), new("MAXMEM(%)", 9),
            new("VCPUS", 5), new("NETS", 4), new("NETTX(k)", 8), new("NETRX(k)", 8), new("VBDS", 4), new("VBD_OO", 6),
            new("VBD_RD", 7), new("VBD_WR", 7), new("VBD_RSECT", 10), new("VBD_WSECT", 10));
        double total = Math.Max(context.Hypervisor.System.PhysicalInfo().TotalPages * 4, 1UL);
        foreach (DomainUsage usage in usages.OrderByDescending(usage => usage.CpuPercent))
        {
            bool isUnlimited = usage.MaximumMemoryKib == ulong.MaxValue;
            table.Write(usage.Name, usage.State, Text(usage.CpuSeconds, "F0"), Text(usage.CpuPercent, "F1"),
                Text(usage.MemoryKib, "F0"), Text(usage.MemoryPercent, "F1"),
                isUnlimited ? "no limit" : Text(usage.MaximumMemoryKib, "F0"),
                isUnlimited ? "n/a" : Text(usage.MaximumMemoryKib * 100 / total, "F1"),
                Count((ulong)usage.Vcpus), Count((ulong)usage.Devices.Vifs), Count(usage.Devices.SentBytes / 1024),
                Count(usage.Devices.ReceivedBytes / 1024), Count((ulong)usage.Devices.Disks),
                Count(usage.Devices.OutOfRequests), Count(usage.Devices.ReadRequests), Count(usage.Devices.WriteRequests),
                Count(usage.Devices.ReadSectors), Count(usage.Devices.WrittenSectors));
        }
    }

    private static string Count(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
