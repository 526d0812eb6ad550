// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_domctl_sched_credit</c>: parameters of the credit scheduler.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSchedCredit
{
    /// <summary><c>weight</c>: share, 256 is usual.</summary>
    public ushort Weight;

    /// <summary><c>cap</c>: percent of one CPU, 0 for no limit.</summary>
    public ushort Cap;
}

/// <summary><c>struct xen_domctl_sched_credit2</c>: parameters of the credit2 scheduler.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSchedCredit2
{
    /// <summary><c>weight</c>.</summary>
    public ushort Weight;

    /// <summary><c>cap</c>.</summary>
    public ushort Cap;
}

/// <summary><c>struct xen_domctl_sched_rtds</c>: parameters of the real-time scheduler.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSchedRtds
{
    /// <summary><c>period</c>: microseconds.</summary>
    public uint Period;

    /// <summary><c>budget</c>: microseconds.</summary>
    public uint Budget;

    /// <summary><c>flags</c>: <see cref="RealTimeSchedulerFlags"/>.</summary>
    public uint Flags;
}

/// <summary><c>struct xen_domctl_schedparam_vcpu</c>: parameters of one vCPU.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x10)]
public struct DomCtlSchedParamVcpu
{
    /// <summary><c>u.credit</c>.</summary>
    [FieldOffset(0x0)]
    public DomCtlSchedCredit Credit;

    /// <summary><c>u.credit2</c>.</summary>
    [FieldOffset(0x0)]
    public DomCtlSchedCredit2 Credit2;

    /// <summary><c>u.rtds</c>.</summary>
    [FieldOffset(0x0)]
    public DomCtlSchedRtds Rtds;

    /// <summary><c>vcpuid</c>.</summary>
    [FieldOffset(0xc)]
    public uint VcpuId;
}

/// <summary><c>struct xen_domctl_scheduler_op</c>: argument of scheduler_op.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x18)]
public struct DomCtlSchedulerOp
{
    /// <summary><c>sched_id</c>: <see cref="SchedulerId"/>.</summary>
    [FieldOffset(0x0)]
    public uint SchedId;

    /// <summary><c>cmd</c>: <see cref="DomCtlSchedulerCommand"/>.</summary>
    [FieldOffset(0x4)]
    public uint Cmd;

    /// <summary><c>u.credit</c>.</summary>
    [FieldOffset(0x8)]
    public DomCtlSchedCredit Credit;

    /// <summary><c>u.credit2</c>.</summary>
    [FieldOffset(0x8)]
    public DomCtlSchedCredit2 Credit2;

    /// <summary><c>u.rtds</c>.</summary>
    [FieldOffset(0x8)]
    public DomCtlSchedRtds Rtds;

    /// <summary><c>u.v.vcpus</c>.</summary>
    [FieldOffset(0x8)]
    public ulong VVcpus;

    /// <summary><c>u.v.nr_vcpus</c>.</summary>
    [FieldOffset(0x10)]
    public uint VNrVcpus;

    /// <summary><c>u.v.padding</c>.</summary>
    [FieldOffset(0x14)]
    public uint VPadding;
}
