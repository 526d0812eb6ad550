// SPDX-License-Identifier: MIT
// Entries of level 1: what a guest may map, and the references behind each mapping.
//
//   frame                                   mapping                      counted as
//   RAM of the page owner                   read-only                    reference
//                                           writable                     reference + Writable type
//   no RAM (device memory)                  hardware domain only;        not counted
//                                           read-only where it must be
//   anything else                           refused
//
// "Page owner" is the table's own domain, or the domain that a privileged caller names (foreign mappings). Kernel and user of a
// PV guest both run in ring 3, so every entry gets the user bit; the global bit is taken away, so that a load of CR3
// flushes everything of a guest.

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>References behind level-1 entries.</summary>
public static unsafe class LeafEntries
{
    /// <summary>
    /// Checks a present entry for a table of <paramref name="tableOwner"/> and takes its references.
    /// </summary>
    /// <returns>Inval: reserved or cache bits, frame out of range. Perm: not the owner's, or not writable.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Errno Get(Domain* tableOwner, Domain* pageOwner, ref ulong entry)
    {
        if ((entry & (Pte.ReservedMask | Pte.CacheMask)) != 0 && !MayHaveCacheBits(tableOwner, entry))
        {
            return Errno.Inval;
        }

        entry = (entry | Pte.User) & ~Pte.Global;
        Mfn mfn = Pte.FrameOf(entry);
        if (!FrameTable.IsValid(mfn))
        {
            return GetDevice(tableOwner, mfn, ref entry);
        }

        PageInfo* page = FrameTable.Page(mfn);
        if (!PageReference.TryGet(page, pageOwner))
        {
            return page->Owner == FrameTable.OwnerIo ? GetDevice(tableOwner, mfn, ref entry) : Errno.Perm;
        }

        if ((entry & Pte.Writable) != 0 && !PageReference.TryGetWritableType(page))
        {
            PageReference.Put(page);
            return Errno.Perm;
        }

        return Errno.Ok;
    }

    /// <summary>Gives back what <see cref="Get"/> took for a present entry.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(Domain* tableOwner, ulong entry)
    {
        Mfn mfn = Pte.FrameOf(entry);
        if (!FrameTable.IsValid(mfn))
        {
            return;
        }

        PageInfo* page = FrameTable.Page(mfn);
        if (page->Owner == FrameTable.OwnerIo)
        {
            return;
        }

        if ((entry & Pte.Writable) != 0)
        {
            PageReference.PutWritableType(page);
        }
        else
        {
            // An unmapped frame may be freed by the next instruction of its owner.
            TlbFlush.Stamp(page);
        }

        PageReference.Put(page);
    }

    private static Errno GetDevice(Domain* tableOwner, Mfn mfn, ref ulong entry)
    {
        Errno error = DeviceMemoryRules.Check(tableOwner, mfn);
        if (error == Errno.Ok && (entry & Pte.Writable) != 0 && ReadOnlyDeviceMemory.HasPage(mfn))
        {
            entry &= ~Pte.Writable;
        }

        return error;
    }

    private static bool MayHaveCacheBits(Domain* tableOwner, ulong entry) =>
        (entry & Pte.ReservedMask) == 0 && tableOwner->HasHardwareAccess;
}
