// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xunit;

namespace Hypervisor.Core.Tests.Mmu;

public sealed unsafe class PageAllocatorTests
{
    private readonly TestHost _host = new(32 << 20);

    [Fact]
    public void A_run_is_of_any_length_and_all_of_it_comes_back()
    {
        ulong before = PageAllocator.FreeFrames;

        void* run = PageAllocator.AllocateRun(2500);

        Assert.True(run != null);
        Assert.Equal(before - 2500, PageAllocator.FreeFrames);
        PageAllocator.FreeRun(run, 2500);
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void A_run_crosses_blocks_and_is_not_longer_than_what_is_free_in_one_piece()
    {
        // 32 MiB without the first one: the largest block has 16 MiB, the longest run is what boot left of 31.
        void* run = PageAllocator.AllocateRun(6000);
        Assert.True(run != null);
        Assert.True(PageAllocator.AllocateRun(6000) == null);
        Assert.True(PageAllocator.AllocateRun(0) == null);
        Assert.True(PageAllocator.AllocateRun(ulong.MaxValue) == null);
        PageAllocator.FreeRun(run, 6000);
        run = PageAllocator.AllocateRun(6000);
        Assert.True(run != null);
        PageAllocator.FreeRun(run, 6000);
    }

    [Fact]
    public void A_frame_freed_twice_ends_the_machine()
    {
        void* page = PageAllocator.AllocatePages(0);
        PageAllocator.FreePages(page, 0);
        _ = Assert.Throws<HypervisorPanicException>(() => PageAllocator.FreePages(page, 0));

        Domain* domain = _host.AddDomain();
        Mfn frame = TestHost.Populate(domain, 1)[0];
        Assert.True(DomainPages.Release(FrameTable.Page(frame)));
        PageInfo* info = FrameTable.Page(frame);
        _ = Assert.Throws<HypervisorPanicException>(() => PageAllocator.FreeDomainFrame(info, 0));
    }

    [Fact]
    public void Memory_of_boot_modules_is_taken_over_once_and_arrives_as_zeros()
    {
        // What the hypervisor has used since the boot looks like what it has allocated.
        Domain* domain = _host.AddDomain(maxPages: 1 << 20);
        ulong* module = (ulong*)PageAllocator.AllocatePages(3);
        ulong first = Mfn.OfAddress(Machine.PhysicalOf(module)).Raw;
        *module = 0x5EC2E7;
        ulong free = PageAllocator.FreeFrames;
        ulong total = PageAllocator.TotalFrames;

        PageAllocator.TakeOver(first, first + 8);
        PageAllocator.TakeOver(first, first + 8);

        Assert.Equal(free + 8, PageAllocator.FreeFrames);
        Assert.Equal(total + 8, PageAllocator.TotalFrames);
        bool isFound = false;
        for (Mfn mfn = DomainPages.Allocate(domain, 0, 64); !mfn.IsNone; mfn = DomainPages.Allocate(domain, 0, 64))
        {
            Assert.Equal(0ul, *(ulong*)Machine.Direct(mfn));
            isFound |= mfn.Raw == first;
        }

        Assert.True(isFound);
    }

    [Fact]
    public void Nothing_that_is_a_domains_can_be_taken_over()
    {
        Domain* domain = _host.AddDomain();
        Mfn frame = TestHost.Populate(domain, 1)[0];
        ulong free = PageAllocator.FreeFrames;

        PageAllocator.TakeOver(frame.Raw, frame.Raw + 1);
        PageAllocator.TakeOver(0, 16);
        PageAllocator.TakeOver(FrameTable.Frames, FrameTable.Frames + 16);

        Assert.Equal(free, PageAllocator.FreeFrames);
    }

    [Fact]
    public void The_last_memory_below_4_GiB_is_for_who_can_use_no_other()
    {
        // 32 MiB on each side; the fake machine's other memory is never touched.
        const ulong Border = 1UL << 20;
        TestHost host = new((1UL << 32) + (32 << 20), firstFrame: Border - 0x2000);
        PageAllocator.ReserveLow();
        Domain* domain = host.AddDomain(maxPages: 1 << 20);
        ulong low = 0;
        bool hadHigh = false;
        for (Mfn mfn = DomainPages.Allocate(domain, 0, 64); !mfn.IsNone; mfn = DomainPages.Allocate(domain, 0, 64))
        {
            // From the top: no low frame while there are high ones.
            Assert.False(mfn.Raw >= Border && low != 0);
            hadHigh |= mfn.Raw >= Border;
            low += mfn.Raw < Border ? 1u : 0u;
        }

        Assert.True(hadHigh && low > 0x1C00);
        Assert.Equal(0x200ul, PageAllocator.FreeFrames);
        Assert.Equal(0ul, PageAllocator.AvailableFrames);
        Assert.False(PageAllocator.TryClaim(1));
        Mfn forDevice = DomainPages.Allocate(domain, 2, 32);
        Assert.True(!forDevice.IsNone && forDevice.Raw < Border);
        Assert.True(PageAllocator.AllocatePages(0) != null);
        Assert.Equal(0x200ul - 5, PageAllocator.FreeFrames);
        Assert.True(DomainPages.Allocate(domain, 0, 64).IsNone);
    }

    [Fact]
    public void A_machine_without_memory_above_4_GiB_keeps_no_reserve()
    {
        PageAllocator.ReserveLow();

        Assert.Equal(PageAllocator.FreeFrames, PageAllocator.AvailableFrames);
    }

    [Fact]
    public void Random_requests_never_overlap_and_all_memory_comes_back_in_one_piece()
    {
        Random random = new(5);
        Domain* domain = _host.AddDomain(maxPages: 1 << 20);
        ulong before = PageAllocator.FreeFrames;
        ulong longest = LongestRun();
        HashSet<ulong> used = [];
        List<(ulong First, ulong Count, int Kind)> held = [];
        for (int step = 0; step < 4000; step++)
        {
            if (held.Count > 0 && random.Next(5) < 2)
            {
                int index = random.Next(held.Count);
                (ulong first, ulong count, int kind) = held[index];
                held.RemoveAt(index);
                Free(first, count, kind);
                for (ulong frame = first; frame < first + count; frame++)
                {
                    Assert.True(used.Remove(frame));
                }

                continue;
            }

            (ulong First, ulong Count, int Kind) got = Take(random, domain);
            for (ulong frame = got.First; frame < got.First + got.Count; frame++)
            {
                Assert.True(used.Add(frame), "handed out twice");
            }

            if (got.Count != 0)
            {
                held.Add(got);
            }

            Assert.Equal(before - (ulong)used.Count, PageAllocator.FreeFrames);
        }

        foreach ((ulong first, ulong count, int kind) in held)
        {
            Free(first, count, kind);
        }

        Assert.Equal(before, PageAllocator.FreeFrames);
        Assert.Equal(longest, LongestRun());
    }

    private static (ulong First, ulong Count, int Kind) Take(Random random, Domain* domain)
    {
        int kind = random.Next(3);
        int order = random.Next(6);
        ulong count = kind == 2 ? (ulong)random.Next(1, 70) : 1UL << order;
        if (kind == 0)
        {
            Mfn mfn = DomainPages.Allocate(domain, order, random.Next(2) == 0 ? 24 : 64);
            return mfn.IsNone ? default : (mfn.Raw, count, kind);
        }

        void* pages = kind == 1 ? PageAllocator.AllocatePages(order) : PageAllocator.AllocateRun(count);
        return pages == null ? default : (Mfn.OfAddress(Machine.PhysicalOf(pages)).Raw, count, kind);
    }

    private static void Free(ulong first, ulong count, int kind)
    {
        for (ulong frame = first; kind == 0 && frame < first + count; frame++)
        {
            Assert.True(DomainPages.Release(FrameTable.Page(new Mfn(frame))));
        }

        if (kind == 1)
        {
            PageAllocator.FreePages(Machine.Direct(new Mfn(first)), (int)ulong.Log2(count));
        }
        else if (kind == 2)
        {
            PageAllocator.FreeRun(Machine.Direct(new Mfn(first)), count);
        }
    }

    /// <summary>Found by asking, so everything that is free is merged first.</summary>
    private static ulong LongestRun()
    {
        ulong low = 0;
        for (ulong step = 1UL << 14; step != 0; step >>= 1)
        {
            void* run = PageAllocator.AllocateRun(low + step);
            if (run != null)
            {
                PageAllocator.FreeRun(run, low + step);
                low += step;
            }
        }

        return low;
    }
}
