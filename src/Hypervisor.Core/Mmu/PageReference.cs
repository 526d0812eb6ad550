// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Threading;

namespace Hypervisor.Core.Mmu;

/// <summary>References to frames, with and without write access.</summary>
public static unsafe class PageReference
{
    /// <summary>Takes a reference if the frame is in use and belongs to <paramref name="owner"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryGet(PageInfo* page, Domain* owner) => TryGet(page, owner->Id);

    public static bool TryGet(PageInfo* page, ushort owner)
    {
        ulong seen = Volatile.Read(ref page->Count);
        while (true)
        {
            if ((seen & PageInfo.ReferenceMask) == 0 || page->Owner != owner)
            {
                return false;
            }

            ulong found = Interlocked.CompareExchange(ref page->Count, seen + 1, seen);
            if (found == seen)
            {
                break;
            }

            seen = found;
        }

        // The frame may have changed hands between the look at the owner and the count.
        if (page->Owner != owner)
        {
            Put(page);
            return false;
        }

        return true;
    }

    /// <summary>Gives a reference back; the last one frees the frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(PageInfo* page)
    {
        long after = Interlocked.Add(ref *(long*)&page->Count, -1);
        if (((ulong)after & PageInfo.ReferenceMask) == 0)
        {
            DomainPages.Free(page);
        }
    }

    /// <summary>Takes a reference with write access, if the frame's type is or can become Writable.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryGetWritable(PageInfo* page, Domain* owner)
    {
        if (!TryGet(page, owner))
        {
            return false;
        }

        if (!TryGetWritableType(page))
        {
            Put(page);
            return false;
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutWritable(PageInfo* page)
    {
        PutWritableType(page);
        Put(page);
    }

    /// <summary>Adds write access to a reference that the caller holds.</summary>
    public static bool TryGetWritableType(PageInfo* page)
    {
        ulong seen = Volatile.Read(ref page->Type);
        while (true)
        {
            ulong next;
            if ((seen & PageType.Mask) == PageType.Writable)
            {
                if ((seen & PageType.CountMask) == PageType.CountMask)
                {
                    return false;
                }

                next = seen + 1;
            }
            else if ((seen & (PageType.CountMask | PageType.Partial)) == 0)
            {
                // A CPU may still use the frame as what it was (a page table in its paging-structure cache). Should it be
                // that again before the exchange below, the word says so (PageInfo.cs).
                if ((seen & PageType.Mask) != PageType.None)
                {
                    TlbFlush.BeforeReuse(Volatile.Read(ref page->FlushStamp));
                }

                next = PageType.Writable | PageType.Validated | 1;
            }
            else
            {
                return false;
            }

            ulong found = Interlocked.CompareExchange(ref page->Type, next, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }
    }

    public static void PutWritableType(PageInfo* page)
    {
        // Before the count can be seen as zero: whoever changes the type then must know what to flush.
        TlbFlush.Stamp(page);
        _ = Interlocked.Add(ref *(long*)&page->Type, -1);
    }
}
