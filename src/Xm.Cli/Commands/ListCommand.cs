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
            ? directory.List()
            : [.. context.Arguments.Positional.Select(
                name => directory.Summarise(directory.Info(directory.Find(name))))];
        return context.Report(domains, XmJson.Default.IReadOnlyListDomainSummary, list =>
        {
            bool isLong = context.Arguments.Has("long");
            Print(context.Output, list, isLong);
            if (!isLong && context.Arguments.Positional.Count == 0)
            {
                PrintDefinitions(context);
            }
        });
    }

    /// <summary>Registered domains that are off stand below the others, without a number; the daemon knows them.</summary>
    private static void PrintDefinitions(CommandContext context)
    {
        IReadOnlyList<ManagedDomain> managed;
        try
        {
            managed = context.Daemon?.Call("domain.list", ApiJson.Default.IReadOnlyListManagedDomain) ?? [];
        }
        catch (ToolstackException failure)
        {
            // The list of what runs is the hypervisor's, and stands.
            context.Errors.WriteLine($"Warning: registered domains are missing: {failure.Message}.");
            return;
        }

        foreach (ManagedDomain domain in managed.Where(domain => domain is { IsManaged: true, Domid: null }))
        {
            context.Output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{domain.Name,-40} {"",5} {domain.Config.MemoryKib / 1024,5} {domain.Config.MaximumVcpus,5} {"",10} "
                    + $"{"0.0",9}"));
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
            table.Write(domain.Name, Text(domain.Id), Text(domain.MemoryKib / 1024), Text(domain.Vcpus), domain.State,
                TableWriter.Seconds(domain.CpuTimeNanoseconds));
        }
    }

    private static void PrintLong(TextWriter output, DomainSummary domain)
    {
        output.WriteLine("(domain");
        output.WriteLine($"    (domid {domain.Id})");
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
        output.WriteLine($"    (state {domain.State})");
        if (domain.ShutdownReason is not null)
        {
            output.WriteLine($"    (shutdown_reason {domain.ShutdownReason})");
        }

        output.WriteLine($"    (pool_id {domain.Pool})");
        output.WriteLine(")");
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);
}
