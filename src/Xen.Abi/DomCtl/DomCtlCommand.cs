// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>XEN_DOMCTL_*</c>: sub-operation of domctl.</summary>
public enum DomCtlCommand : uint
{
    /// <summary><c>XEN_DOMCTL_createdomain</c>.</summary>
    CreateDomain = 1,

    /// <summary><c>XEN_DOMCTL_destroydomain</c>.</summary>
    DestroyDomain = 2,

    /// <summary><c>XEN_DOMCTL_pausedomain</c>.</summary>
    PauseDomain = 3,

    /// <summary><c>XEN_DOMCTL_unpausedomain</c>.</summary>
    UnpauseDomain = 4,

    /// <summary><c>XEN_DOMCTL_getdomaininfo</c>.</summary>
    GetDomainInfo = 5,

    /// <summary><c>XEN_DOMCTL_setvcpuaffinity</c>.</summary>
    SetVcpuAffinity = 9,

    /// <summary><c>XEN_DOMCTL_shadow_op</c>.</summary>
    ShadowOp = 10,

    /// <summary><c>XEN_DOMCTL_max_mem</c>.</summary>
    MaxMem = 11,

    /// <summary><c>XEN_DOMCTL_setvcpucontext</c>.</summary>
    SetVcpuContext = 12,

    /// <summary><c>XEN_DOMCTL_getvcpucontext</c>.</summary>
    GetVcpuContext = 13,

    /// <summary><c>XEN_DOMCTL_getvcpuinfo</c>.</summary>
    GetVcpuInfo = 14,

    /// <summary><c>XEN_DOMCTL_max_vcpus</c>.</summary>
    MaxVcpus = 15,

    /// <summary><c>XEN_DOMCTL_scheduler_op</c>.</summary>
    SchedulerOp = 16,

    /// <summary><c>XEN_DOMCTL_setdomainhandle</c>.</summary>
    SetDomainHandle = 17,

    /// <summary><c>XEN_DOMCTL_setdebugging</c>.</summary>
    SetDebugging = 18,

    /// <summary><c>XEN_DOMCTL_irq_permission</c>.</summary>
    IrqPermission = 19,

    /// <summary><c>XEN_DOMCTL_iomem_permission</c>.</summary>
    IoMemPermission = 20,

    /// <summary><c>XEN_DOMCTL_ioport_permission</c>.</summary>
    IoPortPermission = 21,

    /// <summary><c>XEN_DOMCTL_hypercall_init</c>.</summary>
    HypercallInit = 22,

    /// <summary><c>XEN_DOMCTL_settimeoffset</c>.</summary>
    SetTimeOffset = 24,

    /// <summary><c>XEN_DOMCTL_getvcpuaffinity</c>.</summary>
    GetVcpuAffinity = 25,

    /// <summary><c>XEN_DOMCTL_resumedomain</c>.</summary>
    ResumeDomain = 27,

    /// <summary><c>XEN_DOMCTL_sendtrigger</c>.</summary>
    SendTrigger = 28,

    /// <summary><c>XEN_DOMCTL_subscribe</c>.</summary>
    Subscribe = 29,

    /// <summary><c>XEN_DOMCTL_gethvmcontext</c>.</summary>
    GetHvmContext = 33,

    /// <summary><c>XEN_DOMCTL_sethvmcontext</c>.</summary>
    SetHvmContext = 34,

    /// <summary><c>XEN_DOMCTL_set_address_size</c>.</summary>
    SetAddressSize = 35,

    /// <summary><c>XEN_DOMCTL_get_address_size</c>.</summary>
    GetAddressSize = 36,

    /// <summary><c>XEN_DOMCTL_assign_device</c>.</summary>
    AssignDevice = 37,

    /// <summary><c>XEN_DOMCTL_bind_pt_irq</c>.</summary>
    BindPtIrq = 38,

    /// <summary><c>XEN_DOMCTL_memory_mapping</c>.</summary>
    MemoryMapping = 39,

    /// <summary><c>XEN_DOMCTL_ioport_mapping</c>.</summary>
    IoPortMapping = 40,

    /// <summary><c>XEN_DOMCTL_set_ext_vcpucontext</c>.</summary>
    SetExtVcpuContext = 42,

    /// <summary><c>XEN_DOMCTL_get_ext_vcpucontext</c>.</summary>
    GetExtVcpuContext = 43,

    /// <summary><c>XEN_DOMCTL_test_assign_device</c>.</summary>
    TestAssignDevice = 45,

    /// <summary><c>XEN_DOMCTL_set_target</c>.</summary>
    SetTarget = 46,

    /// <summary><c>XEN_DOMCTL_deassign_device</c>.</summary>
    DeassignDevice = 47,

    /// <summary><c>XEN_DOMCTL_unbind_pt_irq</c>.</summary>
    UnbindPtIrq = 48,

    /// <summary><c>XEN_DOMCTL_get_device_group</c>.</summary>
    GetDeviceGroup = 50,

    /// <summary><c>XEN_DOMCTL_debug_op</c>.</summary>
    DebugOp = 54,

    /// <summary><c>XEN_DOMCTL_gethvmcontext_partial</c>.</summary>
    GetHvmContextPartial = 55,

    /// <summary><c>XEN_DOMCTL_vm_event_op</c>.</summary>
    VmEventOp = 56,

    /// <summary><c>XEN_DOMCTL_mem_sharing_op</c>.</summary>
    MemSharingOp = 57,

    /// <summary><c>XEN_DOMCTL_gettscinfo</c>.</summary>
    GetTscInfo = 59,

    /// <summary><c>XEN_DOMCTL_settscinfo</c>.</summary>
    SetTscInfo = 60,

    /// <summary><c>XEN_DOMCTL_getpageframeinfo3</c>: types of frames, for those who save a domain.</summary>
    GetPageFrameInfo3 = 61,

    /// <summary><c>XEN_DOMCTL_setvcpuextstate</c>.</summary>
    SetVcpuExtState = 62,

    /// <summary><c>XEN_DOMCTL_getvcpuextstate</c>.</summary>
    GetVcpuExtState = 63,

    /// <summary><c>XEN_DOMCTL_set_access_required</c>.</summary>
    SetAccessRequired = 64,

    /// <summary><c>XEN_DOMCTL_audit_p2m</c>.</summary>
    AuditP2M = 65,

    /// <summary><c>XEN_DOMCTL_set_virq_handler</c>.</summary>
    SetVirqHandler = 66,

    /// <summary><c>XEN_DOMCTL_set_broken_page_p2m</c>.</summary>
    SetBrokenPageP2M = 67,

    /// <summary><c>XEN_DOMCTL_setnodeaffinity</c>.</summary>
    SetNodeAffinity = 68,

    /// <summary><c>XEN_DOMCTL_getnodeaffinity</c>.</summary>
    GetNodeAffinity = 69,

    /// <summary><c>XEN_DOMCTL_cacheflush</c>.</summary>
    CacheFlush = 71,

    /// <summary><c>XEN_DOMCTL_get_vcpu_msrs</c>.</summary>
    GetVcpuMsrs = 72,

    /// <summary><c>XEN_DOMCTL_set_vcpu_msrs</c>.</summary>
    SetVcpuMsrs = 73,

    /// <summary><c>XEN_DOMCTL_setvnumainfo</c>.</summary>
    SetVNumaInfo = 74,

    /// <summary><c>XEN_DOMCTL_psr_cmt_op</c>.</summary>
    PsrCmtOp = 75,

    /// <summary><c>XEN_DOMCTL_monitor_op</c>.</summary>
    MonitorOp = 77,

    /// <summary><c>XEN_DOMCTL_psr_alloc</c>.</summary>
    PsrAlloc = 78,

    /// <summary><c>XEN_DOMCTL_soft_reset</c>.</summary>
    SoftReset = 79,

    /// <summary><c>XEN_DOMCTL_vuart_op</c>.</summary>
    VuartOp = 81,

    /// <summary><c>XEN_DOMCTL_get_cpu_policy</c>.</summary>
    GetCpuPolicy = 82,

    /// <summary><c>XEN_DOMCTL_set_cpu_policy</c>.</summary>
    SetCpuPolicy = 83,

    /// <summary><c>XEN_DOMCTL_vmtrace_op</c>.</summary>
    VmTraceOp = 84,

    /// <summary><c>XEN_DOMCTL_get_paging_mempool_size</c>.</summary>
    GetPagingMemPoolSize = 85,

    /// <summary><c>XEN_DOMCTL_set_paging_mempool_size</c>.</summary>
    SetPagingMemPoolSize = 86,

    /// <summary><c>XEN_DOMCTL_gdbsx_guestmemio</c>.</summary>
    GdbsxGuestmemio = 1000,

    /// <summary><c>XEN_DOMCTL_gdbsx_pausevcpu</c>.</summary>
    GdbsxPausevcpu = 1001,

    /// <summary><c>XEN_DOMCTL_gdbsx_unpausevcpu</c>.</summary>
    GdbsxUnpausevcpu = 1002,

    /// <summary><c>XEN_DOMCTL_gdbsx_domstatus</c>.</summary>
    GdbsxDomStatus = 1003,
}

/// <summary><c>XEN_DOMCTL_INTERFACE_VERSION</c>: what <see cref="DomCtl.InterfaceVersion"/> must be.</summary>
public static class DomCtlInterface
{
    /// <summary><c>XEN_DOMCTL_INTERFACE_VERSION</c>.</summary>
    public const uint Version = 0x15;
}

/// <summary><c>XEN_DOMCTL_CDF_*</c>: bits of <see cref="DomCtlCreateDomain.Flags"/>.</summary>
public static class CreateDomainFlags
{
    /// <summary><c>XEN_DOMCTL_CDF_hvm</c>.</summary>
    public const uint Hvm = 0x1;

    /// <summary><c>XEN_DOMCTL_CDF_hap</c>.</summary>
    public const uint Hap = 0x2;

    /// <summary><c>XEN_DOMCTL_CDF_s3_integrity</c>.</summary>
    public const uint S3Integrity = 0x4;

    /// <summary><c>XEN_DOMCTL_CDF_oos_off</c>.</summary>
    public const uint OosOff = 0x8;

    /// <summary><c>XEN_DOMCTL_CDF_xs_domain</c>: the store runs in it.</summary>
    public const uint XsDomain = 0x10;

    /// <summary><c>XEN_DOMCTL_CDF_iommu</c>.</summary>
    public const uint Iommu = 0x20;

    /// <summary><c>XEN_DOMCTL_CDF_nested_virt</c>.</summary>
    public const uint NestedVirt = 0x40;

    /// <summary><c>XEN_DOMCTL_CDF_vpmu</c>.</summary>
    public const uint Vpmu = 0x80;

    /// <summary><c>XEN_DOMCTL_CDF_MAX</c>: highest bit.</summary>
    public const uint Max = 0x80;
}

/// <summary><c>XEN_DOMCTL_IOMMU_*</c>: bits of <see cref="DomCtlCreateDomain.IommuOpts"/>.</summary>
public static class CreateDomainIommuOptions
{
    /// <summary><c>XEN_DOMCTL_IOMMU_no_sharept</c>.</summary>
    public const uint NoSharePt = 0x1;

    /// <summary><c>XEN_DOMCTL_IOMMU_MAX</c>: highest bit.</summary>
    public const uint Max = 0x1;
}

/// <summary><c>XEN_DOMCTL_GRANT_*</c>: bits of <see cref="DomCtlCreateDomain.GrantOpts"/>.</summary>
public static class CreateDomainGrantOptions
{
    /// <summary><c>XEN_DOMCTL_GRANT_version_mask</c>: highest version the domain may use.</summary>
    public const uint VersionMask = 0xf;
}

/// <summary>
/// <c>XEN_X86_EMU_*</c>: bits of <see cref="ArchDomainConfig.EmulationFlags"/>; none for a PV domain but the PIT.
/// </summary>
public static class EmulationFlags
{
    /// <summary><c>XEN_X86_EMU_LAPIC</c>.</summary>
    public const uint Lapic = 0x1;

    /// <summary><c>XEN_X86_EMU_HPET</c>.</summary>
    public const uint Hpet = 0x2;

    /// <summary><c>XEN_X86_EMU_PM</c>.</summary>
    public const uint Pm = 0x4;

    /// <summary><c>XEN_X86_EMU_RTC</c>.</summary>
    public const uint Rtc = 0x8;

    /// <summary><c>XEN_X86_EMU_IOAPIC</c>.</summary>
    public const uint Ioapic = 0x10;

    /// <summary><c>XEN_X86_EMU_PIC</c>.</summary>
    public const uint Pic = 0x20;

    /// <summary><c>XEN_X86_EMU_VGA</c>.</summary>
    public const uint Vga = 0x40;

    /// <summary><c>XEN_X86_EMU_IOMMU</c>.</summary>
    public const uint Iommu = 0x80;

    /// <summary><c>XEN_X86_EMU_PIT</c>.</summary>
    public const uint Pit = 0x100;

    /// <summary><c>XEN_X86_EMU_USE_PIRQ</c>.</summary>
    public const uint UsePirq = 0x200;

    /// <summary><c>XEN_X86_EMU_VPCI</c>.</summary>
    public const uint Vpci = 0x400;

    /// <summary><c>XEN_X86_EMU_ALL</c>.</summary>
    public const uint All = 0x7ff;
}

/// <summary><c>XEN_X86_*</c>: bits of <see cref="ArchDomainConfig.MiscFlags"/>.</summary>
public static class ArchDomainMiscFlags
{
    /// <summary><c>XEN_X86_MSR_RELAXED</c>: unknown MSRs read as zero instead of faulting.</summary>
    public const uint MsrRelaxed = 0x1;
}

/// <summary><c>XEN_DOMINF_*</c>: bits of <see cref="DomCtlGetDomainInfo.Flags"/>.</summary>
public static class DomainInfoFlags
{
    /// <summary><c>XEN_DOMINF_dying</c>.</summary>
    public const uint Dying = 0x1;

    /// <summary><c>XEN_DOMINF_hvm_guest</c>.</summary>
    public const uint HvmGuest = 0x2;

    /// <summary><c>XEN_DOMINF_shutdown</c>.</summary>
    public const uint Shutdown = 0x4;

    /// <summary><c>XEN_DOMINF_paused</c>.</summary>
    public const uint Paused = 0x8;

    /// <summary><c>XEN_DOMINF_blocked</c>.</summary>
    public const uint Blocked = 0x10;

    /// <summary><c>XEN_DOMINF_running</c>.</summary>
    public const uint Running = 0x20;

    /// <summary><c>XEN_DOMINF_debugged</c>.</summary>
    public const uint Debugged = 0x40;

    /// <summary><c>XEN_DOMINF_xs_domain</c>.</summary>
    public const uint XsDomain = 0x80;

    /// <summary><c>XEN_DOMINF_hap</c>.</summary>
    public const uint Hap = 0x100;

    /// <summary><c>XEN_DOMINF_shutdownmask</c>: the <see cref="ShutdownReason"/>, once shifted down.</summary>
    public const uint ShutdownMask = 0xff;

    /// <summary><c>XEN_DOMINF_shutdownshift</c>: by so much.</summary>
    public const uint ShutdownShift = 0x10;
}

/// <summary><c>XEN_INVALID_MAX_VCPU_ID</c>: values of <see cref="DomCtlGetDomainInfo"/>.</summary>
public static class DomainInfoLimits
{
    /// <summary><c>XEN_INVALID_MAX_VCPU_ID</c>: the domain has no vCPU.</summary>
    public const uint InvalidMaxVcpuId = 0xffffffff;
}

/// <summary><c>XEN_DOMCTL_PFINFO_*</c>: type of a frame, in bits 31:28 of an element of getpageframeinfo3.</summary>
public static class PageFrameInfo
{
    /// <summary><c>XEN_DOMCTL_PFINFO_NOTAB</c>.</summary>
    public const uint NoTab = 0x0;

    /// <summary><c>XEN_DOMCTL_PFINFO_L1TAB</c>.</summary>
    public const uint L1Tab = 0x10000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_L2TAB</c>.</summary>
    public const uint L2Tab = 0x20000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_L3TAB</c>.</summary>
    public const uint L3Tab = 0x30000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_L4TAB</c>.</summary>
    public const uint L4Tab = 0x40000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_LTABTYPE_MASK</c>.</summary>
    public const uint LTabTypeMask = 0x70000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_LPINTAB</c>: ORed in: pinned.</summary>
    public const uint LPinTab = 0x80000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_XTAB</c>: no such frame.</summary>
    public const uint XTab = 0xf0000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_XALLOC</c>.</summary>
    public const uint XAlloc = 0xe0000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_BROKEN</c>.</summary>
    public const uint Broken = 0xd0000000;

    /// <summary><c>XEN_DOMCTL_PFINFO_LTAB_MASK</c>.</summary>
    public const uint LTabMask = 0xf0000000;
}

/// <summary><c>XEN_DOMCTL_SHADOW_OP_*</c>: values of <see cref="DomCtlShadowOp.Op"/>.</summary>
public enum ShadowOperation : uint
{
    /// <summary><c>XEN_DOMCTL_SHADOW_OP_OFF</c>: stop.</summary>
    Off = 0,

    /// <summary><c>XEN_DOMCTL_SHADOW_OP_ENABLE</c>.</summary>
    Enable = 32,

    /// <summary><c>XEN_DOMCTL_SHADOW_OP_CLEAN</c>: dirty bit map, and begin anew.</summary>
    Clean = 11,

    /// <summary><c>XEN_DOMCTL_SHADOW_OP_PEEK</c>: dirty bit map.</summary>
    Peek = 12,

    /// <summary><c>XEN_DOMCTL_SHADOW_OP_GET_ALLOCATION</c>.</summary>
    GetAllocation = 30,

    /// <summary><c>XEN_DOMCTL_SHADOW_OP_SET_ALLOCATION</c>.</summary>
    SetAllocation = 31,

    /// <summary><c>XEN_DOMCTL_SHADOW_OP_ENABLE_TEST</c>.</summary>
    EnableTest = 1,

    /// <summary><c>XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY</c>.</summary>
    EnableLogDirty = 2,
}

/// <summary><c>XEN_DOMCTL_SHADOW_ENABLE_*</c>: bits of <see cref="DomCtlShadowOp.Mode"/> for enable.</summary>
public static class ShadowEnableFlags
{
    /// <summary><c>XEN_DOMCTL_SHADOW_ENABLE_REFCOUNT</c>.</summary>
    public const uint Refcount = 0x2;

    /// <summary><c>XEN_DOMCTL_SHADOW_ENABLE_LOG_DIRTY</c>.</summary>
    public const uint LogDirty = 0x4;

    /// <summary><c>XEN_DOMCTL_SHADOW_ENABLE_TRANSLATE</c>.</summary>
    public const uint Translate = 0x8;

    /// <summary><c>XEN_DOMCTL_SHADOW_ENABLE_EXTERNAL</c>.</summary>
    public const uint External = 0x10;
}

/// <summary>
/// <c>XEN_DOMCTL_SHADOW_LOGDIRTY_*</c>: bits of <see cref="DomCtlShadowOp.Mode"/> for clean and peek.
/// </summary>
public static class ShadowLogDirtyFlags
{
    /// <summary>
    /// <c>XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL</c>: last round: report what the hypervisor itself writes to.
    /// </summary>
    public const uint Final = 0x1;
}

/// <summary><c>XEN_VCPUAFFINITY_*</c>: bits of <see cref="DomCtlVcpuAffinity.Flags"/>.</summary>
public static class VcpuAffinityFlags
{
    /// <summary><c>XEN_VCPUAFFINITY_HARD</c>.</summary>
    public const uint Hard = 0x1;

    /// <summary><c>XEN_VCPUAFFINITY_SOFT</c>.</summary>
    public const uint Soft = 0x2;

    /// <summary><c>XEN_VCPUAFFINITY_FORCE</c>: undo a pin override.</summary>
    public const uint Force = 0x4;
}

/// <summary><c>XEN_SCHEDULER_*</c>: schedulers that Xen numbers.</summary>
public enum SchedulerId : uint
{
    /// <summary><c>XEN_SCHEDULER_CREDIT</c>.</summary>
    Credit = 5,

    /// <summary><c>XEN_SCHEDULER_CREDIT2</c>.</summary>
    Credit2 = 6,

    /// <summary><c>XEN_SCHEDULER_ARINC653</c>.</summary>
    Arinc653 = 7,

    /// <summary><c>XEN_SCHEDULER_RTDS</c>.</summary>
    Rtds = 8,

    /// <summary><c>XEN_SCHEDULER_NULL</c>.</summary>
    Null = 9,
}

/// <summary><c>XEN_DOMCTL_SCHEDOP_*</c>: values of <see cref="DomCtlSchedulerOp.Cmd"/>.</summary>
public enum DomCtlSchedulerCommand : uint
{
    /// <summary><c>XEN_DOMCTL_SCHEDOP_putinfo</c>.</summary>
    PutInfo = 0,

    /// <summary><c>XEN_DOMCTL_SCHEDOP_getinfo</c>.</summary>
    GetInfo = 1,

    /// <summary><c>XEN_DOMCTL_SCHEDOP_putvcpuinfo</c>.</summary>
    PutVcpuInfo = 2,

    /// <summary><c>XEN_DOMCTL_SCHEDOP_getvcpuinfo</c>.</summary>
    GetVcpuInfo = 3,
}

/// <summary><c>XEN_DOMCTL_SCHEDRT_*</c>: bits of <see cref="DomCtlSchedRtds.Flags"/>.</summary>
public static class RealTimeSchedulerFlags
{
    /// <summary><c>XEN_DOMCTL_SCHEDRT_extra</c>: may run beyond its budget.</summary>
    public const uint Extra = 0x1;
}

/// <summary><c>XEN_DOMCTL_SENDTRIGGER_*</c>: values of <see cref="DomCtlSendTrigger.Trigger"/>.</summary>
public enum TriggerType : uint
{
    /// <summary><c>XEN_DOMCTL_SENDTRIGGER_NMI</c>.</summary>
    Nmi = 0,

    /// <summary><c>XEN_DOMCTL_SENDTRIGGER_RESET</c>.</summary>
    Reset = 1,

    /// <summary><c>XEN_DOMCTL_SENDTRIGGER_INIT</c>.</summary>
    Init = 2,

    /// <summary><c>XEN_DOMCTL_SENDTRIGGER_POWER</c>.</summary>
    Power = 3,

    /// <summary><c>XEN_DOMCTL_SENDTRIGGER_SLEEP</c>.</summary>
    Sleep = 4,
}

/// <summary><c>XEN_DOMCTL_DEV_*</c>: values of <see cref="DomCtlAssignDevice.Dev"/>.</summary>
public enum AssignDeviceType : uint
{
    /// <summary><c>XEN_DOMCTL_DEV_PCI</c>.</summary>
    Pci = 0,

    /// <summary><c>XEN_DOMCTL_DEV_DT</c>.</summary>
    Dt = 1,
}

/// <summary><c>XEN_DOMCTL_DEBUG_OP_*</c>: values of <see cref="DomCtlDebugOp.Op"/>.</summary>
public enum DebugOperation : uint
{
    /// <summary><c>XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_OFF</c>.</summary>
    SingleStepOff = 0,

    /// <summary><c>XEN_DOMCTL_DEBUG_OP_SINGLE_STEP_ON</c>.</summary>
    SingleStepOn = 1,
}
