// SPDX-License-Identifier: MIT
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>The feature map of XENVER_get_features.</summary>
public static class XenFeatures
{
    /// <summary>Submap 0 of a PV guest; there is no other.</summary>
    public static uint ForPv(bool isDom0) =>
        Bit(XenFeature.PaePgdirAboveFourGb)
        | Bit(XenFeature.MmuPtUpdatePreserveAd)
        | Bit(XenFeature.HighmemAssist)
        | Bit(XenFeature.GrantTableMapAvailBits)
        | Bit(XenFeature.MemoryOpVNodeSupported)
        | Bit(XenFeature.DirectMapped)
        | (isDom0 ? Bit(XenFeature.Dom0) : 0);

    private static uint Bit(XenFeature feature) => 1u << (int)feature;
}
