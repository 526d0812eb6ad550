// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_sysctl_getcpuinfo</c>: argument of getcpuinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlGetCpuInfo
{
    /// <summary><c>max_cpus</c>.</summary>
    public uint MaxCpus;

    /// <summary><c>info</c>: guest address of the <see cref="SysCtlCpuInfo"/> list.</summary>
    public ulong Info;

    /// <summary><c>nr_cpus</c>.</summary>
    public uint NrCpus;
}

/// <summary><c>struct xen_sysctl_cpuinfo</c>: one physical CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuInfo
{
    /// <summary><c>idletime</c>: nanoseconds.</summary>
    public ulong IdleTime;
}

/// <summary><c>struct xen_sysctl_cpu_hotplug</c>: argument of cpu_hotplug.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuHotplug
{
    /// <summary><c>cpu</c>.</summary>
    public uint Cpu;

    /// <summary><c>op</c>: <see cref="CpuHotplugOperation"/>.</summary>
    public uint Op;
}

/// <summary><c>struct xen_sysctl_cputopo</c>: place of one CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuTopo
{
    /// <summary><c>core</c>: <see cref="TopologyInvalid.CoreId"/> if absent.</summary>
    public uint Core;

    /// <summary><c>socket</c>.</summary>
    public uint Socket;

    /// <summary><c>node</c>.</summary>
    public uint Node;
}

/// <summary><c>struct xen_sysctl_cputopoinfo</c>: argument of cputopoinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuTopoInfo
{
    /// <summary><c>num_cpus</c>: room; result.</summary>
    public uint NumCpus;

    /// <summary>
    /// <c>cputopo</c>: guest address of the <see cref="SysCtlCpuTopo"/> list; without one only the number is told.
    /// </summary>
    public ulong CpuTopo;
}

/// <summary><c>struct xen_sysctl_meminfo</c>: memory of one node.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlMemInfo
{
    /// <summary><c>memsize</c>: bytes.</summary>
    public ulong MemSize;

    /// <summary><c>memfree</c>: bytes.</summary>
    public ulong MemFree;
}

/// <summary><c>struct xen_sysctl_numainfo</c>: argument of numainfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlNumaInfo
{
    /// <summary><c>num_nodes</c>.</summary>
    public uint NumNodes;

    /// <summary><c>meminfo</c>: guest address of the <see cref="SysCtlMemInfo"/> list.</summary>
    public ulong MemInfo;

    /// <summary><c>distance</c>: guest address of the square of distances.</summary>
    public ulong Distance;
}

/// <summary><c>struct xen_sysctl_pcitopoinfo</c>: argument of pcitopoinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlPciTopoInfo
{
    /// <summary><c>num_devs</c>.</summary>
    public uint NumDevs;

    /// <summary><c>devs</c>: guest address of the <see cref="PhysDevPciDevice"/> list.</summary>
    public ulong Devs;

    /// <summary><c>nodes</c>: guest address of the node numbers.</summary>
    public ulong Nodes;
}

/// <summary><c>struct xen_sysctl_cpu_levelling_caps</c>: argument of get_cpu_levelling_caps.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuLevellingCaps
{
    /// <summary><c>caps</c>: <see cref="CpuLevellingCaps"/>.</summary>
    public uint Caps;
}

/// <summary><c>struct xen_sysctl_cpu_featureset</c>: argument of get_cpu_featureset.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuFeatureSet
{
    /// <summary><c>index</c>: <see cref="CpuFeatureSetIndex"/>.</summary>
    public uint Index;

    /// <summary><c>nr_features</c>.</summary>
    public uint NrFeatures;

    /// <summary><c>features</c>: guest address of the words.</summary>
    public ulong Features;
}

/// <summary><c>struct xen_sysctl_cpu_policy</c>: argument of get_cpu_policy.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuPolicy
{
    /// <summary><c>index</c>: <see cref="CpuPolicyIndex"/>.</summary>
    public uint Index;

    /// <summary><c>nr_leaves</c>.</summary>
    public uint NrLeaves;

    /// <summary><c>nr_msrs</c>.</summary>
    public uint NrMsrs;

    /// <summary><c>_rsvd</c>.</summary>
    public uint Rsvd;

    /// <summary><c>leaves</c>: guest address of the <see cref="CpuIdLeaf"/> list.</summary>
    public ulong Leaves;

    /// <summary><c>msrs</c>: guest address of the <see cref="MsrEntry"/> list.</summary>
    public ulong Msrs;
}
