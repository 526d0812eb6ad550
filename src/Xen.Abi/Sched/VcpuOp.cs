// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>VCPUOP_*</c>: sub-operation of vcpu_op.</summary>
public enum VcpuCommand : uint
{
    /// <summary><c>VCPUOP_initialise</c>.</summary>
    Initialise = 0,

    /// <summary><c>VCPUOP_up</c>.</summary>
    Up = 1,

    /// <summary><c>VCPUOP_down</c>.</summary>
    Down = 2,

    /// <summary><c>VCPUOP_is_up</c>.</summary>
    IsUp = 3,

    /// <summary><c>VCPUOP_get_runstate_info</c>.</summary>
    GetRunStateInfo = 4,

    /// <summary><c>VCPUOP_register_runstate_memory_area</c>.</summary>
    RegisterRunStateMemoryArea = 5,

    /// <summary><c>VCPUOP_set_periodic_timer</c>.</summary>
    SetPeriodicTimer = 6,

    /// <summary><c>VCPUOP_stop_periodic_timer</c>.</summary>
    StopPeriodicTimer = 7,

    /// <summary><c>VCPUOP_set_singleshot_timer</c>.</summary>
    SetSingleShotTimer = 8,

    /// <summary><c>VCPUOP_stop_singleshot_timer</c>.</summary>
    StopSingleShotTimer = 9,

    /// <summary><c>VCPUOP_register_vcpu_info</c>.</summary>
    RegisterVcpuInfo = 10,

    /// <summary><c>VCPUOP_send_nmi</c>.</summary>
    SendNmi = 11,

    /// <summary><c>VCPUOP_get_physid</c>.</summary>
    GetPhysId = 12,

    /// <summary><c>VCPUOP_register_vcpu_time_memory_area</c>.</summary>
    RegisterVcpuTimeMemoryArea = 13,
}

/// <summary><c>RUNSTATE_*</c>: values of <see cref="VcpuRunStateInfo.State"/>.</summary>
public enum RunState : int
{
    /// <summary><c>RUNSTATE_running</c>.</summary>
    Running = 0,

    /// <summary><c>RUNSTATE_runnable</c>: waits for a physical CPU.</summary>
    Runnable = 1,

    /// <summary><c>RUNSTATE_blocked</c>.</summary>
    Blocked = 2,

    /// <summary><c>RUNSTATE_offline</c>: neither blocked nor runnable.</summary>
    Offline = 3,
}

/// <summary><c>struct vcpu_runstate_info</c>: what a vCPU spent its time on.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuRunStateInfo
{
    /// <summary><c>state</c>: <see cref="RunState"/>.</summary>
    public int State;

    /// <summary><c>state_entry_time</c>: system time at which it was entered.</summary>
    public ulong StateEntryTime;

    /// <summary><c>time</c>: nanoseconds in each state.</summary>
    public fixed ulong Time[4];
}

/// <summary><c>XEN_RUNSTATE_*</c>: bits of <see cref="VcpuRunStateInfo.StateEntryTime"/>.</summary>
public static class RunStateFlags
{
    /// <summary><c>XEN_RUNSTATE_UPDATE</c>: an update is in progress.</summary>
    public const ulong Update = 0x8000000000000000;
}

/// <summary><c>struct vcpu_register_runstate_memory_area</c>: where the guest wants the record.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuRegisterRunStateMemoryArea
{
    /// <summary><c>addr.p</c>: guest virtual address.</summary>
    public ulong AddrP;
}

/// <summary><c>struct vcpu_set_periodic_timer</c>: argument of set_periodic_timer.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuSetPeriodicTimer
{
    /// <summary><c>period_ns</c>.</summary>
    public ulong PeriodNs;
}

/// <summary><c>struct vcpu_set_singleshot_timer</c>: argument of set_singleshot_timer.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuSetSingleShotTimer
{
    /// <summary><c>timeout_abs_ns</c>: absolute system time.</summary>
    public ulong TimeoutAbsNs;

    /// <summary><c>flags</c>: <see cref="SingleShotTimerFlags"/>.</summary>
    public uint Flags;
}

/// <summary><c>VCPU_SSHOTTMR_*</c>: bits of <see cref="VcpuSetSingleShotTimer.Flags"/>.</summary>
public static class SingleShotTimerFlags
{
    /// <summary><c>VCPU_SSHOTTMR_future</c>: a passed deadline should be an error; may be ignored.</summary>
    public const uint Future = 0x1;
}

/// <summary><c>struct vcpu_register_vcpu_info</c>: where the guest wants the vCPU record.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuRegisterVcpuInfo
{
    /// <summary><c>mfn</c>: machine frame.</summary>
    public ulong Mfn;

    /// <summary><c>offset</c>: within the frame.</summary>
    public uint Offset;

    /// <summary><c>rsvd</c>.</summary>
    public uint Rsvd;
}

/// <summary><c>struct vcpu_get_physid</c>: argument of get_physid.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuGetPhysId
{
    /// <summary><c>phys_id</c>: APIC id in the lower half, ACPI id in the upper.</summary>
    public ulong PhysId;
}

/// <summary><c>struct vcpu_register_time_memory_area</c>: where the guest wants a copy of the clock.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct VcpuRegisterTimeMemoryArea
{
    /// <summary><c>addr.p</c>: guest virtual address.</summary>
    public ulong AddrP;
}
