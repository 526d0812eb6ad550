// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Domains;

namespace Xm.Cli.Commands;

internal static class ListCommand
{
    public static int Run(CommandContext context)
    {
        DomainDirectory directory = context.Domains;
        IReadOnlyList<DomainSummary> domains = context.Arguments.Positional.Count == 0
            ? [.. directory.List(), .. Definitions(context)]
            : [.. context.Arguments.Positional.Select(
                name => directory.Summarise(directory.Info(directory.Find(name))))];
        return context.Report(domains, XmJson.Default.IReadOnlyListDomainSummary,
            list => Print(context.Output, list, context.Arguments.Has("long")));
    }

    /// <summary>A registered domain that is off stands below the others, without a number.</summary>
    internal static DomainSummary OfDefinition(ManagedDomain definition) => new()
    {
        Id = null,
        Name = definition.Name,
        Uuid = definition.Uuid,
        MemoryKib = definition.Config.MemoryKib,
        MaximumMemoryKib = definition.Config.MaximumMemoryKib,
        Vcpus = definition.Config.MaximumVcpus,
        State = "",
        StateWord = definition.Phase,
        CpuTimeNanoseconds = 0,
        Pool = null,
    };

    private static IEnumerable<DomainSummary> Definitions(CommandContext context)
    {
        if (DefinitionFolder.IsEmpty(DefinitionFolder.Host))
        {
            return [];
        }

        try
        {
            return (context.Daemon?.Call("domain.list", ApiJson.Default.IReadOnlyListManagedDomain) ?? [])
                .Where(domain => domain is { IsManaged: true, Domid: null })
                .Select(OfDefinition);
        }
        catch (ToolstackException failure)
        {
            // The list of what runs is the hypervisor's, and stands.
            context.Errors.WriteLine($"Warning: registered domains are missing: {failure.Message}.");
            return [];
        }
    }

    private static void Print(TextWriter output, IReadOnlyList<DomainSummary> domains, bool isLong)
    {
        if (isLong)
        {
            foreach (DomainSummary domain in domains)
            {
                PrintLong(output, domain);
            }

            return;
        }

        TableWriter table = new(output, new("Name", 40, IsLeft: true), new("ID", 5), new("Mem", 5), new("VCPUs", 5),
            new("State", 10), new("Time(s)", 9));
        foreach (DomainSummary domain in domains)
        {
            table.Write(domain.Name, domain.Id is { } id ? Text(id) : "", Text(domain.MemoryKib / 1024), Text(domain.Vcpus), domain.State,
                TableWriter.Seconds(domain.CpuTimeNanoseconds));
        }
    }

    private static void PrintLong(TextWriter output, DomainSummary domain)
    {
        output.WriteLine("(domain");
        if (domain.Id is { } id)
        {
            output.WriteLine($"    (domid {id})");
        }

        output.WriteLine($"    (uuid {domain.Uuid:D})");
        output.WriteLine($"    (name {domain.Name})");
        output.WriteLine($"    (vcpus {domain.Vcpus})");
        output.WriteLine($"    (memory {domain.MemoryKib / 1024})");
        if (domain.MaximumMemoryKib != ulong.MaxValue)
        {
            output.WriteLine($"    (maxmem {domain.MaximumMemoryKib / 1024})");
        }

        string seconds = (domain.CpuTimeNanoseconds / 1e9).ToString("F6", CultureInfo.InvariantCulture);
        output.WriteLine($"    (cpu_time {seconds})");
        output.WriteLine($"    (state {(domain.Id is null ? domain.StateWord : domain.State)})");
        if (domain.ShutdownReason is not null)
        {
            output.WriteLine($"    (shutdown_reason {domain.ShutdownReason})");
        }

        if (domain.Pool is { } pool)
        {
            output.WriteLine($"    (pool_id {pool})");
        }

        output.WriteLine(")");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
