// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Events;

/// <summary>A domain's ports (<see cref="EventPorts"/>) and the physical interrupts bound to them.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomainEvents
{
    /// <summary>Pages of <see cref="EventChannel"/> entries, in one page of pointers.</summary>
    public EventChannel** Buckets;

    /// <summary>Ports that have an entry: whole buckets. More and more of them, until the domain leaves the FIFO
    /// interface.</summary>
    public uint PortCount;

    /// <summary>Buckets that there are, only ever more: an entry once found stays memory.</summary>
    public uint BucketCount;

    public SpinLock Lock;

    /// <summary>Queues and event words (see <c>FifoDelivery</c>).</summary>
    public SpinLock FifoLock;

    /// <summary>Event words of the FIFO interface; null: the domain uses the two-level one.</summary>
    public DomainFifo* Fifo;

    /// <summary>vCPUs in SCHEDOP_poll, one bit each. Changed with locked instructions, without <see
    /// cref="Lock"/>.</summary>
    public fixed ulong Pollers[Domain.MaxVcpus / 64];

    /// <summary>No port below this is free.</summary>
    public uint FirstFree;

    /// <summary>Ports that are not free, port 0 left out.</summary>
    public uint PortsInUse;

    /// <summary>The domain is dying: no port is bound any more.</summary>
    public bool IsClosed;

    /// <summary>Where <see cref="EventDomain.CloseAll"/> goes on.</summary>
    public uint ClosingCursor;

    /// <summary>Port of each physical interrupt or 0, in one page; null until the first is bound.</summary>
    public uint* PirqPorts;
}
