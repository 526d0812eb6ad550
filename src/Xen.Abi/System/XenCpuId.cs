// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary>
/// <c>XEN_CPUID_*</c>: leaves by which a guest knows the hypervisor; +0 signature, +1 version, +2 hypercall page, +3
/// time stamp counter, +4 HVM, +5 PV.
/// </summary>
public static class XenCpuId
{
    /// <summary><c>XEN_CPUID_FIRST_LEAF</c>.</summary>
    public const uint FirstLeaf = 0x40000000;

    /// <summary><c>XEN_CPUID_SIGNATURE_EBX</c>: "XenV".</summary>
    public const uint SignatureEbx = 0x566e6558;

    /// <summary><c>XEN_CPUID_SIGNATURE_ECX</c>: "MMXe".</summary>
    public const uint SignatureEcx = 0x65584d4d;

    /// <summary><c>XEN_CPUID_SIGNATURE_EDX</c>: "nVMM".</summary>
    public const uint SignatureEdx = 0x4d4d566e;

    /// <summary><c>XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD</c>.</summary>
    public const uint Feat1MmuPtUpdatePreserveAd = 0x1;

    /// <summary><c>XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK</c>.</summary>
    public const uint MachineAddressWidthMask = 0xff;

    /// <summary><c>XEN_CPUID_MAX_NUM_LEAVES</c>: highest, relative to the first.</summary>
    public const uint MaxNumLeaves = 0x5;
}
