// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_domctl_irq_permission</c>: argument of irq_permission.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomCtlIrqPermission
{
    /// <summary><c>pirq</c>.</summary>
    public uint Pirq;

    /// <summary><c>allow_access</c>.</summary>
    public byte AllowAccess;

    /// <summary><c>pad</c>.</summary>
    public fixed byte Pad[3];
}

/// <summary><c>struct xen_domctl_iomem_permission</c>: argument of iomem_permission.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlIoMemPermission
{
    /// <summary><c>first_mfn</c>.</summary>
    public ulong FirstMfn;

    /// <summary><c>nr_mfns</c>.</summary>
    public ulong NrMfns;

    /// <summary><c>allow_access</c>.</summary>
    public byte AllowAccess;
}

/// <summary><c>struct xen_domctl_ioport_permission</c>: argument of ioport_permission.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlIoPortPermission
{
    /// <summary><c>first_port</c>.</summary>
    public uint FirstPort;

    /// <summary><c>nr_ports</c>.</summary>
    public uint NrPorts;

    /// <summary><c>allow_access</c>.</summary>
    public byte AllowAccess;
}

/// <summary>
/// <c>struct xen_domctl_assign_device</c>: argument of assign_device, test_assign_device and deassign_device.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 0x18)]
public struct DomCtlAssignDevice
{
    /// <summary><c>dev</c>: <see cref="AssignDeviceType"/>.</summary>
    [FieldOffset(0x0)]
    public uint Dev;

    /// <summary><c>flags</c>.</summary>
    [FieldOffset(0x4)]
    public uint Flags;

    /// <summary><c>u.pci.machine_sbdf</c>: segment, bus, device, function.</summary>
    [FieldOffset(0x8)]
    public uint PciMachineSbdf;

    /// <summary><c>u.dt.size</c>.</summary>
    [FieldOffset(0x8)]
    public uint DtSize;

    /// <summary><c>u.dt.path</c>.</summary>
    [FieldOffset(0x10)]
    public ulong DtPath;
}

/// <summary><c>struct xen_domctl_get_device_group</c>: argument of get_device_group.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlGetDeviceGroup
{
    /// <summary><c>machine_sbdf</c>.</summary>
    public uint MachineSbdf;

    /// <summary><c>max_sdevs</c>.</summary>
    public uint MaxSdevs;

    /// <summary><c>num_sdevs</c>.</summary>
    public uint NumSdevs;

    /// <summary><c>sdev_array</c>.</summary>
    public ulong SdevArray;
}

/// <summary><c>struct xen_domctl_bind_pt_irq</c>: argument of bind_pt_irq and unbind_pt_irq.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x18)]
public struct DomCtlBindPtIrq
{
    /// <summary><c>machine_irq</c>.</summary>
    [FieldOffset(0x0)]
    public uint MachineIrq;

    /// <summary><c>irq_type</c>.</summary>
    [FieldOffset(0x4)]
    public uint IrqType;

    /// <summary><c>u.isa.isa_irq</c>.</summary>
    [FieldOffset(0x8)]
    public byte IsaIsaIrq;

    /// <summary><c>u.pci.bus</c>.</summary>
    [FieldOffset(0x8)]
    public byte PciBus;

    /// <summary><c>u.pci.device</c>.</summary>
    [FieldOffset(0x9)]
    public byte PciDevice;

    /// <summary><c>u.pci.intx</c>.</summary>
    [FieldOffset(0xa)]
    public byte PciIntx;

    /// <summary><c>u.msi.gvec</c>.</summary>
    [FieldOffset(0x8)]
    public byte MsiGvec;

    /// <summary><c>u.msi.gflags</c>.</summary>
    [FieldOffset(0xc)]
    public uint MsiGflags;

    /// <summary><c>u.msi.gtable</c>.</summary>
    [FieldOffset(0x10)]
    public ulong MsiGtable;

    /// <summary><c>u.spi.spi</c>.</summary>
    [FieldOffset(0x8)]
    public ushort SpiSpi;
}

/// <summary><c>struct xen_domctl_memory_mapping</c>: argument of memory_mapping.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlMemoryMapping
{
    /// <summary><c>first_gfn</c>.</summary>
    public ulong FirstGfn;

    /// <summary><c>first_mfn</c>.</summary>
    public ulong FirstMfn;

    /// <summary><c>nr_mfns</c>.</summary>
    public ulong NrMfns;

    /// <summary><c>add_mapping</c>: 1 adds, 0 removes.</summary>
    public uint AddMapping;

    /// <summary><c>padding</c>.</summary>
    public uint Padding;
}

/// <summary><c>struct xen_domctl_ioport_mapping</c>: argument of ioport_mapping.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlIoPortMapping
{
    /// <summary><c>first_gport</c>.</summary>
    public uint FirstGport;

    /// <summary><c>first_mport</c>.</summary>
    public uint FirstMport;

    /// <summary><c>nr_ports</c>.</summary>
    public uint NrPorts;

    /// <summary><c>add_mapping</c>: 1 adds, 0 removes.</summary>
    public uint AddMapping;
}

/// <summary><c>struct xen_domctl_hvmcontext</c>: argument of gethvmcontext and sethvmcontext.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlHvmContext
{
    /// <summary><c>size</c>.</summary>
    public uint Size;

    /// <summary><c>buffer</c>.</summary>
    public ulong Buffer;
}

/// <summary><c>struct xen_domctl_hvmcontext_partial</c>: argument of gethvmcontext_partial.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlHvmContextPartial
{
    /// <summary><c>type</c>.</summary>
    public uint Type;

    /// <summary><c>instance</c>.</summary>
    public uint Instance;

    /// <summary><c>bufsz</c>.</summary>
    public ulong BufSz;

    /// <summary><c>buffer</c>.</summary>
    public ulong Buffer;
}
