// SPDX-License-Identifier: MIT
using System.Runtime.InteropServices;

namespace Hypervisor.Core.Emulation;

/// <summary>The CPUID leaves and feature MSRs that a domain is meant to see; <see cref="CpuidPolicy"/> knows what to
/// do.</summary>
/// <remarks>
/// The leaves stand in the order in which the tools get them, subleaves in the place of their leaf. The bounds are
/// those of the policy that libxenguest 4.17 can hold, but for the extended state beyond AVX-512, which no PV guest
/// may use.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CpuPolicy
{
    public const uint LastBasicLeaf = 0xD;
    public const uint FirstHypervisorLeaf = 0x4000_0000;
    public const uint SecondHypervisorLeaf = 0x4000_0100;
    public const uint FirstExtendedLeaf = 0x8000_0000;
    public const uint LastExtendedLeaf = 0x8000_0021;

    public const uint CacheLeaves = 6;
    public const uint FeatureLeaves = 3;
    public const uint TopologyLeaves = 2;
    public const uint ExtendedStateLeaves = 10;

    internal const int CacheSlot = 4;
    internal const int Leaf5Slot = CacheSlot + (int)CacheLeaves;
    public const int FeatureSlot = Leaf5Slot + 2;
    internal const int Leaf8Slot = FeatureSlot + (int)FeatureLeaves;
    internal const int TopologySlot = Leaf8Slot + 3;
    internal const int LeafCSlot = TopologySlot + (int)TopologyLeaves;
    public const int ExtendedStateSlot = LeafCSlot + 1;
    internal const int HypervisorSlot = ExtendedStateSlot + (int)ExtendedStateLeaves;
    public const int ExtendedSlot = HypervisorSlot + 2;
    internal const int SlotCount = ExtendedSlot + (int)(LastExtendedLeaf - FirstExtendedLeaf) + 1;

    /// <summary>MSR CEh: bit 31 (CPUID faulting) is the only one a guest may be shown.</summary>
    public ulong PlatformInfo;

    /// <summary>MSR 10Ah, two words of the featureset.</summary>
    public ulong ArchCapabilities;

    private fixed uint _leaves[SlotCount * 4];

    /// <summary>One of the <see cref="SlotCount"/> leaves of a policy.</summary>
    public static CpuidResult* At(CpuPolicy* policy, int slot) => (CpuidResult*)policy->_leaves + slot;

    /// <summary>
    /// Where a leaf stands, or -1. Of leaves without subleaves, whatever subleaf is asked for is the same.
    /// </summary>
    public static int SlotOf(uint leaf, uint subleaf)
    {
        switch (leaf)
        {
            case <= 3:
                return (int)leaf;
            case 4:
                return subleaf < CacheLeaves ? CacheSlot + (int)subleaf : -1;
            case 5 or 6:
                return Leaf5Slot + (int)(leaf - 5);
            case 7:
                return subleaf < FeatureLeaves ? FeatureSlot + (int)subleaf : -1;
            case >= 8 and <= 0xA:
                return Leaf8Slot + (int)(leaf - 8);
            case 0xB:
                return subleaf < TopologyLeaves ? TopologySlot + (int)subleaf : -1;
            case 0xC:
                return LeafCSlot;
            case 0xD:
                return subleaf < ExtendedStateLeaves ? ExtendedStateSlot + (int)subleaf : -1;
            case FirstHypervisorLeaf:
                return HypervisorSlot;
            case SecondHypervisorLeaf:
                return HypervisorSlot + 1;
            case >= FirstExtendedLeaf and <= LastExtendedLeaf:
                return ExtendedSlot + (int)(leaf - FirstExtendedLeaf);
            default:
                return -1;
        }
    }

    /// <summary>Whether a leaf answers by subleaf.</summary>
    internal static bool HasSubleaves(uint leaf) => leaf is 4 or 7 or 0xB or 0xD;
}
