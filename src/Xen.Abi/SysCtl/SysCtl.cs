// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_sysctl</c>: argument of sysctl.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x88)]
public unsafe struct SysCtl
{
    /// <summary><c>cmd</c>: <see cref="SysCtlCommand"/>.</summary>
    [FieldOffset(0x0)]
    public uint Cmd;

    /// <summary><c>interface_version</c>: <see cref="SysCtlInterface.Version"/>.</summary>
    [FieldOffset(0x4)]
    public uint InterfaceVersion;

    /// <summary><c>u.readconsole</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlReadConsole ReadConsole;

    /// <summary><c>u.tbuf_op</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlTBufOp TBufOp;

    /// <summary><c>u.physinfo</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlPhysInfo PhysInfo;

    /// <summary><c>u.cputopoinfo</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlCpuTopoInfo CpuTopoInfo;

    /// <summary><c>u.pcitopoinfo</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlPciTopoInfo PciTopoInfo;

    /// <summary><c>u.numainfo</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlNumaInfo NumaInfo;

    /// <summary><c>u.sched_id</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlSchedId SchedId;

    /// <summary><c>u.perfc_op</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlPerfCOp PerfCOp;

    /// <summary><c>u.getdomaininfolist</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlGetDomainInfoList GetDomainInfoList;

    /// <summary><c>u.debug_keys</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlDebugKeys DebugKeys;

    /// <summary><c>u.getcpuinfo</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlGetCpuInfo GetCpuInfo;

    /// <summary><c>u.availheap</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlAvailHeap AvailHeap;

    /// <summary><c>u.get_pmstat</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlGetPmStat GetPmStat;

    /// <summary><c>u.cpu_hotplug</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlCpuHotplug CpuHotplug;

    /// <summary><c>u.pm_op</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlPmOp PmOp;

    /// <summary><c>u.page_offline</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlPageOfflineOp PageOffline;

    /// <summary><c>u.cpupool_op</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlCpuPoolOp CpuPoolOp;

    /// <summary><c>u.scheduler_op</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlSchedulerOp SchedulerOp;

    /// <summary><c>u.cpu_levelling_caps</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlCpuLevellingCaps CpuLevellingCaps;

    /// <summary><c>u.cpu_featureset</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlCpuFeatureSet CpuFeatureSet;

    /// <summary><c>u.cpu_policy</c>.</summary>
    [FieldOffset(0x8)]
    public SysCtlCpuPolicy CpuPolicy;

    /// <summary><c>u.pad</c>.</summary>
    [FieldOffset(0x8)]
    public fixed byte Pad[128];
}
