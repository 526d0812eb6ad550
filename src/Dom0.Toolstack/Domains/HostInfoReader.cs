// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Dom0.Toolstack.Hypercalls;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>Collects what <c>xm info</c> prints.</summary>
public static class HostInfoReader
{
    private const ulong PagesPerMiB = 256;
    private const ulong KibPerPage = 4;

    /// <summary>
    /// Asks the hypervisor, Domain-0's kernel for its own names, and <paramref name="nameOf"/> for those of domains.
    /// </summary>
    public static HostInfo Read(Hypervisor hypervisor, Func<int, string> nameOf)
    {
        PhysicalInfo physical = hypervisor.System.PhysicalInfo();
        (int major, int minor) = hypervisor.Version.Version();
        string extra = hypervisor.Version.ExtraVersion();
        (string compiler, string by, string domain, string date) = hypervisor.Version.CompileInfo();
        (ulong freed, ulong used) = hypervisor.Memory.SharedPages();
        IReadOnlyList<DomainInfo> domains = hypervisor.System.ListDomains();
        ulong dom0 = Sum(domains.Where(domain => domain.Id == 0));
        ulong guests = Sum(domains.Where(domain => domain.Id != 0));
        ulong known = dom0 + guests + physical.FreePages + physical.ScrubPages;
        CpuSet free = hypervisor.System.FreeCpus();
        return new HostInfo
        {
            Host = Environment.MachineName,
            Release = ReadLine("/proc/sys/kernel/osrelease"),
            Version = ReadLine("/proc/sys/kernel/version"),
            Machine = "x86_64",
            NrCpus = physical.Cpus,
            MaxCpuId = physical.MaximumCpuId,
            NrNodes = physical.Nodes,
            CoresPerSocket = physical.CoresPerSocket,
            ThreadsPerCore = physical.ThreadsPerCore,
            CpuMhz = physical.CpuKilohertz / 1000.0,
            HwCaps = string.Join(':', physical.HardwareCapabilities.Select(
                word => word.ToString("x8", CultureInfo.InvariantCulture))),
            VirtCaps = VirtualizationCapabilities(physical.Capabilities),
            TotalMemory = physical.TotalPages / PagesPerMiB,
            FreeMemory = (physical.FreePages + physical.ScrubPages) / PagesPerMiB,
            Dom0Memory = dom0 / PagesPerMiB,
            GuestsMemory = guests / PagesPerMiB,

            // Domains come and go between the questions.
            HypervisorMemory = (physical.TotalPages - Math.Min(known, physical.TotalPages)) / PagesPerMiB,
            SharingFreedMemory = freed,
            SharingUsedMemory = used,
            OutstandingClaims = physical.OutstandingPages / PagesPerMiB,
            DomainsMemory = [.. domains.Select(domain => Describe(hypervisor, domain, nameOf(domain.Id)))],
            FreeCpus = Enumerable.Range(0, physical.MaximumCpuId + 1).Count(free.Contains),
            XenMajor = major,
            XenMinor = minor,
            XenExtra = extra,
            XenVersion = $"{major}.{minor}{extra}",
            XenCaps = hypervisor.Version.Capabilities().TrimEnd(),
            XenScheduler = hypervisor.Scheduling.TryPolicy() is { } policy
                ? policy.ToString().ToLowerInvariant()
                : SchedulerName(hypervisor.System.Scheduler()),
            XenPagesize = hypervisor.Version.PageSize(),
            PlatformParams = $"virt_start=0x{hypervisor.Version.VirtualStart():x}",
            XenChangeset = hypervisor.Version.ChangeSet(),
            XenCommandline = hypervisor.Version.CommandLine(),
            CcCompiler = compiler,
            CcCompileBy = by,
            CcCompileDomain = domain,
            CcCompileDate = date,
            BuildId = hypervisor.Version.BuildId(),
            XendConfigFormat = 4,
        };
    }

    /// <summary>The scheduler's name as Xen spells it.</summary>
    public static string SchedulerName(SchedulerId scheduler) => scheduler switch
    {
        SchedulerId.Credit => "credit",
        SchedulerId.Credit2 => "credit2",
        SchedulerId.Arinc653 => "arinc653",
        SchedulerId.Rtds => "rtds",
        SchedulerId.Null => "null",
        _ => $"unknown ({(uint)scheduler})",
    };

    private static DomainMemory Describe(Hypervisor hypervisor, DomainInfo domain, string name) => new(
        name, domain.Id, domain.TotalPages * KibPerPage,
        domain.MaximumPages > ulong.MaxValue / KibPerPage ? null : domain.MaximumPages * KibPerPage,
        domain.OutstandingPages * KibPerPage,
        hypervisor.Statistics.TryReadKeptPages(new DomId((ushort)domain.Id)) * KibPerPage);

    private static ulong Sum(IEnumerable<DomainInfo> domains) =>
        domains.Aggregate(0UL, (sum, domain) => sum + domain.TotalPages);

    private static string VirtualizationCapabilities(uint capabilities)
    {
        (uint Bit, string Name)[] names =
        [
            (PhysicalCapabilities.Pv, "pv"),
            (PhysicalCapabilities.Hvm, "hvm"),
            (PhysicalCapabilities.DirectIo, "directio"),
            (PhysicalCapabilities.Hap, "hap"),
            (PhysicalCapabilities.Shadow, "shadow"),
            (PhysicalCapabilities.IommuHapPtShare, "iommu_hap_pt_share"),
            (PhysicalCapabilities.VmTrace, "vmtrace"),
            (PhysicalCapabilities.Vpmu, "vpmu"),
            (PhysicalCapabilities.GrantTableV1, "gnttab-v1"),
            (PhysicalCapabilities.GrantTableV2, "gnttab-v2"),
        ];
        IEnumerable<string> present = names.Where(name => (capabilities & name.Bit) != 0).Select(name => name.Name);
        return string.Join(' ', present);
    }

    private static string ReadLine(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : "";
}
