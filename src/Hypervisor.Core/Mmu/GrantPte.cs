// SPDX-License-Identifier: MIT
// Grant mappings in a guest's page tables. The references behind such an entry belong to the grant table (it took them from
// the granter), so the entry is written without counting, and removed only by an unmap that names the expected frame. An entry
// that the guest itself overwrites meanwhile is put back like any other: LeafEntries.Put drops references that the mapping
// never took, so the grant table takes one set of references for the entry in the page table and one for its own record.

using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Writes and removes level-1 entries of granted frames.</summary>
public static unsafe class GrantPte
{
    /// <summary>
    /// Puts <paramref name="entry"/> (its references taken by the caller) at a virtual address of the current guest, or into the
    /// level-1 slot with that machine address when <paramref name="containsPte"/>.
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
            Volatile.Write(ref *slot, (entry | Pte.User) & ~Pte.Global);
            if ((old & Pte.Present) != 0)
            {
                LeafEntries.Put(domain, old);
            }

            error = Errno.Ok;
        }

        domain->MmuLock.Release();
        return error;
    }

    /// <summary>Replaces the entry, which must map <paramref name="expected"/>, by <paramref name="replacement"/> (not present
    /// or 0). The references of the removed entry are the caller's to drop.</summary>
    /// <returns>Inval: no slot, or it maps something else.</returns>
    public static Errno Unmap(Vcpu* vcpu, ulong hostAddress, bool containsPte, Mfn expected, ulong replacement)
    {
        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        Errno error = Errno.Inval;
        ulong* slot = Find(vcpu, hostAddress, containsPte);
        if (slot != null && (*slot & Pte.Present) != 0 && Pte.FrameOf(*slot) == expected
            && (replacement & Pte.Present) == 0)
        {
            Volatile.Write(ref *slot, replacement);
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
