// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Mmu;

/// <summary>Bits of a page-table entry (Intel SDM Vol. 3A §4.5.4, Tables 4-15 to 4-20).</summary>
public static class Pte
{
    public const ulong Present = 1UL << 0;
    public const ulong Writable = 1UL << 1;
    public const ulong User = 1UL << 2;
    public const ulong WriteThrough = 1UL << 3;
    public const ulong CacheDisable = 1UL << 4;
    public const ulong Accessed = 1UL << 5;
    public const ulong Dirty = 1UL << 6;

    /// <summary>Large page at levels 2 and 3; at level 1 the PAT bit.</summary>
    public const ulong PageSize = 1UL << 7;
    public const ulong Pat = 1UL << 7;
    public const ulong LargePat = 1UL << 12;
    public const ulong Global = 1UL << 8;
    public const ulong NoExecute = 1UL << 63;
    public const ulong AddressMask = 0x000F_FFFF_FFFF_F000;

    /// <summary>Memory type of an entry at level 1.</summary>
    public const ulong CacheMask = WriteThrough | CacheDisable | Pat;

    /// <summary>Bits whose change alters neither what is referred to nor with which rights a count was taken.</summary>
    public const ulong Harmless = Accessed | Dirty | User | NoExecute | SoftwareMask;

    /// <summary>Bits 9–11 and 52–58: free for software; 59–62 are left to protection keys, which PV guests do not get.</summary>
    public const ulong SoftwareMask = 0x07F0_0000_0000_0E00;
    public const ulong ReservedMask = 0x7800_0000_0000_0000;

    public const int Entries = 512;

    public static Mfn FrameOf(ulong entry) => new((entry & AddressMask) >> MemoryLayout.PageShift);

    public static ulong Make(Mfn mfn, ulong flags) => mfn.Address | flags;

    /// <summary>Index of the entry of level 1 to 4 that translates <paramref name="address"/>.</summary>
    public static int IndexOf(ulong address, int level) => (int)(address >> (3 + (9 * level))) & (Entries - 1);
}
