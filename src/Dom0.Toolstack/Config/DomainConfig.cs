// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Toolstack.Domains;

namespace Dom0.Toolstack.Config;

/// <summary>A domain as its configuration describes it, checked and with every default filled in.</summary>
public sealed record DomainConfig
{
    /// <summary>The unique name.</summary>
    public required string Name { get; init; }

    /// <summary>The domain's identity across restarts.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>The kernel's file in Domain-0; with a boot loader a file on the guest's disk, or empty.</summary>
    public required string Kernel { get; init; }

    /// <summary>The initial ramdisk's file, looked for as the kernel's; null when there is none.</summary>
    public string? Ramdisk { get; init; }

    /// <summary>A program of Domain-0 that finds kernel, ramdisk and command line on the guest's first disk.</summary>
    public string? BootLoader { get; init; }

    /// <summary>What else it is told; null when nothing.</summary>
    public IReadOnlyList<string>? BootLoaderArguments { get; init; }

    /// <summary>The kernel's command line.</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>Memory at the start.</summary>
    public required ulong MemoryKib { get; init; }

    /// <summary>The ceiling up to which the memory may grow later.</summary>
    public required ulong MaximumMemoryKib { get; init; }

    /// <summary>Number of virtual CPUs that the domain can ever have.</summary>
    public required int MaximumVcpus { get; init; }

    /// <summary>Which of them are online at the start.</summary>
    public required IReadOnlyList<bool> OnlineVcpus { get; init; }

    /// <summary>On which CPUs each virtual CPU may run.</summary>
    public required IReadOnlyList<CpuSet> Affinity { get; init; }

    /// <summary>Share of the scheduler against other domains; null leaves the hypervisor's default.</summary>
    public int? Weight { get; init; }

    /// <summary>Ceiling in per cent of one CPU; 0 is none.</summary>
    public int? Cap { get; init; }

    /// <summary>Name of the CPU pool; null is Pool-0.</summary>
    public string? Pool { get; init; }

    /// <summary>How the guest sees the time stamp counter: 0 default, 1 emulated, 2 native, 3 with TSC_AUX.</summary>
    public int TscMode { get; init; }

    /// <summary>Refuse to migrate the domain.</summary>
    public bool ForbidsMigration { get; init; }

    /// <summary>After an orderly power-off.</summary>
    public LifecycleAction OnPoweroff { get; init; }

    /// <summary>After the guest asked to be rebooted.</summary>
    public LifecycleAction OnReboot { get; init; }

    /// <summary>After a crash.</summary>
    public LifecycleAction OnCrash { get; init; }

    /// <summary>A registered domain is started when the host starts.</summary>
    public bool StartsWithHost { get; init; }

    /// <summary>Free text.</summary>
    public string? Description { get; init; }

    /// <summary>The disks' specifications as the file writes them.</summary>
    public IReadOnlyList<string> Disks { get; init; } = [];

    /// <summary>The network interfaces' specifications as the file writes them.</summary>
    public IReadOnlyList<string> Vifs { get; init; } = [];
}
