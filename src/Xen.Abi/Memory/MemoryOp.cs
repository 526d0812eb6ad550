// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_memory_reservation</c>: extents that enter or leave a domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MemoryReservation
{
    /// <summary><c>extent_start</c>: guest address of the list of frame numbers.</summary>
    public ulong ExtentStart;

    /// <summary><c>nr_extents</c>.</summary>
    public ulong NrExtents;

    /// <summary><c>extent_order</c>: each extent has 2^order pages.</summary>
    public uint ExtentOrder;

    /// <summary><c>mem_flags</c>: <see cref="MemoryFlags"/>.</summary>
    public uint MemFlags;

    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;
}

/// <summary><c>struct xen_memory_exchange</c>: extents given for extents of another shape.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MemoryExchange
{
    /// <summary><c>in</c>: what the guest gives.</summary>
    public MemoryReservation In;

    /// <summary><c>out</c>: what it wants.</summary>
    public MemoryReservation Out;

    /// <summary><c>nr_exchanged</c>: input extents done; zero at the call.</summary>
    public ulong NrExchanged;
}

/// <summary><c>struct xen_memory_domain</c>: argument of the reservation queries.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MemoryDomain
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;
}

/// <summary><c>struct xen_machphys_mfn_list</c>: frames of the machine-to-physical table, one for 2 MiB.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MachPhysMfnList
{
    /// <summary><c>max_extents</c>.</summary>
    public uint MaxExtents;

    /// <summary><c>extent_start</c>: guest address of the list.</summary>
    public ulong ExtentStart;

    /// <summary><c>nr_extents</c>.</summary>
    public uint NrExtents;
}

/// <summary><c>struct xen_machphys_mapping</c>: where the machine-to-physical table is.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MachPhysMapping
{
    /// <summary><c>v_start</c>.</summary>
    public ulong VStart;

    /// <summary><c>v_end</c>.</summary>
    public ulong VEnd;

    /// <summary><c>max_mfn</c>: last frame that has an entry.</summary>
    public ulong MaxMfn;
}

/// <summary><c>struct xen_add_to_physmap</c>: one page into a translated domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct AddToPhysMap
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>size</c>.</summary>
    public ushort Size;

    /// <summary><c>space</c>: <see cref="MapSpace"/>.</summary>
    public uint Space;

    /// <summary><c>idx</c>.</summary>
    public ulong Idx;

    /// <summary><c>gpfn</c>.</summary>
    public ulong Gpfn;
}

/// <summary><c>struct xen_add_to_physmap_batch</c>: many pages into a translated domain.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x20)]
public struct AddToPhysMapBatch
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    [FieldOffset(0x0)]
    public DomId Domid;

    /// <summary><c>space</c>: <see cref="MapSpace"/>.</summary>
    [FieldOffset(0x2)]
    public ushort Space;

    /// <summary><c>size</c>.</summary>
    [FieldOffset(0x4)]
    public ushort Size;

    /// <summary><c>u.foreign_domid</c>: owner of foreign frames.</summary>
    [FieldOffset(0x6)]
    public DomId ForeignDomid;

    /// <summary><c>u.res0</c>.</summary>
    [FieldOffset(0x6)]
    public ushort Res0;

    /// <summary><c>idxs</c>.</summary>
    [FieldOffset(0x8)]
    public ulong Idxs;

    /// <summary><c>gpfns</c>.</summary>
    [FieldOffset(0x10)]
    public ulong Gpfns;

    /// <summary><c>errs</c>.</summary>
    [FieldOffset(0x18)]
    public ulong Errs;
}

/// <summary><c>struct xen_remove_from_physmap</c>: one page out of a translated domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct RemoveFromPhysMap
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>gpfn</c>.</summary>
    public ulong Gpfn;
}

/// <summary><c>struct xen_memory_map</c>: an E820 map.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MemoryMap
{
    /// <summary><c>nr_entries</c>: room at the call, entries written at return.</summary>
    public uint NrEntries;

    /// <summary><c>buffer</c>: guest address of the <see cref="E820Entry"/> list.</summary>
    public ulong Buffer;
}

/// <summary><c>struct xen_foreign_memory_map</c>: the E820 map of another domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ForeignMemoryMap
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>map</c>.</summary>
    public MemoryMap Map;
}

/// <summary><c>struct xen_reserved_device_memory</c>: frames tied to a device.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ReservedDeviceMemory
{
    /// <summary><c>start_pfn</c>.</summary>
    public ulong StartPfn;

    /// <summary><c>nr_pages</c>.</summary>
    public ulong NrPages;
}

/// <summary><c>struct xen_reserved_device_memory_map</c>: query of frames tied to devices.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ReservedDeviceMemoryMap
{
    /// <summary><c>flags</c>.</summary>
    public uint Flags;

    /// <summary><c>nr_entries</c>.</summary>
    public uint NrEntries;

    /// <summary><c>buffer</c>.</summary>
    public ulong Buffer;

    /// <summary><c>dev.pci</c>.</summary>
    public PhysDevPciDevice DevPci;
}

/// <summary><c>struct xen_mem_acquire_resource</c>: frames of a hypervisor object, for the tools to map.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MemAcquireResource
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>type</c>: <see cref="MemoryResource"/>.</summary>
    public ushort Type;

    /// <summary><c>id</c>.</summary>
    public uint Id;

    /// <summary><c>nr_frames</c>: with no list: receives the size of the object.</summary>
    public uint NrFrames;

    /// <summary><c>pad</c>.</summary>
    public uint Pad;

    /// <summary><c>frame</c>: index of the first frame.</summary>
    public ulong Frame;

    /// <summary><c>frame_list</c>: guest address of the list that receives the frames.</summary>
    public ulong FrameList;
}

/// <summary><c>struct xen_vmemrange</c>: one memory range of a virtual topology.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VMemRange
{
    /// <summary><c>start</c>.</summary>
    public ulong Start;

    /// <summary><c>end</c>.</summary>
    public ulong End;

    /// <summary><c>flags</c>.</summary>
    public uint Flags;

    /// <summary><c>nid</c>: virtual node.</summary>
    public uint Nid;
}

/// <summary><c>struct xen_vnuma_topology_info</c>: virtual topology.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VNumaTopologyInfo
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>pad</c>.</summary>
    public ushort Pad;

    /// <summary><c>nr_vnodes</c>.</summary>
    public uint NrVNodes;

    /// <summary><c>nr_vcpus</c>.</summary>
    public uint NrVcpus;

    /// <summary><c>nr_vmemranges</c>.</summary>
    public uint NrVMemRanges;

    /// <summary><c>vdistance.pad</c>.</summary>
    public ulong VdistancePad;

    /// <summary><c>vcpu_to_vnode.pad</c>.</summary>
    public ulong VcpuToVNodePad;

    /// <summary><c>vmemrange.pad</c>.</summary>
    public ulong VMemRangePad;
}
