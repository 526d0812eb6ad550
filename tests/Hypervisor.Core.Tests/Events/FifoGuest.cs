// SPDX-License-Identifier: MIT

using System.Collections.Generic;
using System.Threading;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Events;

/// <summary>The guest's side of the FIFO interface, as its public description has it.</summary>
internal sealed unsafe class FifoGuest
{
    public const uint Pending = 1u << FifoEventBit.Pending;
    public const uint Masked = 1u << FifoEventBit.Masked;
    public const uint Linked = 1u << FifoEventBit.Linked;
    public const uint Busy = 1u << FifoEventBit.Busy;

    private readonly EventBench _bench;
    private readonly Domain* _domain;
    private readonly List<Mfn> _pages = [];
    private readonly Mfn[] _controls = new Mfn[2];
    private readonly uint[,] _heads = new uint[2, 16];

    public FifoGuest(EventBench bench, Domain* domain)
    {
        _bench = bench;
        _domain = domain;
        for (int vcpu = 0; vcpu < 2; vcpu++)
        {
            _controls[vcpu] = DomainBench.AddFrame(domain);
        }
    }

    public IReadOnlyList<Mfn> Pages => _pages;

    public Mfn ControlFrame(uint vcpu) => _controls[vcpu];

    public EventChannelFifoControlBlock* Control(uint vcpu) =>
        (EventChannelFifoControlBlock*)((byte*)Machine.Direct(_controls[vcpu]) + 64);

    public uint* Word(uint port) => (uint*)Machine.Direct(_pages[(int)(port >> 10)]) + (port & 1023);

    /// <summary>Queues for both vCPUs, and words for the first ports.</summary>
    public FifoGuest Enter(int pages = 1)
    {
        Xunit.Assert.Equal(0, Initialise(0));
        Xunit.Assert.Equal(0, Initialise(1));
        for (int page = 0; page < pages; page++)
        {
            Xunit.Assert.Equal(0, Expand());
        }

        return this;
    }

    public long Initialise(uint vcpu)
    {
        EventChannelInitControl request = new() { ControlGfn = _controls[vcpu].Raw, Offset = 64, Vcpu = vcpu };
        long result = _bench.Call(_domain, EventChannelCommand.InitControl, ref request);
        Xunit.Assert.Equal(result == 0 ? 17 : 0, request.LinkBits);
        return result;
    }

    public long Expand()
    {
        Mfn page = DomainBench.AddFrame(_domain);
        EventChannelExpandArray request = new() { ArrayGfn = page.Raw };
        long result = _bench.Call(_domain, EventChannelCommand.ExpandArray, ref request);
        if (result == 0)
        {
            _pages.Add(page);
        }

        return result;
    }

    /// <summary>Ports that arrive at the vCPU, in the order in which it handles them.</summary>
    public List<uint> Handle(uint vcpu = 0)
    {
        List<uint> seen = [];
        _domain->VcpuOf(vcpu)->Info->EventChannelUpcallPending = 0;
        uint ready = Interlocked.Exchange(ref Control(vcpu)->Ready, 0);
        while (ready != 0)
        {
            int queue = System.Numerics.BitOperations.TrailingZeroCount(ready);
            Consume(vcpu, queue, ref ready, seen);
            ready |= Interlocked.Exchange(ref Control(vcpu)->Ready, 0);
        }

        return seen;
    }

    public void Mask(uint port) => _ = Interlocked.Or(ref *Word(port), Masked);

    /// <summary>Unmasks; by hypercall where an event has come meanwhile.</summary>
    public void Unmask(uint port)
    {
        uint* word = Word(port);
        uint seen = Volatile.Read(ref *word);
        while ((seen & Masked) != 0 && (seen & Pending) == 0)
        {
            uint quiet = seen & ~Busy;
            uint found = Interlocked.CompareExchange(ref *word, quiet & ~Masked, quiet);
            if (found == quiet)
            {
                return;
            }

            seen = found;
        }

        if ((seen & Masked) != 0)
        {
            Xunit.Assert.Equal(0, _bench.Unmask(_domain, port));
        }
    }

    private void Consume(uint vcpu, int queue, ref uint ready, List<uint> seen)
    {
        uint port = _heads[vcpu, queue];
        port = port != 0 ? port : Volatile.Read(ref Control(vcpu)->Head[queue]);
        uint* word = Word(port);
        uint old = Volatile.Read(ref *word);
        for (uint found = ~old; found != old;)
        {
            found = old;
            old = Interlocked.CompareExchange(
                ref *word, old & ~(Linked | EventChannelLimits.FifoLinkMask), old);
        }

        uint next = old & EventChannelLimits.FifoLinkMask;
        if (next == 0)
        {
            ready &= ~(1u << queue);
        }

        if ((old & (Pending | Masked)) == Pending)
        {
            _ = Interlocked.And(ref *word, ~Pending);
            seen.Add(port);
        }

        _heads[vcpu, queue] = next;
    }
}
