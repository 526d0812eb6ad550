// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xenpf_set_processor_pminfo</c>: ACPI power data of one CPU.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x70)]
public struct PlatformSetProcessorPmInfo
{
    /// <summary><c>id</c>: ACPI id.</summary>
    [FieldOffset(0x0)]
    public uint Id;

    /// <summary><c>type</c>: <see cref="PowerManagementType"/>.</summary>
    [FieldOffset(0x4)]
    public uint Type;

    /// <summary><c>u.power</c>.</summary>
    [FieldOffset(0x8)]
    public ProcessorPower Power;

    /// <summary><c>u.perf</c>.</summary>
    [FieldOffset(0x8)]
    public ProcessorPerformance Perf;

    /// <summary><c>u.pdc</c>: guest address of the words.</summary>
    [FieldOffset(0x8)]
    public ulong Pdc;
}

/// <summary><c>struct xen_power_register</c>: ACPI generic address.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PowerRegister
{
    /// <summary><c>space_id</c>.</summary>
    public uint SpaceId;

    /// <summary><c>bit_width</c>.</summary>
    public uint BitWidth;

    /// <summary><c>bit_offset</c>.</summary>
    public uint BitOffset;

    /// <summary><c>access_size</c>.</summary>
    public uint AccessSize;

    /// <summary><c>address</c>.</summary>
    public ulong Address;
}

/// <summary><c>struct xen_processor_csd</c>: idle-state dependency.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProcessorCsd
{
    /// <summary><c>domain</c>.</summary>
    public uint Domain;

    /// <summary><c>coord_type</c>.</summary>
    public uint CoordType;

    /// <summary><c>num</c>.</summary>
    public uint Num;
}

/// <summary><c>struct xen_processor_cx</c>: one idle state.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProcessorCx
{
    /// <summary><c>reg</c>.</summary>
    public PowerRegister Reg;

    /// <summary><c>type</c>.</summary>
    public byte Type;

    /// <summary><c>latency</c>.</summary>
    public uint Latency;

    /// <summary><c>power</c>.</summary>
    public uint Power;

    /// <summary><c>dpcnt</c>.</summary>
    public uint Dpcnt;

    /// <summary><c>dp</c>: guest address of the <see cref="ProcessorCsd"/> list.</summary>
    public ulong Dp;
}

/// <summary><c>struct xen_processor_flags</c>: five one-bit fields.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x4)]
public struct ProcessorFlags
{
    /// <summary>
    /// <c>bm_control</c>, <c>bm_check</c>, <c>has_cst</c>, <c>power_setup_done</c>, <c>bm_rld_set</c>: bits 0 to 4.
    /// </summary>
    [FieldOffset(0x0)]
    public uint Bits;
}

/// <summary><c>struct xen_processor_power</c>: idle states of a CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProcessorPower
{
    /// <summary><c>count</c>.</summary>
    public uint Count;

    /// <summary><c>flags</c>.</summary>
    public ProcessorFlags Flags;

    /// <summary><c>states</c>: guest address of the <see cref="ProcessorCx"/> list.</summary>
    public ulong States;
}

/// <summary><c>struct xen_pct_register</c>: ACPI register of performance control.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PctRegister
{
    /// <summary><c>descriptor</c>.</summary>
    public byte Descriptor;

    /// <summary><c>length</c>.</summary>
    public ushort Length;

    /// <summary><c>space_id</c>.</summary>
    public byte SpaceId;

    /// <summary><c>bit_width</c>.</summary>
    public byte BitWidth;

    /// <summary><c>bit_offset</c>.</summary>
    public byte BitOffset;

    /// <summary><c>reserved</c>.</summary>
    public byte Reserved;

    /// <summary><c>address</c>.</summary>
    public ulong Address;
}

/// <summary><c>struct xen_processor_px</c>: one performance state.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProcessorPx
{
    /// <summary><c>core_frequency</c>.</summary>
    public ulong CoreFrequency;

    /// <summary><c>power</c>.</summary>
    public ulong Power;

    /// <summary><c>transition_latency</c>.</summary>
    public ulong TransitionLatency;

    /// <summary><c>bus_master_latency</c>.</summary>
    public ulong BusMasterLatency;

    /// <summary><c>control</c>.</summary>
    public ulong Control;

    /// <summary><c>status</c>.</summary>
    public ulong Status;
}

/// <summary><c>struct xen_psd_package</c>: performance-state dependency.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PsdPackage
{
    /// <summary><c>num_entries</c>.</summary>
    public ulong NumEntries;

    /// <summary><c>revision</c>.</summary>
    public ulong Revision;

    /// <summary><c>domain</c>.</summary>
    public ulong Domain;

    /// <summary><c>coord_type</c>.</summary>
    public ulong CoordType;

    /// <summary><c>num_processors</c>.</summary>
    public ulong NumProcessors;
}

/// <summary><c>struct xen_processor_performance</c>: performance states of a CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ProcessorPerformance
{
    /// <summary><c>flags</c>: <see cref="PerformanceInfoFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>platform_limit</c>.</summary>
    public uint PlatformLimit;

    /// <summary><c>control_register</c>.</summary>
    public PctRegister ControlRegister;

    /// <summary><c>status_register</c>.</summary>
    public PctRegister StatusRegister;

    /// <summary><c>state_count</c>.</summary>
    public uint StateCount;

    /// <summary><c>states</c>: guest address of the <see cref="ProcessorPx"/> list.</summary>
    public ulong States;

    /// <summary><c>domain_info</c>.</summary>
    public PsdPackage DomainInfo;

    /// <summary><c>shared_type</c>: <see cref="PerformanceSharedType"/>.</summary>
    public uint SharedType;
}
