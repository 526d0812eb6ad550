// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Hypercalls;

/// <summary>The machine: <c>struct xen_sysctl_physinfo</c>.</summary>
public sealed record PhysicalInfo
{
    /// <summary>Threads of a core.</summary>
    public int ThreadsPerCore { get; init; }

    /// <summary>Cores of a socket.</summary>
    public int CoresPerSocket { get; init; }

    /// <summary>CPUs that are online.</summary>
    public int Cpus { get; init; }

    /// <summary>Highest CPU number that there may be.</summary>
    public int MaximumCpuId { get; init; }

    /// <summary>NUMA nodes.</summary>
    public int Nodes { get; init; }

    /// <summary>Clock of a CPU in kHz.</summary>
    public uint CpuKilohertz { get; init; }

    /// <summary><c>XEN_SYSCTL_PHYSCAP_*</c>.</summary>
    public uint Capabilities { get; init; }

    /// <summary>Pages of the machine.</summary>
    public ulong TotalPages { get; init; }

    /// <summary>Pages that no domain has.</summary>
    public ulong FreePages { get; init; }

    /// <summary>Pages that are being wiped.</summary>
    public ulong ScrubPages { get; init; }

    /// <summary>Pages promised to domains under construction.</summary>
    public ulong OutstandingPages { get; init; }

    /// <summary>CPUID feature words.</summary>
    public required uint[] HardwareCapabilities { get; init; }
}
