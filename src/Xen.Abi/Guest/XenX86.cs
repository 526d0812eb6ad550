// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>FLAT_*</c>: selectors of the flat segments that every guest GDT contains at its far end.</summary>
public static class FlatSelector
{
    /// <summary><c>FLAT_RING3_CS32</c>.</summary>
    public const ushort Ring3Cs32 = 0xe023;

    /// <summary><c>FLAT_RING3_CS64</c>.</summary>
    public const ushort Ring3Cs64 = 0xe033;

    /// <summary><c>FLAT_RING3_DS32</c>.</summary>
    public const ushort Ring3Ds32 = 0xe02b;

    /// <summary><c>FLAT_RING3_DS64</c>.</summary>
    public const ushort Ring3Ds64 = 0x0;

    /// <summary><c>FLAT_RING3_SS32</c>.</summary>
    public const ushort Ring3Ss32 = 0xe02b;

    /// <summary><c>FLAT_RING3_SS64</c>.</summary>
    public const ushort Ring3Ss64 = 0xe02b;
}

/// <summary><c>FIRST_RESERVED_GDT_*</c>: where the part of the GDT starts that belongs to the hypervisor.</summary>
public static class ReservedGdt
{
    /// <summary><c>FIRST_RESERVED_GDT_PAGE</c>.</summary>
    public const int Page = 0xe;

    /// <summary><c>FIRST_RESERVED_GDT_BYTE</c>.</summary>
    public const int Byte = 0xe000;

    /// <summary><c>FIRST_RESERVED_GDT_ENTRY</c>.</summary>
    public const int Entry = 0x1c00;
}

/// <summary><c>HYPERVISOR_VIRT_*</c>: virtual addresses a PV guest cannot use.</summary>
public static class AddressSpace
{
    /// <summary><c>HYPERVISOR_VIRT_START</c>: first.</summary>
    public const ulong HypervisorVirtStart = 0xffff800000000000;

    /// <summary><c>HYPERVISOR_VIRT_END</c>: first beyond.</summary>
    public const ulong HypervisorVirtEnd = 0xffff880000000000;

    /// <summary><c>MACH2PHYS_VIRT_START</c>: machine-to-physical table, readable by guests.</summary>
    public const ulong Mach2physVirtStart = 0xffff800000000000;

    /// <summary><c>MACH2PHYS_VIRT_END</c>.</summary>
    public const ulong Mach2physVirtEnd = 0xffff804000000000;

    /// <summary><c>MACH2PHYS_NR_ENTRIES</c>.</summary>
    public const ulong Mach2physNrEntries = 0x800000000;
}

/// <summary><c>SEGBASE_*</c>: first argument of set_segment_base.</summary>
public enum SegmentBase : uint
{
    /// <summary><c>SEGBASE_FS</c>.</summary>
    Fs = 0,

    /// <summary><c>SEGBASE_GS_USER</c>.</summary>
    GsUser = 1,

    /// <summary><c>SEGBASE_GS_KERNEL</c>.</summary>
    GsKernel = 2,

    /// <summary><c>SEGBASE_GS_USER_SEL</c>: a selector, not a base.</summary>
    GsUserSel = 3,
}

/// <summary><c>XEN_LEGACY_MAX_VCPUS</c>: vCPUs that have a record in the shared page.</summary>
public static class VcpuLimits
{
    /// <summary><c>XEN_LEGACY_MAX_VCPUS</c>.</summary>
    public const int LegacyMaxVcpus = 32;
}
