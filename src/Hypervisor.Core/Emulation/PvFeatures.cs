// SPDX-License-Identifier: MIT
//
// Which features a PV guest may see. The words and bits are those of <xen/arch-x86/cpufeatureset.h>; a featureset is
// that array of words wherever the tools see one. The letters there are the default of the policy: A for all guests,
// a for all guests that ask, S and H for hardware-assisted guests alone. Three things differ here:
//
//  - DBEXT is withheld. Its address-mask MSRs would be state of a vCPU that nothing saves.
//  - SEP is withheld: there is no way in by SYSENTER, and 32-bit programs on Intel processors would use it.
//  - Speculation controls (IBRSB, STIBP, SSBD, IBPB …) are shown only if the caller says that SPEC_CTRL is switched
//    with the vCPU.
using System;
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>The words of a featureset: where each one comes from, and the part of it that is for PV guests.</summary>
public static class PvFeatures
{
    public const int WordCount = 19;

    /// <summary>Words that are not CPUID leaves but the halves of ARCH_CAPABILITIES.</summary>
    public const int ArchCapabilitiesLow = 16;
    public const int ArchCapabilitiesHigh = 17;

    /// <summary>Bits of leaf 1 EDX that AMD processors repeat in leaf 80000001h EDX (AMD APM Vol. 3, appendix
    /// E).</summary>
    public const uint CommonWithLeaf1 = 0x0183_F3FF;

    /// <summary>Features a PV guest may have at most.</summary>
    public static uint Max(int word) => Default(word) | OptIn[word] | Hardware(word);

    /// <summary>Features a PV guest has unless the tools say otherwise.</summary>
    public static uint Default(int word) => All[word] | Hardware(word);

    /// <summary>Features that exist only together with the MSRs SPEC_CTRL and PRED_CMD.</summary>
    public static uint SpeculationControl(int word) => word switch
    {
        8 => Bit(CpuFeature.Ibpb) | Bit(CpuFeature.IbpbRet),
        9 => Bit(CpuFeature.Ibrsb) | Bit(CpuFeature.Stibp) | Bit(CpuFeature.Ssbd),
        13 => Bit(CpuFeature.IntelPsfd),
        ArchCapabilitiesLow => Bit(CpuFeature.Eibrs),
        _ => 0,
    };

    /// <summary>
    /// Bits that tell properties and topology of the machine rather than something to be used. User mode sees them
    /// anyway, so the machine's value is given whatever the tools say.
    /// </summary>
    public static uint Hardware(int word) => word switch
    {
        0 => Bit(CpuFeature.Htt),
        3 => Bit(CpuFeature.CmpLegacy),
        _ => Warning(word),
    };

    /// <summary>Bits that say that something does not work: dangerous to hide.</summary>
    public static uint Warning(int word) => word switch
    {
        5 => Bit(CpuFeature.FdpExcpOnly) | Bit(CpuFeature.NoFpuSel),
        ArchCapabilitiesLow => Bit(CpuFeature.Rsba) | Bit(CpuFeature.Rrsba),
        _ => 0,
    };

    /// <summary>Bits that only repeat what CR4 is set to.</summary>
    public static uint Mirror(int word) => word switch
    {
        1 => Bit(CpuFeature.OsXSave),
        6 => Bit(CpuFeature.Ospke),
        _ => 0,
    };

    /// <summary>Bits that the hypervisor itself decides on, so that what the tools write there is of no
    /// account.</summary>
    public static uint Dynamic(int word) => word switch
    {
        1 => Mirror(1) | Bit(CpuFeature.X2apic) | Bit(CpuFeature.Hypervisor),
        2 => CommonWithLeaf1,
        _ => Mirror(word),
    };

    internal static uint Bit(CpuFeature feature) => 1u << ((int)feature & 31);

    private static ReadOnlySpan<uint> All =>
    [
        0x1FC9_C3F5, 0xF6D8_3203, 0xEA50_0800, 0x0021_09E3, 0x0000_0007, 0xFDAF_0B29, 0x0240_5F43, 0x0000_0000,
        0x6400_1005, 0xAC00_441C, 0x0000_1C30, 0x7800_0064, 0x0000_0000, 0x0000_0021, 0x0000_0000, 0x0000_0000,
        0x1D12_E173, 0x4000_0000, 0x0000_0006,
    ];

    private static ReadOnlySpan<uint> OptIn =>
    [
        0, 0, 0, 0, 0, 0x0000_0010, 0x1800_0000, 0x0000_0100,
        0, 0x0001_0100, 0, 0, 0, 0, 0, 0,
        0, 0, 0,
    ];
}
