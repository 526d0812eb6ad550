// SPDX-License-Identifier: MIT

using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Memory;

public sealed unsafe class MemoryOpsTests
{
    private readonly TestHost _host = new();
    private int _slices;

    [Fact]
    public void Populated_frames_belong_to_the_domain_and_know_their_guest_frame()
    {
        Domain* domain = _host.AddDomain();
        _ = _host.PutList(TestHost.ListAddress, 100, 200);
        Assert.Equal(2, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 2, order: 1));

        Assert.Equal(4ul, domain->TotalPages);
        for (int extent = 0; extent < 2; extent++)
        {
            ulong mfn = _host.At<ulong>(TestHost.ListAddress)[extent];
            Assert.Equal(domain->Id, FrameTable.Page(new Mfn(mfn + 1))->Owner);
            Assert.Equal((ulong)(100 * (extent + 1)) + 1, Hypervisor.Machine.MachineToPhysical[mfn + 1]);
        }
    }

    [Fact]
    public void A_domain_gets_no_more_than_its_maximum()
    {
        Domain* domain = _host.AddDomain(maxPages: 3);
        _ = _host.PutList(TestHost.ListAddress, 1, 2, 3, 4, 5);
        Assert.Equal(3, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 5));
        Assert.Equal(3ul, domain->TotalPages);
        Assert.Equal(4ul, _host.At<ulong>(TestHost.ListAddress)[3]);
    }

    [Fact]
    public void A_call_that_gives_way_goes_on_where_it_stopped()
    {
        Domain* domain = _host.AddDomain(maxPages: 1000);
        for (ulong index = 0; index < 100; index++)
        {
            _host.At<ulong>(TestHost.ListAddress)[index] = index;
        }

        int slices = 0;
        _host.Machine.OnInterruptWindow = () =>
        {
            slices++;
            Hypervisor.Machine.Cpu->SoftIrqPending |= SoftIrq.Schedule;
        };
        Assert.Equal(100, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 100));
        Assert.Equal(100ul, domain->TotalPages);
        Assert.True(slices > 3);
    }

    [Fact]
    public void Large_extents_are_short_slices()
    {
        Domain* domain = _host.AddDomain(maxPages: 1000);
        for (ulong index = 0; index < 6; index++)
        {
            _host.At<ulong>(TestHost.ListAddress)[index] = index * 16;
        }

        int slices = 0;
        _host.Machine.OnInterruptWindow = () =>
        {
            slices++;
            Hypervisor.Machine.Cpu->SoftIrqPending |= SoftIrq.Schedule;
        };
        Assert.Equal(6, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 6, order: 4));
        Assert.Equal(96ul, domain->TotalPages);
        Assert.Equal(5, slices);
    }

    [Fact]
    public void Frames_given_back_are_free_and_lose_their_guest_frame()
    {
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _host.Dom0;
        Mfn[] frames = TestHost.Populate(domain, 2);
        _ = _host.PutList(TestHost.ListAddress, frames[0].Raw, frames[1].Raw);
        Assert.Equal(2, Reserve(MemoryCommand.DecreaseReservation, 0x7FF0, 2));
        Assert.Equal(before, PageAllocator.FreeFrames);
        Assert.Equal(0ul, domain->TotalPages);
        Assert.Equal(ulong.MaxValue, Hypervisor.Machine.MachineToPhysical[frames[0].Raw]);
    }

    [Fact]
    public void A_frame_that_is_mapped_stays_until_it_is_unmapped()
    {
        Mfn frame = TestHost.Populate(_host.Dom0, 1)[0];
        Assert.True(PageReference.TryGetWritable(FrameTable.Page(frame), _host.Dom0));
        ulong before = PageAllocator.FreeFrames;
        _ = _host.PutList(TestHost.ListAddress, frame.Raw);
        Assert.Equal(1, Reserve(MemoryCommand.DecreaseReservation, 0x7FF0, 1));
        Assert.Equal(0, Reserve(MemoryCommand.DecreaseReservation, 0x7FF0, 1));
        Assert.Equal(before, PageAllocator.FreeFrames);
        PageReference.PutWritable(FrameTable.Page(frame));
        Assert.Equal(before + 1, PageAllocator.FreeFrames);
    }

    [Fact]
    public void Foreign_and_hypervisor_frames_cannot_be_given_back()
    {
        Domain* other = _host.AddDomain();
        Mfn foreign = TestHost.Populate(other, 1)[0];
        ulong[] frames =
            [foreign.Raw, 0x10, other->SharedInfoFrame.Raw, _host.Dom0->SharedInfoFrame.Raw, ulong.MaxValue];
        foreach (ulong frame in frames)
        {
            _ = _host.PutList(TestHost.ListAddress, frame);
            Assert.Equal(0, Reserve(MemoryCommand.DecreaseReservation, 0x7FF0, 1));
        }

        Assert.True(PageReference.TryGet(FrameTable.Page(_host.Dom0->SharedInfoFrame), _host.Dom0));
    }

    [Fact]
    public void An_unprivileged_domain_cannot_touch_anothers_memory()
    {
        Domain* domain = _host.AddDomain();
        TestHost.Run(domain->VcpuOf(0));
        _ = _host.PutList(TestHost.ListAddress, 1);
        Assert.Equal(0, Reserve(MemoryCommand.PopulatePhysMap, 0, 1, caller: domain->VcpuOf(0)));
        Assert.Equal(0ul, _host.Dom0->TotalPages);
        _host.Put(new MemoryDomain { Domid = new DomId(0) });
        Assert.Equal(-(long)Errno.Perm, Call(MemoryCommand.CurrentReservation, domain->VcpuOf(0)));
    }

    [Fact]
    public void Extents_are_bounded()
    {
        Domain* domain = _host.AddDomain(maxPages: 4096);
        _ = _host.PutList(TestHost.ListAddress, 1);
        Assert.Equal(0, Reserve(MemoryCommand.PopulatePhysMap, 0x7FF0, 1, order: 10, caller: domain->VcpuOf(0)));
        Assert.Equal(0, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 1, order: 10));
        Assert.Equal(0, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 1, order: 64));
        Assert.Equal(1, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 1, order: 9));
    }

    [Fact]
    public void A_large_extent_is_zeroed_in_slices_and_not_twice()
    {
        Domain* before = _host.AddDomain(maxPages: 1024);
        Mfn[] frames = TestHost.Populate(before, 512);
        foreach (Mfn frame in frames)
        {
            *(ulong*)Hypervisor.Machine.Direct(frame) = 0x5EC2E7;
            Assert.True(DomainPages.Release(FrameTable.Page(frame)));
        }

        Domain* domain = _host.AddDomain(maxPages: 1024);
        int slices = Interrupt();
        _ = _host.PutList(TestHost.ListAddress, 7);
        Assert.Equal(1, Reserve(MemoryCommand.PopulatePhysMap, domain->Id, 1, order: 9));
        ulong first = _host.At<ulong>(TestHost.ListAddress)[0];
        for (ulong page = 0; page < 512; page++)
        {
            Assert.Equal(0ul, *(ulong*)Hypervisor.Machine.Direct(new Mfn(first + page)));
            Assert.Equal(domain->Id, FrameTable.Page(new Mfn(first + page))->Owner);
        }

        Assert.Equal(512ul, domain->TotalPages);
        Assert.InRange(_slices, slices + 31, slices + 40);
    }

    [Fact]
    public void A_large_extent_is_given_back_in_slices()
    {
        Domain* domain = _host.Dom0;
        _ = _host.PutList(TestHost.ListAddress, 7);
        Assert.Equal(1, Reserve(MemoryCommand.PopulatePhysMap, 0x7FF0, 1, order: 9));
        int slices = Interrupt();
        ulong free = PageAllocator.FreeFrames;
        Assert.Equal(1, Reserve(MemoryCommand.DecreaseReservation, 0x7FF0, 1, order: 9));
        Assert.Equal((0ul, free + 512), (domain->TotalPages, PageAllocator.FreeFrames));
        Assert.Equal(31, _slices - slices);
    }

    [Fact]
    public void Progress_that_a_guest_made_up_is_bounded_by_the_extent()
    {
        Mfn frame = TestHost.Populate(_host.Dom0, 1)[0];
        _ = _host.PutList(TestHost.ListAddress, frame.Raw);
        foreach (ulong frames in new ulong[] { 1, 512, uint.MaxValue })
        {
            CpuUserRegs registers = default;
            ulong command = (ulong)MemoryCommand.DecreaseReservation | (frames << 32);
            _ = Reserve(MemoryCommand.CurrentReservation, 0x7FF0, 1);
            Assert.Equal(0, MemoryOps.Dispatch(_host.Caller, command, TestHost.RequestAddress, &registers).Raw);
        }

        Assert.Equal(1ul, _host.Dom0->TotalPages);
    }

    [Fact]
    public void An_exchange_for_a_large_extent_gives_way_while_it_is_zeroed()
    {
        Domain* before = _host.AddDomain(maxPages: 1500);
        foreach (Mfn used in TestHost.Populate(before, 1200))
        {
            *(ulong*)Hypervisor.Machine.Direct(used) = 0x5EC2E7;
            Assert.True(DomainPages.Release(FrameTable.Page(used)));
        }

        Mfn[] frames = TestHost.Populate(_host.Dom0, 512);
        for (int index = 0; index < 512; index++)
        {
            _host.At<ulong>(TestHost.ListAddress)[index] = frames[index].Raw;
        }

        int slices = Interrupt();
        MemoryExchange exchange = default;
        exchange.In.ExtentStart = TestHost.ListAddress;
        exchange.In.NrExtents = 512;
        exchange.In.Domid = DomId.Self;
        exchange.Out.ExtentStart = TestHost.BufferAddress;
        exchange.Out.NrExtents = 1;
        exchange.Out.ExtentOrder = 9;
        exchange.Out.Domid = DomId.Self;
        _host.Put(exchange);
        _ = _host.PutList(TestHost.BufferAddress, 7);
        Assert.Equal(0, Call(MemoryCommand.Exchange));
        ulong first = _host.At<ulong>(TestHost.BufferAddress)[0];
        Assert.Equal(0ul, *(ulong*)Hypervisor.Machine.Direct(new Mfn(first + 511)));
        Assert.Equal(512ul, _host.Dom0->TotalPages);
        Assert.True(_slices - slices > 20);
    }

    [Fact]
    public void A_list_that_cannot_be_read_ends_the_call()
    {
        Domain* domain = _host.AddDomain();
        MemoryReservation reservation = default;
        reservation.ExtentStart = 0xFFFF_8000_0000_0000;
        reservation.NrExtents = 1;
        reservation.Domid = new DomId(domain->Id);
        _host.Put(reservation);
        Assert.Equal(0, Call(MemoryCommand.PopulatePhysMap));
        Assert.Equal(0ul, domain->TotalPages);
    }

    [Fact]
    public void Memory_of_another_domain_arrives_as_zeros()
    {
        Domain* first = _host.AddDomain();
        Domain* second = _host.AddDomain();
        Mfn frame = TestHost.Populate(first, 1)[0];
        *(ulong*)Hypervisor.Machine.Direct(frame) = 0x5EC2E7;
        Assert.True(DomainPages.Release(FrameTable.Page(frame)));
        Mfn again = TestHost.Populate(second, 1)[0];
        Assert.Equal(frame.Raw, again.Raw);
        Assert.Equal(0ul, *(ulong*)Hypervisor.Machine.Direct(again));
    }

    [Fact]
    public void Memory_of_a_dead_domain_is_not_taken_for_its_successors()
    {
        Domain* first = _host.AddDomain();
        ushort id = first->Id;
        Mfn[] frames = TestHost.Populate(first, 50);
        foreach (Mfn frame in frames)
        {
            *(ulong*)Hypervisor.Machine.Direct(frame) = 0x5EC2E7;
        }

        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Domain* second = DomainFactory.Create(id, DomainLimits.OfVcpus(1), out _);
        second->MaxPages = 4000;
        int again = 0;
        for (Mfn mfn = DomainPages.Allocate(second, 0, 64); !mfn.IsNone; mfn = DomainPages.Allocate(second, 0, 64))
        {
            Assert.Equal(0ul, *(ulong*)Hypervisor.Machine.Direct(mfn));
            again += System.Array.Exists(frames, frame => frame == mfn) ? 1 : 0;
        }

        Assert.True(again > 40);
    }

    [Fact]
    public void What_a_domain_gave_back_before_it_died_is_not_taken_for_its_successors()
    {
        Domain* first = _host.AddDomain();
        ushort id = first->Id;
        Mfn[] frames = TestHost.Populate(first, 50);
        foreach (Mfn frame in frames)
        {
            *(ulong*)Hypervisor.Machine.Direct(frame) = 0x5EC2E7;
            Assert.True(DomainPages.Release(FrameTable.Page(frame)));
        }

        // To itself it goes back as it was.
        Mfn own = TestHost.Populate(first, 1)[0];
        Assert.True(System.Array.Exists(frames, frame => frame == own));
        Assert.Equal(0x5EC2E7ul, *(ulong*)Hypervisor.Machine.Direct(own));
        Assert.True(DomainPages.Release(FrameTable.Page(own)));

        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Domain* second = DomainFactory.Create(id, DomainLimits.OfVcpus(1), out _);
        second->MaxPages = 4000;
        int again = 0;
        for (Mfn mfn = DomainPages.Allocate(second, 0, 64); !mfn.IsNone; mfn = DomainPages.Allocate(second, 0, 64))
        {
            Assert.Equal(0ul, *(ulong*)Hypervisor.Machine.Direct(mfn));
            again += System.Array.Exists(frames, frame => frame == mfn) ? 1 : 0;
        }

        Assert.True(again > 40);
    }

    [Fact]
    public void Single_pages_are_exchanged_for_a_contiguous_extent()
    {
        Domain* domain = _host.Dom0;
        Mfn[] frames = TestHost.Populate(domain, 8);
        ulong before = PageAllocator.FreeFrames;
        for (int index = 0; index < 4; index++)
        {
            _host.At<ulong>(TestHost.ListAddress)[index] = frames[index * 2].Raw;
        }

        _ = _host.PutList(TestHost.BufferAddress, 1000);
        _host.Put(Exchange(4, 0, 1, 2, addressBits: 32));
        Assert.Equal(0, Call(MemoryCommand.Exchange));

        Assert.Equal(4ul, _host.At<MemoryExchange>()->NrExchanged);
        ulong first = _host.At<ulong>(TestHost.BufferAddress)[0];
        Assert.Equal(0ul, first & 3);
        for (ulong page = 0; page < 4; page++)
        {
            Assert.Equal(domain->Id, FrameTable.Page(new Mfn(first + page))->Owner);
            Assert.Equal(1000 + page, Hypervisor.Machine.MachineToPhysical[first + page]);
        }

        Assert.Equal(8ul, domain->TotalPages);
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void An_extent_is_exchanged_for_single_pages()
    {
        Domain* domain = _host.Dom0;
        Mfn first = DomainPages.Allocate(domain, 2, 64);
        _ = _host.PutList(TestHost.ListAddress, first.Raw);
        _ = _host.PutList(TestHost.BufferAddress, 10, 11, 12, 13);
        _host.Put(Exchange(1, 2, 4, 0, addressBits: 0));
        Assert.Equal(0, Call(MemoryCommand.Exchange));
        for (int index = 0; index < 4; index++)
        {
            ulong mfn = _host.At<ulong>(TestHost.BufferAddress)[index];
            Assert.Equal(10ul + (ulong)index, Hypervisor.Machine.MachineToPhysical[mfn]);
        }

        Assert.Equal(4ul, domain->TotalPages);
    }

    /// <summary>However busy the CPU is: what has been zeroed need not be zeroed again.</summary>
    [Theory]
    [InlineData(6u, 64ul, 0u)]
    [InlineData(0u, 1ul, 6u)]
    public void An_exchange_gives_way_while_pages_are_zeroed_and_comes_to_its_end(uint inOrder, ulong outCount, uint outOrder)
    {
        Domain* domain = _host.Dom0;
        Mfn first = DomainPages.Allocate(domain, 6, 64);
        ulong inCount = 64ul >> (int)inOrder;
        for (ulong index = 0; index < inCount; index++)
        {
            _host.At<ulong>(TestHost.ListAddress)[index] = (first + index).Raw;
        }

        _host.Put(Exchange(inCount, inOrder, outCount, outOrder, addressBits: 0));
        int before = Interrupt();
        Assert.Equal(0, Call(MemoryCommand.Exchange));
        Assert.InRange(_slices - before, 3, 8);
        Assert.Equal(64ul, domain->TotalPages);
        for (ulong frame = 0; frame < FrameTable.Frames; frame++)
        {
            PageInfo* page = FrameTable.Page(new Mfn(frame));
            Assert.True(page->State == FrameState.Used || page->Owner != domain->Id, $"frame {frame:x} is free, and the domain's");
        }
    }

    [Fact]
    public void An_exchange_that_fails_leaves_everything_as_it_was()
    {
        Domain* domain = _host.Dom0;
        Mfn[] frames = TestHost.Populate(domain, 4);
        Assert.True(PageReference.TryGet(FrameTable.Page(frames[2]), domain));
        ulong before = PageAllocator.FreeFrames;
        _ = _host.PutList(TestHost.ListAddress, frames[0].Raw, frames[1].Raw, frames[2].Raw, frames[3].Raw);
        _ = _host.PutList(TestHost.BufferAddress, 1000);
        _host.Put(Exchange(4, 0, 1, 2, addressBits: 0));
        Assert.Equal(-(long)Errno.Inval, Call(MemoryCommand.Exchange));
        Assert.Equal(0ul, _host.At<MemoryExchange>()->NrExchanged);
        Assert.Equal(4ul, domain->TotalPages);
        Assert.Equal(before, PageAllocator.FreeFrames);
        foreach (Mfn frame in frames)
        {
            Assert.Equal(PageInfo.Allocated, FrameTable.Page(frame)->Count & PageInfo.Allocated);
        }
    }

    [Fact]
    public void An_exchange_for_addresses_that_are_not_to_be_had_fails_with_ENOMEM()
    {
        Mfn frame = TestHost.Populate(_host.Dom0, 1)[0];
        _ = _host.PutList(TestHost.ListAddress, frame.Raw);
        _ = _host.PutList(TestHost.BufferAddress, 1000);
        _host.Put(Exchange(1, 0, 1, 0, addressBits: 16));
        Assert.Equal(-(long)Errno.NoMem, Call(MemoryCommand.Exchange));
        Assert.Equal(1ul, _host.Dom0->TotalPages);
    }

    [Theory]
    [InlineData(4, 0, 1, 1)]
    [InlineData(3, 0, 1, 2)]
    [InlineData(0x4_0000_0000, 0, 1, 2)]
    public void Lists_of_different_size_are_refused(ulong inCount, uint inOrder, ulong outCount, uint outOrder)
    {
        _host.Put(Exchange(inCount, inOrder, outCount, outOrder, addressBits: 0));
        Assert.Equal(-(long)Errno.Inval, Call(MemoryCommand.Exchange));
    }

    [Fact]
    public void A_claim_holds_memory_back_from_others_and_is_used_up_by_its_owner()
    {
        Domain* domain = _host.AddDomain(maxPages: 4000);
        ulong free = PageAllocator.FreeFrames;
        Assert.Equal(0, Claim(domain->Id, free));
        Assert.Equal(-(long)Errno.Inval, Claim(domain->Id, free));
        Assert.True(DomainPages.Allocate(_host.Dom0, 0, 64).IsNone);

        _ = TestHost.Populate(domain, 10);
        Assert.Equal(free - 10, domain->OutstandingPages);
        Assert.Equal(free - 10, PageAllocator.ClaimedFrames);

        Assert.Equal(0, Claim(domain->Id, 0));
        Assert.Equal(0ul, PageAllocator.ClaimedFrames);
        Assert.False(DomainPages.Allocate(_host.Dom0, 0, 64).IsNone);
    }

    [Fact]
    public void More_than_is_free_cannot_be_claimed_and_a_claim_ends_with_its_domain()
    {
        Domain* domain = _host.AddDomain(maxPages: 100_000);
        Assert.Equal(-(long)Errno.NoMem, Claim(domain->Id, PageAllocator.FreeFrames + 1));
        Assert.Equal(0, Claim(domain->Id, 100));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, domain->Id));
        Assert.Equal(0ul, PageAllocator.ClaimedFrames);
    }

    [Fact]
    public void A_map_that_the_tools_set_is_what_the_domain_reads()
    {
        Domain* domain = _host.AddDomain();
        Vcpu* guest = domain->VcpuOf(0);
        Assert.Equal(-(long)Errno.NoSys, ReadMap(guest, 2));

        E820Entry* entries = _host.At<E820Entry>(TestHost.BufferAddress);
        entries[0] = new E820Entry { Addr = 0, Size = 0x1000, Type = 1 };
        entries[1] = new E820Entry { Addr = 0x2000, Size = 0x3000, Type = 2 };
        ForeignMemoryMap request = default;
        request.Domid = new DomId(domain->Id);
        request.Map.NrEntries = 2;
        request.Map.Buffer = TestHost.BufferAddress;
        _host.Put(request);
        Assert.Equal(-(long)Errno.Perm, Call(MemoryCommand.SetMemoryMap, guest));
        Assert.Equal(0, Call(MemoryCommand.SetMemoryMap));

        entries[1] = default;
        Assert.Equal(0, ReadMap(guest, 100));
        Assert.Equal(2u, _host.At<Xen.Abi.MemoryMap>()->NrEntries);
        Assert.Equal(0x3000ul, entries[1].Size);

        request.Map.NrEntries = 205;
        _host.Put(request);
        Assert.Equal(-(long)Errno.Inval, Call(MemoryCommand.SetMemoryMap));
    }

    [Fact]
    public void Only_a_domain_with_hardware_reads_the_machines_map()
    {
        E820Entry* entries = (E820Entry*)PageAllocator.AllocatePages(0);
        entries[0] = new E820Entry { Addr = 0x10_0000, Size = 0x20_0000, Type = 1 };
        HostMemoryMap.Set(entries, 1);
        _host.Put(new Xen.Abi.MemoryMap { NrEntries = 10, Buffer = TestHost.BufferAddress });
        Assert.Equal(-(long)Errno.Perm, Call(MemoryCommand.MachineMemoryMap, _host.AddDomain()->VcpuOf(0)));
        Assert.Equal(0, Call(MemoryCommand.MachineMemoryMap));
        Assert.Equal(0x20_0000ul, _host.At<E820Entry>(TestHost.BufferAddress)->Size);
    }

    [Fact]
    public void The_table_of_frames_is_listed_by_its_two_megabyte_pieces()
    {
        ulong* root = (ulong*)PageAllocator.AllocatePages(0);
        ulong* third = (ulong*)PageAllocator.AllocatePages(0);
        ulong* second = (ulong*)PageAllocator.AllocatePages(0);
        root[256] = Hypervisor.Machine.PhysicalOf(third) | Pte.Present;
        third[0] = Hypervisor.Machine.PhysicalOf(second) | Pte.Present;
        second[0] = 0x40_0000 | Pte.Present | Pte.PageSize;
        HypervisorSlots.Initialise(root);
        _host.Put(new MachPhysMfnList { MaxExtents = 10, ExtentStart = TestHost.ListAddress });
        Assert.Equal(0, Call(MemoryCommand.MachPhysMfnList));
        Assert.Equal(1u, _host.At<MachPhysMfnList>()->NrExtents);
        Assert.Equal(0x400ul, _host.At<ulong>(TestHost.ListAddress)[0]);
    }

    [Fact]
    public void The_grant_table_is_handed_out_as_frames_that_its_domain_owns()
    {
        Domain* domain = _host.AddDomain();
        MemAcquireResource request = default;
        request.Domid = new DomId(domain->Id);
        request.Type = (ushort)MemoryResource.GrantTable;
        _host.Put(request);
        Assert.Equal(0, Call(MemoryCommand.AcquireResource));
        Assert.Equal(domain->MaxGrantFrames, _host.At<MemAcquireResource>()->NrFrames);

        request.NrFrames = 2;
        request.FrameList = TestHost.ListAddress;
        _host.Put(request);
        Assert.Equal(0, Call(MemoryCommand.AcquireResource));
        ulong entry = Pte.Make(new Mfn(_host.At<ulong>(TestHost.ListAddress)[1]), Pte.Present | Pte.Writable);
        Assert.Equal(Errno.Ok, LeafEntries.Get(_host.Dom0, domain, ref entry));
        LeafEntries.Put(_host.Dom0, entry);

        request.Frame = domain->MaxGrantFrames;
        _host.Put(request);
        Assert.Equal(-(long)Errno.Inval, Call(MemoryCommand.AcquireResource));
        Assert.Equal(-(long)Errno.Perm, Call(MemoryCommand.AcquireResource, domain->VcpuOf(0)));
    }

    [Fact]
    public void The_highest_guest_frame_is_what_the_guest_says_and_never_an_error()
    {
        Domain* domain = _host.AddDomain();
        _host.Put(new MemoryDomain { Domid = new DomId(domain->Id) });
        Assert.Equal(0, Call(MemoryCommand.MaximumGpfn));
        domain->SharedInfo->Arch.MaxPfn = 0x100;
        Assert.Equal(0xFF, Call(MemoryCommand.MaximumGpfn));
        domain->SharedInfo->Arch.MaxPfn = ulong.MaxValue - 20;
        Assert.Equal(0, Call(MemoryCommand.MaximumGpfn));
    }

    [Theory]
    [InlineData(17)]
    [InlineData(63)]
    [InlineData(7)]
    public void Unknown_sub_operations_answer_ENOSYS(uint command) =>
        Assert.Equal(-(long)Errno.NoSys, Call((MemoryCommand)command));

    private long Call(MemoryCommand command, Vcpu* caller = null)
    {
        CpuUserRegs start = default;
        start.Rdi = (ulong)command;
        start.Rsi = TestHost.RequestAddress;
        Vcpu* vcpu = caller == null ? _host.Caller : caller;
        return TestHost.Complete(start, frame => MemoryOps.Dispatch(vcpu, frame->Rdi, frame->Rsi, frame));
    }

    /// <summary>From now on something else wants the CPU at every question; gives how often so far.</summary>
    private int Interrupt()
    {
        _host.Machine.OnInterruptWindow = () =>
        {
            _slices++;
            Hypervisor.Machine.Cpu->SoftIrqPending |= SoftIrq.Schedule;
        };
        return _slices;
    }

    private long Reserve(MemoryCommand command, uint domain, ulong count, uint order = 0, Vcpu* caller = null)
    {
        MemoryReservation reservation = default;
        reservation.ExtentStart = TestHost.ListAddress;
        reservation.NrExtents = count;
        reservation.ExtentOrder = order;
        reservation.Domid = new DomId((ushort)domain);
        _host.Put(reservation);
        return Call(command, caller);
    }

    private long Claim(uint domain, ulong pages)
    {
        MemoryReservation request = default;
        request.NrExtents = pages;
        request.Domid = new DomId((ushort)domain);
        _host.Put(request);
        return Call(MemoryCommand.ClaimPages);
    }

    private long ReadMap(Vcpu* caller, uint room)
    {
        _host.Put(new Xen.Abi.MemoryMap { NrEntries = room, Buffer = TestHost.BufferAddress });
        return Call(MemoryCommand.MemoryMap, caller);
    }

    private static MemoryExchange Exchange(
        ulong inCount, uint inOrder, ulong outCount, uint outOrder, uint addressBits)
    {
        MemoryExchange exchange = default;
        exchange.In.ExtentStart = TestHost.ListAddress;
        exchange.In.NrExtents = inCount;
        exchange.In.ExtentOrder = inOrder;
        exchange.In.Domid = DomId.Self;
        exchange.Out.ExtentStart = TestHost.BufferAddress;
        exchange.Out.NrExtents = outCount;
        exchange.Out.ExtentOrder = outOrder;
        exchange.Out.MemFlags = addressBits;
        exchange.Out.Domid = DomId.Self;
        return exchange;
    }
}
