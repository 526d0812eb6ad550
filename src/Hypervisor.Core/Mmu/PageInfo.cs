// SPDX-License-Identifier: MIT
// Why a frame has two counts.
//
// A PV guest owns its page tables and names machine frames in them; the hypervisor checks every entry before the processor can see
// it. For that it must know of each frame (1) whether anything refers to it at all, so that it is not handed to another
// domain while a mapping is left, and (2) as what it is being used, so that no frame is a page table (or descriptor
// table) and writable by the guest at the same time. Hence:
//
//   Count  references of any kind; the frame goes back to the allocator with the last one.
//   Type   one current type, and how many references rely on it. The type changes only while that number is zero.
//
// The invariant that the whole interface rests on: no guest mapping ever gives write access to a frame whose type is not
// Writable, none refers to a frame of another domain except through a grant or by a privileged domain, and a frame is a
// page table only after each of its entries was checked and counted.
//
//   Type word    63..60 type   59 pinned   58 validated   57 partial   47..32 entries validated   31..0 references
//   Count word   63 hypervisor-owned frame   62 allocated: the owner's own reference   61..0 references
//
// Partial: validation or release of a table stopped half-way to give way; entries below "entries validated" hold their references.
// While being validated a partial table has no type reference and keeps a reference on itself; whoever wants that type carries on.
// While being released it still has the one type reference and the reference of whoever drops it, and nobody can take another.
//
// Released: a table or descriptor frame that nobody uses any more keeps its type, and in bits 56..32 the low part of the flush
// clock at its release. Who makes the frame writable first has everybody forget it, and then changes the very word that it saw: had
// the frame been a table once more meanwhile, the word would be another one.
//
// Changes of page-table types happen under the owner's MmuLock. The words themselves change by compare-exchange, since
// grants and foreign mappings of other domains take Writable references without that lock.

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Mmu;

/// <summary>One entry of the frame table: what the hypervisor knows of a frame of memory.</summary>
[StructLayout(LayoutKind.Sequential, Size = 32)]
public struct PageInfo
{
    public const ulong HypervisorFrame = 1UL << 63;
    public const ulong Allocated = 1UL << 62;
    public const ulong ReferenceMask = (1UL << 62) - 1;

    /// <summary>Of a free frame, in <see cref="Type"/>: it is all zeros.</summary>
    public const ulong Zeroed = ulong.MaxValue;

    public ulong Count;

    /// <summary>Of a free frame: the <see cref="Domain.Serial"/> of the domain whose contents it has, <see
    /// cref="Zeroed"/>, or 0.</summary>
    public ulong Type;

    /// <summary>Domain number of the owner; DOMID_IO for frames that are no RAM, DOMID_XEN for the hypervisor's own.</summary>
    public ushort Owner;

    /// <summary>Of a free frame that heads a block: its order. Of one handed out: unused.</summary>
    public byte Order;

    public FrameState State;

    /// <summary>Flush clock when the last reference that a TLB may remember went away.</summary>
    public uint FlushStamp;

    /// <summary>Neighbours in the owner's page list or in a free list; 0xFFFFFFFF ends it.</summary>
    public uint Next;
    public uint Previous;
}

/// <summary>What the allocator has done with a frame.</summary>
public enum FrameState : byte
{
    /// <summary>Handed out, or never had.</summary>
    Used = 0,

    /// <summary>Free: inside a block, or among the single frames freed last.</summary>
    Free,

    /// <summary>The first of a free block of the buddy allocator.</summary>
    FreeHead,
}

/// <summary>Types of a frame, and the layout of <see cref="PageInfo.Type"/>.</summary>
public static class PageType
{
    public const int Shift = 60;
    public const ulong Mask = 0xFUL << Shift;
    public const ulong None = 0;
    public const ulong L1 = 1UL << Shift;
    public const ulong L2 = 2UL << Shift;
    public const ulong L3 = 3UL << Shift;
    public const ulong L4 = 4UL << Shift;

    /// <summary>GDT or LDT frame: every descriptor was checked.</summary>
    public const ulong Descriptors = 5UL << Shift;
    public const ulong Writable = 7UL << Shift;

    public const ulong Pinned = 1UL << 59;
    public const ulong Validated = 1UL << 58;
    public const ulong Partial = 1UL << 57;
    public const int EntriesShift = 32;

    /// <summary>Of a type that nobody uses: when it was released.</summary>
    private const ulong ReleaseMask = 0x01FF_FFFFUL << EntriesShift;
    public const ulong EntriesMask = 0xFFFFUL << EntriesShift;
    public const ulong CountMask = 0xFFFF_FFFFUL;

    /// <summary>Level 1 to 4 of a page-table type, 0 for every other.</summary>
    public static int LevelOf(ulong type)
    {
        ulong level = (type & Mask) >> Shift;
        return level <= 4 ? (int)level : 0;
    }

    /// <summary>The word of a frame whose type is <paramref name="type"/> and whose last use as such was stamped
    /// <paramref name="stamp"/>.</summary>
    public static ulong Released(ulong type, uint stamp) => type | (((ulong)stamp << EntriesShift) & ReleaseMask);

    public static ulong OfLevel(int level) => (ulong)level << Shift;
}
