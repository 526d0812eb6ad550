// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>GNTTABOP_*</c>: sub-operation of grant_table_op.</summary>
public enum GrantTableCommand : uint
{
    /// <summary><c>GNTTABOP_map_grant_ref</c>.</summary>
    MapGrantRef = 0,

    /// <summary><c>GNTTABOP_unmap_grant_ref</c>.</summary>
    UnmapGrantRef = 1,

    /// <summary><c>GNTTABOP_setup_table</c>.</summary>
    SetupTable = 2,

    /// <summary><c>GNTTABOP_dump_table</c>.</summary>
    DumpTable = 3,

    /// <summary><c>GNTTABOP_transfer</c>.</summary>
    Transfer = 4,

    /// <summary><c>GNTTABOP_copy</c>.</summary>
    Copy = 5,

    /// <summary><c>GNTTABOP_query_size</c>.</summary>
    QuerySize = 6,

    /// <summary><c>GNTTABOP_unmap_and_replace</c>.</summary>
    UnmapAndReplace = 7,

    /// <summary><c>GNTTABOP_set_version</c>.</summary>
    SetVersion = 8,

    /// <summary><c>GNTTABOP_get_status_frames</c>.</summary>
    GetStatusFrames = 9,

    /// <summary><c>GNTTABOP_get_version</c>.</summary>
    GetVersion = 10,

    /// <summary><c>GNTTABOP_swap_grant_ref</c>.</summary>
    SwapGrantRef = 11,

    /// <summary><c>GNTTABOP_cache_flush</c>.</summary>
    CacheFlush = 12,
}

/// <summary><c>GNTST_*</c>: outcome of one element of a grant operation.</summary>
public enum GrantStatus : short
{
    /// <summary><c>GNTST_okay</c>.</summary>
    Okay = 0,

    /// <summary><c>GNTST_general_error</c>.</summary>
    GeneralError = -1,

    /// <summary><c>GNTST_bad_domain</c>.</summary>
    BadDomain = -2,

    /// <summary><c>GNTST_bad_gntref</c>: no such grant, or not for the caller.</summary>
    BadGntref = -3,

    /// <summary><c>GNTST_bad_handle</c>.</summary>
    BadHandle = -4,

    /// <summary><c>GNTST_bad_virt_addr</c>.</summary>
    BadVirtAddr = -5,

    /// <summary><c>GNTST_bad_dev_addr</c>.</summary>
    BadDevAddr = -6,

    /// <summary><c>GNTST_no_device_space</c>.</summary>
    NoDeviceSpace = -7,

    /// <summary><c>GNTST_permission_denied</c>.</summary>
    PermissionDenied = -8,

    /// <summary><c>GNTST_bad_page</c>.</summary>
    BadPage = -9,

    /// <summary><c>GNTST_bad_copy_arg</c>.</summary>
    BadCopyArg = -10,

    /// <summary><c>GNTST_address_too_big</c>.</summary>
    AddressTooBig = -11,

    /// <summary><c>GNTST_eagain</c>: not done, try again.</summary>
    Eagain = -12,

    /// <summary><c>GNTST_no_space</c>.</summary>
    NoSpace = -13,
}

/// <summary><c>GTF_*</c>: bits of <see cref="GrantEntryV1.Flags"/>; bits 1:0 are the type.</summary>
public static class GrantEntryFlags
{
    /// <summary><c>GTF_invalid</c>.</summary>
    public const ushort Invalid = 0x0;

    /// <summary><c>GTF_permit_access</c>.</summary>
    public const ushort PermitAccess = 0x1;

    /// <summary><c>GTF_accept_transfer</c>.</summary>
    public const ushort AcceptTransfer = 0x2;

    /// <summary><c>GTF_transitive</c>.</summary>
    public const ushort Transitive = 0x3;

    /// <summary><c>GTF_type_mask</c>.</summary>
    public const ushort TypeMask = 0x3;

    /// <summary><c>GTF_readonly</c>: the peer may not write.</summary>
    public const ushort ReadOnly = 0x4;

    /// <summary><c>GTF_reading</c>: set by the hypervisor while it is mapped.</summary>
    public const ushort Reading = 0x8;

    /// <summary><c>GTF_writing</c>: set by the hypervisor while it is mapped writable.</summary>
    public const ushort Writing = 0x10;

    /// <summary><c>GTF_PWT</c>.</summary>
    public const ushort Pwt = 0x20;

    /// <summary><c>GTF_PCD</c>.</summary>
    public const ushort Pcd = 0x40;

    /// <summary><c>GTF_PAT</c>.</summary>
    public const ushort Pat = 0x80;

    /// <summary><c>GTF_sub_page</c>.</summary>
    public const ushort SubPage = 0x100;

    /// <summary><c>GTF_transfer_committed</c>.</summary>
    public const ushort TransferCommitted = 0x4;

    /// <summary><c>GTF_transfer_completed</c>.</summary>
    public const ushort TransferCompleted = 0x8;
}

/// <summary><c>GNTMAP_*</c>: bits of <see cref="GrantTableMapGrantRef.Flags"/>.</summary>
public static class GrantMapFlags
{
    /// <summary><c>GNTMAP_device_map</c>: for devices.</summary>
    public const uint DeviceMap = 0x1;

    /// <summary><c>GNTMAP_host_map</c>: for CPUs.</summary>
    public const uint HostMap = 0x2;

    /// <summary><c>GNTMAP_readonly</c>.</summary>
    public const uint ReadOnly = 0x4;

    /// <summary><c>GNTMAP_application_map</c>: user mode may use the mapping.</summary>
    public const uint ApplicationMap = 0x8;

    /// <summary>
    /// <c>GNTMAP_contains_pte</c>: host_addr is the machine address of a page-table entry, not a virtual address.
    /// </summary>
    public const uint ContainsPte = 0x10;

    /// <summary><c>GNTMAP_guest_avail_mask</c>: copied to the bits of the entry that are the guest's.</summary>
    public const uint GuestAvailMask = 0xffff0000;
}

/// <summary><c>GNTCOPY_*</c>: bits of <see cref="GrantTableCopy.Flags"/>.</summary>
public static class GrantCopyFlags
{
    /// <summary><c>GNTCOPY_source_gref</c>: the source is a grant.</summary>
    public const ushort SourceGrantRef = 0x1;

    /// <summary><c>GNTCOPY_dest_gref</c>: the destination is a grant.</summary>
    public const ushort DestGrantRef = 0x2;
}

/// <summary><c>GNTTAB_CACHE_*</c>: bits of <see cref="GrantTableCacheFlush.Op"/>.</summary>
public static class GrantCacheFlags
{
    /// <summary><c>GNTTAB_CACHE_CLEAN</c>.</summary>
    public const uint Clean = 0x1;

    /// <summary><c>GNTTAB_CACHE_INVAL</c>.</summary>
    public const uint Inval = 0x2;

    /// <summary><c>GNTTAB_CACHE_SOURCE_GREF</c>.</summary>
    public const uint SourceGrantRef = 0x80000000;
}

/// <summary><c>GNTTAB_RESERVED_*</c>: references with a fixed meaning.</summary>
public static class ReservedGrant
{
    /// <summary><c>GNTTAB_NR_RESERVED_ENTRIES</c>.</summary>
    public const uint NrReservedEntries = 8;

    /// <summary><c>GNTTAB_RESERVED_CONSOLE</c>: console ring.</summary>
    public const uint ReservedConsole = 0;

    /// <summary><c>GNTTAB_RESERVED_XENSTORE</c>: store ring.</summary>
    public const uint ReservedXenStore = 1;
}
