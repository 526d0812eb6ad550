// SPDX-License-Identifier: MIT
// Grant mappings in a guest's page tables. The frame is another domain's, so the grant table takes the references:
// one set for the entry in the page table and one for its own record. From then on the entry is like any other: who
// removes it, by an unmap, by overwriting it or by tearing down its table, drops the entry's set, and what that set
// is follows from the entry alone. An unmap may find another mapping of the same frame in the slot than the one it
// is about. If it has the same rights it is removed instead, and still each set taken is dropped once; with other
// rights it is refused, or a writable mapping could outlive its grant.

using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Writes and removes level-1 entries of granted frames.</summary>
public static unsafe class GrantPte
{
    /// <summary>
    /// Puts <paramref name="entry"/> (its references taken by the caller) at a virtual address of the current guest, or
    /// into the level-1 slot with that machine address when <paramref name="containsPte"/>.
    /// </summary>
    /// <returns>Inval: no level-1 slot there.</returns>
    public static Errno Map(Vcpu* vcpu, ulong hostAddress, bool containsPte, ulong entry)
    {
        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        Errno error = Errno.Inval;
        ulong* slot = Find(vcpu, hostAddress, containsPte);
        if (slot != null)
        {
            ulong old = *slot;
            _ = Interlocked.Exchange(ref *(long*)slot, (long)((entry | Pte.User) & ~Pte.Global));
            if ((old & Pte.Present) != 0)
            {
                LeafEntries.Put(domain, old);
            }

            error = Errno.Ok;
        }

        domain->MmuLock.Release();
        return error;
    }

    /// <summary>Removes the entry, which must map <paramref name="expected"/> with or without write access, and drops
    /// its references. The caller's own hold the frame until it has flushed.</summary>
    /// <returns>Inval: no slot, or it maps something else.</returns>
    public static Errno Unmap(Vcpu* vcpu, ulong hostAddress, bool containsPte, Mfn expected, bool writable)
    {
        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        Errno error = Errno.Inval;
        ulong* slot = Find(vcpu, hostAddress, containsPte);
        ulong old = slot == null ? 0 : *slot;
        ulong rights = Pte.Present | (writable ? Pte.Writable : 0);
        if ((old & (Pte.Present | Pte.Writable)) == rights && Pte.FrameOf(old) == expected)
        {
            _ = Interlocked.Exchange(ref *(long*)slot, 0);
            LeafEntries.Put(domain, old);
            error = Errno.Ok;
        }

        domain->MmuLock.Release();
        return error;
    }

    private static ulong* Find(Vcpu* vcpu, ulong hostAddress, bool containsPte)
    {
        if (!containsPte)
        {
            return GuestWalk.LeafSlot(vcpu->KernelRoot, hostAddress, out _);
        }

        Mfn mfn = Mfn.OfAddress(hostAddress);
        if (!FrameTable.IsValid(mfn) || (hostAddress & 7) != 0)
        {
            return null;
        }

        PageInfo* page = FrameTable.Page(mfn);
        bool isLeafTable = page->Owner == vcpu->Domain->Id
            && (page->Type & (PageType.Mask | PageType.Validated)) == (PageType.L1 | PageType.Validated)
            && (page->Type & PageType.CountMask) != 0;
        return isLeafTable ? (ulong*)Machine.Direct(hostAddress) : null;
    }
}
