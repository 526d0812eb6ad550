// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Events;

/// <summary>A domain's ports (<see cref="EventPorts"/>) and the physical interrupts bound to them.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomainEvents
{
    /// <summary>Pages of <see cref="EventChannel"/> entries, in one page of pointers.</summary>
    public EventChannel** Buckets;

    /// <summary>Ports that have an entry: whole buckets, only ever more of them.</summary>
    public uint PortCount;

    public SpinLock Lock;

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
