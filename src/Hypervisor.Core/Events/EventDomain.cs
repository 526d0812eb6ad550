// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Birth and end of a domain's event table.</summary>
public static unsafe class EventDomain
{
    /// <summary>Ports looked at between two questions whether something else wants the CPU.</summary>
    private const uint Slice = 64;

    public static Errno Initialise(Domain* domain) => EventPorts.Create(domain) ? Errno.Ok : Errno.NoMem;

    public static void InitialiseVcpu(Vcpu* vcpu) => vcpu->Events = default;

    /// <summary>Closes every port, and no other will be bound; memory that the domain has lent for events is let go.
    /// False: gave way, to be called again.</summary>
    /// <remarks>Precondition: the domain's vCPUs are stopped for good.</remarks>
    public static bool Destroy(Domain* domain)
    {
        domain->Events.Lock.Acquire();
        domain->Events.IsClosed = true;
        domain->Events.Lock.Release();
        return CloseAll(domain) && FifoControl.Leave(domain) == Errno.Ok;
    }

    /// <summary>Frees the table of a domain that nobody refers to any more.</summary>
    public static void Release(Domain* domain)
    {
        EventPorts.Release(domain);
        if (domain->Events.PirqPorts != null)
        {
            DomainMemory.Free(domain, domain->Events.PirqPorts, 0);
            domain->Events.PirqPorts = null;
        }
    }

    /// <summary>Closes every port. False: gave way, to be called again.</summary>
    public static bool CloseAll(Domain* domain)
    {
        DomainEvents* events = &domain->Events;
        while (events->PortsInUse != 0 && events->ClosingCursor < events->PortCount)
        {
            _ = EventBinding.Close(domain, events->ClosingCursor);
            if ((++events->ClosingCursor & (Slice - 1)) == 0 && Preemption.IsDue())
            {
                return false;
            }
        }

        events->ClosingCursor = 0;
        return true;
    }
}
