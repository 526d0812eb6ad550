// SPDX-License-Identifier: MIT
// EVTCHNOP_send is the most frequent operation on ports, so its usual course is one function without calls: the peer's
// bit is found set already, or it is set and the port is masked. Whatever else there is to do is a call in return
// position, which becomes a jump, so that no registers are saved for it.
//
// Taking the lock is a full barrier, so a plain look at the bit afterwards is enough: what the sender wrote for the
// receiver to find is visible before the look, and a receiver whose clearing comes later reads it later still.

using System.Runtime.CompilerServices;
using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>EVTCHNOP_send.</summary>
public static unsafe class EventSend
{
    /// <summary>Raises the peer of a port, or, where it is an IPI port, the port itself.</summary>
    /// <returns>Inval: no port that one sends on. A send without a peer yet, or without one any more, is
    /// lost.</returns>
    /// <remarks>Precondition: the caller runs on a vCPU of the domain (see <see cref="EventPorts"/>).</remarks>
    public static HypercallResult Run(Domain* domain, uint port)
    {
        uint count = Volatile.Read(ref domain->Events.PortCount);
        if (port >= count)
        {
            return Errno.Inval;
        }

        EventChannel* channel = EventPorts.At(domain, GuestIndex.Mask(port, count));
        if (Volatile.Read(ref *(byte*)&channel->State) != (byte)PortState.Interdomain)
        {
            return ToSelf(domain, channel, port);
        }

        if (!domain->Events.Lock.TryAcquire())
        {
            return ToPeerLater(domain, channel);
        }

        return ToPeer(domain, channel);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HypercallResult ToSelf(Domain* domain, EventChannel* channel, uint port)
    {
        switch (channel->State)
        {
            case PortState.Ipi:
                EventDelivery.SetPending(domain, channel, port);
                return Errno.Ok;
            case PortState.Unbound:
            case PortState.Interdomain:
                // Waits for a peer; if it has found one this moment, that one is told by its binding.
                return Errno.Ok;
            default:
                return Errno.Inval;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HypercallResult ToPeerLater(Domain* domain, EventChannel* channel)
    {
        domain->Events.Lock.AcquireOutOfTurn();
        return ToPeer(domain, channel);
    }

    /// <remarks>Under the sender's lock, which is released.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static HypercallResult ToPeer(Domain* domain, EventChannel* channel)
    {
        if (channel->State == PortState.Interdomain)
        {
            Domain* peer = channel->Peer;
            uint port = channel->Number;
            if (peer->Events.Fifo != null)
            {
                return Deliver(domain, peer, port);
            }

            ulong* word = peer->SharedInfo->EventChannelPending + (port >> 6);
            ulong bit = 1UL << (int)(port & 63);
            ulong seen = Volatile.Read(ref *word);
            if ((seen & bit) == 0)
            {
                if (Interlocked.CompareExchange(ref *word, seen | bit, seen) != seen)
                {
                    return Deliver(domain, peer, port);
                }

                if (!EventDelivery.IsMasked(peer->SharedInfo, port) || EventDelivery.HasPollers(peer))
                {
                    return Tell(domain, peer, port);
                }
            }
        }

        domain->Events.Lock.Release();
        return Errno.Ok;
    }

    /// <summary>The peer uses the FIFO interface; or others write to the same word, and a single bit is set without
    /// regard to them.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HypercallResult Deliver(Domain* domain, Domain* peer, uint port)
    {
        EventDelivery.SetPending(peer, EventPorts.At(peer, port), port);
        domain->Events.Lock.Release();
        return Errno.Ok;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HypercallResult Tell(Domain* domain, Domain* peer, uint port)
    {
        EventDelivery.Tell(peer, EventPorts.At(peer, port), port);
        domain->Events.Lock.Release();
        return Errno.Ok;
    }
}
