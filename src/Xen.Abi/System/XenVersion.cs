// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>XENVER_*</c>: sub-operation of xen_version.</summary>
public enum VersionCommand : uint
{
    /// <summary><c>XENVER_version</c>.</summary>
    Version = 0,

    /// <summary><c>XENVER_extraversion</c>.</summary>
    ExtraVersion = 1,

    /// <summary><c>XENVER_compile_info</c>.</summary>
    CompileInfo = 2,

    /// <summary><c>XENVER_capabilities</c>.</summary>
    Capabilities = 3,

    /// <summary><c>XENVER_changeset</c>.</summary>
    ChangeSet = 4,

    /// <summary><c>XENVER_platform_parameters</c>.</summary>
    PlatformParameters = 5,

    /// <summary><c>XENVER_get_features</c>.</summary>
    GetFeatures = 6,

    /// <summary><c>XENVER_pagesize</c>.</summary>
    PageSize = 7,

    /// <summary><c>XENVER_guest_handle</c>.</summary>
    GuestHandle = 8,

    /// <summary><c>XENVER_commandline</c>.</summary>
    CommandLine = 9,

    /// <summary><c>XENVER_build_id</c>.</summary>
    BuildId = 10,
}

/// <summary><c>struct xen_compile_info</c>: who built the hypervisor.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CompileInfo
{
    /// <summary><c>compiler</c>: NUL-terminated.</summary>
    public fixed byte Compiler[64];

    /// <summary><c>compile_by</c>: NUL-terminated.</summary>
    public fixed byte CompileBy[16];

    /// <summary><c>compile_domain</c>: NUL-terminated.</summary>
    public fixed byte CompileDomain[32];

    /// <summary><c>compile_date</c>: NUL-terminated.</summary>
    public fixed byte CompileDate[32];
}

/// <summary><c>struct xen_platform_parameters</c>: result of platform_parameters.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PlatformParameters
{
    /// <summary><c>virt_start</c>: first address a guest cannot use.</summary>
    public ulong VirtStart;
}

/// <summary><c>struct xen_feature_info</c>: one word of the feature bit map.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FeatureInfo
{
    /// <summary><c>submap_idx</c>: which.</summary>
    public uint SubMapIdx;

    /// <summary><c>submap</c>: result.</summary>
    public uint SubMap;
}

/// <summary><c>struct xen_build_id</c>: identity of the build; the bytes follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BuildId
{
    /// <summary><c>len</c>: room for them; 0 asks for the length.</summary>
    public uint Len;
}

/// <summary><c>XEN_*_LEN</c>: sizes of the texts of xen_version.</summary>
public static class VersionLimits
{
    /// <summary><c>XEN_EXTRAVERSION_LEN</c>.</summary>
    public const int ExtraVersionLen = 16;

    /// <summary><c>XEN_CAPABILITIES_INFO_LEN</c>.</summary>
    public const int CapabilitiesInfoLen = 1024;

    /// <summary><c>XEN_CHANGESET_INFO_LEN</c>.</summary>
    public const int ChangeSetInfoLen = 64;
}

/// <summary><c>XENFEAT_*</c>: bit numbers of the feature bit map.</summary>
public enum XenFeature : uint
{
    /// <summary><c>XENFEAT_writable_page_tables</c>.</summary>
    WritablePageTables = 0,

    /// <summary><c>XENFEAT_writable_descriptor_tables</c>.</summary>
    WritableDescriptorTables = 1,

    /// <summary><c>XENFEAT_auto_translated_physmap</c>.</summary>
    AutoTranslatedPhysMap = 2,

    /// <summary><c>XENFEAT_supervisor_mode_kernel</c>.</summary>
    SupervisorModeKernel = 3,

    /// <summary><c>XENFEAT_pae_pgdir_above_4gb</c>.</summary>
    PaePgdirAboveFourGb = 4,

    /// <summary><c>XENFEAT_mmu_pt_update_preserve_ad</c>.</summary>
    MmuPtUpdatePreserveAd = 5,

    /// <summary><c>XENFEAT_highmem_assist</c>.</summary>
    HighmemAssist = 6,

    /// <summary><c>XENFEAT_gnttab_map_avail_bits</c>.</summary>
    GrantTableMapAvailBits = 7,

    /// <summary><c>XENFEAT_hvm_callback_vector</c>.</summary>
    HvmCallbackVector = 8,

    /// <summary><c>XENFEAT_hvm_safe_pvclock</c>.</summary>
    HvmSafePvclock = 9,

    /// <summary><c>XENFEAT_hvm_pirqs</c>.</summary>
    HvmPirqs = 10,

    /// <summary><c>XENFEAT_dom0</c>.</summary>
    Dom0 = 11,

    /// <summary><c>XENFEAT_memory_op_vnode_supported</c>.</summary>
    MemoryOpVNodeSupported = 13,

    /// <summary><c>XENFEAT_ARM_SMCCC_supported</c>.</summary>
    ArmSmcccSupported = 14,

    /// <summary><c>XENFEAT_linux_rsdp_unrestricted</c>.</summary>
    LinuxRsdpUnrestricted = 15,

    /// <summary><c>XENFEAT_not_direct_mapped</c>.</summary>
    NotDirectMapped = 16,

    /// <summary><c>XENFEAT_direct_mapped</c>.</summary>
    DirectMapped = 17,
}
