// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_domctl_getpageframeinfo3</c>: argument of getpageframeinfo3.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlGetPageFrameInfo3
{
    /// <summary><c>num</c>: elements left to do.</summary>
    public ulong Num;

    /// <summary>
    /// <c>array</c>: guest address of the frame numbers, overwritten with <see cref="PageFrameInfo"/> values.
    /// </summary>
    public ulong Array;
}

/// <summary><c>struct xen_domctl_shadow_op</c>: argument of shadow_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlShadowOp
{
    /// <summary><c>op</c>: <see cref="ShadowOperation"/>.</summary>
    public uint Op;

    /// <summary><c>mode</c>: <see cref="ShadowEnableFlags"/> or <see cref="ShadowLogDirtyFlags"/>.</summary>
    public uint Mode;

    /// <summary><c>mb</c>.</summary>
    public uint Mb;

    /// <summary><c>dirty_bitmap</c>: guest address of the bit map.</summary>
    public ulong DirtyBitmap;

    /// <summary><c>pages</c>: bits of the map; result.</summary>
    public ulong Pages;

    /// <summary><c>stats</c>.</summary>
    public DomCtlShadowOpStats Stats;
}

/// <summary><c>struct xen_domctl_shadow_op_stats</c>: counters of log-dirty mode.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlShadowOpStats
{
    /// <summary><c>fault_count</c>.</summary>
    public uint FaultCount;

    /// <summary><c>dirty_count</c>.</summary>
    public uint DirtyCount;
}

/// <summary>
/// <c>struct xen_domctl_paging_mempool</c>: argument of get_paging_mempool_size and set_paging_mempool_size.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlPagingMemPool
{
    /// <summary><c>size</c>: bytes.</summary>
    public ulong Size;
}

/// <summary><c>struct xen_domctl_cacheflush</c>: argument of cacheflush.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlCacheFlush
{
    /// <summary><c>start_pfn</c>.</summary>
    public ulong StartPfn;

    /// <summary><c>nr_pfns</c>.</summary>
    public ulong NrPfns;
}

/// <summary><c>struct xen_domctl_audit_p2m</c>: argument of audit_p2m.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlAuditP2M
{
    /// <summary><c>orphans</c>.</summary>
    public ulong Orphans;

    /// <summary><c>m2p_bad</c>.</summary>
    public ulong M2PBad;

    /// <summary><c>p2m_bad</c>.</summary>
    public ulong P2MBad;
}

/// <summary><c>struct xen_domctl_set_broken_page_p2m</c>: argument of set_broken_page_p2m.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSetBrokenPageP2M
{
    /// <summary><c>pfn</c>.</summary>
    public ulong Pfn;
}
