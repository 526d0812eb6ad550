// SPDX-License-Identifier: MIT
// The one place where an entry of a live page table changes. Order: take the references of the new entry, exchange, drop those of
// the old one; so a failure changes nothing and a frame that both entries name never loses its last reference.
// Accessed and dirty bits are set by processors at any moment: what must not lose them exchanges in a loop.

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Emulation;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Checked writes to page-table entries, under the table owner's MmuLock.</summary>
public static unsafe class EntryUpdate
{
    /// <summary>
    /// Replaces the level-1 entry at <paramref name="slot"/> by <paramref name="entry"/>; frames belong to
    /// <paramref name="pageOwner"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Errno Leaf(Domain* domain, Domain* pageOwner, ulong* slot, ulong entry, bool preserveAccessedDirty)
    {
        ulong old = Volatile.Read(ref *slot);
        if ((entry & Pte.Present) != 0)
        {
            // Same frame, same rights: nothing to count.
            ulong adjusted = (entry | Pte.User) & ~Pte.Global;
            if (((old ^ adjusted) & ~Pte.Harmless) == 0)
            {
                return Exchange(slot, ref old, adjusted, preserveAccessedDirty, anyOld: false)
                    ? Errno.Ok
                    : Leaf(domain, pageOwner, slot, entry, preserveAccessedDirty);
            }

            Errno error = LeafEntries.Get(domain, pageOwner, ref entry);
            if (error != Errno.Ok)
            {
                return error;
            }
        }
        else if (!AbsentEntries.IsAllowed(domain, entry))
        {
            return Errno.Inval;
        }

        _ = Exchange(slot, ref old, entry, preserveAccessedDirty, anyOld: true);
        if ((old & Pte.Present) != 0)
        {
            LeafEntries.Put(domain, old);
        }

        return Errno.Ok;
    }

    /// <summary>
    /// Carries out a guest's own store to the level-1 entry at <paramref name="slot"/>: exact as to accessed and dirty bits.
    /// </summary>
    /// <param name="old">The entry that the store replaced.</param>
    public static Errno Emulate(
        Domain* domain,
        ulong* slot,
        in DecodedInstruction instruction,
        CpuUserRegs* registers,
        int offset,
        ulong source,
        out ulong old)
    {
        while (true)
        {
            old = Volatile.Read(ref *slot);
            if (!PageTableWrite.Evaluate(instruction, registers, offset, old, source, out ulong entry))
            {
                return Errno.Inval;
            }

            bool counted = (entry & Pte.Present) != 0;
            if (!counted && !AbsentEntries.IsAllowed(domain, entry))
            {
                return Errno.Inval;
            }

            ulong adjusted = counted ? (entry | Pte.User) & ~Pte.Global : entry;
            bool sameRights = counted && ((old ^ adjusted) & ~Pte.Harmless) == 0;
            if (counted && !sameRights)
            {
                Errno error = LeafEntries.Get(domain, domain, ref adjusted);
                if (error != Errno.Ok)
                {
                    return error;
                }
            }

            if (Interlocked.CompareExchange(ref *slot, adjusted, old) == old)
            {
                if (!sameRights && (old & Pte.Present) != 0)
                {
                    LeafEntries.Put(domain, old);
                }

                return Errno.Ok;
            }

            // A processor has set a bit meanwhile: the instruction may see it, so it is evaluated anew.
            if (counted && !sameRights)
            {
                LeafEntries.Put(domain, adjusted);
            }
        }
    }

    /// <summary>Replaces an entry of level 2 to 4. Preempted: nothing has changed, call again.</summary>
    public static TableResult Table(
        Vcpu* vcpu, Domain* domain, int level, int index, ulong* slot, ulong entry, bool preserveAccessedDirty)
    {
        if (level == 4 && HypervisorSlots.Contains(index))
        {
            return TableResult.Refused;
        }

        ulong old = Volatile.Read(ref *slot);
        bool wasPresent = (old & Pte.Present) != 0;
        if ((entry & Pte.Present) != 0)
        {
            ulong adjusted = entry | Pte.User;
            bool sameFrame = wasPresent && ((old ^ adjusted) & (Pte.AddressMask | Pte.PageSize | Pte.Global | Pte.ReservedMask)) == 0;
            if (sameFrame)
            {
                _ = Exchange(slot, ref old, adjusted, preserveAccessedDirty, anyOld: true);
                return TableResult.Done;
            }

            TableResult result = TableEntries.Get(domain, ref entry, level);
            if (result != TableResult.Done)
            {
                return result;
            }
        }
        else if (!AbsentEntries.IsAllowed(domain, entry))
        {
            return TableResult.Refused;
        }

        _ = Exchange(slot, ref old, entry, preserveAccessedDirty, anyOld: true);
        if (wasPresent)
        {
            PageTables.PutOrPark(vcpu, domain, FrameTable.Page(Pte.FrameOf(old)));
        }

        return TableResult.Done;
    }

    /// <summary>
    /// Stores <paramref name="entry"/>; <paramref name="old"/> gets what was there. False when the slot has changed in more
    /// than accessed and dirty bits and <paramref name="anyOld"/> is not set.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Exchange(ulong* slot, ref ulong old, ulong entry, bool preserveAccessedDirty, bool anyOld)
    {
        if (!preserveAccessedDirty)
        {
            // Writers are serialised by the lock; the processor adds accessed and dirty bits only, and they may be lost here.
            // A locked store, because the flush clock is read next (TlbFlush).
            _ = Interlocked.Exchange(ref *(long*)slot, (long)entry);
            return true;
        }

        while (true)
        {
            ulong next = entry | (old & (Pte.Accessed | Pte.Dirty));
            ulong found = Interlocked.CompareExchange(ref *slot, next, old);
            if (found == old)
            {
                return true;
            }

            if (!anyOld && ((found ^ old) & ~(Pte.Accessed | Pte.Dirty)) != 0)
            {
                return false;
            }

            old = found;
        }
    }
}
