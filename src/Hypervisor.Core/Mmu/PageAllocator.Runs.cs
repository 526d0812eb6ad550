// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Mmu;

/// <content>Contiguous frames of any number, for large buffers of the boot: a block of the next power of two may be twice
/// what is needed and more than the machine has in one piece.</content>
public static unsafe partial class PageAllocator
{
    /// <summary>Contiguous frames for the hypervisor, not zeroed; null when there is no such run. Walks all memory, so
    /// only for the boot.</summary>
    public static void* AllocateRun(ulong frames)
    {
        s_lock.Acquire();
        MergeRecent(0);
        MergeRecent(1);
        ulong start = frames == 0 ? ulong.MaxValue : FindRun(frames);
        if (start == ulong.MaxValue)
        {
            s_lock.Release();
            return null;
        }

        ulong end = start;
        while (end < start + frames)
        {
            int order = FrameTable.Page(new Mfn(end))->Order;
            Remove((uint)end, order);
            end += 1UL << order;
        }

        InsertRange(start + frames, end);
        s_lock.Release();
        for (ulong frame = start; frame < start + frames; frame++)
        {
            TlbFlush.BeforeReuse(FrameTable.Page(new Mfn(frame))->FlushStamp);
        }

        FrameTable.Describe(start, start + frames, FrameTable.OwnerHypervisor, PageInfo.HypervisorFrame | 1);
        return Machine.Direct(new Mfn(start));
    }

    /// <summary>
    /// Takes over RAM that the hypervisor has used since the boot: [<paramref name="start"/>, <paramref name="end"/>) in
    /// frames. What is free already, or was never the hypervisor's, is left as it is.
    /// </summary>
    public static void TakeOver(ulong start, ulong end)
    {
        end = end < FrameTable.Frames ? end : FrameTable.Frames;
        for (ulong frame = start; frame < end; frame++)
        {
            PageInfo* page = FrameTable.Page(new Mfn(frame));
            if (page->State == FrameState.Used && page->Owner == FrameTable.OwnerHypervisor
                && page->Count == (PageInfo.HypervisorFrame | 1))
            {
                s_state.Total++;
                FreeRun(Machine.Direct(new Mfn(frame)), 1);
            }
        }
    }

    /// <summary>Gives back what <see cref="AllocateRun"/> gave.</summary>
    public static void FreeRun(void* pointer, ulong frames)
    {
        Mfn first = Mfn.OfAddress(Machine.PhysicalOf(pointer));
        for (ulong frame = 0; frame < frames; frame++)
        {
            PageInfo* page = FrameTable.Page(first + frame);
            page->Count = 0;
            MarkFree(page, 0);
            Give(first + frame, 0);
        }
    }

    /// <summary>The first of enough free blocks side by side; all ones when there are none.</summary>
    private static ulong FindRun(ulong frames)
    {
        ulong start = 0;
        ulong frame = 0;
        while (frame < FrameTable.Frames)
        {
            PageInfo* page = FrameTable.Page(new Mfn(frame));
            if (page->State != FrameState.FreeHead)
            {
                frame++;
                start = frame;
                continue;
            }

            frame += 1UL << page->Order;
            if (frame - start >= frames)
            {
                return start;
            }
        }

        return ulong.MaxValue;
    }

    /// <summary>Makes the largest blocks that fit of free frames, whatever their neighbours are.</summary>
    private static void InsertRange(ulong start, ulong end)
    {
        while (start < end)
        {
            int order = start == 0 ? MaxOrder : Machine.LowestBit(start);
            order = order > MaxOrder ? MaxOrder : order;
            while (start + (1UL << order) > end)
            {
                order--;
            }

            Insert(start, order);
            start += 1UL << order;
        }
    }
}
