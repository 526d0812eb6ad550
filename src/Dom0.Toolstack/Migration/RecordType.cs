// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Migration;

/// <summary>
/// Records of a domain's image, as the LibXenCtrl Domain Image Format numbers them. Types with bit 31 are optional:
/// readers that do not know them pass over them.
/// </summary>
public enum RecordType : uint
{
    End = 0x0,
    PageData = 0x1,
    X86PvInfo = 0x2,
    X86PvP2mFrames = 0x3,
    X86PvVcpuBasic = 0x4,
    X86PvVcpuExtended = 0x5,
    X86PvVcpuXsave = 0x6,
    SharedInfo = 0x7,
    X86TscInfo = 0x8,
    HvmContext = 0x9,
    HvmParams = 0xa,
    Toolstack = 0xb,
    X86PvVcpuMsrs = 0xc,
    Verify = 0xd,
    Checkpoint = 0xe,
    CheckpointDirtyPfnList = 0xf,
    StaticDataEnd = 0x10,
    X86CpuidPolicy = 0x11,
    X86MsrPolicy = 0x12,

    /// <summary>Ours, optional: a hash over all bytes of the file before it.</summary>
    Checksum = 0x8058_4d43,
}

/// <summary>Records as the specification spells them.</summary>
public static class RecordNames
{
    /// <summary>Marks the types that a reader may pass over.</summary>
    public const uint OptionalBit = 0x8000_0000;

    /// <summary>The name of a type, or its number when it has none.</summary>
    public static string Of(RecordType type) => type switch
    {
        RecordType.End => "END",
        RecordType.PageData => "PAGE_DATA",
        RecordType.X86PvInfo => "X86_PV_INFO",
        RecordType.X86PvP2mFrames => "X86_PV_P2M_FRAMES",
        RecordType.X86PvVcpuBasic => "X86_PV_VCPU_BASIC",
        RecordType.X86PvVcpuExtended => "X86_PV_VCPU_EXTENDED",
        RecordType.X86PvVcpuXsave => "X86_PV_VCPU_XSAVE",
        RecordType.SharedInfo => "SHARED_INFO",
        RecordType.X86TscInfo => "X86_TSC_INFO",
        RecordType.HvmContext => "HVM_CONTEXT",
        RecordType.HvmParams => "HVM_PARAMS",
        RecordType.Toolstack => "TOOLSTACK",
        RecordType.X86PvVcpuMsrs => "X86_PV_VCPU_MSRS",
        RecordType.Verify => "VERIFY",
        RecordType.Checkpoint => "CHECKPOINT",
        RecordType.CheckpointDirtyPfnList => "CHECKPOINT_DIRTY_PFN_LIST",
        RecordType.StaticDataEnd => "STATIC_DATA_END",
        RecordType.X86CpuidPolicy => "X86_CPUID_POLICY",
        RecordType.X86MsrPolicy => "X86_MSR_POLICY",
        RecordType.Checksum => "CHECKSUM",
        _ => $"record of type 0x{(uint)type:x}",
    };
}
