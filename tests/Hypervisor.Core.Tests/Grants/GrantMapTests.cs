// SPDX-License-Identifier: MIT

using System;
using System.Threading;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Grants;

public sealed unsafe class GrantMapTests : IDisposable
{
    private const uint Host = GrantMapFlags.HostMap;
    private const uint ReadOnly = GrantMapFlags.ReadOnly;
    private const uint Device = GrantMapFlags.DeviceMap;
    private const uint ByEntry = GrantMapFlags.ContainsPte;

    private readonly GrantBench _bench = new(cpus: 2);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_granted_frame_is_mapped_and_unmapped()
    {
        Mfn mfn = _bench.Grant(9);
        GrantTableMapGrantRef request = GrantBench.MapRequest(9, slot: 3);

        Assert.Equal(GrantStatus.Okay, _bench.Map(ref request));
        Assert.Equal(mfn.Address, request.DevBusAddr);
        Assert.Equal(
            mfn.Address | Pte.Present | Pte.Writable | Pte.User | Pte.Accessed | Pte.Dirty, _bench.Slot(3));
        Assert.Equal(
            GrantEntryFlags.PermitAccess | GrantBench.InUse, GrantBench.FlagsOf(_bench.Owner, 9));
        Assert.Equal((2ul, 2ul), GrantBench.Holds(mfn));

        Assert.Equal(GrantStatus.Okay, _bench.Unmap(request.Handle, slot: 3));
        Assert.Equal(0ul, _bench.Slot(3));
        Assert.Equal(GrantEntryFlags.PermitAccess, GrantBench.FlagsOf(_bench.Owner, 9));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void A_read_only_mapping_takes_no_write_access()
    {
        Mfn mfn = _bench.Grant(9);
        uint handle = _bench.Map(9, 3, Host | ReadOnly);

        Assert.Equal(mfn.Address | Pte.Present | Pte.User | Pte.Accessed | Pte.Dirty, _bench.Slot(3));
        Assert.Equal(GrantEntryFlags.Reading, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
        Assert.Equal((2ul, 0ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void A_mapping_may_name_its_page_table_entry()
    {
        Mfn mfn = _bench.Grant(9);
        GrantTableMapGrantRef request = GrantBench.MapRequest(9, 0, Host | ByEntry | GrantMapFlags.ApplicationMap);
        request.HostAddr = _bench.Leaf.Address + (8 * 77);
        Assert.Equal(GrantStatus.Okay, _bench.Map(ref request));
        Assert.Equal(mfn.Raw, Pte.FrameOf(_bench.Slot(77)).Raw);

        GrantTableUnmapGrantRef unmap = new() { Handle = request.Handle, HostAddr = request.HostAddr };
        Assert.Equal(0, _bench.Call(_bench.User, GrantTableCommand.UnmapGrantRef, _bench.Arguments, ref unmap));
        Assert.Equal(0, unmap.Status);
        Assert.Equal(0ul, _bench.Slot(77));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void The_bits_of_an_entry_that_are_the_guests_are_copied()
    {
        _ = _bench.Grant(9);
        _ = _bench.Map(9, 3, Host | (5u << 16));

        Assert.Equal(5ul << 9, _bench.Slot(3) & Pte.SoftwareMask);
    }

    [Fact]
    public void A_mapping_for_devices_touches_no_page_table()
    {
        Mfn mfn = _bench.Grant(9);
        uint handle = _bench.Map(9, 3, Device);
        Assert.Equal(0ul, _bench.Slot(3));
        Assert.Equal((1ul, 1ul), GrantBench.Holds(mfn));

        Assert.Equal(GrantStatus.BadDevAddr, _bench.Unmap(handle, -1, device: mfn.Address + 4096));
        Assert.Equal((1ul, 1ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, -1, device: mfn.Address));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void Mappings_for_CPUs_and_devices_of_one_handle_go_one_by_one()
    {
        Mfn mfn = _bench.Grant(9);
        uint handle = _bench.Map(9, 3, Host | Device);
        Assert.Equal((3ul, 3ul), GrantBench.Holds(mfn));

        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        Assert.Equal((1ul, 1ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantBench.InUse, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);

        // Nothing is left that this address could name.
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        Assert.Equal(1u, _bench.User->Grants.MappingCount);
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3, device: mfn.Address));
        _bench.AssertUnused(9, mfn);
        Assert.Equal(GrantStatus.BadHandle, _bench.Unmap(handle, 3));
    }

    [Fact]
    public void Both_mappings_of_one_handle_go_at_once()
    {
        Mfn mfn = _bench.Grant(9);
        uint handle = _bench.Map(9, 3, Host | Device | ReadOnly);

        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3, device: mfn.Address));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void The_bits_in_the_entry_stay_until_the_last_mapping_of_their_kind_is_gone()
    {
        Mfn mfn = _bench.Grant(9);
        uint reader = _bench.Map(9, 1, Host | ReadOnly);
        uint writer = _bench.Map(9, 2);
        uint otherWriter = _bench.Map(9, 3);
        Assert.Equal((6ul, 4ul), GrantBench.Holds(mfn));

        Assert.Equal(GrantStatus.Okay, _bench.Unmap(writer, 2));
        Assert.Equal(GrantBench.InUse, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(otherWriter, 3));
        Assert.Equal(GrantEntryFlags.Reading, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(reader, 1));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void What_is_not_granted_is_not_mapped()
    {
        Mfn mfn = _bench.Grant(9);
        uint frame = (uint)mfn.Raw;
        const ushort Permit = GrantEntryFlags.PermitAccess;

        GrantBench.Write(_bench.Owner, 9, GrantEntryFlags.Invalid, GrantBench.Mapper, frame);
        Assert.Equal(GrantStatus.GeneralError, _bench.Map(9, 3, Host, out _));
        GrantBench.Write(_bench.Owner, 9, GrantEntryFlags.AcceptTransfer, GrantBench.Mapper, frame);
        Assert.Equal(GrantStatus.GeneralError, _bench.Map(9, 3, Host, out _));
        GrantBench.Write(_bench.Owner, 9, GrantEntryFlags.Transitive, GrantBench.Mapper, frame);
        Assert.Equal(GrantStatus.GeneralError, _bench.Map(9, 3, Host, out _));
        GrantBench.Write(_bench.Owner, 9, Permit, 7, frame);
        Assert.Equal(GrantStatus.GeneralError, _bench.Map(9, 3, Host, out _));
        GrantBench.Write(_bench.Owner, 9, Permit | GrantEntryFlags.ReadOnly, GrantBench.Mapper, frame);
        Assert.Equal(GrantStatus.GeneralError, _bench.Map(9, 3, Host, out _));
        Assert.Equal(Permit | GrantEntryFlags.ReadOnly, GrantBench.FlagsOf(_bench.Owner, 9));
        Assert.Equal(GrantStatus.Okay, _bench.Map(9, 3, Host | ReadOnly, out uint handle));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        _bench.AssertUnused(9, mfn);
        Assert.Equal(0ul, _bench.Slot(3));
    }

    [Fact]
    public void A_reference_beyond_the_table_is_bad()
    {
        _ = _bench.Grant(511);

        Assert.Equal(GrantStatus.BadGntref, _bench.Map(512, 3, Host, out _));
        Assert.Equal(GrantStatus.BadGntref, _bench.Map(uint.MaxValue, 3, Host, out _));
        Assert.Equal(GrantStatus.Okay, _bench.Map(511, 3, Host, out _));
    }

    [Fact]
    public void A_mapping_must_be_for_somebody()
    {
        _ = _bench.Grant(9);

        Assert.Equal(GrantStatus.BadGntref, _bench.Map(9, 3, ReadOnly, out _));
    }

    [Fact]
    public void A_granter_that_does_not_exist_is_a_bad_domain()
    {
        foreach (ushort granter in new ushort[] { 99, 0x7FF0, 0x7FF2, 0xFFFF })
        {
            GrantTableMapGrantRef request = GrantBench.MapRequest(9, 3, Host, granter);
            Assert.Equal(GrantStatus.BadDomain, _bench.Map(ref request));
        }
    }

    [Fact]
    public void Only_memory_of_the_granter_is_mapped()
    {
        const ushort Permit = GrantEntryFlags.PermitAccess;
        Mfn others = DomainBench.AddFrame(_bench.Domains.Dom0);
        Mfn shared = Mfn.OfAddress(Machine.PhysicalOf(_bench.Owner->SharedInfo));
        Mfn table = Mfn.OfAddress(Machine.PhysicalOf(_bench.Owner->Grants.Frames[0]));
        ulong sharedCount = GrantBench.PageOf(shared)->Count;
        foreach (uint frame in new[] { (uint)others.Raw, (uint)shared.Raw, (uint)table.Raw, 0u, 2048u, uint.MaxValue })
        {
            GrantBench.Write(_bench.Owner, 9, Permit, GrantBench.Mapper, frame);
            Assert.Equal(GrantStatus.BadPage, _bench.Map(9, 3, Host, out _));
            Assert.Equal(Permit, GrantBench.FlagsOf(_bench.Owner, 9));
        }

        Assert.Equal((0ul, 0ul), GrantBench.Holds(others));
        Assert.Equal(sharedCount, GrantBench.PageOf(shared)->Count);
        Assert.Equal(0u, _bench.User->Grants.MappingCount);
    }

    [Fact]
    public void A_page_table_of_the_granter_is_mapped_for_reading_only()
    {
        Mfn mfn = _bench.Grant(9);
        GrantBench.PageOf(mfn)->Type = PageType.L1 | PageType.Validated | 1;

        Assert.Equal(GrantStatus.GeneralError, _bench.Map(9, 3, Host, out _));
        Assert.Equal(0, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
        Assert.Equal(GrantStatus.Okay, _bench.Map(9, 3, Host | ReadOnly, out _));
        Assert.Equal(PageType.L1 | PageType.Validated | 1, GrantBench.PageOf(mfn)->Type);
        Assert.Equal((2ul, 0ul), GrantBench.Holds(mfn));
    }

    [Theory]
    [InlineData(0x7000_0000UL, Host)]
    [InlineData(0xFFFF_8300_0000_0000UL, Host)]
    [InlineData(0x0000_9000_0000_0000UL, Host)]
    [InlineData(0UL, Host | ByEntry)]
    [InlineData(0xFFFF_FFFF_FFFF_FFF8UL, Host | ByEntry)]
    [InlineData(0x7000_0000UL, Host | Device)]
    public void Where_there_is_no_slot_nothing_is_left_of_the_mapping(ulong address, uint flags)
    {
        Mfn mfn = _bench.Grant(9);
        GrantTableMapGrantRef request = GrantBench.MapRequest(9, 0, flags);
        request.HostAddr = address;

        Assert.Equal(GrantStatus.BadVirtAddr, _bench.Map(ref request));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void A_frame_that_is_no_page_table_takes_no_entry()
    {
        Mfn mfn = _bench.Grant(9);
        Mfn data = DomainBench.AddFrame(_bench.User);
        foreach (ulong address in new[] { data.Address, _bench.Leaf.Address + 4, mfn.Address })
        {
            GrantTableMapGrantRef request = GrantBench.MapRequest(9, 0, Host | ByEntry);
            request.HostAddr = address;
            Assert.Equal(GrantStatus.BadVirtAddr, _bench.Map(ref request));
        }

        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void What_was_mapped_in_the_slot_before_is_let_go_of()
    {
        Mfn own = DomainBench.AddFrame(_bench.User);
        Assert.True(PageReference.TryGetWritable(GrantBench.PageOf(own), _bench.User));
        _bench.Slot(3) = Pte.Make(own, Pte.Present | Pte.Writable | Pte.User);
        _ = _bench.Grant(9);

        _ = _bench.Map(9, 3);
        Assert.Equal((0ul, 0ul), GrantBench.Holds(own));
    }

    [Fact]
    public void A_mapping_that_the_guest_overwrote_stays_recorded()
    {
        Mfn mfn = _bench.Grant(9);
        uint handle = _bench.Map(9, 3);

        // As mmu_update does with the entry.
        ulong old = _bench.Slot(3);
        _bench.Slot(3) = 0;
        LeafEntries.Put(_bench.User, old);
        Assert.Equal((1ul, 1ul), GrantBench.Holds(mfn));

        Assert.Equal(GrantStatus.GeneralError, _bench.Unmap(handle, 3));
        Assert.Equal((1ul, 1ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantBench.InUse, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
    }

    [Fact]
    public void Mapping_into_an_occupied_slot_and_unmapping_by_either_handle_keeps_the_counts()
    {
        Mfn mfn = _bench.Grant(9);
        uint writer = _bench.Map(9, 3);
        uint reader = _bench.Map(9, 3, Host | ReadOnly);
        Assert.Equal((3ul, 1ul), GrantBench.Holds(mfn));

        // The slot holds the reader's entry: it is not the writer's to remove.
        Assert.Equal(GrantStatus.GeneralError, _bench.Unmap(writer, 3));
        Assert.Equal((3ul, 1ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(reader, 3));
        Assert.Equal((1ul, 1ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantStatus.GeneralError, _bench.Unmap(writer, 3));
    }

    [Fact]
    public void Handles_of_alike_mappings_may_be_unmapped_crosswise()
    {
        Mfn mfn = _bench.Grant(9);
        uint one = _bench.Map(9, 1);
        uint other = _bench.Map(9, 2);

        Assert.Equal(GrantStatus.Okay, _bench.Unmap(one, 2));
        Assert.Equal((2ul, 2ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(other, 1));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void A_read_only_handle_removes_no_writable_entry_of_the_same_frame()
    {
        Mfn mfn = _bench.Grant(9);
        GrantBench.Write(_bench.Owner, 10, GrantEntryFlags.PermitAccess, GrantBench.Mapper, (uint)mfn.Raw);
        uint writer = _bench.Map(9, 1);
        uint reader = _bench.Map(10, 2, Host | ReadOnly);

        Assert.Equal(GrantStatus.GeneralError, _bench.Unmap(reader, 1));
        Assert.Equal(GrantStatus.GeneralError, _bench.Unmap(writer, 2));
        Assert.Equal(GrantBench.InUse, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(reader, 2));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(writer, 1));
        _bench.AssertUnused(9, mfn);
        _bench.AssertUnused(10, mfn);
    }

    [Fact]
    public void A_handle_that_does_not_exist_is_bad()
    {
        Assert.Equal(GrantStatus.BadHandle, _bench.Unmap(0, 3));
        _ = _bench.Grant(9);
        uint handle = _bench.Map(9, 3);

        Assert.Equal(GrantStatus.BadHandle, _bench.Unmap(handle + 1, 3));
        Assert.Equal(GrantStatus.BadHandle, _bench.Unmap(256, 3));
        Assert.Equal(GrantStatus.BadHandle, _bench.Unmap(uint.MaxValue, 3));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
    }

    [Fact]
    public void Handles_are_limited_and_come_back()
    {
        Mfn mfn = _bench.Grant(9);
        for (uint expected = 0; expected < 512; expected++)
        {
            Assert.Equal(expected, _bench.Map(9, 3, Device));
        }

        Assert.Equal(GrantStatus.NoSpace, _bench.Map(9, 3, Host, out _));
        Assert.Equal((512ul, 512ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(300, -1, device: mfn.Address));
        Assert.Equal(300u, _bench.Map(9, 3));
        for (uint handle = 0; handle < 512; handle++)
        {
            Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, handle == 300 ? 3 : -1, device: mfn.Address));
        }

        _bench.AssertUnused(9, mfn);
    }

    /// <summary>But no more than it may take time for.</summary>
    [Theory]
    [InlineData(5, 1)]
    [InlineData(31, 1)]
    [InlineData(40, 2)]
    public void A_batch_unmaps_all_with_one_flush_and_a_handle_only_once(int count, int expected)
    {
        Mfn[] frames = new Mfn[count];
        uint[] handles = new uint[count];
        for (int index = 0; index < count; index++)
        {
            frames[index] = _bench.Grant((uint)(20 + index));
            handles[index] = _bench.Map((uint)(20 + index), index);
        }

        for (int index = 0; index <= count; index++)
        {
            int slot = index % count;
            _ = DomainBench.Put(_bench.Arguments, GrantBench.UnmapRequest(handles[slot], slot), index);
        }

        // A CPU that has the domain loaded is asked to flush.
        _bench.User->VcpuOf(0)->LoadedOn = 1;
        int flushes = _bench.Domains.Machine.RemoteFlushes;
        int local = FakeMachine.Cpu.Cr3Writes;
        Assert.Equal(0, _bench.CallAt(
            _bench.User, GrantTableCommand.UnmapGrantRef, _bench.Arguments.Address, (uint)count + 1));

        Assert.Equal(flushes + expected, _bench.Domains.Machine.RemoteFlushes);
        Assert.Equal(local + expected, FakeMachine.Cpu.Cr3Writes);
        for (int index = 0; index < count; index++)
        {
            Assert.Equal(0, DomainBench.Get<GrantTableUnmapGrantRef>(_bench.Arguments, index).Status);
            _bench.AssertUnused((uint)(20 + index), frames[index]);
        }

        short again = DomainBench.Get<GrantTableUnmapGrantRef>(_bench.Arguments, count).Status;
        Assert.Equal(GrantStatus.BadHandle, (GrantStatus)again);
    }

    [Fact]
    public void The_frame_is_held_until_the_flush_is_done()
    {
        Mfn mfn = _bench.Grant(9);
        uint handle = _bench.Map(9, 3);

        // The granter gives the frame up while it is mapped.
        Assert.True(DomainPages.Release(GrantBench.PageOf(mfn)));
        Assert.Equal(GrantBench.Granter, GrantBench.PageOf(mfn)->Owner);
        ulong free = PageAllocator.FreeFrames;
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        Assert.Equal(free + 1, PageAllocator.FreeFrames);
    }

    [Fact]
    public void An_unmap_that_fails_does_not_flush()
    {
        int flushes = _bench.Domains.Machine.RemoteFlushes;

        Assert.Equal(GrantStatus.BadHandle, _bench.Unmap(7, 3));
        Assert.Equal(flushes, _bench.Domains.Machine.RemoteFlushes);
    }

    [Fact]
    public void A_long_list_gives_way_and_goes_on_where_it_stopped()
    {
        const int Count = 40;
        _ = _bench.Grant(9);
        for (int index = 0; index < Count; index++)
        {
            _ = DomainBench.Put(_bench.Arguments, GrantBench.MapRequest(9, index), index);
        }

        _bench.Domains.MakeBusy();
        RunToEnd(GrantTableCommand.MapGrantRef, Count, 32);
        for (int index = 0; index < Count; index++)
        {
            GrantTableMapGrantRef request = DomainBench.Get<GrantTableMapGrantRef>(_bench.Arguments, index);
            Assert.Equal((0, (uint)index), (request.Status, request.Handle));
        }

        for (int index = 0; index < Count; index++)
        {
            _ = DomainBench.Put(_bench.Arguments, GrantBench.UnmapRequest((uint)index, index), index);
        }

        RunToEnd(GrantTableCommand.UnmapGrantRef, Count, 24);
        Assert.Equal(0u, _bench.User->Grants.MappingCount);
    }

    [Fact]
    public void An_array_that_cannot_be_read_or_written_is_a_fault()
    {
        foreach (GrantTableCommand command in new[]
        {
            GrantTableCommand.MapGrantRef, GrantTableCommand.UnmapGrantRef, GrantTableCommand.Copy,
        })
        {
            Assert.Equal(-(long)Errno.Fault, _bench.CallAt(_bench.User, command, DomainBench.Unmapped, 1));
            Assert.Equal(-(long)Errno.Fault, _bench.CallAt(_bench.User, command, MemoryLayout.DirectMap, 1));
            Assert.Equal(0, _bench.CallAt(_bench.User, command, DomainBench.Unmapped, 0));
            Assert.Equal(-(long)Errno.Inval, _bench.CallAt(_bench.User, command, 0, 0x8000_0000));
        }
    }

    [Fact]
    public void A_fault_in_the_middle_still_finishes_the_unmaps_before_it()
    {
        Mfn mfn = _bench.Grant(9);
        uint handle = _bench.Map(9, 3);

        // The second request lies beyond the end of memory.
        Mfn last = new((_bench.Domains.Machine.MemorySize >> 12) - 1);
        ulong address = last.Address + 4096 - (ulong)sizeof(GrantTableUnmapGrantRef);
        *(GrantTableUnmapGrantRef*)Machine.Direct(address) = GrantBench.UnmapRequest(handle, 3);
        Assert.Equal(
            -(long)Errno.Fault, _bench.CallAt(_bench.User, GrantTableCommand.UnmapGrantRef, address, 2));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void While_mapped_the_shared_entry_is_not_believed()
    {
        Mfn mfn = _bench.Grant(9);
        Mfn other = DomainBench.AddFrame(_bench.Owner);
        uint handle = _bench.Map(9, 1);

        // The granter swaps the frame, then the grantee, under a live mapping.
        GrantBench.Entry(_bench.Owner, 9)->Frame = (uint)other.Raw;
        GrantTableMapGrantRef request = GrantBench.MapRequest(9, 2);
        Assert.Equal(GrantStatus.Okay, _bench.Map(ref request));
        Assert.Equal(mfn.Address, request.DevBusAddr);
        Assert.Equal((0ul, 0ul), GrantBench.Holds(other));

        GrantBench.Entry(_bench.Owner, 9)->Domid = new DomId(0);
        GrantTableMapGrantRef byDom0 = GrantBench.MapRequest(9, 2, Device);
        Assert.Equal(0, _bench.Call(
            _bench.Domains.Dom0, GrantTableCommand.MapGrantRef, _bench.Dom0Arguments, ref byDom0));
        Assert.Equal(GrantStatus.GeneralError, (GrantStatus)byDom0.Status);

        GrantBench.Entry(_bench.Owner, 9)->Flags = 0;
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 1));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(request.Handle, 2));
        _bench.AssertUnused(9, mfn);
        Assert.Equal(0, GrantBench.FlagsOf(_bench.Owner, 9));
    }

    [Fact]
    public void Write_access_may_be_withdrawn_while_it_is_only_read()
    {
        Mfn mfn = _bench.Grant(9);
        uint reader = _bench.Map(9, 1, Host | ReadOnly);
        GrantBench.Entry(_bench.Owner, 9)->Flags |= GrantEntryFlags.ReadOnly;

        Assert.Equal(GrantStatus.GeneralError, _bench.Map(9, 2, Host, out _));
        Assert.Equal(GrantStatus.Okay, _bench.Map(9, 2, Host | ReadOnly, out uint second));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(reader, 1));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(second, 2));
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void A_domain_may_map_what_it_grants_itself()
    {
        Mfn mfn = DomainBench.AddFrame(_bench.User);
        GrantBench.Write(_bench.User, 9, GrantEntryFlags.PermitAccess, GrantBench.Mapper, (uint)mfn.Raw);
        GrantTableMapGrantRef request = GrantBench.MapRequest(9, 3, Host, GrantBench.Mapper);

        Assert.Equal(GrantStatus.Okay, _bench.Map(ref request));
        Assert.Equal((2ul, 2ul), GrantBench.Holds(mfn));
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(request.Handle, 3));
        Assert.Equal((0ul, 0ul), GrantBench.Holds(mfn));
    }

    [Fact]
    public void A_granter_that_writes_its_entry_all_the_time_breaks_nothing()
    {
        const int Rounds = 20_000;
        Mfn mfn = _bench.Grant(9);
        GrantEntryV1* entry = GrantBench.Entry(_bench.Owner, 9);
        bool stop = false;
        Thread granter = new(() =>
        {
            ushort turn = 0;
            while (!Volatile.Read(ref stop))
            {
                // Rights and a bit that means nothing, by locked instructions as the rules want it.
                uint seen = Volatile.Read(ref *(uint*)entry);
                uint flip = (turn++ & 1) != 0 ? GrantEntryFlags.ReadOnly : 0x8000u;
                _ = Interlocked.CompareExchange(ref *(uint*)entry, seen ^ flip, seen);
            }
        });
        granter.Start();
        int mapped = 0;
        for (int round = 0; round < Rounds; round++)
        {
            uint flags = (round & 1) == 0 ? Host : Host | ReadOnly;
            GrantStatus status = _bench.Map(9, 3, flags, out uint handle);
            if (status == GrantStatus.Okay)
            {
                mapped++;
                Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
            }
            else
            {
                Assert.True(status is GrantStatus.GeneralError or GrantStatus.Eagain);
            }
        }

        Volatile.Write(ref stop, true);
        granter.Join();
        Assert.InRange(mapped, 1, Rounds);
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void Two_users_of_one_granter_do_not_disturb_each_other()
    {
        const int Rounds = 10_000;
        Mfn mfn = _bench.Grant(9);
        Mfn forDom0 = _bench.Grant(10, GrantEntryFlags.PermitAccess, to: 0);
        FakeMachine machine = _bench.Domains.Machine;
        Exception failure = null;
        Thread other = new(() =>
        {
            try
            {
                FakeMachine.Join(machine, 1);
                for (int round = 0; round < Rounds; round++)
                {
                    GrantTableMapGrantRef map = GrantBench.MapRequest(10, 0, Device);
                    _ = CallInDom0(GrantTableCommand.MapGrantRef, ref map);
                    GrantTableUnmapGrantRef unmap = GrantBench.UnmapRequest(map.Handle, -1, map.DevBusAddr);
                    _ = CallInDom0(GrantTableCommand.UnmapGrantRef, ref unmap);
                    Assert.Equal((0, 0), (map.Status, unmap.Status));
                }
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        other.Start();
        for (int round = 0; round < Rounds; round++)
        {
            Assert.Equal(GrantStatus.Okay, _bench.Unmap(_bench.Map(9, 3), 3));
        }

        other.Join();
        Assert.Null(failure);
        _bench.AssertUnused(9, mfn);
        _bench.AssertUnused(10, forDom0);
    }

    private long CallInDom0<T>(GrantTableCommand command, ref T request)
        where T : unmanaged
    {
        CpuUserRegs frame;
        ulong address = DomainBench.Put(_bench.Dom0Arguments, request);
        long result = Core.Grants.GrantTableOps.Dispatch(
            _bench.Domains.Dom0->VcpuOf(0), (uint)command, address, 1, &frame).Raw;
        request = DomainBench.Get<T>(_bench.Dom0Arguments);
        return result;
    }

    private void RunToEnd(GrantTableCommand command, uint count, int size)
    {
        ulong address = _bench.Arguments.Address;
        Assert.Equal(HypercallResult.Preempted.Raw, _bench.CallAt(_bench.User, command, address, count));
        Assert.Equal((ulong)command, _bench.Frame.Rdi);
        Assert.Equal(address + (16 * (ulong)size), _bench.Frame.Rsi);
        Assert.Equal(count - 16, _bench.Frame.Rdx);
        long result = HypercallResult.Preempted.Raw;
        for (int calls = 0; result == HypercallResult.Preempted.Raw && calls < 10; calls++)
        {
            result = _bench.CallAt(
                _bench.User, (GrantTableCommand)_bench.Frame.Rdi, _bench.Frame.Rsi, (uint)_bench.Frame.Rdx);
        }

        Assert.Equal(0, result);
    }
}
