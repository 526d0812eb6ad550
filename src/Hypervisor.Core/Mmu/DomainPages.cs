// SPDX-License-Identifier: MIT
// The frames that a domain owns: a doubly linked list through the frame table, under Domain.PageLock.

using System.Threading;

namespace Hypervisor.Core.Mmu;

/// <summary>Gives frames to domains and takes them back.</summary>
public static unsafe class DomainPages
{
    /// <summary>Entry of the machine-to-physical table for a frame that no domain has.</summary>
    public const ulong InvalidMachineToPhysical = ulong.MaxValue;

    /// <summary>
    /// Makes 2^<paramref name="order"/> frames from <see cref="PageAllocator.AllocateForDomain"/> the domain's, each
    /// with the owner's own reference. False when that would exceed <see cref="Domain.MaxPages"/>.
    /// </summary>
    public static bool Assign(Domain* domain, Mfn first, int order)
    {
        domain->PageLock.Acquire();
        if (domain->IsDying || domain->TotalPages + (1UL << order) > domain->MaxPages)
        {
            domain->PageLock.Release();
            return false;
        }

        Append(domain, first, order);
        domain->PageLock.Release();
        return true;
    }

    /// <summary>
    /// As <see cref="Assign"/>, in the place of frames that <see cref="TryTake"/> has taken; a domain that is dying
    /// by now gets
    /// nothing, and the frames are freed.
    /// </summary>
    public static void AssignReplacement(Domain* domain, Mfn first, int order)
    {
        domain->PageLock.Acquire();
        bool isDying = domain->IsDying;
        if (!isDying)
        {
            Append(domain, first, order);
        }

        domain->PageLock.Release();
        if (isDying)
        {
            FreeUnowned(first, order);
        }
    }

    /// <summary>
    /// Takes a frame out of the domain, if nothing refers to it but the owner itself. It belongs to nobody then, and
    /// its list links are the caller's.
    /// </summary>
    public static bool TryTake(Domain* domain, PageInfo* page)
    {
        domain->PageLock.Acquire();
        bool taken = !domain->IsDying && page->Owner == domain->Id
            && Interlocked.CompareExchange(ref page->Count, 0, PageInfo.Allocated | 1)
                == (PageInfo.Allocated | 1);
        if (taken)
        {
            Unlink(domain, page);
            domain->TotalPages--;
            page->Owner = FrameTable.OwnerNone;
        }

        domain->PageLock.Release();
        return taken;
    }

    /// <summary>Allocates and assigns; none when the machine or the domain's limit has no room.</summary>
    public static Mfn Allocate(Domain* domain, int order, int addressBits) =>
        Allocate(domain, order, addressBits, mayGiveWay: false, out _);

    /// <summary>As above; none also when it gave way, and is to be asked again.</summary>
    public static Mfn Allocate(Domain* domain, int order, int addressBits, bool mayGiveWay, out bool gaveWay)
    {
        bool fromClaim = TakeFromClaim(domain, 1UL << order);
        Mfn first = PageAllocator.AllocateForDomain(
            order, addressBits, domain, fromClaim, mayGiveWay, out gaveWay);
        if (first.IsNone)
        {
            ReturnToClaim(domain, fromClaim, 1UL << order);
            return first;
        }

        if (!Assign(domain, first, order))
        {
            FreeUnowned(first, order);
            ReturnToClaim(domain, fromClaim, 1UL << order);
            return Mfn.None;
        }

        if (fromClaim)
        {
            _ = PageAllocator.TryClaim(-(long)(1UL << order));
        }

        return first;
    }

    /// <summary>The owner lets go of a frame (decrease_reservation): false when it had already.</summary>
    public static bool Release(PageInfo* page)
    {
        bool taken = TakeOwnReference(page);
        if (taken)
        {
            PageReference.Put(page);
        }

        return taken;
    }

    /// <summary>The owner's own reference becomes the caller's to drop; false when the owner had let go
    /// before.</summary>
    internal static bool TakeOwnReference(PageInfo* page)
    {
        ulong seen = Volatile.Read(ref page->Count);
        while (true)
        {
            if ((seen & PageInfo.Allocated) == 0)
            {
                return false;
            }

            ulong found = Interlocked.CompareExchange(
                ref page->Count, seen & ~PageInfo.Allocated, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }
    }

    /// <summary>The last reference is gone: the frame leaves its owner.</summary>
    public static void Free(PageInfo* page)
    {
        Domain* domain = DomainTable.Peek(page->Owner);
        TlbFlush.Stamp(page);
        if ((page->Count & PageInfo.HypervisorFrame) != 0)
        {
            page->Count = 0;
            page->Owner = FrameTable.OwnerHypervisor;
            PageAllocator.FreeDomainFrame(page, 0);
            return;
        }

        domain->PageLock.Acquire();
        Unlink(domain, page);
        domain->TotalPages--;
        bool last = domain->TotalPages == 0 && domain->IsDying;
        ulong contents = domain->IsDying ? 0 : domain->Serial;
        domain->PageLock.Release();
        Machine.MachineToPhysical[FrameTable.FrameOf(page).Raw] = InvalidMachineToPhysical;
        page->Owner = FrameTable.OwnerNone;
        PageAllocator.FreeDomainFrame(page, contents);
        if (last)
        {
            DomainLifecycle.OnLastPageFreed(domain);
        }
    }

    /// <summary>The first frame of the list, which has one, becomes the last. Under PageLock.</summary>
    internal static void MoveFirstToEnd(Domain* domain)
    {
        if (domain->FirstPage == domain->LastPage)
        {
            return;
        }

        Mfn first = domain->FirstPage;
        PageInfo* page = FrameTable.Page(first);
        PageInfo* last = FrameTable.Page(domain->LastPage);
        domain->FirstPage = new Mfn(page->Next);
        FrameTable.Page(domain->FirstPage)->Previous = FrameTable.EndOfList;
        last->Next = (uint)first.Raw;
        page->Previous = (uint)domain->LastPage.Raw;
        page->Next = FrameTable.EndOfList;
        domain->LastPage = first;
    }

    /// <summary>
    /// Shares a frame of the hypervisor with a domain: it may be mapped writable, and can never become a table.
    /// The base references stay with the hypervisor until <see cref="Unshare"/>. The frame is of
    /// <see cref="DomainMemory.Allocate"/>.
    /// </summary>
    public static void Share(void* direct, Domain* domain)
    {
        PageInfo* page = FrameTable.PageOf(direct);
        page->Type = PageType.Writable | PageType.Validated | 1;
        page->Owner = domain->Id;
        Volatile.Write(ref page->Count, PageInfo.HypervisorFrame | 1);
    }

    /// <summary>Drops the hypervisor's reference to a shared frame, which is freed once no mapping is left.</summary>
    public static void Unshare(void* direct, Domain* domain)
    {
        PageInfo* page = FrameTable.PageOf(direct);
        DomainMemory.Forget(domain);

        // Mappings that are left must not pass for those of a later domain with the same number.
        page->Owner = FrameTable.OwnerHypervisor;
        PageReference.PutWritable(page);
    }

    private static void Append(Domain* domain, Mfn first, int order)
    {
        for (ulong index = 0; index < 1UL << order; index++)
        {
            Mfn mfn = first + index;
            PageInfo* page = FrameTable.Page(mfn);
            page->Owner = domain->Id;
            page->Type = PageType.None;
            page->Next = FrameTable.EndOfList;
            if (domain->LastPage.IsNone)
            {
                domain->FirstPage = mfn;
                page->Previous = FrameTable.EndOfList;
            }
            else
            {
                page->Previous = (uint)domain->LastPage.Raw;
                FrameTable.Page(domain->LastPage)->Next = (uint)mfn.Raw;
            }

            domain->LastPage = mfn;
            Volatile.Write(ref page->Count, PageInfo.Allocated | 1);
        }

        domain->TotalPages += 1UL << order;
    }

    private static void Unlink(Domain* domain, PageInfo* page)
    {
        if (page->Previous == FrameTable.EndOfList)
        {
            domain->FirstPage = page->Next == FrameTable.EndOfList ? Mfn.None : new Mfn(page->Next);
        }
        else
        {
            FrameTable.Page(new Mfn(page->Previous))->Next = page->Next;
        }

        if (page->Next == FrameTable.EndOfList)
        {
            domain->LastPage = page->Previous == FrameTable.EndOfList ? Mfn.None : new Mfn(page->Previous);
        }
        else
        {
            FrameTable.Page(new Mfn(page->Next))->Previous = page->Previous;
        }
    }

    /// <summary>Gives frames back that were allocated for a domain and never became its own.</summary>
    private static void FreeUnowned(Mfn first, int order)
    {
        for (ulong index = 0; index < 1UL << order; index++)
        {
            PageInfo* page = FrameTable.Page(first + index);
            page->Count = 0;
            PageAllocator.FreeDomainFrame(page, 0);
        }
    }

    private static bool TakeFromClaim(Domain* domain, ulong frames)
    {
        if (domain->OutstandingPages < frames)
        {
            return false;
        }

        domain->PageLock.Acquire();
        bool enough = domain->OutstandingPages >= frames;
        if (enough)
        {
            domain->OutstandingPages -= frames;
        }

        domain->PageLock.Release();
        return enough;
    }

    private static void ReturnToClaim(Domain* domain, bool wasClaimed, ulong frames)
    {
        if (!wasClaimed)
        {
            return;
        }

        domain->PageLock.Acquire();
        bool isDying = domain->IsDying;
        if (!isDying)
        {
            domain->OutstandingPages += frames;
        }

        domain->PageLock.Release();
        if (isDying)
        {
            _ = PageAllocator.TryClaim(-(long)frames);
        }
    }
}
