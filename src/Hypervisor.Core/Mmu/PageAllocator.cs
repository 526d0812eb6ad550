// SPDX-License-Identifier: MIT
// Buddy allocator over the frame table. Free blocks of 2^order frames, aligned to their size, hang in one list for
// each order and zone; the frame table entry of a block's first frame is the list node. Two zones: below 4 GiB,
// kept back for DMA buffers (XENMEM_exchange), and the rest; requests without an address limit take from the high
// zone first, and never the last of the low one.
//
// Single frames come and go all the time, most of them to and from the same domain. The last few that were freed
// are kept as they are, in a list for each zone, and go out first: no merging of blocks at one call to split them
// again at the next.
//
// Scrubbing: a freed frame remembers whose contents it has, in its type word: the serial of the domain, which no other
// ever gets, or 0. It is zeroed when it goes to anyone else, and always when it goes to the hypervisor. What a domain
// gives and takes back itself is not touched.
//
// TLBs: a freed frame carries the flush clock of its last reference; before it is handed out, CPUs that have not
// flushed since then do (TlbFlush.BeforeReuse).
//
// Locking: s_lock protects the free lists and counts; innermost, nothing is taken inside it.

using System;

namespace Hypervisor.Core.Mmu;

/// <summary>Hands out frames of memory.</summary>
public static unsafe partial class PageAllocator
{
    public const int MaxOrder = 18;

    /// <summary>Frames zeroed between two questions whether something else wants the CPU.</summary>
    private const uint ScrubSlice = 16;
    private const int Orders = MaxOrder + 1;
    private const uint MaxRecent = 512;
    private const ulong FramesBelow4G = 1UL << (32 - MemoryLayout.PageShift);
    private const ulong MaxLowReserve = (64UL << 20) >> MemoryLayout.PageShift;
    private const ulong LowReserveShare = 16;

    private struct State
    {
        public fixed uint Heads[2 * Orders];
        public fixed ulong ZoneFree[2];

        /// <summary>Single frames freed last, by zone; counted in <see cref="ZoneFree"/>, linked by their
        /// Next.</summary>
        public fixed uint RecentHeads[2];
        public fixed uint RecentCounts[2];
        public ulong Total;
        public ulong Claimed;

        /// <summary>Frames below 4 GiB that only requests for such addresses, and the hypervisor, may take.</summary>
        public ulong LowReserve;
    }

    private static State s_state;
    private static SpinLock s_lock;
    private static bool s_ready;

    /// <summary>Free frames; frames ever handed to the allocator; free frames promised to claims.</summary>
    public static ulong FreeFrames => s_state.ZoneFree[0] + s_state.ZoneFree[1];

    public static ulong TotalFrames => s_state.Total;

    public static ulong ClaimedFrames => s_state.Claimed;

    /// <summary>Free frames without what is left of the reserve below 4 GiB: what domains can get at any address.</summary>
    public static ulong AvailableFrames =>
        s_state.ZoneFree[1] + (s_state.ZoneFree[0] > s_state.LowReserve ? s_state.ZoneFree[0] - s_state.LowReserve : 0);

    /// <summary>Available frames that belong to nobody's claim.</summary>
    public static ulong UnclaimedFrames =>
        AvailableFrames > s_state.Claimed ? AvailableFrames - s_state.Claimed : 0;

    /// <summary>Sets memory below 4 GiB aside for devices that can reach no other. A machine that has no more than that
    /// keeps no reserve.</summary>
    public static void ReserveLow()
    {
        ulong share = s_state.ZoneFree[0] / LowReserveShare;
        s_state.LowReserve = s_state.ZoneFree[1] == 0 ? 0 : share < MaxLowReserve ? share : MaxLowReserve;
    }

    /// <summary>Changes the sum of claims by <paramref name="delta"/>; false when that much is not free.</summary>
    public static bool TryClaim(long delta)
    {
        s_lock.Acquire();
        bool possible = delta <= 0 || (ulong)delta <= UnclaimedFrames;
        if (possible)
        {
            s_state.Claimed = (ulong)((long)s_state.Claimed + delta);
        }

        s_lock.Release();
        return possible;
    }

    /// <summary>Adds RAM that nobody uses: [<paramref name="start"/>, <paramref name="end"/>) in frames.</summary>
    public static void AddMemory(ulong start, ulong end)
    {
        if (!s_ready)
        {
            for (int index = 0; index < 2 * Orders; index++)
            {
                s_state.Heads[index] = FrameTable.EndOfList;
            }

            s_state.RecentHeads[0] = FrameTable.EndOfList;
            s_state.RecentHeads[1] = FrameTable.EndOfList;
            s_ready = true;
        }

        end = end < FrameTable.Frames ? end : FrameTable.Frames;
        FrameTable.Describe(start, end, FrameTable.OwnerNone, 0, FrameState.Free);
        s_lock.Acquire();
        s_state.Total += end > start ? end - start : 0;
        InsertRange(start, end);
        s_lock.Release();
    }

    /// <summary>Frames for the hypervisor itself, zeroed and reachable through the direct map; null when there are
    /// none.</summary>
    public static void* AllocatePages(int order)
    {
        Mfn first = Take(order, 64, fromClaim: false, fromReserve: true);
        if (first.IsNone)
        {
            return null;
        }

        for (ulong frame = 0; frame < 1UL << order; frame++)
        {
            // A guest that had the frame may have a translation left, with which it could write to what is ours now.
            PageInfo* page = FrameTable.Page(first + frame);
            TlbFlush.BeforeReuse(page->FlushStamp);
            page->Owner = FrameTable.OwnerHypervisor;
            page->Count = PageInfo.HypervisorFrame | 1;
            page->Type = 0;
            page->State = FrameState.Used;
        }

        void* pointer = Machine.Direct(first);
        Machine.Zero(pointer, (nuint)(MemoryLayout.PageSize << order));
        return pointer;
    }

    public static void FreePages(void* pointer, int order)
    {
        Mfn first = Mfn.OfAddress(Machine.PhysicalOf(pointer));
        for (ulong frame = 0; frame < 1UL << order; frame++)
        {
            PageInfo* page = FrameTable.Page(first + frame);
            page->Count = 0;
            page->Owner = FrameTable.OwnerHypervisor;
            MarkFree(page, 0);
        }

        Give(first, order);
    }

    /// <summary>
    /// 2^<paramref name="order"/> contiguous frames below 2^<paramref name="addressBits"/> bytes, scrubbed
    /// unless their contents are those of <paramref name="domain"/>; they belong to nobody yet (<c>DomainPages.Assign</c>). None when there are none.
    /// </summary>
    public static Mfn AllocateForDomain(int order, int addressBits, Domain* domain, bool fromClaim) =>
        AllocateForDomain(order, addressBits, domain, fromClaim, mayGiveWay: false, out _);

    /// <summary>As above. Scrubbing may give way: then there are none now, and what has been zeroed is free again and
    /// need not be zeroed by whoever asks next.</summary>
    public static Mfn AllocateForDomain(
        int order, int addressBits, Domain* domain, bool fromClaim, bool mayGiveWay, out bool gaveWay)
    {
        gaveWay = false;
        uint zeroed = 0;
        Mfn first = Take(order, addressBits, fromClaim, fromReserve: addressBits <= 32);
        if (first.IsNone)
        {
            return first;
        }

        for (ulong frame = 0; frame < 1UL << order; frame++)
        {
            PageInfo* page = FrameTable.Page(first + frame);
            TlbFlush.BeforeReuse(page->FlushStamp);
            page->State = FrameState.Used;
            if (page->Type == PageInfo.Zeroed || (page->Type != 0 && page->Type == domain->Serial))
            {
                continue;
            }

            Machine.Zero(Machine.Direct(first + frame), (nuint)MemoryLayout.PageSize);
            page->Type = PageInfo.Zeroed;
            bool isLast = frame + 1 == 1UL << order;
            if (mayGiveWay && !isLast && ++zeroed % ScrubSlice == 0 && Preemption.IsDue())
            {
                PutBack(first, frame + 1, order);
                gaveWay = true;
                return Mfn.None;
            }
        }

        return first;
    }

    /// <summary>Frees a block that was never handed out, of which the first frames have been looked at.</summary>
    private static void PutBack(Mfn first, ulong frames, int order)
    {
        for (ulong frame = 0; frame < frames; frame++)
        {
            PageInfo* page = FrameTable.Page(first + frame);
            MarkFree(page, page->Type);
        }

        Give(first, order);
    }

    /// <summary>Takes back an extent that <see cref="AllocateForDomain(int, int, Domain*, bool)"/> gave and nobody got.</summary>
    /// <param name="first">Its first frame.</param>
    /// <param name="order">Its order.</param>
    /// <param name="contents">As of <see cref="FreeDomainFrame"/>.</param>
    public static void FreeExtent(Mfn first, int order, ulong contents)
    {
        for (ulong frame = 0; frame < 1UL << order; frame++)
        {
            MarkFree(FrameTable.Page(first + frame), contents);
        }

        Give(first, order);
    }

    /// <summary>Takes back one frame of a domain.</summary>
    /// <param name="page">The frame, which nothing refers to.</param>
    /// <param name="contents">The <see cref="Domain.Serial"/> of the domain to which it may go back as it is, or 0.</param>
    public static void FreeDomainFrame(PageInfo* page, ulong contents)
    {
        Mfn mfn = FrameTable.FrameOf(page);
        MarkFree(page, contents);
        s_lock.Acquire();
        int zone = ZoneOf(mfn.Raw);
        if (s_state.RecentCounts[zone] < MaxRecent)
        {
            page->Next = s_state.RecentHeads[zone];
            s_state.RecentHeads[zone] = (uint)mfn.Raw;
            s_state.RecentCounts[zone]++;
            s_state.ZoneFree[zone]++;
        }
        else
        {
            Merge(mfn, 0);
        }

        s_lock.Release();
    }

    private static Mfn Take(int order, int addressBits, bool fromClaim, bool fromReserve)
    {
        if ((uint)order > MaxOrder)
        {
            return Mfn.None;
        }

        s_lock.Acquire();
        Mfn result = Mfn.None;
        if (fromClaim || UnclaimedFrames >= 1UL << order || (fromReserve && FreeFrames >= s_state.Claimed + (1UL << order)))
        {
            result = TakeFromZones(order, addressBits, fromReserve);
            if (result.IsNone && (s_state.RecentCounts[0] | s_state.RecentCounts[1]) != 0)
            {
                MergeRecent(0);
                MergeRecent(1);
                result = TakeFromZones(order, addressBits, fromReserve);
            }
        }

        s_lock.Release();
        return result;
    }

    private static Mfn TakeFromZones(int order, int addressBits, bool fromReserve)
    {
        Mfn result = addressBits > 32 ? TakeFrom(1, order, addressBits) : Mfn.None;
        bool mayTakeLow = fromReserve || s_state.ZoneFree[0] >= s_state.LowReserve + (1UL << order);
        return result.IsNone && mayTakeLow ? TakeFrom(0, order, addressBits) : result;
    }

    private static Mfn TakeFrom(int zone, int order, int addressBits)
    {
        // A machine with less than 4 GiB has nothing in the high zone, and asks there first every time.
        if (s_state.ZoneFree[zone] < 1UL << order)
        {
            return Mfn.None;
        }

        ulong limit = addressBits >= 52 ? ulong.MaxValue : 1UL << (addressBits - MemoryLayout.PageShift);
        uint recent = s_state.RecentHeads[zone];
        if (order == 0 && s_state.RecentCounts[zone] != 0 && recent < limit)
        {
            s_state.RecentHeads[zone] = FrameTable.Page(new Mfn(recent))->Next;
            s_state.RecentCounts[zone]--;
            s_state.ZoneFree[zone]--;
            return new Mfn(recent);
        }

        for (int current = order; current <= MaxOrder; current++)
        {
            uint head = s_state.Heads[(zone * Orders) + current];
            while (head != FrameTable.EndOfList && head + (1UL << order) > limit)
            {
                head = FrameTable.Page(new Mfn(head))->Next;
            }

            if (head == FrameTable.EndOfList)
            {
                continue;
            }

            Remove(head, current);
            while (current > order)
            {
                // Keep the upper half for later: domains fill from the bottom of a block, in order.
                current--;
                Insert(head + (1UL << current), current);
            }

            return new Mfn(head);
        }

        return Mfn.None;
    }

    /// <summary>A frame in two lists would be handed to two owners: nothing is worth going on for then.</summary>
    private static void MarkFree(PageInfo* page, ulong contents)
    {
        if (page->State != FrameState.Used)
        {
            Panic.Because("a frame of memory was freed twice"u8);
        }

        page->State = FrameState.Free;
        page->Type = contents;
    }

    private static void Give(Mfn first, int order)
    {
        s_lock.Acquire();
        Merge(first, order);
        s_lock.Release();
    }

    /// <summary>Makes blocks again of the single frames freed last.</summary>
    private static void MergeRecent(int zone)
    {
        while (s_state.RecentCounts[zone] != 0)
        {
            uint frame = s_state.RecentHeads[zone];
            s_state.RecentHeads[zone] = FrameTable.Page(new Mfn(frame))->Next;
            s_state.RecentCounts[zone]--;
            s_state.ZoneFree[zone]--;
            Merge(new Mfn(frame), 0);
        }
    }

    private static void Merge(Mfn first, int order)
    {
        ulong frame = first.Raw;
        while (order < MaxOrder)
        {
            ulong buddy = frame ^ (1UL << order);
            if (!FrameTable.IsValid(new Mfn(buddy)))
            {
                break;
            }

            PageInfo* page = FrameTable.Page(new Mfn(buddy));
            if (page->State != FrameState.FreeHead || page->Order != order || ZoneOf(buddy) != ZoneOf(frame))
            {
                break;
            }

            Remove((uint)buddy, order);
            frame &= ~(1UL << order);
            order++;
        }

        Insert(frame, order);
    }

    private static int ZoneOf(ulong frame) => frame < FramesBelow4G ? 0 : 1;

    private static void Insert(ulong frame, int order)
    {
        int zone = ZoneOf(frame);
        PageInfo* page = FrameTable.Page(new Mfn(frame));
        uint head = s_state.Heads[(zone * Orders) + order];
        page->Order = (byte)order;
        page->State = FrameState.FreeHead;
        page->Next = head;
        page->Previous = FrameTable.EndOfList;
        if (head != FrameTable.EndOfList)
        {
            FrameTable.Page(new Mfn(head))->Previous = (uint)frame;
        }

        s_state.Heads[(zone * Orders) + order] = (uint)frame;
        s_state.ZoneFree[zone] += 1UL << order;
    }

    private static void Remove(uint frame, int order)
    {
        int zone = ZoneOf(frame);
        PageInfo* page = FrameTable.Page(new Mfn(frame));
        if (page->Previous != FrameTable.EndOfList)
        {
            FrameTable.Page(new Mfn(page->Previous))->Next = page->Next;
        }
        else
        {
            s_state.Heads[(zone * Orders) + order] = page->Next;
        }

        if (page->Next != FrameTable.EndOfList)
        {
            FrameTable.Page(new Mfn(page->Next))->Previous = page->Previous;
        }

        page->State = FrameState.Free;
        s_state.ZoneFree[zone] -= 1UL << order;
    }
}
