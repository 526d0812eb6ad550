// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>EVTCHNOP_send.</summary>
public static unsafe class EventSend
{
    /// <summary>Raises the peer of a port, or, where it is an IPI port, the port itself.</summary>
    /// <returns>Inval: no port that one sends on. A send that has no peer yet, or none any more, is lost.</returns>
    /// <remarks>Precondition: the caller runs on a vCPU of the domain (see <see cref="EventPorts"/>).</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Errno Run(Domain* domain, uint port)
    {
        EventChannel* channel = EventPorts.Find(domain, port);
        if (channel == null)
        {
            return Errno.Inval;
        }

        switch (StateOf(channel))
        {
            case PortState.Interdomain:
                ToPeer(domain, channel);
                return Errno.Ok;
            case PortState.Ipi:
                EventDelivery.SetPending(domain->VcpuOf(channel->NotifyVcpu), port);
                return Errno.Ok;
            case PortState.Unbound:
                return Errno.Ok;
            default:
                return Errno.Inval;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static PortState StateOf(EventChannel* channel) => (PortState)Volatile.Read(ref *(byte*)&channel->State);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ToPeer(Domain* domain, EventChannel* channel)
    {
        domain->Events.Lock.Acquire();
        if (channel->State == PortState.Interdomain)
        {
            Domain* peer = channel->Peer;
            uint port = channel->Number;
            EventDelivery.SetPending(peer, EventPorts.At(peer, port), port);
        }

        domain->Events.Lock.Release();
    }
}
