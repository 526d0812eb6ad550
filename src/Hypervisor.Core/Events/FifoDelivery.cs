// SPDX-License-Identifier: MIT
// How an event reaches a vCPU by the FIFO interface. A port has a word of 32 bits in memory of the guest's own: pending,
// masked, linked, and the number of the next port in the queue. A vCPU has a queue for each of 16 priorities, of which
// the guest sees the first port (head) and one bit that says whether there is any (ready).
//
//   pending   set whether the port is masked or not
//   linked    set by who appends it to a queue, cleared by the guest that takes it out; nothing else stands in the
//             way of a second appending, so no port is in two queues
//   link      of the last port in the queue: written while that is still linked (compare-exchange of the whole word)
//   head      written instead when the last port is linked no longer, that is, when the queue is empty
//   ready     set after head, before upcall pending
//
// The guest takes the first port out by clearing linked and link together, and goes on with what the link said. So
// either it finds the link to what was appended, or the one who appends finds the port unlinked and writes the head.
//
// All of these words are hostile. The hypervisor follows no link and reads no head: it remembers the last port of each
// queue itself, and which queue a port was appended to last. A port that the guest has taken out may be that queue's
// last one; when it is appended elsewhere the old queue forgets it, or it would be taken for a member by what comes
// next there.
//
// Whoever writes a link competes with a guest that masks, unmasks and clears. After some failures it sets the busy bit,
// during which a decent guest keeps its hands off the mask; then little is left that can change. If the word still
// changes, the guest is not decent, and loses the events that it had in this queue.
//
// Locking: FifoLock of the domain, which protects queues and array against other CPUs' deliveries and against their
// end (EVTCHNOP_reset). Taken inside any table's lock; inside of it nothing is taken. All CPUs want it at each tick, and
// hold it for some dozen instructions: it is taken out of turn.

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Scheduling;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Pending bits, masks and queues of the FIFO interface.</summary>
public static unsafe class FifoDelivery
{
    /// <summary>Attempts to write a link before the busy bit is set, and once more as many after it.</summary>
    internal const int LinkAttempts = 4;

    private const uint Pending = 1u << FifoEventBit.Pending;
    private const uint Masked = 1u << FifoEventBit.Masked;
    private const uint Linked = 1u << FifoEventBit.Linked;
    private const uint Busy = 1u << FifoEventBit.Busy;
    private const uint LinkMask = EventChannelLimits.FifoLinkMask;

    /// <summary>The port has an event; the vCPU that it notifies is told unless the port is masked.</summary>
    /// <remarks>Precondition: as <see cref="EventDelivery.SetPending(Vcpu*, uint)"/>.</remarks>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void SetPending(Domain* domain, EventChannel* channel, uint port)
    {
        bool isNews;
        Vcpu* told = null;
        domain->Events.FifoLock.AcquireOutOfTurn();
        uint* word = WordOf(domain, port);
        if (word == null)
        {
            isNews = !ChannelFifo.IsWaiting(channel->Fifo);
            channel->Fifo = ChannelFifo.Waiting(channel->Fifo);
        }
        else
        {
            Vcpu* target = TargetOf(domain, channel);
            isNews = Mark(word, target != null, out bool isAppended);
            told = isAppended && Append(domain, target, channel, port) ? target : null;
        }

        domain->Events.FifoLock.Release();
        if (told != null)
        {
            EventDelivery.RequestUpcall(told);
        }

        if (isNews && EventDelivery.HasPollers(domain))
        {
            Polling.WakePollers(domain, port);
        }
    }

    /// <summary>The guest no longer masks the port: what is pending is told now.</summary>
    internal static void Unmask(Domain* domain, EventChannel* channel, uint port)
    {
        Vcpu* told = null;
        domain->Events.FifoLock.AcquireOutOfTurn();
        uint* word = WordOf(domain, port);
        if (word != null)
        {
            Vcpu* target = TargetOf(domain, channel);
            _ = Machine.TestAndClearBit(PairOf(word), BitOf(word, FifoEventBit.Masked));
            if ((Volatile.Read(ref *word) & Pending) != 0 && target != null
                && !Machine.TestAndSetBit(PairOf(word), BitOf(word, FifoEventBit.Linked)))
            {
                told = Append(domain, target, channel, port) ? target : null;
            }
        }

        domain->Events.FifoLock.Release();
        if (told != null)
        {
            EventDelivery.RequestUpcall(told);
        }
    }

    /// <summary>An event that has waited for the port's word is raised.</summary>
    internal static void RaiseWaiting(Domain* domain, EventChannel* channel, uint port)
    {
        domain->Events.FifoLock.AcquireOutOfTurn();
        bool isWaiting = ChannelFifo.IsWaiting(channel->Fifo);
        channel->Fifo = ChannelFifo.NotWaiting(channel->Fifo);
        domain->Events.FifoLock.Release();
        if (isWaiting)
        {
            SetPending(domain, channel, port);
        }
    }

    internal static bool IsPending(Domain* domain, EventChannel* channel, uint port)
    {
        domain->Events.FifoLock.AcquireOutOfTurn();
        uint* word = WordOf(domain, port);
        bool isPending = word == null
            ? ChannelFifo.IsWaiting(channel->Fifo)
            : (Volatile.Read(ref *word) & Pending) != 0;
        domain->Events.FifoLock.Release();
        return isPending;
    }

    internal static void ClearPending(Domain* domain, EventChannel* channel, uint port)
    {
        domain->Events.FifoLock.AcquireOutOfTurn();
        channel->Fifo = ChannelFifo.NotWaiting(channel->Fifo);
        uint* word = WordOf(domain, port);
        if (word != null)
        {
            _ = Machine.TestAndClearBit(PairOf(word), BitOf(word, FifoEventBit.Pending));
        }

        domain->Events.FifoLock.Release();
    }

    /// <summary>A port without a word counts as masked.</summary>
    internal static bool IsMasked(Domain* domain, uint port) => IsMissingOr(domain, port, Masked, whenMissing: true);

    /// <summary>The guest has not taken the port out of the queue yet to which it was appended.</summary>
    internal static bool IsLinked(Domain* domain, uint port) => IsMissingOr(domain, port, Linked, whenMissing: false);

    private static bool IsMissingOr(Domain* domain, uint port, uint bit, bool whenMissing)
    {
        domain->Events.FifoLock.AcquireOutOfTurn();
        uint* word = WordOf(domain, port);
        bool result = word == null ? whenMissing : (Volatile.Read(ref *word) & bit) != 0;
        domain->Events.FifoLock.Release();
        return result;
    }

    /// <summary>The word of a port; null where the array does not reach, or is no more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint* WordOf(Domain* domain, uint port)
    {
        DomainFifo* fifo = domain->Events.Fifo;
        uint page = port >> DomainFifo.WordsPerPageShift;
        return fifo == null || page >= fifo->PageCount
            ? null
            : (uint*)fifo->Pages[page] + (port & (DomainFifo.WordsPerPage - 1));
    }

    /// <summary>The aligned eight bytes with the word, of which <see cref="BitOf"/> counts the bits.</summary>
    private static void* PairOf(uint* word) => (void*)((ulong)word & ~7UL);

    private static ulong BitOf(uint* word, int bit) => (((ulong)word & 4) << 3) + (uint)bit;

    /// <summary>The vCPU that the port notifies, if it has queues.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vcpu* TargetOf(Domain* domain, EventChannel* channel)
    {
        // Every number in the field has been checked.
        Vcpu* target = (Vcpu*)domain->VcpuPointers[channel->NotifyVcpu];
        return target == null || target->Events.Fifo.Control == null ? null : target;
    }

    /// <summary>Makes the port pending, and linked if it is to be appended to a queue.</summary>
    /// <returns>False: it was pending.</returns>
    /// <remarks>The lock was a full barrier, so that a look suffices where nothing is to be changed.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Mark(uint* word, bool hasQueue, out bool isAppended)
    {
        uint seen = Volatile.Read(ref *word);
        isAppended = hasQueue && (seen & (Masked | Linked)) == 0;
        uint next = isAppended ? (seen & ~LinkMask) | Pending | Linked : seen | Pending;
        if (next == seen)
        {
            return false;
        }

        if (Interlocked.CompareExchange(ref *word, next, seen) == seen)
        {
            return (seen & Pending) == 0;
        }

        // The guest changed the word at this moment: bit by bit, by instructions that cannot fail.
        bool wasPending = Machine.TestAndSetBit(PairOf(word), BitOf(word, FifoEventBit.Pending));
        isAppended = hasQueue && (Volatile.Read(ref *word) & Masked) == 0
            && !Machine.TestAndSetBit(PairOf(word), BitOf(word, FifoEventBit.Linked));
        return !wasPending;
    }

    /// <summary>Appends a port that has just become linked to the queue of its priority.</summary>
    /// <returns>True: the queue was empty, and the vCPU has to be told.</returns>
    private static bool Append(Domain* domain, Vcpu* target, EventChannel* channel, uint port)
    {
        ushort fifo = channel->Fifo;
        Vcpu* last = (Vcpu*)domain->VcpuPointers[ChannelFifo.QueueVcpuOf(fifo)];
        if (last != null && last->Events.Fifo.Tails[ChannelFifo.QueuePriorityOf(fifo)] == port)
        {
            last->Events.Fifo.Tails[ChannelFifo.QueuePriorityOf(fifo)] = 0;
        }

        channel->Fifo = ChannelFifo.WithQueue(fifo, target->Id);
        uint priority = ChannelFifo.PriorityOf(fifo);
        uint tail = target->Events.Fifo.Tails[priority];
        target->Events.Fifo.Tails[priority] = port;
        if (tail != 0 && TryLink(WordOf(domain, tail), port))
        {
            return false;
        }

        EventChannelFifoControlBlock* control = target->Events.Fifo.Control;
        Volatile.Write(ref control->Head[priority], port);
        return !Machine.TestAndSetBit(&control->Ready, priority);
    }

    /// <summary>Writes <paramref name="port"/> as the link of a queue's last port.</summary>
    /// <returns>False: that one is linked no longer, or its word is not left in peace.</returns>
    private static bool TryLink(uint* word, uint port)
    {
        for (int attempt = 0; attempt < 2 * LinkAttempts; attempt++)
        {
            if (attempt == LinkAttempts)
            {
                _ = Machine.TestAndSetBit(PairOf(word), BitOf(word, FifoEventBit.Busy));
            }

            uint seen = Volatile.Read(ref *word);
            if ((seen & Linked) == 0)
            {
                break;
            }

            if (Interlocked.CompareExchange(ref *word, (seen & ~(Busy | LinkMask)) | port, seen) == seen)
            {
                return true;
            }
        }

        _ = Machine.TestAndClearBit(PairOf(word), BitOf(word, FifoEventBit.Busy));
        return false;
    }
}
