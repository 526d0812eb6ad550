// SPDX-License-Identifier: MIT
// Event channels: one bit of news for a domain, and what raises it.
//
// A port is an entry in its domain's table. What it is bound to decides who may set its bit: another domain's port,
// the domain itself (IPI), the hypervisor (virtual interrupts), a device (physical interrupts). Entries come in
// buckets, a page each, made when a port in them is needed first and kept until the domain structure is freed: an
// entry once found stays memory, whatever becomes of the port.
//
//   free ──► reserved ──► pirq                        (while the interrupt is being routed)
//    │ ────► unbound ◄──► interdomain                 (bind_interdomain; the peer's close)
//    └ ────► virq, ipi                   close: from every state back to free
//
// Locking: one lock for each domain's table. All changes are made under it; what joins or parts two ports of
// different domains holds both locks, taken in the order of the Domain structures' addresses (a holder of one may
// try the other out of order and starts anew when it is taken). Nothing but the schedulers', timers' and allocator's
// locks is taken inside.
//
// A send to another domain holds the sender's lock only. That suffices: while it is held the sender's port cannot
// stop being interdomain, hence the peer's port neither (that change needs both locks), hence the peer domain has
// not finished closing its ports and its structure, entries and vCPUs exist. The vCPU that the peer's port notifies
// may be changed at the same moment; either value is right, since it is read once. So a hundred senders to one
// domain do not meet in that domain's lock.
//
// A send to oneself takes no lock at all: the sender runs, so its domain has not begun to die. A port that another
// of its vCPUs closes at the same time may keep its pending bit; a port is cleared when it is allocated, too, and
// guests must bear a spurious event. Interrupts, virtual and physical, arrive from outside and hold the domain's
// lock while they deliver.

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>The table of a domain's ports.</summary>
public static unsafe class EventPorts
{
    private const int BucketShift = 8;
    private const uint BucketSize = 1u << BucketShift;

    /// <summary>The entry of a port that the guest names, or null.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static EventChannel* Find(Domain* domain, uint port)
    {
        uint count = Volatile.Read(ref domain->Events.PortCount);
        return port < count ? At(domain, GuestIndex.Mask(port, count)) : null;
    }

    /// <summary>The entry of a port that is known to have one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static EventChannel* At(Domain* domain, uint port) =>
        domain->Events.Buckets[port >> BucketShift] + (port & (BucketSize - 1));

    /// <summary>Takes the lowest free port; its entry says reserved, to be delivered to vCPU 0.</summary>
    /// <returns>NoSpace: none free within the domain's limit. Inval: the domain is dying. NoMem.</returns>
    /// <remarks>Under the domain's lock.</remarks>
    internal static Errno Allocate(Domain* domain, out uint port)
    {
        DomainEvents* events = &domain->Events;
        port = events->FirstFree;
        if (events->IsClosed)
        {
            return Errno.Inval;
        }

        while (port < events->PortCount && At(domain, port)->State != PortState.Free)
        {
            port++;
        }

        // A port that still stands in a queue would be told to the vCPU that it notified before.
        events->FirstFree = port;
        while (port < events->PortCount
            && (At(domain, port)->State != PortState.Free || IsLinked(domain, port)))
        {
            port++;
        }

        if (port > domain->MaxEventChannelPort || port >= LimitOf(domain))
        {
            return Errno.NoSpace;
        }

        if (port == events->PortCount && !AddBucket(domain))
        {
            return Errno.NoMem;
        }

        EventChannel* channel = At(domain, port);
        EventDelivery.ClearPending(domain, channel, port);
        channel->NotifyVcpu = 0;
        channel->Fifo = ChannelFifo.Fresh(channel->Fifo);
        channel->Number = 0;
        channel->Peer = null;
        channel->State = PortState.Reserved;
        events->FirstFree = port == events->FirstFree ? port + 1 : events->FirstFree;
        events->PortsInUse++;
        return Errno.Ok;
    }

    /// <remarks>Under the domain's lock.</remarks>
    internal static void Free(Domain* domain, uint port)
    {
        EventChannel* channel = At(domain, port);
        channel->State = PortState.Free;
        channel->Peer = null;
        EventDelivery.ClearPending(domain, channel, port);
        domain->Events.PortsInUse--;
        if (port < domain->Events.FirstFree)
        {
            domain->Events.FirstFree = port;
        }
    }

    /// <summary>Makes the table with its first bucket; port 0 is nobody's.</summary>
    internal static bool Create(Domain* domain)
    {
        DomainEvents* events = &domain->Events;
        events->Buckets = (EventChannel**)DomainMemory.Allocate(domain, 0);
        if (events->Buckets == null || !AddBucket(domain))
        {
            Release(domain);
            return false;
        }

        At(domain, 0)->State = PortState.Reserved;
        events->FirstFree = 1;
        return true;
    }

    /// <summary>Frees the table; nobody can deliver to the domain any more.</summary>
    internal static void Release(Domain* domain)
    {
        DomainEvents* events = &domain->Events;
        if (events->Buckets == null)
        {
            return;
        }

        for (uint bucket = 0; bucket < events->BucketCount; bucket++)
        {
            DomainMemory.Free(domain, events->Buckets[bucket], 0);
        }

        DomainMemory.Free(domain, events->Buckets, 0);
        events->Buckets = null;
        events->BucketCount = 0;
        events->PortCount = 0;
    }

    /// <summary>All ports are closed; only those are left that the two-level interface can show.</summary>
    /// <remarks>Under the domain's lock.</remarks>
    internal static void Curtail(Domain* domain)
    {
        if (domain->Events.PortCount > EventChannelLimits.TwoLevelNrChannels)
        {
            Volatile.Write(ref domain->Events.PortCount, EventChannelLimits.TwoLevelNrChannels);
        }
    }

    /// <summary>Locks the tables of two domains, which may be one.</summary>
    internal static void AcquireBoth(Domain* one, Domain* other)
    {
        if (one == other)
        {
            one->Events.Lock.Acquire();
            return;
        }

        (one < other ? one : other)->Events.Lock.Acquire();
        (one < other ? other : one)->Events.Lock.Acquire();
    }

    internal static void ReleaseBoth(Domain* one, Domain* other)
    {
        one->Events.Lock.Release();
        if (one != other)
        {
            other->Events.Lock.Release();
        }
    }

    /// <summary>Ports that the interface which the domain uses can show.</summary>
    private static uint LimitOf(Domain* domain) =>
        domain->Events.Fifo == null ? EventChannelLimits.TwoLevelNrChannels : EventChannelLimits.FifoNrChannels;

    private static bool IsLinked(Domain* domain, uint port) =>
        domain->Events.Fifo != null && FifoDelivery.IsLinked(domain, port);

    private static bool AddBucket(Domain* domain)
    {
        DomainEvents* events = &domain->Events;
        if (events->PortCount >> BucketShift == events->BucketCount)
        {
            void* bucket = DomainMemory.Allocate(domain, 0);
            if (bucket == null)
            {
                return false;
            }

            events->Buckets[events->BucketCount] = (EventChannel*)bucket;
            events->BucketCount++;
        }

        // The bucket is in its place before anyone may look there.
        Volatile.Write(ref events->PortCount, events->PortCount + BucketSize);
        return true;
    }
}
