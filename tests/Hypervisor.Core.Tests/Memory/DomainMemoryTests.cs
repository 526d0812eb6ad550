// SPDX-License-Identifier: MIT

using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Memory;

public sealed unsafe class DomainMemoryTests
{
    private readonly TestHost _host = new();

    [Fact]
    public void What_is_kept_is_counted_and_limited()
    {
        Domain* domain = _host.AddDomain();
        long before = domain->KeptFrames;
        Assert.InRange(before, 5, 30);
        domain->KeptLimit = before + 3;

        void* two = DomainMemory.Allocate(domain, 1);
        Assert.True(two != null);
        Assert.True(DomainMemory.Allocate(domain, 1) == null);
        void* one = DomainMemory.Allocate(domain, 0);
        Assert.True(one != null);
        Assert.Equal(before + 3, domain->KeptFrames);
        Assert.True(DomainMemory.Allocate(domain, 0) == null);

        DomainMemory.Free(domain, two, 1);
        DomainMemory.Free(domain, one, 0);
        Assert.Equal(before, domain->KeptFrames);
    }

    [Fact]
    public void Memory_that_the_machine_does_not_have_is_not_counted()
    {
        Domain* domain = _host.AddDomain();
        domain->KeptLimit = long.MaxValue;
        long before = domain->KeptFrames;

        Assert.True(DomainMemory.Allocate(domain, PageAllocator.MaxOrder) == null);
        Assert.Equal(before, domain->KeptFrames);
    }

    [Fact]
    public void An_exhausted_account_refuses_grant_frames_and_harms_nobody_else()
    {
        Domain* poor = _host.AddDomain();
        Domain* other = _host.AddDomain();
        poor->KeptLimit = poor->KeptFrames + 4;
        ulong free = PageAllocator.FreeFrames;

        // A frame and its two pages fit, a second one does not.
        Assert.Equal(Errno.NoMem, GrantResource.Frame(poor, 3, out _));
        Assert.Equal(free - 3, PageAllocator.FreeFrames);
        Assert.Equal(poor->KeptLimit - 1, poor->KeptFrames);
        Assert.Equal(Errno.Ok, GrantResource.Frame(other, 3, out _));
    }

    [Fact]
    public void The_limits_of_a_domain_allow_all_that_they_promise()
    {
        TestHost host = new(64 << 20);
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = host.AddDomain(vcpus: 16);
        Assert.Equal(Errno.Ok, GrantResource.Frame(domain, domain->MaxGrantFrames - 1, out _));
        Errno error = Errno.Ok;
        uint ports = 0;
        while (error == Errno.Ok && ports < 4095)
        {
            error = EventBinding.Unbound(domain, domain->Id, out _);
            ports += error == Errno.Ok ? 1u : 0u;
        }

        Assert.True(ports > 4000, $"{ports} ports, then {error}");
        Assert.True(domain->KeptFrames <= domain->KeptLimit);

        ushort id = domain->Id;
        Assert.Equal(0, host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Assert.Equal(before, PageAllocator.FreeFrames);
    }
}
