// SPDX-License-Identifier: MIT
//
// Page tables name machine frames, which are others at the next start. In a file they name guest frames instead: the
// writer translates each present entry one way, the reader the other. Entries that are not present belong to the guest
// and stay as they are.
using System;

namespace Dom0.Toolstack.Migration;

/// <summary>Entries of x86-64 page tables (Intel SDM Vol. 3A §4.5).</summary>
internal static class PageTableEntries
{
    public const ulong Present = 1;
    public const ulong FrameMask = 0x000f_ffff_ffff_f000;

    private const ulong PageSizeBit = 1UL << 7;
    private const int FirstHypervisorSlot = 256;
    private const int LastHypervisorSlot = 271;

    /// <summary>Entries 256 to 271 of a top-level table are the hypervisor's, which puts its own there.</summary>
    public static bool IsHypervisors(int level, int index) =>
        level == 4 && index is >= FirstHypervisorSlot and <= LastHypervisorSlot;

    /// <summary>Does the entry map a large page, which a paravirtualized guest cannot have?</summary>
    public static bool IsLarge(int level, ulong entry) => level is 2 or 3 && (entry & PageSizeBit) != 0;

    /// <summary>The frame in an entry.</summary>
    public static ulong FrameOf(ulong entry) => (entry & FrameMask) >> SaveFileLayout.PageShift;

    /// <summary>The entry with another frame.</summary>
    public static ulong WithFrame(ulong entry, ulong frame) =>
        (entry & ~FrameMask) | (frame << SaveFileLayout.PageShift);

    /// <summary>Clears the hypervisor's entries of a top-level table.</summary>
    public static void ClearHypervisors(int level, Span<ulong> entries)
    {
        if (level == 4)
        {
            entries[FirstHypervisorSlot..(LastHypervisorSlot + 1)].Clear();
        }
    }
}
