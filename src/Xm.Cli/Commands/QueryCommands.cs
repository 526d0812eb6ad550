// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Domains;

namespace Xm.Cli.Commands;

internal static class QueryCommands
{
    public static int DomId(CommandContext context) =>
        context.Report(context.Domain(), XmJson.Default.DomainReference, domain => context.Output.WriteLine(domain.Id));

    public static int DomName(CommandContext context)
    {
        if (!context.Arguments.Positional[0].All(char.IsAsciiDigit))
        {
            throw new UsageException("domname wants a domain's number");
        }

        return context.Report(context.Domain(), XmJson.Default.DomainReference,
            domain => context.Output.WriteLine(domain.Name));
    }

    public static int DomState(CommandContext context)
    {
        DomainDirectory directory = context.Domains;
        return context.Report(directory.Summarise(directory.Info(context.Domain())), XmJson.Default.DomainSummary,
            domain => context.Output.WriteLine(domain.StateWord));
    }

    public static int Uptime(CommandContext context)
    {
        IEnumerable<DomainReference> domains = context.Arguments.Positional.Count == 0
            ? context.Domains.List().Select(domain => domain.Reference)
            : context.Arguments.Positional.Select(context.Domains.Find);
        IReadOnlyList<DomainUptime> uptimes =
            [.. domains.Select(domain => new DomainUptime(domain.Name, domain.Id, Seconds(context, domain.Id)))];
        return context.Report(uptimes, XmJson.Default.IReadOnlyListDomainUptime,
            list => PrintUptimes(context.Output, list, context.Arguments.Has("short")));
    }

    private static ulong Seconds(CommandContext context, int id)
    {
        if (id == 0)
        {
            string uptime = File.ReadAllText("/proc/uptime");
            return (ulong)double.Parse(uptime.AsSpan(0, uptime.IndexOf(' ')), CultureInfo.InvariantCulture);
        }

        string? vm = context.Store.TryRead($"{StoreEntries.DomainPath(id)}/vm");
        string? start = vm is null ? null : context.Store.TryRead($"{vm}/start_time");
        return double.TryParse(start, CultureInfo.InvariantCulture, out double seconds)
            ? (ulong)Math.Max(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds, 0)
            : throw new ToolstackException($"the store does not say when domain {id} was started");
    }

    private static void PrintUptimes(TextWriter output, IReadOnlyList<DomainUptime> uptimes, bool isShort)
    {
        if (isShort)
        {
            string now = DateTime.Now.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
            foreach (DomainUptime uptime in uptimes)
            {
                string up = Text(uptime.UptimeSeconds, withSeconds: false);
                output.WriteLine($"{now} up {up}, {uptime.Name} ({uptime.Id})");
            }

            return;
        }

        TableWriter table = new(output, new("Name", 33, IsLeft: true), new("ID", 4), new("Uptime", 0, IsLeft: true));
        foreach (DomainUptime uptime in uptimes)
        {
            table.Write(uptime.Name, uptime.Id.ToString(CultureInfo.InvariantCulture),
                Text(uptime.UptimeSeconds, withSeconds: true));
        }
    }

    private static string Text(ulong seconds, bool withSeconds)
    {
        ulong days = seconds / 86400;
        string dayText = days switch { 0 => "", 1 => "1 day, ", _ => $"{days} days, " };
        string clock = $"{seconds / 3600 % 24,2}:{seconds / 60 % 60:D2}";
        return dayText + (withSeconds ? $"{clock}:{seconds % 60:D2}" : clock);
    }
}
