// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xenpf_settime32</c>: wall clock, 32-bit seconds.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformSetTime32
{
    /// <summary><c>secs</c>.</summary>
    public uint Secs;

    /// <summary><c>nsecs</c>.</summary>
    public uint Nsecs;

    /// <summary><c>system_time</c>: to which the wall clock belongs.</summary>
    public ulong SystemTime;
}

/// <summary><c>struct xenpf_settime64</c>: wall clock, 64-bit seconds.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformSetTime64
{
    /// <summary><c>secs</c>.</summary>
    public ulong Secs;

    /// <summary><c>nsecs</c>.</summary>
    public uint Nsecs;

    /// <summary><c>mbz</c>: zero.</summary>
    public uint Mbz;

    /// <summary><c>system_time</c>: to which the wall clock belongs.</summary>
    public ulong SystemTime;
}

/// <summary><c>struct xenpf_add_memtype</c>: argument of add_memtype.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformAddMemType
{
    /// <summary><c>mfn</c>.</summary>
    public ulong Mfn;

    /// <summary><c>nr_mfns</c>.</summary>
    public ulong NrMfns;

    /// <summary><c>type</c>.</summary>
    public uint Type;

    /// <summary><c>handle</c>.</summary>
    public uint Handle;

    /// <summary><c>reg</c>.</summary>
    public uint Reg;
}

/// <summary><c>struct xenpf_del_memtype</c>: argument of del_memtype.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformDelMemType
{
    /// <summary><c>handle</c>.</summary>
    public uint Handle;

    /// <summary><c>reg</c>.</summary>
    public uint Reg;
}

/// <summary><c>struct xenpf_read_memtype</c>: argument of read_memtype.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformReadMemType
{
    /// <summary><c>reg</c>.</summary>
    public uint Reg;

    /// <summary><c>mfn</c>.</summary>
    public ulong Mfn;

    /// <summary><c>nr_mfns</c>.</summary>
    public ulong NrMfns;

    /// <summary><c>type</c>.</summary>
    public uint Type;
}

/// <summary><c>struct xenpf_microcode_update</c>: argument of microcode_update.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformMicrocodeUpdate
{
    /// <summary><c>data</c>.</summary>
    public ulong Data;

    /// <summary><c>length</c>.</summary>
    public uint Length;
}

/// <summary><c>struct xenpf_platform_quirk</c>: argument of platform_quirk.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformPlatformQuirk
{
    /// <summary><c>quirk_id</c>.</summary>
    public uint QuirkId;
}

/// <summary><c>struct xenpf_enter_acpi_sleep</c>: argument of enter_acpi_sleep.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformEnterAcpiSleep
{
    /// <summary><c>val_a</c>: value for PM1a control.</summary>
    public ushort ValA;

    /// <summary><c>val_b</c>: value for PM1b control.</summary>
    public ushort ValB;

    /// <summary><c>sleep_state</c>: 5 is power-off.</summary>
    public uint SleepState;

    /// <summary><c>flags</c>: <see cref="AcpiSleepFlags"/>.</summary>
    public uint Flags;
}

/// <summary><c>struct xenpf_change_freq</c>: argument of change_freq.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformChangeFreq
{
    /// <summary><c>flags</c>.</summary>
    public uint Flags;

    /// <summary><c>cpu</c>.</summary>
    public uint Cpu;

    /// <summary><c>freq</c>.</summary>
    public ulong Freq;
}

/// <summary><c>struct xenpf_getidletime</c>: argument of getidletime.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformGetIdleTime
{
    /// <summary><c>cpumap_bitmap</c>.</summary>
    public ulong CpuMapBitmap;

    /// <summary><c>cpumap_nr_cpus</c>.</summary>
    public uint CpuMapNrCpus;

    /// <summary><c>idletime</c>.</summary>
    public ulong IdleTime;

    /// <summary><c>now</c>.</summary>
    public ulong Now;
}

/// <summary><c>struct xenpf_pcpuinfo</c>: argument of get_cpuinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformPCpuInfo
{
    /// <summary><c>xen_cpuid</c>: which CPU.</summary>
    public uint XenCpuId;

    /// <summary><c>max_present</c>.</summary>
    public uint MaxPresent;

    /// <summary><c>flags</c>: <see cref="PhysicalCpuFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>apic_id</c>.</summary>
    public uint ApicId;

    /// <summary><c>acpi_id</c>.</summary>
    public uint AcpiId;
}

/// <summary><c>struct xenpf_pcpu_version</c>: argument of get_cpu_version.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PlatformPCpuVersion
{
    /// <summary><c>xen_cpuid</c>.</summary>
    public uint XenCpuId;

    /// <summary><c>max_present</c>.</summary>
    public uint MaxPresent;

    /// <summary><c>vendor_id</c>.</summary>
    public fixed byte VendorId[12];

    /// <summary><c>family</c>.</summary>
    public uint Family;

    /// <summary><c>model</c>.</summary>
    public uint Model;

    /// <summary><c>stepping</c>.</summary>
    public uint Stepping;
}

/// <summary><c>struct xenpf_cpu_ol</c>: argument of cpu_online and cpu_offline.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformCpuOl
{
    /// <summary><c>cpuid</c>.</summary>
    public uint CpuId;
}

/// <summary><c>struct xenpf_cpu_hotadd</c>: argument of cpu_hotadd.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformCpuHotAdd
{
    /// <summary><c>apic_id</c>.</summary>
    public uint ApicId;

    /// <summary><c>acpi_id</c>.</summary>
    public uint AcpiId;

    /// <summary><c>pxm</c>.</summary>
    public uint Pxm;
}

/// <summary><c>struct xenpf_mem_hotadd</c>: argument of mem_hotadd.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformMemHotAdd
{
    /// <summary><c>spfn</c>.</summary>
    public ulong Spfn;

    /// <summary><c>epfn</c>.</summary>
    public ulong Epfn;

    /// <summary><c>pxm</c>.</summary>
    public uint Pxm;

    /// <summary><c>flags</c>.</summary>
    public uint Flags;
}

/// <summary><c>struct xenpf_core_parking</c>: argument of core_parking.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformCoreParking
{
    /// <summary><c>type</c>: <see cref="CoreParkingType"/>.</summary>
    public uint Type;

    /// <summary><c>idle_nums</c>.</summary>
    public uint IdleNums;
}

/// <summary><c>struct xenpf_resource_entry</c>: one access of resource_op.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x18)]
public struct PlatformResourceEntry
{
    /// <summary><c>u.cmd</c>: <see cref="ResourceOperation"/>.</summary>
    [FieldOffset(0x0)]
    public uint Cmd;

    /// <summary><c>u.ret</c>: result.</summary>
    [FieldOffset(0x0)]
    public int Ret;

    /// <summary><c>rsvd</c>.</summary>
    [FieldOffset(0x4)]
    public uint Rsvd;

    /// <summary><c>idx</c>.</summary>
    [FieldOffset(0x8)]
    public ulong Idx;

    /// <summary><c>val</c>.</summary>
    [FieldOffset(0x10)]
    public ulong Val;
}

/// <summary><c>struct xenpf_resource_op</c>: argument of resource_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformResourceOp
{
    /// <summary><c>nr_entries</c>.</summary>
    public uint NrEntries;

    /// <summary><c>cpu</c>.</summary>
    public uint Cpu;

    /// <summary><c>entries</c>.</summary>
    public ulong Entries;
}

/// <summary><c>struct xenpf_symdata</c>: argument of get_symbol.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformSymData
{
    /// <summary><c>namelen</c>: room, then length.</summary>
    public uint NameLen;

    /// <summary><c>symnum</c>: which, then the next.</summary>
    public uint SymNum;

    /// <summary><c>name</c>.</summary>
    public ulong Name;

    /// <summary><c>address</c>.</summary>
    public ulong Address;

    /// <summary><c>type</c>.</summary>
    public byte Type;
}

/// <summary><c>struct xen_platform_op</c>: argument of platform_op.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x88)]
public unsafe struct PlatformOp
{
    /// <summary><c>cmd</c>: <see cref="PlatformCommand"/>.</summary>
    [FieldOffset(0x0)]
    public uint Cmd;

    /// <summary><c>interface_version</c>: <see cref="PlatformInterface.Version"/>.</summary>
    [FieldOffset(0x4)]
    public uint InterfaceVersion;

    /// <summary><c>u.settime32</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformSetTime32 SetTime32;

    /// <summary><c>u.settime64</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformSetTime64 SetTime64;

    /// <summary><c>u.add_memtype</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformAddMemType AddMemType;

    /// <summary><c>u.del_memtype</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformDelMemType DelMemType;

    /// <summary><c>u.read_memtype</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformReadMemType ReadMemType;

    /// <summary><c>u.microcode</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformMicrocodeUpdate Microcode;

    /// <summary><c>u.platform_quirk</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformPlatformQuirk PlatformQuirk;

    /// <summary><c>u.efi_runtime_call</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformEfiRuntimeCall EfiRuntimeCall;

    /// <summary><c>u.firmware_info</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformFirmwareInfo FirmwareInfo;

    /// <summary><c>u.enter_acpi_sleep</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformEnterAcpiSleep EnterAcpiSleep;

    /// <summary><c>u.change_freq</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformChangeFreq ChangeFreq;

    /// <summary><c>u.getidletime</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformGetIdleTime GetIdleTime;

    /// <summary><c>u.set_pminfo</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformSetProcessorPmInfo SetPmInfo;

    /// <summary><c>u.pcpu_info</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformPCpuInfo PCpuInfo;

    /// <summary><c>u.pcpu_version</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformPCpuVersion PCpuVersion;

    /// <summary><c>u.cpu_ol</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformCpuOl CpuOl;

    /// <summary><c>u.cpu_add</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformCpuHotAdd CpuAdd;

    /// <summary><c>u.mem_add</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformMemHotAdd MemAdd;

    /// <summary><c>u.core_parking</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformCoreParking CoreParking;

    /// <summary><c>u.resource_op</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformResourceOp ResourceOp;

    /// <summary><c>u.symdata</c>.</summary>
    [FieldOffset(0x8)]
    public PlatformSymData SymData;

    /// <summary><c>u.pad</c>.</summary>
    [FieldOffset(0x8)]
    public fixed byte Pad[128];
}
