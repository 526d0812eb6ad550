// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi.Extensions;

/// <summary>A sub-operation of sysctl that Xen does not have (it answers ENOSYS): what a domain's vCPUs have asked of the
/// hypervisor since they were made, and what it keeps for the domain. The argument lies where the header has <c>u.pad</c>.</summary>
public static class StatisticsExtension
{
    /// <summary>Value of <c>cmd</c>, far from what Xen counts up.</summary>
    public const uint SysCtl = 0x5343_0002;
}

/// <summary>Argument of <see cref="StatisticsExtension.SysCtl"/>. ESRCH: no such domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct StatisticsOp
{
    /// <summary>In: the domain.</summary>
    public uint Domain;

    /// <summary>Out: its vCPUs, those that are offline included.</summary>
    public uint Vcpus;

    /// <summary>Out: sums over the vCPUs.</summary>
    public VcpuCounters Counters;

    /// <summary>Out: pages that the hypervisor keeps for the domain beside the domain's own: its shared page, vCPUs, ports, grant
    /// tables.</summary>
    public ulong KeptPages;
}

/// <summary>How often things happened; never reset.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuCounters
{
    /// <summary>Hypercalls, each entry of a multicall being one too.</summary>
    public ulong Hypercalls;

    /// <summary>System calls of the guest's user mode that went through the hypervisor to its kernel.</summary>
    public ulong SystemCalls;

    /// <summary>Exceptions, whether emulated or passed on.</summary>
    public ulong Traps;

    /// <summary>Event upcalls.</summary>
    public ulong Upcalls;

    /// <summary>Flushes of the TLB, whole or of one page, that the vCPU's calls needed where it ran.</summary>
    public ulong Flushes;

    /// <summary>Other CPUs that were interrupted to flush theirs.</summary>
    public ulong Shootdowns;

    /// <summary>Times a CPU turned to the vCPU.</summary>
    public ulong Switches;
}
