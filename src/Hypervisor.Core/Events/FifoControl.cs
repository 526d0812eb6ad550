// SPDX-License-Identifier: MIT
// Into the FIFO interface, and out of it. A domain comes into it with the first control block of a vCPU, and leaves it
// when all ports are closed (EVTCHNOP_reset, or its end). The frames that it lends, for control blocks and event words,
// have a writable reference each until then: they cannot leave the domain or become page tables.
//
// What was pending when the domain came, and what comes before the array reaches a port, waits in the port's entry and is
// raised when the page with its word arrives.

using System.Threading;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Control blocks, the event array and priorities.</summary>
public static unsafe class FifoControl
{
    /// <summary>The queues of a vCPU are at <paramref name="offset"/> in a writable frame of the domain.</summary>
    /// <returns>NoEnt: no such vCPU. Inval: not aligned, not within one frame, not the domain's writable memory, or the
    /// vCPU has queues. NoMem.</returns>
    public static Errno Initialise(Domain* domain, uint vcpuId, ulong frame, uint offset)
    {
        Vcpu* vcpu = domain->VcpuOf(vcpuId);
        if (vcpu == null)
        {
            return Errno.NoEnt;
        }

        if (offset > MemoryLayout.PageSize - (uint)sizeof(EventChannelFifoControlBlock) || (offset & 7) != 0
            || !TryLend(domain, frame, out byte* page))
        {
            return Errno.Inval;
        }

        domain->Events.Lock.Acquire();
        Errno error = vcpu->Events.Fifo.Control != null ? Errno.Inval
            : domain->Events.Fifo != null || TryEnter(domain) ? Errno.Ok : Errno.NoMem;
        if (error == Errno.Ok)
        {
            domain->Events.FifoLock.AcquireOutOfTurn();
            vcpu->Events.Fifo = default;
            vcpu->Events.Fifo.Control = (EventChannelFifoControlBlock*)(page + offset);
            domain->Events.FifoLock.Release();
        }

        domain->Events.Lock.Release();
        if (error != Errno.Ok)
        {
            GiveBack(page);
        }

        return error;
    }

    /// <summary>One more page of event words, for the next 1024 ports.</summary>
    /// <returns>OpNotSupp: two-level interface. NoSpace: all ports have words. Inval: not the domain's writable
    /// memory.</returns>
    public static Errno Expand(Domain* domain, ulong frame)
    {
        if (!TryLend(domain, frame, out byte* page))
        {
            return Volatile.Read(ref *(ulong*)&domain->Events.Fifo) == 0 ? Errno.OpNotSupp : Errno.Inval;
        }

        domain->Events.Lock.Acquire();
        DomainFifo* fifo = domain->Events.Fifo;
        Errno error = fifo == null ? Errno.OpNotSupp
            : fifo->PageCount == DomainFifo.MaxPages ? Errno.NoSpace : Errno.Ok;
        if (error == Errno.Ok)
        {
            uint first = fifo->PageCount << DomainFifo.WordsPerPageShift;
            domain->Events.FifoLock.AcquireOutOfTurn();
            fifo->Pages[fifo->PageCount] = (ulong)page;
            fifo->PageCount++;
            domain->Events.FifoLock.Release();
            RaiseWaiting(domain, first);
        }

        domain->Events.Lock.Release();
        if (error != Errno.Ok)
        {
            GiveBack(page);
        }

        return error;
    }

    /// <summary>In which queue events of the port are put from now on.</summary>
    /// <returns>Inval: no such port or priority. NoSys: two-level interface.</returns>
    public static Errno SetPriority(Domain* domain, uint port, uint priority)
    {
        domain->Events.Lock.Acquire();
        EventChannel* channel = EventPorts.Find(domain, port);
        Errno error = channel == null ? Errno.Inval
            : domain->Events.Fifo == null ? Errno.NoSys
            : priority > FifoEventPriority.Min ? Errno.Inval : Errno.Ok;
        if (error == Errno.Ok)
        {
            domain->Events.FifoLock.AcquireOutOfTurn();
            channel->Fifo = ChannelFifo.WithPriority(channel->Fifo, priority);
            domain->Events.FifoLock.Release();
        }

        domain->Events.Lock.Release();
        return error;
    }

    /// <summary>Back to the two-level interface; all that the domain has lent is its own again.</summary>
    /// <returns>Again: a port has been bound meanwhile.</returns>
    public static Errno Leave(Domain* domain)
    {
        DomainEvents* events = &domain->Events;
        events->Lock.Acquire();
        DomainFifo* fifo = events->Fifo;
        bool isIdle = events->PortsInUse == 0;
        if (isIdle && fifo != null)
        {
            // Who delivers now holds this lock and is through when it is had; who comes later finds no array.
            events->FifoLock.AcquireOutOfTurn();
            events->Fifo = null;
            events->FifoLock.Release();
            EventPorts.Curtail(domain);
            for (uint id = 0; id < domain->MaxVcpuCount; id++)
            {
                ReleaseQueues(domain->VcpuOf(id));
            }

            for (uint page = 0; page < fifo->PageCount; page++)
            {
                GiveBack((byte*)fifo->Pages[page]);
            }

            DomainMemory.Free(domain, fifo, 0);
        }

        events->Lock.Release();
        return isIdle ? Errno.Ok : Errno.Again;
    }

    private static void ReleaseQueues(Vcpu* vcpu)
    {
        if (vcpu != null && vcpu->Events.Fifo.Control != null)
        {
            byte* control = (byte*)vcpu->Events.Fifo.Control;
            vcpu->Events.Fifo = default;
            GiveBack(control);
        }
    }

    /// <summary>Makes an array without pages, and takes over what is pending.</summary>
    /// <remarks>Under the domain's lock.</remarks>
    private static bool TryEnter(Domain* domain)
    {
        DomainFifo* fifo = (DomainFifo*)DomainMemory.Allocate(domain, 0);
        if (fifo == null)
        {
            return false;
        }

        domain->Events.FifoLock.AcquireOutOfTurn();
        Volatile.Write(ref *(ulong*)&domain->Events.Fifo, (ulong)fifo);
        for (uint port = 1; port < domain->Events.PortCount; port++)
        {
            EventChannel* channel = EventPorts.At(domain, port);
            if (channel->State > PortState.Reserved && EventDelivery.IsPendingBit(domain, port))
            {
                channel->Fifo = ChannelFifo.Waiting(channel->Fifo);
            }
        }

        domain->Events.FifoLock.Release();
        return true;
    }

    /// <summary>Raises what has waited for the words of a page.</summary>
    /// <remarks>Under the domain's lock.</remarks>
    private static void RaiseWaiting(Domain* domain, uint first)
    {
        for (uint port = first; port < first + DomainFifo.WordsPerPage && port < domain->Events.PortCount; port++)
        {
            FifoDelivery.RaiseWaiting(domain, EventPorts.At(domain, port), port);
        }
    }

    /// <summary>Takes a writable reference of a frame of the domain.</summary>
    private static bool TryLend(Domain* domain, ulong frame, out byte* page)
    {
        page = null;
        if (!FrameTable.IsValid(new Mfn(frame)))
        {
            return false;
        }

        domain->MmuLock.Acquire();
        bool isTaken = PageReference.TryGetWritable(FrameTable.Page(new Mfn(frame)), domain);
        domain->MmuLock.Release();
        if (isTaken)
        {
            page = (byte*)Machine.Direct(new Mfn(frame));
        }

        return isTaken;
    }

    private static void GiveBack(byte* lent) =>
        PageReference.PutWritable(FrameTable.Page(Mfn.OfAddress(Machine.PhysicalOf(lent))));
}
