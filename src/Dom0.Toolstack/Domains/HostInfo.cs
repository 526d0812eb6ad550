// SPDX-License-Identifier: MIT
using System.Collections.Generic;

namespace Dom0.Toolstack.Domains;

/// <summary>Where a domain's memory is, in KiB.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its number.</param>
/// <param name="MemoryKib">What it has.</param>
/// <param name="MaximumKib">What it may have; null without a limit.</param>
/// <param name="ClaimedKib">What it was promised and has not taken.</param>
/// <param name="OverheadKib">What the hypervisor keeps for it, of the hypervisor's own memory; null where that is not told.</param>
public sealed record DomainMemory(
    string Name, int Id, ulong MemoryKib, ulong? MaximumKib, ulong ClaimedKib, ulong? OverheadKib);

/// <summary>What <c>xm info</c> prints; the names are those of its lines.</summary>
public sealed record HostInfo
{
    /// <summary>Domain-0's name in the network.</summary>
    public required string Host { get; init; }

    /// <summary>Release of Domain-0's kernel.</summary>
    public required string Release { get; init; }

    /// <summary>Build of Domain-0's kernel.</summary>
    public required string Version { get; init; }

    /// <summary>Architecture.</summary>
    public required string Machine { get; init; }

    /// <summary>CPUs that are online.</summary>
    public required int NrCpus { get; init; }

    /// <summary>Highest CPU number that there may be.</summary>
    public required int MaxCpuId { get; init; }

    /// <summary>NUMA nodes.</summary>
    public required int NrNodes { get; init; }

    /// <summary>Cores of a socket.</summary>
    public required int CoresPerSocket { get; init; }

    /// <summary>Threads of a core.</summary>
    public required int ThreadsPerCore { get; init; }

    /// <summary>Clock of a CPU.</summary>
    public required double CpuMhz { get; init; }

    /// <summary>CPUID feature words, separated by colons.</summary>
    public required string HwCaps { get; init; }

    /// <summary>Kinds of guests and devices that the host supports.</summary>
    public required string VirtCaps { get; init; }

    /// <summary>MiB of the machine.</summary>
    public required ulong TotalMemory { get; init; }

    /// <summary>MiB that no domain has.</summary>
    public required ulong FreeMemory { get; init; }

    /// <summary>MiB that Domain-0 has.</summary>
    public required ulong Dom0Memory { get; init; }

    /// <summary>MiB that the other domains have.</summary>
    public required ulong GuestsMemory { get; init; }

    /// <summary>MiB that the hypervisor has: its image, its tables, and what it keeps about each domain.</summary>
    public required ulong HypervisorMemory { get; init; }

    /// <summary>Pages saved by sharing.</summary>
    public required ulong SharingFreedMemory { get; init; }

    /// <summary>Pages shared.</summary>
    public required ulong SharingUsedMemory { get; init; }

    /// <summary>MiB promised to domains under construction.</summary>
    public required ulong OutstandingClaims { get; init; }

    /// <summary>What of it each domain has.</summary>
    public required IReadOnlyList<DomainMemory> DomainsMemory { get; init; }

    /// <summary>CPUs that belong to no pool.</summary>
    public required int FreeCpus { get; init; }

    /// <summary>Version of the interface.</summary>
    public required int XenMajor { get; init; }

    /// <summary>Version of the interface.</summary>
    public required int XenMinor { get; init; }

    /// <summary>What follows the version's numbers.</summary>
    public required string XenExtra { get; init; }

    /// <summary>The whole version.</summary>
    public required string XenVersion { get; init; }

    /// <summary>Kinds of guests, as guests' builders name them.</summary>
    public required string XenCaps { get; init; }

    /// <summary>The scheduler.</summary>
    public required string XenScheduler { get; init; }

    /// <summary>Bytes of a page.</summary>
    public required int XenPagesize { get; init; }

    /// <summary>First address that no guest can use.</summary>
    public required string PlatformParams { get; init; }

    /// <summary>Revision of the hypervisor's sources.</summary>
    public required string XenChangeset { get; init; }

    /// <summary>The hypervisor's command line.</summary>
    public required string XenCommandline { get; init; }

    /// <summary>Compiler of the hypervisor.</summary>
    public required string CcCompiler { get; init; }

    /// <summary>Who compiled it.</summary>
    public required string CcCompileBy { get; init; }

    /// <summary>Where.</summary>
    public required string CcCompileDomain { get; init; }

    /// <summary>When.</summary>
    public required string CcCompileDate { get; init; }

    /// <summary>Identity of the build.</summary>
    public required string BuildId { get; init; }

    /// <summary>Version of the configuration format.</summary>
    public required int XendConfigFormat { get; init; }
}
