// SPDX-License-Identifier: MIT
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>
/// What a guest's frame is in use for: bits 31 to 28 of a <see cref="PageFrameInfo"/>, which a PAGE_DATA record has in
/// bits 63 to 60 of each frame's number.
/// </summary>
public static class PageKind
{
    /// <summary>An ordinary page.</summary>
    public const byte Plain = 0x0;

    /// <summary>Allocated, and without contents worth keeping.</summary>
    public const byte AllocateOnly = 0xe;

    /// <summary>Broken memory of the machine.</summary>
    public const byte Broken = 0xd;

    /// <summary>No page.</summary>
    public const byte None = 0xf;

    private const byte PinBit = 0x8;

    /// <summary>Level 1 to 4 of a page table; 0 for all else.</summary>
    public static int TableLevel(byte kind) => kind < Broken && (kind & ~PinBit) is >= 1 and <= 4 ? kind & 7 : 0;

    /// <summary>A page table that is pinned.</summary>
    public static bool IsPinned(byte kind) => TableLevel(kind) > 0 && (kind & PinBit) != 0;

    /// <summary>Is there memory under the frame?</summary>
    public static bool HasMemory(byte kind) => HasContents(kind) || kind == AllocateOnly;

    /// <summary>Is there a page of contents for the frame?</summary>
    public static bool HasContents(byte kind) => kind == Plain || TableLevel(kind) > 0;

    /// <summary>Is it one of the kinds that the specification names?</summary>
    public static bool IsKnown(byte kind) => HasContents(kind) || kind is Broken or AllocateOnly or None;
}
