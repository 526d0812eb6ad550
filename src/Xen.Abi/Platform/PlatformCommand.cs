// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>XENPF_*</c>: sub-operation of platform_op.</summary>
public enum PlatformCommand : uint
{
    /// <summary><c>XENPF_settime32</c>.</summary>
    SetTime32 = 17,

    /// <summary><c>XENPF_settime64</c>.</summary>
    SetTime64 = 62,

    /// <summary><c>XENPF_add_memtype</c>.</summary>
    AddMemType = 31,

    /// <summary><c>XENPF_del_memtype</c>.</summary>
    DelMemType = 32,

    /// <summary><c>XENPF_read_memtype</c>.</summary>
    ReadMemType = 33,

    /// <summary><c>XENPF_microcode_update</c>.</summary>
    MicrocodeUpdate = 35,

    /// <summary><c>XENPF_platform_quirk</c>.</summary>
    PlatformQuirk = 39,

    /// <summary><c>XENPF_efi_runtime_call</c>.</summary>
    EfiRuntimeCall = 49,

    /// <summary><c>XENPF_firmware_info</c>.</summary>
    FirmwareInfo = 50,

    /// <summary><c>XENPF_enter_acpi_sleep</c>.</summary>
    EnterAcpiSleep = 51,

    /// <summary><c>XENPF_change_freq</c>.</summary>
    ChangeFreq = 52,

    /// <summary><c>XENPF_getidletime</c>.</summary>
    GetIdleTime = 53,

    /// <summary><c>XENPF_set_processor_pminfo</c>.</summary>
    SetProcessorPmInfo = 54,

    /// <summary><c>XENPF_get_cpuinfo</c>.</summary>
    GetCpuInfo = 55,

    /// <summary><c>XENPF_get_cpu_version</c>.</summary>
    GetCpuVersion = 48,

    /// <summary><c>XENPF_cpu_online</c>.</summary>
    CpuOnline = 56,

    /// <summary><c>XENPF_cpu_offline</c>.</summary>
    CpuOffline = 57,

    /// <summary><c>XENPF_cpu_hotadd</c>.</summary>
    CpuHotAdd = 58,

    /// <summary><c>XENPF_mem_hotadd</c>.</summary>
    MemHotAdd = 59,

    /// <summary><c>XENPF_core_parking</c>.</summary>
    CoreParking = 60,

    /// <summary><c>XENPF_resource_op</c>.</summary>
    ResourceOp = 61,

    /// <summary><c>XENPF_get_symbol</c>.</summary>
    GetSymbol = 63,
}

/// <summary><c>XENPF_INTERFACE_VERSION</c>: what <see cref="PlatformOp.InterfaceVersion"/> must be.</summary>
public static class PlatformInterface
{
    /// <summary><c>XENPF_INTERFACE_VERSION</c>.</summary>
    public const uint Version = 0x3000001;
}

/// <summary><c>XEN_FW_*</c>: values of <see cref="PlatformFirmwareInfo.Type"/>.</summary>
public enum FirmwareInfoType : uint
{
    /// <summary><c>XEN_FW_DISK_INFO</c>.</summary>
    DiskInfo = 1,

    /// <summary><c>XEN_FW_DISK_MBR_SIGNATURE</c>.</summary>
    DiskMbrSignature = 2,

    /// <summary><c>XEN_FW_VBEDDC_INFO</c>.</summary>
    VbeDdcInfo = 3,

    /// <summary><c>XEN_FW_EFI_INFO</c>.</summary>
    EfiInfo = 4,

    /// <summary><c>XEN_FW_KBD_SHIFT_FLAGS</c>.</summary>
    KbdShiftFlags = 5,
}

/// <summary><c>XEN_FW_EFI_*</c>: values of <see cref="PlatformFirmwareInfo.Index"/> for EFI.</summary>
public enum EfiInfoIndex : uint
{
    /// <summary><c>XEN_FW_EFI_VERSION</c>.</summary>
    Version = 0,

    /// <summary><c>XEN_FW_EFI_CONFIG_TABLE</c>.</summary>
    ConfigTable = 1,

    /// <summary><c>XEN_FW_EFI_VENDOR</c>.</summary>
    Vendor = 2,

    /// <summary><c>XEN_FW_EFI_MEM_INFO</c>.</summary>
    MemInfo = 3,

    /// <summary><c>XEN_FW_EFI_RT_VERSION</c>.</summary>
    RtVersion = 4,

    /// <summary><c>XEN_FW_EFI_PCI_ROM</c>.</summary>
    PciRom = 5,

    /// <summary><c>XEN_FW_EFI_APPLE_PROPERTIES</c>.</summary>
    AppleProperties = 6,
}

/// <summary><c>XEN_EFI_*</c>: values of <see cref="PlatformEfiRuntimeCall.Function"/>.</summary>
public enum EfiRuntimeFunction : uint
{
    /// <summary><c>XEN_EFI_get_time</c>.</summary>
    GetTime = 1,

    /// <summary><c>XEN_EFI_set_time</c>.</summary>
    SetTime = 2,

    /// <summary><c>XEN_EFI_get_wakeup_time</c>.</summary>
    GetWakeupTime = 3,

    /// <summary><c>XEN_EFI_set_wakeup_time</c>.</summary>
    SetWakeupTime = 4,

    /// <summary><c>XEN_EFI_get_next_high_monotonic_count</c>.</summary>
    GetNextHighMonotonicCount = 5,

    /// <summary><c>XEN_EFI_get_variable</c>.</summary>
    GetVariable = 6,

    /// <summary><c>XEN_EFI_set_variable</c>.</summary>
    SetVariable = 7,

    /// <summary><c>XEN_EFI_get_next_variable_name</c>.</summary>
    GetNextVariableName = 8,

    /// <summary><c>XEN_EFI_query_variable_info</c>.</summary>
    QueryVariableInfo = 9,

    /// <summary><c>XEN_EFI_query_capsule_capabilities</c>.</summary>
    QueryCapsuleCapabilities = 10,

    /// <summary><c>XEN_EFI_update_capsule</c>.</summary>
    UpdateCapsule = 11,
}

/// <summary><c>XEN_EFI_*</c>: bits of <see cref="PlatformEfiRuntimeCall.Misc"/>.</summary>
public static class EfiRuntimeFlags
{
    /// <summary><c>XEN_EFI_GET_TIME_SET_CLEARS_NS</c>.</summary>
    public const uint GetTimeSetClearsNs = 0x1;

    /// <summary><c>XEN_EFI_GET_WAKEUP_TIME_ENABLED</c>.</summary>
    public const uint GetWakeupTimeEnabled = 0x1;

    /// <summary><c>XEN_EFI_GET_WAKEUP_TIME_PENDING</c>.</summary>
    public const uint GetWakeupTimePending = 0x2;

    /// <summary><c>XEN_EFI_SET_WAKEUP_TIME_ENABLE</c>.</summary>
    public const uint SetWakeupTimeEnable = 0x1;

    /// <summary><c>XEN_EFI_SET_WAKEUP_TIME_ENABLE_ONLY</c>.</summary>
    public const uint SetWakeupTimeEnableOnly = 0x2;

    /// <summary><c>XEN_EFI_VARIABLE_NON_VOLATILE</c>.</summary>
    public const uint VariableNonVolatile = 0x1;

    /// <summary><c>XEN_EFI_VARIABLE_BOOTSERVICE_ACCESS</c>.</summary>
    public const uint VariableBootserviceAccess = 0x2;

    /// <summary><c>XEN_EFI_VARIABLE_RUNTIME_ACCESS</c>.</summary>
    public const uint VariableRuntimeAccess = 0x4;

    /// <summary><c>XEN_EFI_VARINFO_BOOT_SNAPSHOT</c>.</summary>
    public const uint VarinfoBootSnapshot = 0x1;
}

/// <summary><c>XEN_PM_*</c>: values of <see cref="PlatformSetProcessorPmInfo.Type"/>.</summary>
public enum PowerManagementType : uint
{
    /// <summary><c>XEN_PM_CX</c>: idle states.</summary>
    Cx = 0,

    /// <summary><c>XEN_PM_PX</c>: performance states.</summary>
    Px = 1,

    /// <summary><c>XEN_PM_TX</c>.</summary>
    Tx = 2,

    /// <summary><c>XEN_PM_PDC</c>: capabilities to be declared to ACPI.</summary>
    Pdc = 3,
}

/// <summary><c>XEN_PX_*</c>: bits of <see cref="ProcessorPerformance.Flags"/>.</summary>
public static class PerformanceInfoFlags
{
    /// <summary><c>XEN_PX_PCT</c>.</summary>
    public const uint Pct = 0x1;

    /// <summary><c>XEN_PX_PSS</c>.</summary>
    public const uint Pss = 0x2;

    /// <summary><c>XEN_PX_PPC</c>.</summary>
    public const uint Ppc = 0x4;

    /// <summary><c>XEN_PX_PSD</c>.</summary>
    public const uint Psd = 0x8;
}

/// <summary><c>XEN_CPUPERF_SHARED_TYPE_*</c>: values of <see cref="ProcessorPerformance.SharedType"/>.</summary>
public enum PerformanceSharedType : uint
{
    /// <summary><c>XEN_CPUPERF_SHARED_TYPE_HW</c>.</summary>
    Hw = 1,

    /// <summary><c>XEN_CPUPERF_SHARED_TYPE_ALL</c>.</summary>
    All = 2,

    /// <summary><c>XEN_CPUPERF_SHARED_TYPE_ANY</c>.</summary>
    Any = 3,
}

/// <summary><c>XEN_PCPU_FLAGS_*</c>: bits of <see cref="PlatformPCpuInfo.Flags"/>.</summary>
public static class PhysicalCpuFlags
{
    /// <summary><c>XEN_PCPU_FLAGS_ONLINE</c>.</summary>
    public const uint Online = 0x1;

    /// <summary><c>XEN_PCPU_FLAGS_INVALID</c>.</summary>
    public const uint Invalid = 0x2;
}

/// <summary><c>XENPF_ACPI_SLEEP_*</c>: bits of <see cref="PlatformEnterAcpiSleep.Flags"/>.</summary>
public static class AcpiSleepFlags
{
    /// <summary><c>XENPF_ACPI_SLEEP_EXTENDED</c>.</summary>
    public const uint Extended = 0x1;
}

/// <summary><c>XEN_CORE_PARKING_*</c>: values of <see cref="PlatformCoreParking.Type"/>.</summary>
public enum CoreParkingType : uint
{
    /// <summary><c>XEN_CORE_PARKING_SET</c>.</summary>
    Set = 1,

    /// <summary><c>XEN_CORE_PARKING_GET</c>.</summary>
    Get = 2,
}

/// <summary><c>XEN_RESOURCE_OP_*</c>: values of <see cref="PlatformResourceEntry.Cmd"/>.</summary>
public enum ResourceOperation : uint
{
    /// <summary><c>XEN_RESOURCE_OP_MSR_READ</c>.</summary>
    MsrRead = 0,

    /// <summary><c>XEN_RESOURCE_OP_MSR_WRITE</c>.</summary>
    MsrWrite = 1,
}
