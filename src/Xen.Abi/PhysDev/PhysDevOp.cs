// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>PHYSDEVOP_*</c>: sub-operation of physdev_op.</summary>
public enum PhysDevCommand : uint
{
    /// <summary><c>PHYSDEVOP_eoi</c>: the guest has serviced a level-triggered interrupt.</summary>
    Eoi = 12,

    /// <summary><c>PHYSDEVOP_pirq_eoi_gmfn_v1</c>.</summary>
    PirqEoiGmfnV1 = 17,

    /// <summary>
    /// <c>PHYSDEVOP_pirq_eoi_gmfn_v2</c>: page in which the hypervisor marks the interrupts that need an EOI.
    /// </summary>
    PirqEoiGmfnV2 = 28,

    /// <summary><c>PHYSDEVOP_irq_status_query</c>.</summary>
    IrqStatusQuery = 5,

    /// <summary><c>PHYSDEVOP_set_iopl</c>.</summary>
    SetIopl = 6,

    /// <summary><c>PHYSDEVOP_set_iobitmap</c>.</summary>
    SetIoBitmap = 7,

    /// <summary><c>PHYSDEVOP_apic_read</c>.</summary>
    ApicRead = 8,

    /// <summary><c>PHYSDEVOP_apic_write</c>.</summary>
    ApicWrite = 9,

    /// <summary><c>PHYSDEVOP_alloc_irq_vector</c>: legacy: must answer with some vector.</summary>
    AllocIrqVector = 10,

    /// <summary><c>PHYSDEVOP_free_irq_vector</c>.</summary>
    FreeIrqVector = 11,

    /// <summary><c>PHYSDEVOP_map_pirq</c>.</summary>
    MapPirq = 13,

    /// <summary><c>PHYSDEVOP_unmap_pirq</c>.</summary>
    UnmapPirq = 14,

    /// <summary><c>PHYSDEVOP_manage_pci_add</c>.</summary>
    ManagePciAdd = 15,

    /// <summary><c>PHYSDEVOP_manage_pci_remove</c>.</summary>
    ManagePciRemove = 16,

    /// <summary><c>PHYSDEVOP_restore_msi</c>.</summary>
    RestoreMsi = 19,

    /// <summary><c>PHYSDEVOP_manage_pci_add_ext</c>.</summary>
    ManagePciAddExt = 20,

    /// <summary><c>PHYSDEVOP_setup_gsi</c>.</summary>
    SetupGsi = 21,

    /// <summary><c>PHYSDEVOP_get_free_pirq</c>.</summary>
    GetFreePirq = 23,

    /// <summary><c>PHYSDEVOP_pci_mmcfg_reserved</c>.</summary>
    PciMmCfgReserved = 24,

    /// <summary><c>PHYSDEVOP_pci_device_add</c>.</summary>
    PciDeviceAdd = 25,

    /// <summary><c>PHYSDEVOP_pci_device_remove</c>.</summary>
    PciDeviceRemove = 26,

    /// <summary><c>PHYSDEVOP_restore_msi_ext</c>.</summary>
    RestoreMsiExt = 27,

    /// <summary><c>PHYSDEVOP_prepare_msix</c>.</summary>
    PrepareMsix = 30,

    /// <summary><c>PHYSDEVOP_release_msix</c>.</summary>
    ReleaseMsix = 31,

    /// <summary><c>PHYSDEVOP_dbgp_op</c>.</summary>
    DbgpOp = 29,
}

/// <summary><c>MAP_PIRQ_TYPE_*</c>: values of <see cref="PhysDevMapPirq.Type"/>.</summary>
public enum MapPirqType : int
{
    /// <summary><c>MAP_PIRQ_TYPE_MSI</c>.</summary>
    Msi = 0,

    /// <summary><c>MAP_PIRQ_TYPE_GSI</c>.</summary>
    Gsi = 1,

    /// <summary><c>MAP_PIRQ_TYPE_UNKNOWN</c>.</summary>
    Unknown = 2,

    /// <summary><c>MAP_PIRQ_TYPE_MSI_SEG</c>: the upper half of bus is the PCI segment.</summary>
    MsiSeg = 3,

    /// <summary><c>MAP_PIRQ_TYPE_MULTI_MSI</c>: a block of vectors.</summary>
    MultiMsi = 4,
}

/// <summary><c>XENIRQSTAT_*</c>: bits of <see cref="PhysDevIrqStatusQuery.Flags"/>.</summary>
public static class IrqStatusFlags
{
    /// <summary><c>XENIRQSTAT_needs_eoi</c>: the guest must call eoi.</summary>
    public const uint NeedsEoi = 0x1;

    /// <summary><c>XENIRQSTAT_shared</c>: other domains have it too.</summary>
    public const uint Shared = 0x2;
}

/// <summary><c>XEN_PCI_MMCFG_*</c>: bits of <see cref="PhysDevPciMmCfgReserved.Flags"/>.</summary>
public static class PciMmCfgFlags
{
    /// <summary><c>XEN_PCI_MMCFG_RESERVED</c>: firmware says so in the memory map or in ACPI.</summary>
    public const uint Reserved = 0x1;
}

/// <summary><c>XEN_PCI_DEV_*</c>: bits of <see cref="PhysDevPciDeviceAdd.Flags"/>.</summary>
public static class PciDeviceFlags
{
    /// <summary><c>XEN_PCI_DEV_EXTFN</c>.</summary>
    public const uint ExtFn = 0x1;

    /// <summary><c>XEN_PCI_DEV_VIRTFN</c>.</summary>
    public const uint VirtFn = 0x2;

    /// <summary><c>XEN_PCI_DEV_PXM</c>: the proximity domain follows the structure.</summary>
    public const uint Pxm = 0x4;
}

/// <summary><c>struct physdev_eoi</c>: argument of eoi.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevEoi
{
    /// <summary><c>irq</c>.</summary>
    public uint Irq;
}

/// <summary><c>struct physdev_pirq_eoi_gmfn</c>: argument of pirq_eoi_gmfn.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevPirqEoiGmfn
{
    /// <summary><c>gmfn</c>: frame of the bit map.</summary>
    public ulong Gmfn;
}

/// <summary><c>struct physdev_irq_status_query</c>: argument of irq_status_query.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevIrqStatusQuery
{
    /// <summary><c>irq</c>.</summary>
    public uint Irq;

    /// <summary><c>flags</c>: result, <see cref="IrqStatusFlags"/>.</summary>
    public uint Flags;
}

/// <summary><c>struct physdev_set_iopl</c>: argument of set_iopl.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevSetIopl
{
    /// <summary><c>iopl</c>: 0 to 3.</summary>
    public uint Iopl;
}

/// <summary><c>struct physdev_set_iobitmap</c>: argument of set_iobitmap.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevSetIoBitmap
{
    /// <summary><c>bitmap</c>: guest address; a set bit forbids the port.</summary>
    public ulong Bitmap;

    /// <summary><c>nr_ports</c>.</summary>
    public uint NrPorts;
}

/// <summary><c>struct physdev_apic</c>: argument of apic_read and apic_write.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevApic
{
    /// <summary><c>apic_physbase</c>: physical address of the I/O APIC.</summary>
    public ulong ApicPhysbase;

    /// <summary><c>reg</c>.</summary>
    public uint Reg;

    /// <summary><c>value</c>.</summary>
    public uint Value;
}

/// <summary><c>struct physdev_irq</c>: argument of alloc_irq_vector and free_irq_vector.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevIrq
{
    /// <summary><c>irq</c>.</summary>
    public uint Irq;

    /// <summary><c>vector</c>.</summary>
    public uint Vector;
}

/// <summary><c>struct physdev_map_pirq</c>: argument of map_pirq.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevMapPirq
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>type</c>: <see cref="MapPirqType"/>.</summary>
    public int Type;

    /// <summary><c>index</c>: GSI, or vector for old kernels.</summary>
    public int Index;

    /// <summary><c>pirq</c>: negative asks for a free one; result.</summary>
    public int Pirq;

    /// <summary><c>bus</c>.</summary>
    public int Bus;

    /// <summary><c>devfn</c>.</summary>
    public int DevFn;

    /// <summary><c>entry_nr</c>: MSI-X entry, or number of vectors.</summary>
    public int EntryNr;

    /// <summary><c>table_base</c>: physical address of the MSI-X table, 0 for MSI.</summary>
    public ulong TableBase;
}

/// <summary><c>struct physdev_unmap_pirq</c>: argument of unmap_pirq.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevUnmapPirq
{
    /// <summary><c>domid</c>: domain concerned.</summary>
    public DomId Domid;

    /// <summary><c>pirq</c>.</summary>
    public int Pirq;
}

/// <summary><c>struct physdev_manage_pci</c>: argument of manage_pci_add and manage_pci_remove.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevManagePci
{
    /// <summary><c>bus</c>.</summary>
    public byte Bus;

    /// <summary><c>devfn</c>.</summary>
    public byte DevFn;
}

/// <summary><c>struct physdev_restore_msi</c>: argument of restore_msi.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevRestoreMsi
{
    /// <summary><c>bus</c>.</summary>
    public byte Bus;

    /// <summary><c>devfn</c>.</summary>
    public byte DevFn;
}

/// <summary><c>struct physdev_manage_pci_ext</c>: argument of manage_pci_add_ext.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevManagePciExt
{
    /// <summary><c>bus</c>.</summary>
    public byte Bus;

    /// <summary><c>devfn</c>.</summary>
    public byte DevFn;

    /// <summary><c>is_extfn</c>.</summary>
    public uint IsExtFn;

    /// <summary><c>is_virtfn</c>.</summary>
    public uint IsVirtFn;

    /// <summary><c>physfn.bus</c>.</summary>
    public byte PhysFnBus;

    /// <summary><c>physfn.devfn</c>.</summary>
    public byte PhysFnDevFn;
}

/// <summary><c>struct physdev_setup_gsi</c>: argument of setup_gsi.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevSetupGsi
{
    /// <summary><c>gsi</c>.</summary>
    public int Gsi;

    /// <summary><c>triggering</c>: 0 edge, 1 level.</summary>
    public byte Triggering;

    /// <summary><c>polarity</c>: 0 high, 1 low.</summary>
    public byte Polarity;
}

/// <summary><c>struct physdev_get_free_pirq</c>: argument of get_free_pirq.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevGetFreePirq
{
    /// <summary><c>type</c>: <see cref="MapPirqType"/>.</summary>
    public int Type;

    /// <summary><c>pirq</c>: result.</summary>
    public uint Pirq;
}

/// <summary><c>struct physdev_pci_mmcfg_reserved</c>: argument of pci_mmcfg_reserved.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevPciMmCfgReserved
{
    /// <summary><c>address</c>: of bus 0 of the segment.</summary>
    public ulong Address;

    /// <summary><c>segment</c>.</summary>
    public ushort Segment;

    /// <summary><c>start_bus</c>.</summary>
    public byte StartBus;

    /// <summary><c>end_bus</c>.</summary>
    public byte EndBus;

    /// <summary><c>flags</c>: <see cref="PciMmCfgFlags"/>.</summary>
    public uint Flags;
}

/// <summary><c>struct physdev_pci_device_add</c>: argument of pci_device_add; optional words follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevPciDeviceAdd
{
    /// <summary><c>seg</c>.</summary>
    public ushort Seg;

    /// <summary><c>bus</c>.</summary>
    public byte Bus;

    /// <summary><c>devfn</c>.</summary>
    public byte DevFn;

    /// <summary><c>flags</c>: <see cref="PciDeviceFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>physfn.bus</c>: of the physical function, where this is a virtual one.</summary>
    public byte PhysFnBus;

    /// <summary><c>physfn.devfn</c>.</summary>
    public byte PhysFnDevFn;
}

/// <summary>
/// <c>struct physdev_pci_device</c>: argument of pci_device_remove, restore_msi_ext, prepare_msix, release_msix.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevPciDevice
{
    /// <summary><c>seg</c>.</summary>
    public ushort Seg;

    /// <summary><c>bus</c>.</summary>
    public byte Bus;

    /// <summary><c>devfn</c>.</summary>
    public byte DevFn;
}

/// <summary><c>PHYSDEVOP_DBGP_RESET_*</c>: values of <see cref="PhysDevDbgpOp.Op"/>.</summary>
public enum DebugPortOperation : byte
{
    /// <summary><c>PHYSDEVOP_DBGP_RESET_PREPARE</c>.</summary>
    Prepare = 1,

    /// <summary><c>PHYSDEVOP_DBGP_RESET_DONE</c>.</summary>
    Done = 2,
}

/// <summary><c>PHYSDEVOP_DBGP_BUS_*</c>: values of <see cref="PhysDevDbgpOp.Bus"/>.</summary>
public enum DebugPortBus : byte
{
    /// <summary><c>PHYSDEVOP_DBGP_BUS_UNKNOWN</c>.</summary>
    Unknown = 0,

    /// <summary><c>PHYSDEVOP_DBGP_BUS_PCI</c>.</summary>
    Pci = 1,
}

/// <summary><c>struct physdev_dbgp_op</c>: argument of dbgp_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PhysDevDbgpOp
{
    /// <summary><c>op</c>.</summary>
    public byte Op;

    /// <summary><c>bus</c>.</summary>
    public byte Bus;

    /// <summary><c>u.pci</c>.</summary>
    public PhysDevPciDevice Pci;
}
