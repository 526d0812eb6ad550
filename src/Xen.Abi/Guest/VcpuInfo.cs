// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct vcpu_info</c>: record of one vCPU; may not cross a page boundary.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuInfo
{
    /// <summary><c>evtchn_upcall_pending</c>: set by the hypervisor, cleared by the guest before it scans.</summary>
    public byte EventChannelUpcallPending;

    /// <summary><c>evtchn_upcall_mask</c>: non-zero holds upcalls back: the virtual interrupt flag.</summary>
    public byte EventChannelUpcallMask;

    /// <summary><c>evtchn_pending_sel</c>: one bit for each word of pending bits that has news.</summary>
    public ulong EventChannelPendingSel;

    /// <summary><c>arch</c>: x86 part.</summary>
    public ArchVcpuInfo Arch;

    /// <summary><c>time</c>: clock.</summary>
    public VcpuTimeInfo Time;
}

/// <summary><c>struct arch_vcpu_info</c>: x86 part of the vCPU record.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ArchVcpuInfo
{
    /// <summary><c>cr2</c>: address of the last page fault.</summary>
    public ulong Cr2;

    /// <summary><c>pad</c>.</summary>
    public ulong Pad;
}

/// <summary>
/// <c>struct vcpu_time_info</c>: clock of a vCPU: nanoseconds = system_time + ((tsc - tsc_timestamp) shifted by
/// tsc_shift) * tsc_to_system_mul >> 32.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuTimeInfo
{
    /// <summary><c>version</c>: odd while the record is being written.</summary>
    public uint Version;

    /// <summary><c>pad0</c>.</summary>
    public uint Pad0;

    /// <summary><c>tsc_timestamp</c>: time stamp counter at the last update.</summary>
    public ulong TscTimestamp;

    /// <summary><c>system_time</c>: nanoseconds since boot at the last update.</summary>
    public ulong SystemTime;

    /// <summary><c>tsc_to_system_mul</c>: nanoseconds a tick, as a fraction of 2^32.</summary>
    public uint TscToSystemMul;

    /// <summary><c>tsc_shift</c>: left shift, right if negative, before the multiplication.</summary>
    public sbyte TscShift;

    /// <summary><c>flags</c>: <see cref="PvClockFlags"/>.</summary>
    public byte Flags;

    /// <summary><c>pad1</c>.</summary>
    public fixed byte Pad1[2];
}

/// <summary><c>XEN_PVCLOCK_*</c>: bits of <see cref="VcpuTimeInfo.Flags"/>.</summary>
public static class PvClockFlags
{
    /// <summary><c>XEN_PVCLOCK_TSC_STABLE_BIT</c>: counters of all CPUs agree.</summary>
    public const byte TscStableBit = 0x1;

    /// <summary><c>XEN_PVCLOCK_GUEST_STOPPED</c>.</summary>
    public const byte GuestStopped = 0x2;
}
