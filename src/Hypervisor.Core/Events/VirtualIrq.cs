// SPDX-License-Identifier: MIT
// Virtual interrupts: those of a vCPU (its timer) bind once for each vCPU and stay there; global ones bind through
// vCPU 0 and may then be moved. Host-wide ones (console input, the end of a domain) go to Domain-0, which has bound
// them or has not: an interrupt that nobody has bound is lost.

using System.Threading;

namespace Hypervisor.Core.Events;

/// <summary>Raises virtual interrupts. Callable wherever no lock of an event table or of a scheduler is held.</summary>
public static unsafe class VirtualIrq
{
    private const uint PerVcpu = 1u << (int)Xen.Abi.VirtualIrq.Timer | 1u << (int)Xen.Abi.VirtualIrq.Debug
        | 1u << (int)Xen.Abi.VirtualIrq.XenoProf | 1u << (int)Xen.Abi.VirtualIrq.XenPmu;

    /// <summary>The interrupt concerns a domain, not one of its vCPUs.</summary>
    public static bool IsGlobal(uint virq) => (PerVcpu >> (int)virq & 1) == 0;

    /// <summary>Raises an interrupt of this vCPU.</summary>
    public static void Raise(Vcpu* vcpu, uint virq)
    {
        if (Volatile.Read(ref vcpu->Events.VirqPorts[virq]) == 0)
        {
            return;
        }

        Domain* domain = vcpu->Domain;
        domain->Events.Lock.Acquire();
        uint port = vcpu->Events.VirqPorts[virq];
        if (port != 0)
        {
            EventDelivery.SetPending(domain, EventPorts.At(domain, port), port);
        }

        domain->Events.Lock.Release();
    }

    /// <summary>Raises a global interrupt of this domain.</summary>
    public static void RaiseGlobal(Domain* domain, uint virq)
    {
        Vcpu* first = domain->VcpuOf(0);
        if (first != null)
        {
            Raise(first, virq);
        }
    }

    /// <summary>Raises a host-wide interrupt.</summary>
    public static void RaiseGlobal(uint virq)
    {
        Domain* domain = DomainTable.TryGet(0);
        if (domain != null)
        {
            RaiseGlobal(domain, virq);
            _ = DomainTable.Put(domain);
        }
    }
}
