// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>XEN_SYSCTL_*</c>: sub-operation of sysctl.</summary>
public enum SysCtlCommand : uint
{
    /// <summary><c>XEN_SYSCTL_readconsole</c>.</summary>
    ReadConsole = 1,

    /// <summary><c>XEN_SYSCTL_tbuf_op</c>.</summary>
    TBufOp = 2,

    /// <summary><c>XEN_SYSCTL_physinfo</c>.</summary>
    PhysInfo = 3,

    /// <summary><c>XEN_SYSCTL_sched_id</c>.</summary>
    SchedId = 4,

    /// <summary><c>XEN_SYSCTL_perfc_op</c>.</summary>
    PerfCOp = 5,

    /// <summary><c>XEN_SYSCTL_getdomaininfolist</c>.</summary>
    GetDomainInfoList = 6,

    /// <summary><c>XEN_SYSCTL_debug_keys</c>.</summary>
    DebugKeys = 7,

    /// <summary><c>XEN_SYSCTL_getcpuinfo</c>.</summary>
    GetCpuInfo = 8,

    /// <summary><c>XEN_SYSCTL_availheap</c>.</summary>
    AvailHeap = 9,

    /// <summary><c>XEN_SYSCTL_get_pmstat</c>.</summary>
    GetPmStat = 10,

    /// <summary><c>XEN_SYSCTL_cpu_hotplug</c>.</summary>
    CpuHotplug = 11,

    /// <summary><c>XEN_SYSCTL_pm_op</c>.</summary>
    PmOp = 12,

    /// <summary><c>XEN_SYSCTL_page_offline_op</c>.</summary>
    PageOfflineOp = 14,

    /// <summary><c>XEN_SYSCTL_lockprof_op</c>.</summary>
    LockProfOp = 15,

    /// <summary><c>XEN_SYSCTL_cputopoinfo</c>.</summary>
    CpuTopoInfo = 16,

    /// <summary><c>XEN_SYSCTL_numainfo</c>.</summary>
    NumaInfo = 17,

    /// <summary><c>XEN_SYSCTL_cpupool_op</c>.</summary>
    CpuPoolOp = 18,

    /// <summary><c>XEN_SYSCTL_scheduler_op</c>.</summary>
    SchedulerOp = 19,

    /// <summary><c>XEN_SYSCTL_coverage_op</c>.</summary>
    CoverageOp = 20,

    /// <summary><c>XEN_SYSCTL_psr_cmt_op</c>.</summary>
    PsrCmtOp = 21,

    /// <summary><c>XEN_SYSCTL_pcitopoinfo</c>.</summary>
    PciTopoInfo = 22,

    /// <summary><c>XEN_SYSCTL_psr_alloc</c>.</summary>
    PsrAlloc = 23,

    /// <summary><c>XEN_SYSCTL_get_cpu_levelling_caps</c>.</summary>
    GetCpuLevellingCaps = 25,

    /// <summary><c>XEN_SYSCTL_get_cpu_featureset</c>.</summary>
    GetCpuFeatureSet = 26,

    /// <summary><c>XEN_SYSCTL_livepatch_op</c>.</summary>
    LivepatchOp = 27,

    /// <summary><c>XEN_SYSCTL_get_cpu_policy</c>.</summary>
    GetCpuPolicy = 29,
}

/// <summary><c>XEN_SYSCTL_INTERFACE_VERSION</c>: what <see cref="SysCtl.InterfaceVersion"/> must be.</summary>
public static class SysCtlInterface
{
    /// <summary><c>XEN_SYSCTL_INTERFACE_VERSION</c>.</summary>
    public const uint Version = 0x15;
}

/// <summary><c>XEN_SYSCTL_TBUFOP_*</c>: values of <see cref="SysCtlTBufOp.Cmd"/>.</summary>
public enum TraceBufferCommand : uint
{
    /// <summary><c>XEN_SYSCTL_TBUFOP_get_info</c>.</summary>
    GetInfo = 0,

    /// <summary><c>XEN_SYSCTL_TBUFOP_set_cpu_mask</c>.</summary>
    SetCpuMask = 1,

    /// <summary><c>XEN_SYSCTL_TBUFOP_set_evt_mask</c>.</summary>
    SetEvtMask = 2,

    /// <summary><c>XEN_SYSCTL_TBUFOP_set_size</c>.</summary>
    SetSize = 3,

    /// <summary><c>XEN_SYSCTL_TBUFOP_enable</c>.</summary>
    Enable = 4,

    /// <summary><c>XEN_SYSCTL_TBUFOP_disable</c>.</summary>
    Disable = 5,
}

/// <summary><c>XEN_SYSCTL_PHYSCAP_*</c>: bits of <see cref="SysCtlPhysInfo.Capabilities"/>.</summary>
public static class PhysicalCapabilities
{
    /// <summary><c>XEN_SYSCTL_PHYSCAP_hvm</c>.</summary>
    public const uint Hvm = 0x1;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_pv</c>.</summary>
    public const uint Pv = 0x2;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_directio</c>.</summary>
    public const uint DirectIo = 0x4;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_hap</c>.</summary>
    public const uint Hap = 0x8;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_shadow</c>.</summary>
    public const uint Shadow = 0x10;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share</c>.</summary>
    public const uint IommuHapPtShare = 0x20;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_vmtrace</c>.</summary>
    public const uint VmTrace = 0x40;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_vpmu</c>.</summary>
    public const uint Vpmu = 0x80;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_gnttab_v1</c>.</summary>
    public const uint GrantTableV1 = 0x100;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_gnttab_v2</c>.</summary>
    public const uint GrantTableV2 = 0x200;

    /// <summary><c>XEN_SYSCTL_PHYSCAP_MAX</c>: highest bit.</summary>
    public const uint Max = 0x200;
}

/// <summary><c>XEN_SYSCTL_PERFCOP_*</c>: values of <see cref="SysCtlPerfCOp.Cmd"/>.</summary>
public enum PerfCounterCommand : uint
{
    /// <summary><c>XEN_SYSCTL_PERFCOP_reset</c>.</summary>
    Reset = 1,

    /// <summary><c>XEN_SYSCTL_PERFCOP_query</c>.</summary>
    Query = 2,
}

/// <summary><c>PMSTAT_*</c>: values of <see cref="SysCtlGetPmStat.Type"/>.</summary>
public enum PmStatType : uint
{
    /// <summary><c>PMSTAT_get_max_px</c>.</summary>
    GetMaxPx = 0x11,

    /// <summary><c>PMSTAT_get_pxstat</c>.</summary>
    GetPxStat = 0x12,

    /// <summary><c>PMSTAT_reset_pxstat</c>.</summary>
    ResetPxStat = 0x13,

    /// <summary><c>PMSTAT_get_max_cx</c>.</summary>
    GetMaxCx = 0x21,

    /// <summary><c>PMSTAT_get_cxstat</c>.</summary>
    GetCxStat = 0x22,

    /// <summary><c>PMSTAT_reset_cxstat</c>.</summary>
    ResetCxStat = 0x23,
}

/// <summary><c>XEN_SYSCTL_CPU_HOTPLUG_*</c>: values of <see cref="SysCtlCpuHotplug.Op"/>.</summary>
public enum CpuHotplugOperation : uint
{
    /// <summary><c>XEN_SYSCTL_CPU_HOTPLUG_ONLINE</c>.</summary>
    Online = 0,

    /// <summary><c>XEN_SYSCTL_CPU_HOTPLUG_OFFLINE</c>.</summary>
    Offline = 1,

    /// <summary><c>XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE</c>.</summary>
    SmtEnable = 2,

    /// <summary><c>XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE</c>.</summary>
    SmtDisable = 3,
}

/// <summary><c>XEN_SYSCTL_pm_op_*</c>: values of <see cref="SysCtlPmOp.Cmd"/>.</summary>
public enum PowerManagementCommand : uint
{
    /// <summary><c>GET_CPUFREQ_PARA</c>.</summary>
    GetCpuFreqPara = 0x11,

    /// <summary><c>SET_CPUFREQ_GOV</c>.</summary>
    SetCpuFreqGov = 0x12,

    /// <summary><c>SET_CPUFREQ_PARA</c>.</summary>
    SetCpuFreqPara = 0x13,

    /// <summary><c>GET_CPUFREQ_AVGFREQ</c>.</summary>
    GetCpuFreqAvgFreq = 0x14,

    /// <summary><c>XEN_SYSCTL_pm_op_set_sched_opt_smt</c>.</summary>
    SetSchedOptSmt = 0x21,

    /// <summary><c>XEN_SYSCTL_pm_op_get_max_cstate</c>.</summary>
    GetMaxCState = 0x22,

    /// <summary><c>XEN_SYSCTL_pm_op_set_max_cstate</c>.</summary>
    SetMaxCState = 0x23,

    /// <summary><c>XEN_SYSCTL_pm_op_set_vcpu_migration_delay</c>.</summary>
    SetVcpuMigrationDelay = 0x24,

    /// <summary><c>XEN_SYSCTL_pm_op_get_vcpu_migration_delay</c>.</summary>
    GetVcpuMigrationDelay = 0x25,

    /// <summary><c>XEN_SYSCTL_pm_op_enable_turbo</c>.</summary>
    EnableTurbo = 0x26,

    /// <summary><c>XEN_SYSCTL_pm_op_disable_turbo</c>.</summary>
    DisableTurbo = 0x27,
}

/// <summary><c>sysctl_*</c>: values of <see cref="SysCtlPageOfflineOp.Cmd"/>.</summary>
public enum PageOfflineCommand : uint
{
    /// <summary><c>sysctl_page_offline</c>.</summary>
    PageOffline = 1,

    /// <summary><c>sysctl_page_online</c>.</summary>
    PageOnline = 2,

    /// <summary><c>sysctl_query_page_offline</c>.</summary>
    QueryPageOffline = 3,
}

/// <summary><c>XEN_INVALID_*</c>: what stands in topology lists for what is not there.</summary>
public static class TopologyInvalid
{
    /// <summary><c>XEN_INVALID_CORE_ID</c>.</summary>
    public const uint CoreId = 0xffffffff;

    /// <summary><c>XEN_INVALID_SOCKET_ID</c>.</summary>
    public const uint SocketId = 0xffffffff;

    /// <summary><c>XEN_INVALID_NODE_ID</c>.</summary>
    public const uint NodeId = 0xffffffff;

    /// <summary><c>XEN_INVALID_MEM_SZ</c>.</summary>
    public const uint MemSz = 0xffffffff;

    /// <summary><c>XEN_INVALID_NODE_DIST</c>.</summary>
    public const uint NodeDist = 0xffffffff;

    /// <summary><c>XEN_INVALID_DEV</c>.</summary>
    public const uint Dev = 0xfffffffe;
}

/// <summary><c>XEN_SYSCTL_CPUPOOL_OP_*</c>: values of <see cref="SysCtlCpuPoolOp.Op"/>.</summary>
public enum CpuPoolCommand : uint
{
    /// <summary><c>XEN_SYSCTL_CPUPOOL_OP_CREATE</c>.</summary>
    Create = 1,

    /// <summary><c>XEN_SYSCTL_CPUPOOL_OP_DESTROY</c>.</summary>
    Destroy = 2,

    /// <summary><c>XEN_SYSCTL_CPUPOOL_OP_INFO</c>: the pool of that number or the next one.</summary>
    Info = 3,

    /// <summary><c>XEN_SYSCTL_CPUPOOL_OP_ADDCPU</c>.</summary>
    AddCpu = 4,

    /// <summary><c>XEN_SYSCTL_CPUPOOL_OP_RMCPU</c>.</summary>
    RmCpu = 5,

    /// <summary><c>XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN</c>.</summary>
    MoveDomain = 6,

    /// <summary><c>XEN_SYSCTL_CPUPOOL_OP_FREEINFO</c>: CPUs in no pool.</summary>
    FreeInfo = 7,
}

/// <summary><c>XEN_SYSCTL_CPUPOOL_PAR_*</c>: values of parameters of a CPU pool.</summary>
public static class CpuPoolParameter
{
    /// <summary><c>XEN_SYSCTL_CPUPOOL_PAR_ANY</c>: any number, any CPU.</summary>
    public const uint Any = 0xffffffff;
}

/// <summary><c>XEN_SYSCTL_SCHEDOP_*</c>: values of <see cref="SysCtlSchedulerOp.Cmd"/>.</summary>
public enum SysCtlSchedulerCommand : uint
{
    /// <summary><c>XEN_SYSCTL_SCHEDOP_putinfo</c>.</summary>
    PutInfo = 0,

    /// <summary><c>XEN_SYSCTL_SCHEDOP_getinfo</c>.</summary>
    GetInfo = 1,
}

/// <summary><c>XEN_SYSCTL_CSCHED_*, XEN_SYSCTL_SCHED_*</c>: bounds of <see cref="SysCtlCreditSchedule"/>.</summary>
public static class CreditLimits
{
    /// <summary><c>XEN_SYSCTL_SCHED_RATELIMIT_MAX</c>.</summary>
    public const uint SchedRateLimitMax = 500000;

    /// <summary><c>XEN_SYSCTL_SCHED_RATELIMIT_MIN</c>.</summary>
    public const uint SchedRateLimitMin = 100;

    /// <summary><c>XEN_SYSCTL_CSCHED_TSLICE_MAX</c>.</summary>
    public const uint CschedTSliceMax = 1000;

    /// <summary><c>XEN_SYSCTL_CSCHED_TSLICE_MIN</c>.</summary>
    public const uint CschedTSliceMin = 1;

    /// <summary><c>XEN_SYSCTL_CSCHED_MGR_DLY_MAX_US</c>.</summary>
    public const uint CschedMgrDlyMaxUs = 100000;
}

/// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_*</c>: bits of <see cref="SysCtlCpuLevellingCaps.Caps"/>.</summary>
public static class CpuLevellingCaps
{
    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_faulting</c>: CPUID can be made to fault in user mode.</summary>
    public const uint Faulting = 0x1;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_ecx</c>.</summary>
    public const uint Ecx = 0x2;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_edx</c>.</summary>
    public const uint Edx = 0x4;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_extd_ecx</c>.</summary>
    public const uint ExtdEcx = 0x8;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_extd_edx</c>.</summary>
    public const uint ExtdEdx = 0x10;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_xsave_eax</c>.</summary>
    public const uint XSaveEax = 0x20;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_thermal_ecx</c>.</summary>
    public const uint ThermalEcx = 0x40;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_l7s0_eax</c>.</summary>
    public const uint L7s0Eax = 0x80;

    /// <summary><c>XEN_SYSCTL_CPU_LEVELCAP_l7s0_ebx</c>.</summary>
    public const uint L7s0Ebx = 0x100;
}

/// <summary><c>XEN_SYSCTL_cpu_featureset_*</c>: values of <see cref="SysCtlCpuFeatureSet.Index"/>.</summary>
public enum CpuFeatureSetIndex : uint
{
    /// <summary><c>XEN_SYSCTL_cpu_featureset_raw</c>.</summary>
    Raw = 0,

    /// <summary><c>XEN_SYSCTL_cpu_featureset_host</c>.</summary>
    Host = 1,

    /// <summary><c>XEN_SYSCTL_cpu_featureset_pv</c>.</summary>
    Pv = 2,

    /// <summary><c>XEN_SYSCTL_cpu_featureset_hvm</c>.</summary>
    Hvm = 3,

    /// <summary><c>XEN_SYSCTL_cpu_featureset_pv_max</c>.</summary>
    PvMax = 4,

    /// <summary><c>XEN_SYSCTL_cpu_featureset_hvm_max</c>.</summary>
    HvmMax = 5,
}

/// <summary><c>XEN_SYSCTL_cpu_policy_*</c>: values of <see cref="SysCtlCpuPolicy.Index"/>.</summary>
public enum CpuPolicyIndex : uint
{
    /// <summary><c>XEN_SYSCTL_cpu_policy_raw</c>.</summary>
    Raw = 0,

    /// <summary><c>XEN_SYSCTL_cpu_policy_host</c>.</summary>
    Host = 1,

    /// <summary><c>XEN_SYSCTL_cpu_policy_pv_max</c>.</summary>
    PvMax = 2,

    /// <summary><c>XEN_SYSCTL_cpu_policy_hvm_max</c>.</summary>
    HvmMax = 3,

    /// <summary><c>XEN_SYSCTL_cpu_policy_pv_default</c>.</summary>
    PvDefault = 4,

    /// <summary><c>XEN_SYSCTL_cpu_policy_hvm_default</c>.</summary>
    HvmDefault = 5,
}
