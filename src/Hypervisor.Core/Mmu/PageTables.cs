// SPDX-License-Identifier: MIT
// Taking and dropping page-table types: the checking of whole tables. PageInfo.cs has the theory, LeafEntries.cs and
// TableEntries below the rules of single entries.
//
// Validation goes entry by entry from 0 up, release from 511 down; both stop between entries when Preemption.IsDue, leaving
// the table Partial. Whoever meets a Partial table of the type it wants carries on from there, which is why a preempted
// hypercall needs no memory of its own but the number of requests done. Depth is bounded by the four levels.
//
// Locking: all of this runs under the owner's MmuLock.

using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Answer of an operation on page tables that may have to be continued.</summary>
public enum TableResult
{
    Done,

    /// <summary>The table, or an entry in it, breaks a rule; nothing has changed.</summary>
    Refused,

    /// <summary>Gave way; to be called again.</summary>
    Preempted,
}

/// <summary>Page-table types of whole frames.</summary>
public static unsafe class PageTables
{
    /// <summary>Reference and type reference of level <paramref name="level"/> on a frame of <paramref name="domain"/>.</summary>
    public static TableResult Get(Domain* domain, Mfn mfn, int level)
    {
        // Destruction takes tables apart once; none may come after it.
        if (!FrameTable.IsValid(mfn) || domain->IsDying)
        {
            return TableResult.Refused;
        }

        PageInfo* page = FrameTable.Page(mfn);
        if (!PageReference.TryGet(page, domain))
        {
            return TableResult.Refused;
        }

        TableResult result = GetType(domain, page, level);
        if (result != TableResult.Done)
        {
            PageReference.Put(page);
        }

        return result;
    }

    /// <summary>Drops what <see cref="Get"/> took. Preempted: both references are still the caller's, who calls again or
    /// parks the frame (<see cref="Park"/>).</summary>
    public static TableResult Put(Domain* domain, PageInfo* page)
    {
        TableResult result = PutType(domain, page);
        if (result == TableResult.Done)
        {
            PageReference.Put(page);
        }

        return result;
    }

    /// <summary>As <see cref="Put"/>; what is left to do is done before <paramref name="vcpu"/> runs again.</summary>
    /// <remarks>Without a vCPU (boot) the work is done at once. Precondition: nothing was parked when the request began (<see cref="HasParked"/>); one request parks at most
    /// one table for each level.</remarks>
    public static void PutOrPark(Vcpu* vcpu, Domain* domain, PageInfo* page)
    {
        TableResult result;
        do
        {
            result = Put(domain, page);
        }
        while (result == TableResult.Preempted && vcpu == null);

        if (result == TableResult.Preempted)
        {
            vcpu->ParkedTables[vcpu->ParkedCount++] = FrameTable.FrameOf(page).Raw;
            VcpuWork.Set(vcpu, VcpuWork.ReleaseTable);
        }
    }

    public static bool HasParked(Vcpu* vcpu) => (vcpu->Work & VcpuWork.ReleaseTable) != 0;

    /// <summary>Carries on with a parked release; called on the way back to the guest until nothing is parked.</summary>
    public static void ContinueParked(Vcpu* vcpu)
    {
        PageInfo* page = FrameTable.Page(new Mfn(vcpu->ParkedTables[vcpu->ParkedCount - 1]));
        Domain* domain = DomainTable.Peek(page->Owner);
        domain->MmuLock.Acquire();
        TableResult result = Put(domain, page);
        domain->MmuLock.Release();
        if (result == TableResult.Done && --vcpu->ParkedCount == 0)
        {
            VcpuWork.Clear(vcpu, VcpuWork.ReleaseTable);
        }
    }

    public static TableResult GetType(Domain* domain, PageInfo* page, int level)
    {
        ulong wanted = PageType.OfLevel(level);
        ulong seen = page->Type;
        if ((seen & (PageType.Mask | PageType.Validated)) == (wanted | PageType.Validated)
            && (seen & PageType.CountMask) != 0)
        {
            if ((seen & PageType.CountMask) == PageType.CountMask)
            {
                return TableResult.Refused;
            }

            _ = Interlocked.Add(ref *(long*)&page->Type, 1);
            return TableResult.Done;
        }

        if ((seen & PageType.CountMask) != 0 || (page->Count & PageInfo.HypervisorFrame) != 0)
        {
            return TableResult.Refused;
        }

        if ((seen & PageType.Partial) != 0)
        {
            return (seen & PageType.Mask) == wanted ? ValidateEntries(domain, page, level) : TableResult.Refused;
        }

        // The frame is nobody's table and nobody's writable page; make it ours before anyone can write to it.
        ulong start = wanted | PageType.Partial;
        if (Interlocked.CompareExchange(ref page->Type, start, seen) != seen)
        {
            return TableResult.Refused;
        }

        // Only now nobody can map it for a moment and leave a translation behind; and nothing has been looked at yet.
        if ((seen & PageType.Mask) != PageType.None)
        {
            TlbFlush.BeforeReuse(page->FlushStamp);
        }

        _ = Interlocked.Add(ref *(long*)&page->Count, 1);
        return ValidateEntries(domain, page, level);
    }

    public static TableResult PutType(Domain* domain, PageInfo* page)
    {
        ulong type = page->Type;
        if ((type & PageType.CountMask) > 1)
        {
            _ = Interlocked.Add(ref *(long*)&page->Type, -1);
            return TableResult.Done;
        }

        if ((type & PageType.Partial) == 0)
        {
            SetReleaseProgress(page, type & PageType.Mask, Pte.Entries);
        }

        return ReleaseEntries(domain, page, PageType.LevelOf(type));
    }

    private static TableResult ValidateEntries(Domain* domain, PageInfo* page, int level)
    {
        Mfn mfn = FrameTable.FrameOf(page);
        ulong* table = (ulong*)Machine.Direct(mfn);
        if (level == 1)
        {
            return ValidateLeaves(domain, page, table);
        }

        int index = (int)((page->Type & PageType.EntriesMask) >> PageType.EntriesShift);
        ulong type = PageType.OfLevel(level);
        for (; index < Pte.Entries; index++)
        {
            if (level == 4 && index == MemoryLayout.FirstHypervisorSlot)
            {
                index += MemoryLayout.HypervisorSlots - 1;
                continue;
            }

            ulong entry = table[index];
            bool isPresent = (entry & Pte.Present) != 0;
            if (!isPresent && AbsentEntries.IsAllowed(domain, entry))
            {
                continue;
            }

            TableResult result = isPresent ? TableEntries.Get(domain, ref entry, level) : TableResult.Refused;
            if (result == TableResult.Done && Preemption.IsDue())
            {
                table[index] = entry;
                SetProgress(page, type, index + 1);
                return TableResult.Preempted;
            }

            if (result == TableResult.Done)
            {
                table[index] = entry;
                continue;
            }

            SetProgress(page, type, index);
            if (result == TableResult.Refused)
            {
                // Undo what was taken: from now on a release like any other.
                SetReleaseProgress(page, type, index);
                PutOrPark((Vcpu*)Machine.Cpu->Current, domain, page);
            }

            return result;
        }

        if (level == 4)
        {
            HypervisorSlots.Install(table);
        }

        Volatile.Write(ref page->Type, type | PageType.Validated | 1);
        PageReference.Put(page);
        return TableResult.Done;
    }

    private static TableResult ReleaseEntries(Domain* domain, PageInfo* page, int level)
    {
        Mfn mfn = FrameTable.FrameOf(page);
        ulong* table = (ulong*)Machine.Direct(mfn);
        int index = (int)((page->Type & PageType.EntriesMask) >> PageType.EntriesShift);
        ulong type = PageType.OfLevel(level);
        if (level == 1)
        {
            ReleaseLeaves(domain, table, table + index);
            index = 0;
        }

        while (index > 0)
        {
            index--;
            if (level == 4 && index == MemoryLayout.FirstHypervisorSlot + MemoryLayout.HypervisorSlots - 1)
            {
                index = MemoryLayout.FirstHypervisorSlot;
                continue;
            }

            ulong entry = table[index];
            if ((entry & Pte.Present) == 0)
            {
                continue;
            }

            if (Put(domain, FrameTable.Page(Pte.FrameOf(entry))) == TableResult.Preempted)
            {
                SetReleaseProgress(page, type, index + 1);
                return TableResult.Preempted;
            }

            if (Preemption.IsDue())
            {
                SetReleaseProgress(page, type, index);
                return TableResult.Preempted;
            }
        }

        TlbFlush.Stamp(page);
        Volatile.Write(ref page->Type, PageType.Released(type, Volatile.Read(ref page->FlushStamp)));
        return TableResult.Done;
    }

    /// <summary>A level-1 table: short enough to be done in one go, and nearly all of the work there is.</summary>
    private static TableResult ValidateLeaves(Domain* domain, PageInfo* page, ulong* table)
    {
        for (ulong* slot = table; slot != table + Pte.Entries; slot++)
        {
            ulong entry = *slot;
            bool isPresent = (entry & Pte.Present) != 0;
            if (isPresent ? LeafEntries.Get(domain, domain, ref entry) != Errno.Ok : !AbsentEntries.IsAllowed(domain, entry))
            {
                ReleaseLeaves(domain, table, slot);
                // No CPU has walked this table, and what the frame was before is forgotten (GetType): a plain word will do.
                Volatile.Write(ref page->Type, PageType.L1);
                PageReference.Put(page);
                return TableResult.Refused;
            }

            if (isPresent)
            {
                *slot = entry;
            }
        }

        Volatile.Write(ref page->Type, PageType.L1 | PageType.Validated | 1);
        PageReference.Put(page);
        return TableResult.Done;
    }

    private static void ReleaseLeaves(Domain* domain, ulong* first, ulong* end)
    {
        for (ulong* slot = first; slot != end; slot++)
        {
            if ((*slot & Pte.Present) != 0)
            {
                LeafEntries.Put(domain, *slot);
            }
        }
    }

    private static void SetProgress(PageInfo* page, ulong type, int entries) =>
        Volatile.Write(
            ref page->Type, type | PageType.Partial | ((ulong)entries << PageType.EntriesShift));

    private static void SetReleaseProgress(PageInfo* page, ulong type, int entries) =>
        Volatile.Write(
            ref page->Type, type | PageType.Partial | ((ulong)entries << PageType.EntriesShift) | 1);
}
