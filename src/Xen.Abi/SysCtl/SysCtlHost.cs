// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_sysctl_readconsole</c>: argument of readconsole.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlReadConsole
{
    /// <summary><c>clear</c>: non-zero empties the ring.</summary>
    public byte Clear;

    /// <summary><c>incremental</c>: non-zero starts at the index.</summary>
    public byte Incremental;

    /// <summary><c>pad0</c>.</summary>
    public byte Pad0;

    /// <summary><c>pad1</c>.</summary>
    public byte Pad1;

    /// <summary><c>index</c>: where to start; then where it ended.</summary>
    public uint Index;

    /// <summary><c>buffer</c>: guest address of the text.</summary>
    public ulong Buffer;

    /// <summary><c>count</c>: room; then bytes written.</summary>
    public uint Count;
}

/// <summary><c>struct xen_sysctl_physinfo</c>: argument of physinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SysCtlPhysInfo
{
    /// <summary><c>threads_per_core</c>.</summary>
    public uint ThreadsPerCore;

    /// <summary><c>cores_per_socket</c>.</summary>
    public uint CoresPerSocket;

    /// <summary><c>nr_cpus</c>.</summary>
    public uint NrCpus;

    /// <summary><c>max_cpu_id</c>.</summary>
    public uint MaxCpuId;

    /// <summary><c>nr_nodes</c>.</summary>
    public uint NrNodes;

    /// <summary><c>max_node_id</c>.</summary>
    public uint MaxNodeId;

    /// <summary><c>cpu_khz</c>.</summary>
    public uint CpuKhz;

    /// <summary><c>capabilities</c>: <see cref="PhysicalCapabilities"/>.</summary>
    public uint Capabilities;

    /// <summary><c>arch_capabilities</c>.</summary>
    public uint ArchCapabilities;

    /// <summary><c>pad</c>.</summary>
    public uint Pad;

    /// <summary><c>total_pages</c>.</summary>
    public ulong TotalPages;

    /// <summary><c>free_pages</c>.</summary>
    public ulong FreePages;

    /// <summary><c>scrub_pages</c>.</summary>
    public ulong ScrubPages;

    /// <summary><c>outstanding_pages</c>.</summary>
    public ulong OutstandingPages;

    /// <summary><c>max_mfn</c>.</summary>
    public ulong MaxMfn;

    /// <summary><c>hw_cap</c>: CPUID words of the boot CPU.</summary>
    public fixed uint HwCap[8];
}

/// <summary><c>struct xen_sysctl_getdomaininfolist</c>: argument of getdomaininfolist.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlGetDomainInfoList
{
    /// <summary><c>first_domain</c>.</summary>
    public DomId FirstDomain;

    /// <summary><c>max_domains</c>.</summary>
    public uint MaxDomains;

    /// <summary><c>buffer</c>: guest address of the <see cref="DomCtlGetDomainInfo"/> list.</summary>
    public ulong Buffer;

    /// <summary><c>num_domains</c>: result.</summary>
    public uint NumDomains;
}

/// <summary><c>struct xen_sysctl_debug_keys</c>: argument of debug_keys.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlDebugKeys
{
    /// <summary><c>keys</c>: guest address of the characters.</summary>
    public ulong Keys;

    /// <summary><c>nr_keys</c>.</summary>
    public uint NrKeys;
}

/// <summary><c>struct xen_sysctl_availheap</c>: argument of availheap.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlAvailHeap
{
    /// <summary><c>min_bitwidth</c>.</summary>
    public uint MinBitWidth;

    /// <summary><c>max_bitwidth</c>.</summary>
    public uint MaxBitWidth;

    /// <summary><c>node</c>: negative for all.</summary>
    public int Node;

    /// <summary><c>avail_bytes</c>: result.</summary>
    public ulong AvailBytes;
}

/// <summary><c>struct xen_sysctl_tbuf_op</c>: argument of tbuf_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlTBufOp
{
    /// <summary><c>cmd</c>: <see cref="TraceBufferCommand"/>.</summary>
    public uint Cmd;

    /// <summary><c>cpu_mask</c>.</summary>
    public XenCtlBitmap CpuMask;

    /// <summary><c>evt_mask</c>.</summary>
    public uint EvtMask;

    /// <summary><c>buffer_mfn</c>.</summary>
    public ulong BufferMfn;

    /// <summary><c>size</c>.</summary>
    public uint Size;
}

/// <summary><c>struct xen_sysctl_perfc_op</c>: argument of perfc_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlPerfCOp
{
    /// <summary><c>cmd</c>: <see cref="PerfCounterCommand"/>.</summary>
    public uint Cmd;

    /// <summary><c>nr_counters</c>.</summary>
    public uint NrCounters;

    /// <summary><c>nr_vals</c>.</summary>
    public uint NrVals;

    /// <summary><c>desc</c>.</summary>
    public ulong Desc;

    /// <summary><c>val</c>.</summary>
    public ulong Val;
}

/// <summary><c>struct xen_sysctl_perfc_desc</c>: one counter.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SysCtlPerfCDesc
{
    /// <summary><c>name</c>: NUL-terminated.</summary>
    public fixed byte Name[80];

    /// <summary><c>nr_vals</c>.</summary>
    public uint NrVals;
}

/// <summary><c>struct xen_sysctl_page_offline_op</c>: argument of page_offline_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlPageOfflineOp
{
    /// <summary><c>cmd</c>: <see cref="PageOfflineCommand"/>.</summary>
    public uint Cmd;

    /// <summary><c>start</c>.</summary>
    public uint Start;

    /// <summary><c>end</c>.</summary>
    public uint End;

    /// <summary><c>status</c>.</summary>
    public ulong Status;
}
