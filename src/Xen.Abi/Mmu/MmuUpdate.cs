// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct mmu_update</c>: one request of mmu_update.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MmuUpdate
{
    /// <summary><c>ptr</c>: machine address of the entry; bits 1:0 are the <see cref="MmuUpdateType"/>.</summary>
    public ulong Ptr;

    /// <summary><c>val</c>: new contents.</summary>
    public ulong Val;
}

/// <summary><c>MMU_*</c>: what bits 1:0 of <see cref="MmuUpdate.Ptr"/> ask for.</summary>
public enum MmuUpdateType : uint
{
    /// <summary><c>MMU_NORMAL_PT_UPDATE</c>: checked write of a page-table entry.</summary>
    NormalPtUpdate = 0,

    /// <summary>
    /// <c>MMU_MACHPHYS_UPDATE</c>: write of the machine-to-physical entry of the frame at the address.
    /// </summary>
    MachPhysUpdate = 1,

    /// <summary>
    /// <c>MMU_PT_UPDATE_PRESERVE_AD</c>: as normal, but accessed and dirty of the old entry survive.
    /// </summary>
    PtUpdatePreserveAd = 2,

    /// <summary>
    /// <c>MMU_PT_UPDATE_NO_TRANSLATE</c>: as normal, and the frame in the value is always a machine frame.
    /// </summary>
    PtUpdateNoTranslate = 3,
}
