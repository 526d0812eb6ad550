// SPDX-License-Identifier: MIT
// Virtual interrupts: those of a vCPU (its timer) bind once for each vCPU and stay there; global ones bind through
// vCPU 0 and may then be moved. Host-wide ones (console input, the end of a domain) go to Domain-0, or to the domain that
// the tools have named, which has bound them or has not: an interrupt that nobody has bound is lost.
// Locking: s_lock protects the handlers against a domain's end; innermost.

using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Raises virtual interrupts. Callable wherever no lock of an event table or of a scheduler is held.</summary>
public static unsafe class VirtualIrq
{
    private const uint PerVcpu = 1u << (int)Xen.Abi.VirtualIrq.Timer | 1u << (int)Xen.Abi.VirtualIrq.Debug
        | 1u << (int)Xen.Abi.VirtualIrq.XenoProf | 1u << (int)Xen.Abi.VirtualIrq.XenPmu;

    private static Handlers s_handlers;
    private static SpinLock s_lock;

    /// <summary>By interrupt: the number of the domain that handles it; 0 unless told.</summary>
    private struct Handlers
    {
        public fixed ushort Domain[(int)VirtualIrqLimits.Count];
    }

    /// <summary>The interrupt concerns a domain, not one of its vCPUs.</summary>
    public static bool IsGlobal(uint virq) => (PerVcpu >> (int)virq & 1) == 0;

    /// <summary>Raises an interrupt of this vCPU.</summary>
    /// <remarks>All CPUs of a domain do it at each tick, so the lock is taken out of turn. Without it a timer might tell a
    /// vCPU whose domain has closed its ports and given its vcpu_info back meanwhile.</remarks>
    public static void Raise(Vcpu* vcpu, uint virq)
    {
        if (Volatile.Read(ref vcpu->Events.VirqPorts[virq]) == 0)
        {
            return;
        }

        Domain* domain = vcpu->Domain;
        domain->Events.Lock.AcquireOutOfTurn();
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

    /// <summary>From now on a host-wide interrupt goes to this domain (XEN_DOMCTL_set_virq_handler).</summary>
    /// <returns>Inval: no such interrupt, one of a vCPU, or the domain is dying.</returns>
    public static Errno SetHandler(Domain* domain, uint virq)
    {
        if (virq >= VirtualIrqLimits.Count || !IsGlobal(virq))
        {
            return Errno.Inval;
        }

        s_lock.Acquire();
        bool isAlive = !domain->IsDying;
        if (isAlive)
        {
            s_handlers.Domain[GuestIndex.Mask(virq, VirtualIrqLimits.Count)] = domain->Id;
        }

        s_lock.Release();
        return isAlive ? Errno.Ok : Errno.Inval;
    }

    /// <summary>The domain is dying: what it handled goes to Domain-0 again.</summary>
    public static void ClearHandlers(Domain* domain)
    {
        s_lock.Acquire();
        for (uint virq = 0; virq < VirtualIrqLimits.Count; virq++)
        {
            if (s_handlers.Domain[virq] == domain->Id)
            {
                s_handlers.Domain[virq] = 0;
            }
        }

        s_lock.Release();
    }

    /// <summary>Raises a host-wide interrupt.</summary>
    public static void RaiseGlobal(uint virq)
    {
        Domain* domain = DomainTable.TryGet(s_handlers.Domain[virq]);
        if (domain != null)
        {
            RaiseGlobal(domain, virq);
            _ = DomainTable.Put(domain);
        }
    }
}
