// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class VcpuCommands
{
    public static int List(CommandContext context)
    {
        DomainDirectory directory = context.Domains;
        IEnumerable<DomainReference> domains = context.Arguments.Positional.Count == 0
            ? directory.List().Select(domain => domain.Reference)
            : context.Arguments.Positional.Select(directory.Find);
        int cpus = context.Hypervisor.System.PhysicalInfo().MaximumCpuId + 1;
        List<VcpuSummary> vcpus = [];
        foreach (DomainReference domain in domains)
        {
            DomainInfo info = directory.Info(domain);
            for (int vcpu = 0; vcpu <= info.MaximumVcpuId; vcpu++)
            {
                if (Summarise(context.Hypervisor, domain, vcpu, cpus) is { } summary)
                {
                    vcpus.Add(summary);
                }
            }
        }

        return context.Report(vcpus, XmJson.Default.IReadOnlyListVcpuSummary, list => Print(context.Output, list));
    }

    public static int Pin(CommandContext context)
    {
        DomainReference domain = context.Domain();
        int maximum = context.Domains.Info(domain).MaximumVcpuId;
        CpuSet cpus;
        try
        {
            cpus = CpuSet.Parse(context.Arguments.Positional[2]);
        }
        catch (FormatException wrong)
        {
            throw new UsageException($"CPUS: {wrong.Message}");
        }

        int host = context.Hypervisor.System.PhysicalInfo().MaximumCpuId + 1;
        if (cpus.Intersect(CpuSet.FromRange(0, host - 1)).IsEmpty)
        {
            throw new ToolstackException($"CPUS: the host has CPUs 0 to {host - 1}, and "
                + $"'{context.Arguments.Positional[2]}' names none of them");
        }

        bool all = context.Arguments.Positional[1] == "all";
        int first = all ? 0 : context.Number(1, "VCPU", 0, Math.Max(maximum, 0));
        for (int vcpu = first; vcpu <= (all ? maximum : first); vcpu++)
        {
            context.Hypervisor.Domains.SetAffinity(new DomId((ushort)domain.Id), vcpu, cpus);
        }

        return context.Done(domain);
    }

    public static int Set(CommandContext context)
    {
        DomainReference domain = context.Domain();
        int maximum = context.Domains.Info(domain).MaximumVcpuId + 1;
        int count = context.Number(1, "COUNT", 1, maximum);
        StoreClient store = context.Store;
        for (int vcpu = 0; vcpu < maximum; vcpu++)
        {
            store.Write($"{StoreEntries.DomainPath(domain.Id)}/cpu/{vcpu}/availability",
                vcpu < count ? "online" : "offline");
        }

        return context.Done(domain);
    }

    private static VcpuSummary? Summarise(Hypervisor hypervisor, DomainReference domain, int vcpu, int cpus)
    {
        DomId id = new((ushort)domain.Id);
        if (hypervisor.Domains.TryGetVcpu(id, vcpu) is not { } info)
        {
            return null;
        }

        bool online = info.Online != 0;
        return new VcpuSummary
        {
            Name = domain.Name,
            Id = domain.Id,
            Vcpu = vcpu,
            Cpu = online ? (int)info.Cpu : null,
            State = !online ? "--p" : (info.Running != 0 ? "r" : "-") + (info.Blocked != 0 ? "b" : "-") + "-",
            CpuTimeNanoseconds = info.CpuTime,
            Affinity = hypervisor.Domains.GetAffinity(id, vcpu).Describe(cpus),
        };
    }

    private static void Print(TextWriter output, IReadOnlyList<VcpuSummary> vcpus)
    {
        TableWriter table = new(output, new("Name", 32, IsLeft: true), new("ID", 5), new("VCPU", 5), new("CPU", 5),
            new("State", 5), new("Time(s)", 9), new("CPU Affinity", 0, IsLeft: true));
        foreach (VcpuSummary vcpu in vcpus)
        {
            table.Write(vcpu.Name, Text(vcpu.Id), Text(vcpu.Vcpu), vcpu.Cpu is { } cpu ? Text(cpu) : "-", vcpu.State,
                TableWriter.Seconds(vcpu.CpuTimeNanoseconds), vcpu.Affinity);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
