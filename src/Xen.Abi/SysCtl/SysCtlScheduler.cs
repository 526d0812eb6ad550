// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_sysctl_sched_id</c>: argument of sched_id.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlSchedId
{
    /// <summary><c>sched_id</c>: <see cref="SchedulerId"/>.</summary>
    public uint SchedId;
}

/// <summary><c>struct xen_sysctl_cpupool_op</c>: argument of cpupool_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCpuPoolOp
{
    /// <summary><c>op</c>: <see cref="CpuPoolCommand"/>.</summary>
    public uint Op;

    /// <summary><c>cpupool_id</c>.</summary>
    public uint CpuPoolId;

    /// <summary><c>sched_id</c>: <see cref="SchedulerId"/>.</summary>
    public uint SchedId;

    /// <summary><c>domid</c>: domain concerned.</summary>
    public uint Domid;

    /// <summary><c>cpu</c>.</summary>
    public uint Cpu;

    /// <summary><c>n_dom</c>: domains in the pool.</summary>
    public uint NDom;

    /// <summary><c>cpumap</c>.</summary>
    public XenCtlBitmap CpuMap;
}

/// <summary><c>struct xen_sysctl_credit_schedule</c>: parameters of the credit scheduler for a pool.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCreditSchedule
{
    /// <summary><c>tslice_ms</c>.</summary>
    public uint TSliceMs;

    /// <summary><c>ratelimit_us</c>.</summary>
    public uint RateLimitUs;

    /// <summary><c>vcpu_migr_delay_us</c>.</summary>
    public uint VcpuMigrDelayUs;
}

/// <summary><c>struct xen_sysctl_credit2_schedule</c>: parameters of the credit2 scheduler for a pool.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SysCtlCredit2Schedule
{
    /// <summary><c>ratelimit_us</c>.</summary>
    public uint RateLimitUs;
}

/// <summary><c>struct xen_sysctl_scheduler_op</c>: argument of scheduler_op.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x20)]
public struct SysCtlSchedulerOp
{
    /// <summary><c>cpupool_id</c>.</summary>
    [FieldOffset(0x0)]
    public uint CpuPoolId;

    /// <summary><c>sched_id</c>: <see cref="SchedulerId"/>.</summary>
    [FieldOffset(0x4)]
    public uint SchedId;

    /// <summary><c>cmd</c>: <see cref="SysCtlSchedulerCommand"/>.</summary>
    [FieldOffset(0x8)]
    public uint Cmd;

    /// <summary><c>u.sched_arinc653.schedule</c>.</summary>
    [FieldOffset(0x10)]
    public ulong SchedArinc653Schedule;

    /// <summary><c>u.sched_credit</c>.</summary>
    [FieldOffset(0x10)]
    public SysCtlCreditSchedule SchedCredit;

    /// <summary><c>u.sched_credit2</c>.</summary>
    [FieldOffset(0x10)]
    public SysCtlCredit2Schedule SchedCredit2;
}
