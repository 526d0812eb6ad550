// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi.Extensions;

/// <summary>The one sub-operation of sysctl that Xen does not have (it answers ENOSYS): the scheduling policies of the
/// running machine and their parameters. The argument lies where the header has <c>u.pad</c>.</summary>
public static class SchedulingExtension
{
    /// <summary>Value of <c>cmd</c>, far from what Xen counts up.</summary>
    public const uint SysCtl = 0x5343_0001;
}

/// <summary>What <see cref="SchedulingOp.Op"/> asks for.</summary>
public enum SchedulingCommand : uint
{
    /// <summary>Which policy is in force?</summary>
    GetPolicy = 0,

    /// <summary>Puts <see cref="SchedulingOp.Policy"/> in force, for all domains at once. ENOSPC: the reservations that
    /// are set do not fit; nothing has changed.</summary>
    SetPolicy = 1,

    /// <summary>Parameters of <see cref="SchedulingOp.Domain"/> for <see cref="SchedulingOp.Policy"/>, be it in force
    /// or not.</summary>
    GetDomain = 2,

    /// <summary>Sets them. EINVAL: out of range; ENOSPC: the reservation does not fit.</summary>
    SetDomain = 3,

    /// <summary>What holds for the machine as a whole.</summary>
    GetMachine = 4,

    /// <summary>Sets it. EINVAL: out of range.</summary>
    SetMachine = 5,
}

/// <summary>The policies.</summary>
public enum SchedulingPolicy : uint
{
    Credit = 0,
    Sedf = 1,
    Bvt = 2,
}

/// <summary>Argument of <see cref="SchedulingExtension.SysCtl"/>; times are nanoseconds.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x40)]
public struct SchedulingOp
{
    [FieldOffset(0x0)]
    public SchedulingCommand Op;

    [FieldOffset(0x4)]
    public SchedulingPolicy Policy;

    [FieldOffset(0x8)]
    public uint Domain;

    /// <summary>Out of SetPolicy: vCPUs that were taken over.</summary>
    [FieldOffset(0xC)]
    public uint Vcpus;

    /// <summary>Out of SetPolicy: for how long nobody could be scheduled.</summary>
    [FieldOffset(0x10)]
    public ulong Pause;

    [FieldOffset(0x18)]
    public CreditShare Credit;

    [FieldOffset(0x18)]
    public SedfReservation Sedf;

    [FieldOffset(0x18)]
    public BvtShare Bvt;

    [FieldOffset(0x18)]
    public SchedulingTimes Machine;
}

/// <summary>A domain under credit.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreditShare
{
    public uint Weight;
    public uint Cap;
}

/// <summary>Each vCPU of a domain under sedf.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SedfReservation
{
    public ulong Period;
    public ulong Slice;
    public ulong Latency;
    public uint Weight;
    public uint ExtraTime;
}

/// <summary>Each vCPU of a domain under bvt.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BvtShare
{
    public uint Advance;
    public uint IsWarping;
    public ulong WarpValue;
    public ulong WarpLimit;
    public ulong UnwarpRequirement;
}

/// <summary>The machine as a whole.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedulingTimes
{
    public ulong TimeSlice;
    public ulong RateLimit;
    public ulong ContextSwitchAllowance;
}
