// SPDX-License-Identifier: MIT

using System;
using System.Threading;
using Hypervisor.Core.Events;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Events;

public sealed unsafe class EventDomainTests : IDisposable
{
    private const ushort Self = 0x7FF0;

    private readonly EventBench _bench = new(cpus: 2);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void The_end_of_a_domain_parts_it_from_its_peers()
    {
        (uint blue, uint green) = _bench.Join();
        Assert.Equal(0, _bench.BindVirq(_bench.Blue, Xen.Abi.VirtualIrq.Timer, 1, out _));

        Assert.True(EventDomain.Destroy(_bench.Blue));
        Assert.Equal(0u, _bench.Blue->Events.PortsInUse);
        Assert.Equal(EventChannelState.Unbound, _bench.StateOf(_bench.Green, green));
        Assert.Equal(0, _bench.Send(_bench.Green, green));
        Assert.False(EventBench.IsPending(_bench.Blue, blue));
    }

    [Fact]
    public void Nobody_binds_to_a_domain_that_ends()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 0, out uint port));
        Assert.True(EventDomain.Destroy(_bench.Blue));

        Assert.Equal(-(long)Errno.Inval, _bench.AllocateUnbound(_bench.Dom0, 1, 0, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindInterdomain(_bench.Dom0, 1, port, out _));
        Assert.Equal(0u, _bench.Dom0->Events.PortsInUse);
    }

    [Fact]
    public void The_end_gives_way_and_goes_on()
    {
        for (int port = 0; port < 600; port++)
        {
            Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out _));
        }

        _bench.Domains.MakeBusy();
        int calls = 1;
        while (!EventDomain.Destroy(_bench.Blue) && calls < 100)
        {
            calls++;
        }

        Assert.InRange(calls, 9, 13);
        Assert.Equal(0u, _bench.Blue->Events.PortsInUse);
    }

    [Fact]
    public void All_memory_of_the_table_comes_back()
    {
        _bench.Domains.Relax();
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _bench.Domains.AddDomain(9, vcpus: 1);
        for (int port = 0; port < 1000; port++)
        {
            Assert.Equal(Errno.Ok, EventBinding.Ipi(domain, 0, out _));
        }

        Assert.True(EventDomain.Destroy(domain));
        EventDomain.Release(domain);
        EventDomain.Release(domain);
        Core.Grants.GrantDomain.Release(domain);
        DomainPages.Unshare(domain->SharedInfo, domain);
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void A_table_for_which_there_is_no_memory_is_not_made()
    {
        Domain* domain = _bench.Domains.AddDomain(9, vcpus: 1);
        EventDomain.Release(domain);
        void* last = null;
        for (void* page = last; (page = PageAllocator.AllocatePages(0)) != null; last = page)
        {
        }

        Assert.Equal(Errno.NoMem, EventDomain.Initialise(domain));
        PageAllocator.FreePages(last, 0);
        Assert.Equal(Errno.NoMem, EventDomain.Initialise(domain));
        Assert.Equal(1ul, PageAllocator.FreeFrames);
    }

    [Fact]
    public void Two_domains_that_join_part_and_send_at_once_stay_consistent()
    {
        const int Rounds = 20_000;
        FakeMachine machine = _bench.Domains.Machine;
        Exception failure = null;
        Thread other = new(() =>
        {
            try
            {
                FakeMachine.Join(machine, 1);
                Stir(_bench.Green, _bench.Blue, Rounds, seed: 2);
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        other.Start();
        Stir(_bench.Blue, _bench.Green, Rounds, seed: 1);
        other.Join();

        Assert.Null(failure);
        Check(_bench.Blue);
        Check(_bench.Green);
        Assert.True(EventDomain.Destroy(_bench.Blue));
        Assert.True(EventDomain.Destroy(_bench.Green));
    }

    private static void Stir(Domain* own, Domain* other, int rounds, int seed)
    {
        Random random = new(seed);
        for (int round = 0; round < rounds; round++)
        {
            uint port = (uint)random.Next(1, 12);
            switch (random.Next(5))
            {
                case 0:
                    if (own->Events.PortsInUse < 10)
                    {
                        _ = EventBinding.Unbound(own, other->Id, out _);
                    }

                    break;
                case 1:
                    if (own->Events.PortsInUse < 10)
                    {
                        _ = EventBinding.Interdomain(own, other, port, out _);
                    }

                    break;
                case 2:
                    _ = EventBinding.Close(own, port);
                    break;
                default:
                    _ = EventSend.Run(own, port);
                    break;
            }
        }
    }

    /// <summary>Whoever has a peer is its peer's peer.</summary>
    private static void Check(Domain* domain)
    {
        uint inUse = 0;
        for (uint port = 1; port < domain->Events.PortCount; port++)
        {
            EventChannel* channel = Entry(domain, port);
            inUse += channel->State == PortState.Free ? 0u : 1u;
            if (channel->State == PortState.Interdomain)
            {
                EventChannel* peer = Entry(channel->Peer, channel->Number);
                Assert.Equal(PortState.Interdomain, peer->State);
                Assert.Equal(port, peer->Number);
                Assert.True(peer->Peer == domain);
            }
        }

        Assert.Equal(inUse, domain->Events.PortsInUse);
    }

    private static EventChannel* Entry(Domain* domain, uint port) => domain->Events.Buckets[port >> 8] + (port & 255);
}
