// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary>
/// <c>struct grant_entry_v1</c>: one entry of a grant table, 512 a frame; hostile memory, read once into a local.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantEntryV1
{
    /// <summary><c>flags</c>: <see cref="GrantEntryFlags"/>.</summary>
    public ushort Flags;

    /// <summary><c>domid</c>: to whom.</summary>
    public DomId Domid;

    /// <summary><c>frame</c>: what.</summary>
    public uint Frame;
}

/// <summary><c>struct grant_entry_header</c>: first word of an entry of version 2.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantEntryHeader
{
    /// <summary><c>flags</c>.</summary>
    public ushort Flags;

    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;
}

/// <summary><c>union grant_entry_v2</c>: one entry of a grant table of version 2.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x10)]
public struct GrantEntryV2
{
    /// <summary><c>full_page.hdr</c>.</summary>
    [FieldOffset(0x0)]
    public GrantEntryHeader FullPageHdr;

    /// <summary><c>full_page.pad0</c>.</summary>
    [FieldOffset(0x4)]
    public uint FullPagePad0;

    /// <summary><c>full_page.frame</c>.</summary>
    [FieldOffset(0x8)]
    public ulong FullPageFrame;

    /// <summary><c>sub_page.page_off</c>.</summary>
    [FieldOffset(0x4)]
    public ushort SubPagePageOff;

    /// <summary><c>sub_page.length</c>.</summary>
    [FieldOffset(0x6)]
    public ushort SubPageLength;

    /// <summary><c>sub_page.frame</c>.</summary>
    [FieldOffset(0x8)]
    public ulong SubPageFrame;

    /// <summary><c>transitive.trans_domid</c>.</summary>
    [FieldOffset(0x4)]
    public DomId TransitiveTransDomid;

    /// <summary><c>transitive.pad0</c>.</summary>
    [FieldOffset(0x6)]
    public ushort TransitivePad0;

    /// <summary><c>transitive.gref</c>.</summary>
    [FieldOffset(0x8)]
    public GrantRef TransitiveGrantRef;
}

/// <summary><c>struct gnttab_map_grant_ref</c>: argument of map_grant_ref.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableMapGrantRef
{
    /// <summary><c>host_addr</c>.</summary>
    public ulong HostAddr;

    /// <summary><c>flags</c>: <see cref="GrantMapFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>ref</c>.</summary>
    public GrantRef Ref;

    /// <summary><c>dom</c>: domain concerned.</summary>
    public DomId Dom;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;

    /// <summary><c>handle</c>: result, names the mapping.</summary>
    public uint Handle;

    /// <summary><c>dev_bus_addr</c>: result, machine address.</summary>
    public ulong DevBusAddr;
}

/// <summary><c>struct gnttab_unmap_grant_ref</c>: argument of unmap_grant_ref.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableUnmapGrantRef
{
    /// <summary><c>host_addr</c>.</summary>
    public ulong HostAddr;

    /// <summary><c>dev_bus_addr</c>.</summary>
    public ulong DevBusAddr;

    /// <summary><c>handle</c>.</summary>
    public uint Handle;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct gnttab_setup_table</c>: argument of setup_table.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableSetupTable
{
    /// <summary><c>dom</c>: domain concerned.</summary>
    public DomId Dom;

    /// <summary><c>nr_frames</c>.</summary>
    public uint NrFrames;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;

    /// <summary><c>frame_list</c>: guest address of the list that receives the frames.</summary>
    public ulong FrameList;
}

/// <summary><c>struct gnttab_dump_table</c>: argument of dump_table.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableDumpTable
{
    /// <summary><c>dom</c>: domain concerned.</summary>
    public DomId Dom;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct gnttab_transfer</c>: argument of transfer.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableTransfer
{
    /// <summary><c>mfn</c>.</summary>
    public ulong Mfn;

    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>ref</c>.</summary>
    public GrantRef Ref;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct gnttab_copy</c>: argument of copy.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableCopy
{
    /// <summary><c>source</c>.</summary>
    public GrantTableCopyPtr Source;

    /// <summary><c>dest</c>.</summary>
    public GrantTableCopyPtr Dest;

    /// <summary><c>len</c>: bytes.</summary>
    public ushort Len;

    /// <summary><c>flags</c>: <see cref="GrantCopyFlags"/>.</summary>
    public ushort Flags;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct gnttab_copy_ptr</c>: one end of a copy.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x10)]
public struct GrantTableCopyPtr
{
    /// <summary><c>u.ref</c>.</summary>
    [FieldOffset(0x0)]
    public GrantRef Ref;

    /// <summary><c>u.gmfn</c>.</summary>
    [FieldOffset(0x0)]
    public ulong Gmfn;

    /// <summary><c>domid</c>: domain concerned.</summary>
    [FieldOffset(0x8)]
    public DomId Domid;

    /// <summary><c>offset</c>: within the frame.</summary>
    [FieldOffset(0xa)]
    public ushort Offset;
}

/// <summary><c>struct gnttab_query_size</c>: argument of query_size.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableQuerySize
{
    /// <summary><c>dom</c>: domain concerned.</summary>
    public DomId Dom;

    /// <summary><c>nr_frames</c>.</summary>
    public uint NrFrames;

    /// <summary><c>max_nr_frames</c>.</summary>
    public uint MaxNrFrames;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct gnttab_unmap_and_replace</c>: argument of unmap_and_replace.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableUnmapAndReplace
{
    /// <summary><c>host_addr</c>.</summary>
    public ulong HostAddr;

    /// <summary><c>new_addr</c>.</summary>
    public ulong NewAddr;

    /// <summary><c>handle</c>.</summary>
    public uint Handle;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct gnttab_set_version</c>: argument of set_version.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableSetVersion
{
    /// <summary><c>version</c>.</summary>
    public uint Version;
}

/// <summary><c>struct gnttab_get_status_frames</c>: argument of get_status_frames.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableGetStatusFrames
{
    /// <summary><c>nr_frames</c>.</summary>
    public uint NrFrames;

    /// <summary><c>dom</c>: domain concerned.</summary>
    public DomId Dom;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;

    /// <summary><c>frame_list</c>.</summary>
    public ulong FrameList;
}

/// <summary><c>struct gnttab_get_version</c>: argument of get_version.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableGetVersion
{
    /// <summary><c>dom</c>: domain concerned.</summary>
    public DomId Dom;

    /// <summary><c>pad</c>.</summary>
    public ushort Pad;

    /// <summary><c>version</c>.</summary>
    public uint Version;
}

/// <summary><c>struct gnttab_swap_grant_ref</c>: argument of swap_grant_ref.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GrantTableSwapGrantRef
{
    /// <summary><c>ref_a</c>.</summary>
    public GrantRef RefA;

    /// <summary><c>ref_b</c>.</summary>
    public GrantRef RefB;

    /// <summary><c>status</c>: <see cref="GrantStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct gnttab_cache_flush</c>: argument of cache_flush.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x10)]
public struct GrantTableCacheFlush
{
    /// <summary><c>a.dev_bus_addr</c>.</summary>
    [FieldOffset(0x0)]
    public ulong ADevBusAddr;

    /// <summary><c>a.ref</c>.</summary>
    [FieldOffset(0x0)]
    public GrantRef ARef;

    /// <summary><c>offset</c>.</summary>
    [FieldOffset(0x8)]
    public ushort Offset;

    /// <summary><c>length</c>.</summary>
    [FieldOffset(0xa)]
    public ushort Length;

    /// <summary><c>op</c>: <see cref="GrantCacheFlags"/>.</summary>
    [FieldOffset(0xc)]
    public uint Op;
}
