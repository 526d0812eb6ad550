// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Grants;

public sealed unsafe class GrantDomainTests : IDisposable
{
    private const uint Host = GrantMapFlags.HostMap;
    private const uint Device = GrantMapFlags.DeviceMap;

    private readonly GrantBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void The_end_of_the_user_lets_go_of_all_that_it_has_mapped()
    {
        Mfn mfn = _bench.Grant(9);
        _ = _bench.Map(9, 1);
        _ = _bench.Map(9, 2, Host | GrantMapFlags.ReadOnly);
        _ = _bench.Map(9, 3, Host | Device);

        Assert.True(GrantDomain.Destroy(_bench.User));
        Assert.Equal(0, GrantBench.FlagsOf(_bench.Owner, 9) & GrantBench.InUse);
        Assert.Equal(0u, _bench.User->Grants.MappingCount);

        // What is left are the page-table entries, which go with their table.
        Assert.Equal((3ul, 2ul), GrantBench.Holds(mfn));
        for (int slot = 1; slot <= 3; slot++)
        {
            LeafEntries.Put(_bench.User, _bench.Slot(slot));
        }

        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void The_end_of_the_user_gives_way_and_goes_on()
    {
        Mfn mfn = _bench.Grant(9);
        for (int index = 0; index < 500; index++)
        {
            _ = _bench.Map(9, 0, Device);
        }

        _bench.Domains.MakeBusy();
        int calls = 1;
        while (!GrantDomain.Destroy(_bench.User) && calls < 100)
        {
            calls++;
        }

        Assert.InRange(calls, 7, 10);
        _bench.AssertUnused(9, mfn);
    }

    [Fact]
    public void The_end_of_the_granter_leaves_mappings_and_ends_granting()
    {
        Mfn mfn = _bench.Grant(9);
        _ = _bench.Grant(10);
        uint handle = _bench.Map(9, 3);

        Assert.True(GrantDomain.Destroy(_bench.Owner));
        Assert.Equal(GrantStatus.BadDomain, _bench.Map(10, 4, Host, out _));
        Assert.Equal(GrantStatus.BadDomain, _bench.Map(9, 4, Host, out _));
        Assert.Equal(Errno.Inval, GrantResource.Frame(_bench.Owner, 1, out _));
        Assert.Equal(Errno.Ok, GrantResource.Frame(_bench.Owner, 0, out _));

        Assert.True(DomainPages.Release(GrantBench.PageOf(mfn)));
        ulong free = PageAllocator.FreeFrames;
        Assert.Equal(mfn.Raw, Pte.FrameOf(_bench.Slot(3)).Raw);
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(handle, 3));
        Assert.Equal(free + 1, PageAllocator.FreeFrames);
    }

    [Fact]
    public void A_dead_granter_goes_with_the_last_of_its_frames()
    {
        Domain* dying = _bench.Domains.AddDomain(6, vcpus: 0);
        Mfn mfn = DomainBench.AddFrame(dying);
        GrantBench.Write(dying, 9, GrantEntryFlags.PermitAccess, GrantBench.Mapper, (uint)mfn.Raw);
        GrantTableMapGrantRef request = GrantBench.MapRequest(9, 3, Host, granter: 6);
        Assert.Equal(GrantStatus.Okay, _bench.Map(ref request));
        dying->References = 3; // one more: the structure is the bench's to free
        dying->IsDying = true;
        Assert.True(GrantDomain.Destroy(dying));
        Assert.True(DomainPages.Release(GrantBench.PageOf(mfn)));

        Assert.Equal(3, dying->References);
        Assert.Equal(GrantStatus.Okay, _bench.Unmap(request.Handle, 3));
        Assert.Equal(2, dying->References);
        Assert.Equal(0ul, dying->TotalPages);
    }

    [Fact]
    public void All_memory_of_the_tables_comes_back()
    {
        _ = _bench.Grant(30, GrantEntryFlags.PermitAccess, to: 9);
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _bench.Domains.AddDomain(9, vcpus: 1, maxGrantFrames: 64, maxMaptrackFrames: 1024);
        Assert.Equal(Errno.Ok, GrantResource.Frame(domain, 63, out _));
        for (uint mapping = 0; mapping < 1000; mapping++)
        {
            Assert.True(MapForDevice(domain));
        }

        EventDomain.Release(domain);
        GrantDomain.Release(domain);
        GrantDomain.Release(domain);
        DomainPages.Unshare(domain->SharedInfo, domain);
        Assert.Equal(before, PageAllocator.FreeFrames);
        Assert.Equal(0, domain->KeptFrames);
    }

    [Fact]
    public void A_frame_of_the_table_that_tools_have_mapped_outlives_the_table()
    {
        Domain* domain = _bench.Domains.AddDomain(9, vcpus: 1);
        Assert.Equal(Errno.Ok, GrantResource.Frame(domain, 0, out Mfn table));
        Assert.True(PageReference.TryGetWritable(FrameTable.Page(table), domain));
        ulong before = PageAllocator.FreeFrames;
        GrantDomain.Release(domain);
        ulong after = PageAllocator.FreeFrames;

        PageReference.PutWritable(FrameTable.Page(table));
        Assert.Equal(after + 1, PageAllocator.FreeFrames);
        Assert.True(after > before);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void A_table_for_which_there_is_no_memory_is_not_made(int pages)
    {
        Domain* domain = _bench.Domains.AddDomain(9, vcpus: 1);
        GrantDomain.Release(domain);
        void** last = stackalloc void*[pages + 1];
        void* kept = null;
        for (void* page = kept; (page = PageAllocator.AllocatePages(0)) != null; kept = page)
        {
            for (int index = pages; index > 0; index--)
            {
                last[index] = last[index - 1];
            }

            last[0] = page;
        }

        for (int index = 0; index < pages; index++)
        {
            PageAllocator.FreePages(last[index], 0);
        }

        Assert.Equal(Errno.NoMem, GrantDomain.Initialise(domain));
        Assert.Equal((ulong)pages, PageAllocator.FreeFrames);
    }

    [Theory]
    [InlineData(1, 256)]
    [InlineData(0, 0)]
    public void A_domain_has_no_more_handles_than_the_tools_allow(uint frames, int handles)
    {
        Domain* domain = _bench.Domains.AddDomain(9, vcpus: 1, maxMaptrackFrames: frames);
        _ = _bench.Grant(30, GrantEntryFlags.PermitAccess, to: 9);
        int made = 0;
        while (made < 10000 && MapForDevice(domain))
        {
            made++;
        }

        Assert.Equal(handles, made);
    }

    /// <summary>Maps a frame for a device as the domain would; true when there was a handle.</summary>
    private bool MapForDevice(Domain* domain)
    {
        GrantTableMapGrantRef request = GrantBench.MapRequest(30, 0, Device);
        Assert.Equal(0, _bench.Call(domain, GrantTableCommand.MapGrantRef, _bench.Arguments, ref request));
        Assert.True(request.Status == 0 || (GrantStatus)request.Status == GrantStatus.NoSpace);
        return request.Status == 0;
    }
}
