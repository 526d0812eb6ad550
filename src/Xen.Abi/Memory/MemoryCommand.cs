// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary>
/// <c>XENMEM_*</c>: sub-operation of memory_op, in its low six bits; the bits above count the extents already done.
/// </summary>
public enum MemoryCommand : uint
{
    /// <summary><c>XENMEM_increase_reservation</c>.</summary>
    IncreaseReservation = 0,

    /// <summary><c>XENMEM_decrease_reservation</c>.</summary>
    DecreaseReservation = 1,

    /// <summary><c>XENMEM_populate_physmap</c>.</summary>
    PopulatePhysMap = 6,

    /// <summary><c>XENMEM_exchange</c>.</summary>
    Exchange = 11,

    /// <summary><c>XENMEM_maximum_ram_page</c>.</summary>
    MaximumRamPage = 2,

    /// <summary><c>XENMEM_current_reservation</c>.</summary>
    CurrentReservation = 3,

    /// <summary><c>XENMEM_maximum_reservation</c>.</summary>
    MaximumReservation = 4,

    /// <summary><c>XENMEM_maximum_gpfn</c>.</summary>
    MaximumGpfn = 14,

    /// <summary><c>XENMEM_machphys_mfn_list</c>.</summary>
    MachPhysMfnList = 5,

    /// <summary><c>XENMEM_machphys_compat_mfn_list</c>.</summary>
    MachPhysCompatMfnList = 25,

    /// <summary><c>XENMEM_machphys_mapping</c>.</summary>
    MachPhysMapping = 12,

    /// <summary><c>XENMEM_add_to_physmap</c>.</summary>
    AddToPhysMap = 7,

    /// <summary><c>XENMEM_add_to_physmap_batch</c>.</summary>
    AddToPhysMapBatch = 23,

    /// <summary><c>XENMEM_remove_from_physmap</c>.</summary>
    RemoveFromPhysMap = 15,

    /// <summary><c>XENMEM_memory_map</c>.</summary>
    MemoryMap = 9,

    /// <summary><c>XENMEM_machine_memory_map</c>.</summary>
    MachineMemoryMap = 10,

    /// <summary><c>XENMEM_set_memory_map</c>.</summary>
    SetMemoryMap = 13,

    /// <summary><c>XENMEM_set_pod_target</c>.</summary>
    SetPodTarget = 16,

    /// <summary><c>XENMEM_get_pod_target</c>.</summary>
    GetPodTarget = 17,

    /// <summary><c>XENMEM_get_sharing_freed_pages</c>.</summary>
    GetSharingFreedPages = 18,

    /// <summary><c>XENMEM_get_sharing_shared_pages</c>.</summary>
    GetSharingSharedPages = 19,

    /// <summary><c>XENMEM_paging_op</c>.</summary>
    PagingOp = 20,

    /// <summary><c>XENMEM_access_op</c>.</summary>
    AccessOp = 21,

    /// <summary><c>XENMEM_sharing_op</c>.</summary>
    SharingOp = 22,

    /// <summary><c>XENMEM_claim_pages</c>.</summary>
    ClaimPages = 24,

    /// <summary><c>XENMEM_reserved_device_memory_map</c>.</summary>
    ReservedDeviceMemoryMap = 27,

    /// <summary><c>XENMEM_acquire_resource</c>.</summary>
    AcquireResource = 28,

    /// <summary><c>XENMEM_get_vnumainfo</c>.</summary>
    GetVNumaInfo = 26,
}

/// <summary>
/// <c>XENMEMF_*</c>: bits of <see cref="MemoryReservation.MemFlags"/>; bits 7:0 limit the address width, bits 15:8 name
/// a node plus one.
/// </summary>
public static class MemoryFlags
{
    /// <summary><c>XENMEMF_populate_on_demand</c>.</summary>
    public const uint PopulateOnDemand = 0x10000;

    /// <summary><c>XENMEMF_exact_node_request</c>.</summary>
    public const uint ExactNodeRequest = 0x20000;

    /// <summary><c>XENMEMF_vnode</c>: the node is one of the virtual topology.</summary>
    public const uint VNode = 0x40000;
}

/// <summary><c>XENMAPSPACE_*</c>: what add_to_physmap maps.</summary>
public enum MapSpace : uint
{
    /// <summary><c>XENMAPSPACE_shared_info</c>.</summary>
    SharedInfo = 0,

    /// <summary><c>XENMAPSPACE_grant_table</c>.</summary>
    GrantTable = 1,

    /// <summary><c>XENMAPSPACE_gmfn</c>.</summary>
    Gmfn = 2,

    /// <summary><c>XENMAPSPACE_gmfn_range</c>.</summary>
    GmfnRange = 3,

    /// <summary><c>XENMAPSPACE_gmfn_foreign</c>.</summary>
    GmfnForeign = 4,

    /// <summary><c>XENMAPSPACE_dev_mmio</c>.</summary>
    DevMmio = 5,
}

/// <summary><c>XENMEM_resource_*</c>: what acquire_resource maps.</summary>
public enum MemoryResource : ushort
{
    /// <summary><c>XENMEM_resource_ioreq_server</c>.</summary>
    IoreqServer = 0,

    /// <summary><c>XENMEM_resource_grant_table</c>.</summary>
    GrantTable = 1,

    /// <summary><c>XENMEM_resource_vmtrace_buf</c>.</summary>
    VmTraceBuf = 2,
}

/// <summary><c>XENMEM_resource_grant_table_id_*</c>: which part of the grant table.</summary>
public enum GrantTableResource : uint
{
    /// <summary><c>XENMEM_resource_grant_table_id_shared</c>.</summary>
    Shared = 0,

    /// <summary><c>XENMEM_resource_grant_table_id_status</c>.</summary>
    Status = 1,
}
