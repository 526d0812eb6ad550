// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Threading;
using Dom0.Toolstack.Domains;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Xm.Cli.Commands;

/// <summary>One line of <c>xm stat</c>: what the domain's vCPUs have done since they were made, or in each second since the
/// table before.</summary>
internal sealed record DomainActivity
{
    public required string Name { get; init; }

    public required int Id { get; init; }

    /// <summary>The numbers are of one second, not of the domain's life.</summary>
    public required bool IsRate { get; init; }

    public required ulong Hypercalls { get; init; }

    public required ulong SystemCalls { get; init; }

    public required ulong Traps { get; init; }

    public required ulong Upcalls { get; init; }

    public required ulong Flushes { get; init; }

    public required ulong Shootdowns { get; init; }

    public required ulong Switches { get; init; }
}

internal static class StatCommand
{
    public static int Run(CommandContext context)
    {
        int delay = (context.Option("delay", 1, 3600) ?? 1) * 1000;
        int count = context.Option("iterations", 1, int.MaxValue) ?? 1;
        Dictionary<int, VcpuCounters> before = [];
        Stopwatch clock = Stopwatch.StartNew();
        for (int table = 0; table < count; table++)
        {
            if (table > 0)
            {
                Thread.Sleep(delay);
            }

            double seconds = clock.Elapsed.TotalSeconds;
            clock.Restart();
            List<DomainActivity> lines = Measure(context, before, table == 0 ? null : seconds);
            if (context.Arguments.Has("json"))
            {
                context.Output.WriteLine(JsonSerializer.Serialize(lines, XmJson.Default.IReadOnlyListDomainActivity));
            }
            else
            {
                Print(context, lines);
            }

            context.Output.Flush();
        }

        return ExitStatus.Success;
    }

    /// <summary>Counters of the domains that the arguments name, or of all; their growth by the second when
    /// <paramref name="elapsed"/> says how long it took.</summary>
    private static List<DomainActivity> Measure(
        CommandContext context, Dictionary<int, VcpuCounters> before, double? elapsed)
    {
        DomainDirectory directory = context.Domains;
        IEnumerable<DomainReference> domains = context.Arguments.Positional.Count == 0
            ? directory.List().Select(domain => domain.Reference)
            : context.Arguments.Positional.Select(directory.Find);
        List<DomainActivity> lines = [];
        foreach (DomainReference domain in domains)
        {
            // One that ended meanwhile has no line any more.
            if (context.Hypervisor.Statistics.TryRead(new DomId((ushort)domain.Id)) is not { } now)
            {
                continue;
            }

            VcpuCounters old = elapsed is null ? default : before.GetValueOrDefault(domain.Id);
            before[domain.Id] = now;
            ulong Grown(ulong later, ulong earlier) =>
                elapsed is null ? later : (ulong)Math.Round((later - earlier) / elapsed.Value);
            lines.Add(new DomainActivity
            {
                Name = domain.Name,
                Id = domain.Id,
                IsRate = elapsed is not null,
                Hypercalls = Grown(now.Hypercalls, old.Hypercalls),
                SystemCalls = Grown(now.SystemCalls, old.SystemCalls),
                Traps = Grown(now.Traps, old.Traps),
                Upcalls = Grown(now.Upcalls, old.Upcalls),
                Flushes = Grown(now.Flushes, old.Flushes),
                Shootdowns = Grown(now.Shootdowns, old.Shootdowns),
                Switches = Grown(now.Switches, old.Switches),
            });
        }

        return lines;
    }

    private static void Print(CommandContext context, List<DomainActivity> lines)
    {
        TableWriter table = new(context.Output, new("Name", 20, IsLeft: true), new("ID", 5), new("Hypercalls", 12),
            new("Syscalls", 12), new("Traps", 10), new("Upcalls", 10), new("Flushes", 10), new("Shootdowns", 10),
            new("Switches", 10));
        foreach (DomainActivity line in lines)
        {
            table.Write([line.Name, .. new[]
            {
                (ulong)line.Id, line.Hypercalls, line.SystemCalls, line.Traps, line.Upcalls, line.Flushes, line.Shootdowns,
                line.Switches,
            }.Select(number => number.ToString(CultureInfo.InvariantCulture))]);
        }
    }
}
