// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Grants;

public sealed unsafe class GrantTableOpsTests : IDisposable
{
    private const ushort Self = 0x7FF0;

    private readonly GrantBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_table_is_set_up_and_its_frames_are_told()
    {
        GrantTableSetupTable request = Setup(Self, 4);

        Assert.Equal(GrantStatus.Okay, SetupTable(ref request));
        Assert.Equal(4u, _bench.User->Grants.FrameCount);
        for (int index = 0; index < 4; index++)
        {
            Mfn mfn = new(DomainBench.Get<ulong>(_bench.Arguments, 64 + index));
            Assert.Equal((ulong)_bench.User->Grants.Frames[index], (ulong)Machine.Direct(mfn));
            PageInfo* page = FrameTable.Page(mfn);
            Assert.True(PageReference.TryGetWritable(page, _bench.User));
            PageReference.PutWritable(page);
        }

        // Less than there is: only so many are told, none goes.
        DomainBench.Entries(_bench.Arguments)[65] = 0x55;
        request = Setup(Self, 1);
        Assert.Equal(GrantStatus.Okay, SetupTable(ref request));
        Assert.Equal(0x55ul, DomainBench.Entries(_bench.Arguments)[65]);
        Assert.Equal(4u, _bench.User->Grants.FrameCount);
    }

    [Fact]
    public void New_frames_are_empty_and_can_be_used()
    {
        GrantTableSetupTable request = Setup(Self, 8);
        request.FrameList = _bench.Dom0Arguments.Address;
        Assert.Equal(0, Call(_bench.Domains.Dom0, GrantTableCommand.SetupTable, ref request));
        Mfn mfn = DomainBench.AddFrame(_bench.Domains.Dom0);
        GrantBench.Write(_bench.Domains.Dom0, 4095, GrantEntryFlags.PermitAccess, 2, (uint)mfn.Raw);

        GrantTableMapGrantRef map = GrantBench.MapRequest(4095, 3, GrantMapFlags.HostMap, granter: 0);
        Assert.Equal(GrantStatus.Okay, _bench.Map(ref map));
        map = GrantBench.MapRequest(4094, 4, GrantMapFlags.HostMap, granter: 0);
        Assert.Equal(GrantStatus.GeneralError, _bench.Map(ref map));
    }

    [Fact]
    public void A_table_has_a_limit()
    {
        GrantTableSetupTable request = Setup(Self, 9);
        Assert.Equal(GrantStatus.GeneralError, SetupTable(ref request));
        request = Setup(Self, uint.MaxValue);
        Assert.Equal(GrantStatus.GeneralError, SetupTable(ref request));
        Assert.Equal(1u, _bench.User->Grants.FrameCount);

        GrantTableQuerySize size = new() { Dom = new DomId(Self) };
        Assert.Equal(0, Call(_bench.User, GrantTableCommand.QuerySize, ref size));
        Assert.Equal((1u, 8u, (short)0), (size.NrFrames, size.MaxNrFrames, size.Status));
    }

    [Fact]
    public void Without_memory_the_table_does_not_grow()
    {
        void* last = null;
        for (void* page = last; (page = PageAllocator.AllocatePages(0)) != null; last = page)
        {
        }

        GrantTableSetupTable request = Setup(Self, 2);
        Assert.Equal(GrantStatus.NoSpace, SetupTable(ref request));
        PageAllocator.FreePages(last, 0);
        request = Setup(Self, 2);
        Assert.Equal(GrantStatus.NoSpace, SetupTable(ref request));
        Assert.Equal(1ul, PageAllocator.FreeFrames);
        Assert.Equal(1u, _bench.User->Grants.FrameCount);
    }

    [Fact]
    public void A_list_that_cannot_be_written_is_an_error()
    {
        GrantTableSetupTable request = Setup(Self, 1);
        request.FrameList = DomainBench.Unmapped;
        Assert.Equal(GrantStatus.GeneralError, SetupTable(ref request));
    }

    [Fact]
    public void Only_the_privileged_ask_for_others()
    {
        GrantTableSetupTable setup = Setup(GrantBench.Granter, 1);
        Assert.Equal(GrantStatus.PermissionDenied, SetupTable(ref setup));
        GrantTableQuerySize size = new() { Dom = new DomId(GrantBench.Granter) };
        Assert.Equal(0, Call(_bench.User, GrantTableCommand.QuerySize, ref size));
        Assert.Equal(GrantStatus.PermissionDenied, (GrantStatus)size.Status);
        GrantTableGetVersion version = new() { Dom = new DomId(GrantBench.Granter) };
        Assert.Equal(-(long)Errno.Perm, Call(_bench.User, GrantTableCommand.GetVersion, ref version));

        setup.FrameList = _bench.Dom0Arguments.Address + 2048;
        Assert.Equal(0, Call(_bench.Domains.Dom0, GrantTableCommand.SetupTable, ref setup));
        Assert.Equal(0, setup.Status);
        Assert.Equal(0, Call(_bench.Domains.Dom0, GrantTableCommand.QuerySize, ref size));
        Assert.Equal(0, size.Status);
        size.Dom = new DomId(99);
        Assert.Equal(0, Call(_bench.Domains.Dom0, GrantTableCommand.QuerySize, ref size));
        Assert.Equal(GrantStatus.BadDomain, (GrantStatus)size.Status);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, (int)Errno.NoSys)]
    [InlineData(0, (int)Errno.Inval)]
    [InlineData(3, (int)Errno.Inval)]
    public void Version_1_is_the_only_one(uint version, int error)
    {
        GrantTableSetVersion request = new() { Version = version };
        Assert.Equal(-error, Call(_bench.User, GrantTableCommand.SetVersion, ref request));

        GrantTableGetVersion present = new() { Dom = new DomId(Self) };
        Assert.Equal(0, Call(_bench.User, GrantTableCommand.GetVersion, ref present));
        Assert.Equal(1u, present.Version);
    }

    [Fact]
    public void What_is_not_offered_says_so()
    {
        foreach (GrantTableCommand command in new[]
        {
            GrantTableCommand.Transfer, GrantTableCommand.UnmapAndReplace, GrantTableCommand.GetStatusFrames,
            GrantTableCommand.SwapGrantRef, GrantTableCommand.CacheFlush,
        })
        {
            Assert.Equal(-(long)Errno.NoSys, _bench.CallAt(_bench.User, command, _bench.Arguments.Address, 1));
        }

        Assert.Equal(-(long)Errno.NoSys, _bench.CallAt(_bench.User, (GrantTableCommand)13, 0, 1));
        Assert.Equal(-(long)Errno.NoSys, _bench.CallAt(_bench.User, (GrantTableCommand)uint.MaxValue, 0, 1));
    }

    [Fact]
    public void Questions_come_one_at_a_time_and_from_readable_memory()
    {
        foreach (GrantTableCommand command in new[]
        {
            GrantTableCommand.SetupTable, GrantTableCommand.QuerySize, GrantTableCommand.DumpTable,
            GrantTableCommand.SetVersion, GrantTableCommand.GetVersion,
        })
        {
            ulong address = _bench.Arguments.Address;
            Assert.Equal(-(long)Errno.Inval, _bench.CallAt(_bench.User, command, address, 2));
            Assert.Equal(-(long)Errno.Inval, _bench.CallAt(_bench.User, command, address, 0));
            Assert.Equal(-(long)Errno.Fault, _bench.CallAt(_bench.User, command, DomainBench.Unmapped, 1));
        }
    }

    [Fact]
    public void A_dump_shows_what_is_in_use_to_the_privileged()
    {
        Mfn mfn = _bench.Grant(9);
        _ = _bench.Map(9, 3);
        GrantTableDumpTable request = new() { Dom = new DomId(GrantBench.Granter) };
        Assert.Equal(0, Call(_bench.User, GrantTableCommand.DumpTable, ref request));
        Assert.Equal(GrantStatus.PermissionDenied, (GrantStatus)request.Status);
        _bench.Domains.Machine.ClearConsole();

        Assert.Equal(0, Call(_bench.Domains.Dom0, GrantTableCommand.DumpTable, ref request));
        Assert.Equal(0, request.Status);
        Assert.Contains(
            $"  9 frame {mfn.Raw:x} to domain 2, reading 0, writing 1\n",
            _bench.Domains.Machine.Console,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Tools_enter_grants_through_the_tables_frame_before_the_guest_runs()
    {
        Assert.Equal(Errno.Ok, GrantResource.Frame(_bench.Owner, 0, out Mfn table));
        Mfn ring = DomainBench.AddFrame(_bench.Owner);
        GrantEntryV1* entries = (GrantEntryV1*)Machine.Direct(table);
        entries[ReservedGrant.ReservedXenStore] = new GrantEntryV1
        {
            Flags = GrantEntryFlags.PermitAccess,
            Domid = new DomId(GrantBench.Mapper),
            Frame = (uint)ring.Raw,
        };

        Assert.Equal(GrantStatus.Okay, _bench.Map(ReservedGrant.ReservedXenStore, 3, GrantMapFlags.HostMap, out _));
        Assert.Equal(ring.Raw, Pte.FrameOf(_bench.Slot(3)).Raw);
    }

    [Fact]
    public void A_frame_that_tools_ask_for_is_added_to_the_table()
    {
        Assert.Equal(Errno.Ok, GrantResource.Frame(_bench.Owner, 3, out Mfn mfn));
        Assert.Equal(4u, _bench.Owner->Grants.FrameCount);
        Assert.Equal((ulong)_bench.Owner->Grants.Frames[3], (ulong)Machine.Direct(mfn));

        Assert.Equal(Errno.Inval, GrantResource.Frame(_bench.Owner, 8, out mfn));
        Assert.True(mfn.IsNone);
        Assert.Equal(Errno.Inval, GrantResource.Frame(_bench.Owner, uint.MaxValue, out _));
    }

    private static GrantTableSetupTable Setup(ushort domain, uint frames) =>
        new() { Dom = new DomId(domain), NrFrames = frames };

    private GrantStatus SetupTable(ref GrantTableSetupTable request)
    {
        if (request.FrameList == 0)
        {
            request.FrameList = _bench.Arguments.Address + (64 * sizeof(ulong));
        }

        Assert.Equal(0, Call(_bench.User, GrantTableCommand.SetupTable, ref request));
        return (GrantStatus)request.Status;
    }

    private long Call<T>(Domain* caller, GrantTableCommand command, ref T request)
        where T : unmanaged =>
        _bench.Call(caller, command, caller == _bench.User ? _bench.Arguments : _bench.Dom0Arguments, ref request);
}
