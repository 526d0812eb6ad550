// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor.Core.Mmu;

/// <summary>The table of all frames of memory, indexed by frame number.</summary>
public static unsafe class FrameTable
{
    public const uint EndOfList = 0xFFFF_FFFF;
    public const ushort OwnerIo = 0x7FF1;

    /// <summary>Hypervisor frames that privileged domains may map read-only (DOMID_XEN): the machine-to-physical table.</summary>
    public const ushort OwnerShown = 0x7FF2;

    /// <summary>The hypervisor's own frames.</summary>
    public const ushort OwnerHypervisor = 0x7FF3;
    public const ushort OwnerNone = 0x7FF4;

    private static ulong s_frames;
    private static ulong s_addressLimit;
    private static byte s_addressBits;

    /// <summary>Number of entries: one past the highest frame of RAM.</summary>
    public static ulong Frames
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_frames;
    }

    /// <summary>Width of physical addresses.</summary>
    public static byte AddressBits => s_addressBits;

    /// <summary>First frame number that the processor cannot address.</summary>
    public static ulong AddressLimit => s_addressLimit;

    /// <summary>Announces the table, whose memory is mapped; every frame counts as no RAM until handed to the allocator.</summary>
    public static void Initialise(ulong frames, int physicalAddressBits)
    {
        Announce(frames, physicalAddressBits);
        Describe(0, frames, OwnerIo, 1);
    }

    /// <summary>Announces the table, of which <see cref="Describe"/> or the allocator writes every entry before it is
    /// looked at.</summary>
    public static void Announce(ulong frames, int physicalAddressBits)
    {
        s_frames = frames;
        s_addressBits = (byte)physicalAddressBits;
        s_addressLimit = 1UL << (physicalAddressBits - MemoryLayout.PageShift);
    }

    /// <summary>Writes the entries of frames [<paramref name="start"/>, <paramref name="end"/>), whatever they held.</summary>
    public static void Describe(ulong start, ulong end, ushort owner, ulong count, FrameState state = FrameState.Used)
    {
        const int StateShift = 24;
        const ulong NoNeighbours = ((ulong)EndOfList << 32) | EndOfList;
        ulong* words = (ulong*)Page(new Mfn(start));
        for (ulong frame = start; frame < end; frame++)
        {
            // As four words: count; type; owner, no order, state, no stamp; no neighbours.
            words[0] = count;
            words[1] = PageType.None;
            words[2] = owner | ((ulong)state << StateShift);
            words[3] = NoNeighbours;
            words += sizeof(PageInfo) / sizeof(ulong);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsValid(Mfn mfn) => mfn.Raw < s_frames;

    /// <summary>The entry of a frame for which <see cref="IsValid"/> holds.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PageInfo* Page(Mfn mfn) => (PageInfo*)Machine.FrameTable + mfn.Raw;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Mfn FrameOf(PageInfo* page) => new((ulong)(page - (PageInfo*)Machine.FrameTable));

    /// <summary>The entry of the frame behind a direct-map pointer.</summary>
    public static PageInfo* PageOf(void* direct) => Page(Mfn.OfAddress(Machine.PhysicalOf(direct)));
}
