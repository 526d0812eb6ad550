// SPDX-License-Identifier: MIT
using System.Globalization;
using System.IO;
using Dom0.Toolstack.Domains;

namespace Xm.Cli.Commands;

internal static class InfoCommand
{
    private const int NameWidth = 23;

    public static int Run(CommandContext context) =>
        context.Report(HostInfoReader.Read(context.Hypervisor, context.Domains.NameOf), XmJson.Default.HostInfo, info =>
        {
            if (context.Arguments.Has("memory"))
            {
                PrintMemory(context.Output, info);
            }
            else
            {
                Print(context.Output, info);
            }
        });

    /// <summary>One line for each domain, and what they do not have.</summary>
    private static void PrintMemory(TextWriter output, HostInfo info)
    {
        TableWriter table = new(output, new("Name", 32, IsLeft: true), new("ID", 5), new("Mem(k)", 10), new("Max(k)", 10),
            new("Claimed(k)", 10), new("Overhead(k)", 11));
        foreach (DomainMemory domain in info.DomainsMemory)
        {
            table.Write(domain.Name, Text((ulong)domain.Id), Text(domain.MemoryKib),
                domain.MaximumKib is { } maximum ? Text(maximum) : "no limit", Text(domain.ClaimedKib),
                domain.OverheadKib is { } overhead ? Text(overhead) : "-");
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"The machine has {info.TotalMemory} MiB: "
            + $"{info.Dom0Memory} MiB Domain-0's, {info.GuestsMemory} MiB the guests', {info.HypervisorMemory} MiB the "
            + $"hypervisor's (the overhead of domains is part of it), {info.FreeMemory} MiB free, of which {info.OutstandingClaims} "
            + $"MiB are claimed."));
    }

    private static string Text(ulong number) => number.ToString(CultureInfo.InvariantCulture);

    private static void Print(TextWriter output, HostInfo info)
    {
        void Line(string name, object value) =>
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name.PadRight(NameWidth)}: {value}"));

        Line("host", info.Host);
        Line("release", info.Release);
        Line("version", info.Version);
        Line("machine", info.Machine);
        Line("nr_cpus", info.NrCpus);
        Line("max_cpu_id", info.MaxCpuId);
        Line("nr_nodes", info.NrNodes);
        Line("cores_per_socket", info.CoresPerSocket);
        Line("threads_per_core", info.ThreadsPerCore);
        Line("cpu_mhz", info.CpuMhz.ToString("F3", CultureInfo.InvariantCulture));
        Line("hw_caps", info.HwCaps);
        Line("virt_caps", info.VirtCaps);
        Line("total_memory", info.TotalMemory);
        Line("free_memory", info.FreeMemory);
        Line("dom0_memory", info.Dom0Memory);
        Line("guests_memory", info.GuestsMemory);
        Line("hypervisor_memory", info.HypervisorMemory);
        Line("sharing_freed_memory", info.SharingFreedMemory);
        Line("sharing_used_memory", info.SharingUsedMemory);
        Line("outstanding_claims", info.OutstandingClaims);
        Line("free_cpus", info.FreeCpus);
        Line("xen_major", info.XenMajor);
        Line("xen_minor", info.XenMinor);
        Line("xen_extra", info.XenExtra);
        Line("xen_version", info.XenVersion);
        Line("xen_caps", info.XenCaps);
        Line("xen_scheduler", info.XenScheduler);
        Line("xen_pagesize", info.XenPagesize);
        Line("platform_params", info.PlatformParams);
        Line("xen_changeset", info.XenChangeset);
        Line("xen_commandline", info.XenCommandline);
        Line("cc_compiler", info.CcCompiler);
        Line("cc_compile_by", info.CcCompileBy);
        Line("cc_compile_domain", info.CcCompileDomain);
        Line("cc_compile_date", info.CcCompileDate);
        Line("build_id", info.BuildId);
        Line("xend_config_format", info.XendConfigFormat);
    }
}
