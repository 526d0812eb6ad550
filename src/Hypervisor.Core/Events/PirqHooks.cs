// SPDX-License-Identifier: MIT
// Physical interrupts of a domain. The event table knows the port of each; how the interrupt is routed, shared and
// acknowledged is PhysicalIrqs' business. Neither side calls the other with a lock of its own held.

using System.Threading;
using Hypervisor.Core.Apic;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Which port a physical interrupt raises.</summary>
public static unsafe class PirqHooks
{
    /// <summary>Interrupt numbers that a domain may use: one page of ports.</summary>
    public const uint Limit = (uint)MemoryLayout.PageSize / sizeof(uint);

    /// <summary>Routes <paramref name="pirq"/> to a reserved port of the domain.</summary>
    /// <returns>Inval: no such interrupt. Exist: the domain has bound it. NoMem; others as PhysicalIrqs.Bind.</returns>
    public static Errno Bind(Domain* domain, uint pirq, uint port, bool share)
    {
        if (pirq >= Limit)
        {
            return Errno.Inval;
        }

        pirq = GuestIndex.Mask(pirq, Limit);
        domain->Events.Lock.Acquire();
        Errno error = TryEnter(domain, pirq, port);
        if (error == Errno.Ok)
        {
            EventPorts.At(domain, port)->Number = pirq;
        }

        domain->Events.Lock.Release();
        if (error != Errno.Ok)
        {
            return error;
        }

        error = PhysicalIrqs.Bind(domain, pirq, share);
        if (error != Errno.Ok)
        {
            Forget(domain, pirq);
        }
        else
        {
            Follow(domain, pirq, domain->VcpuOf(0));
        }

        return error;
    }

    /// <summary>The interrupt no longer raises a port of the domain.</summary>
    /// <remarks>Precondition: bound, and its port reserved, so that nobody else unbinds it.</remarks>
    public static void Unbind(Domain* domain, uint pirq)
    {
        PhysicalIrqs.Unbind(domain, pirq);
        Forget(domain, pirq);
    }

    /// <summary>The interrupt is delivered where the vCPU that is told of it has its place; null: nobody yet.</summary>
    internal static void Follow(Domain* domain, uint pirq, Vcpu* vcpu)
    {
        uint cpu = vcpu == null ? 0 : Volatile.Read(ref vcpu->Sched.Cpu);
        if (vcpu != null && ApicModes.IsReachableByDevices(Machine.CpuOf(cpu)->LocalApicId))
        {
            PhysicalIrqs.SetCpu(domain, pirq, cpu);
        }
    }

    public static void OnUnmask(Domain* domain, uint pirq) => PhysicalIrqs.OnUnmask(domain, pirq);

    /// <summary>The port that the interrupt raises, or 0.</summary>
    internal static uint PortOf(Domain* domain, uint pirq) =>
        domain->Events.PirqPorts != null && pirq < Limit ? domain->Events.PirqPorts[GuestIndex.Mask(pirq, Limit)] : 0;

    private static Errno TryEnter(Domain* domain, uint pirq, uint port)
    {
        DomainEvents* events = &domain->Events;
        if (events->PirqPorts == null)
        {
            events->PirqPorts = (uint*)DomainMemory.Allocate(domain, 0);
            if (events->PirqPorts == null)
            {
                return Errno.NoMem;
            }
        }

        if (events->PirqPorts[pirq] != 0)
        {
            return Errno.Exist;
        }

        events->PirqPorts[pirq] = port;
        return Errno.Ok;
    }

    private static void Forget(Domain* domain, uint pirq)
    {
        domain->Events.Lock.Acquire();
        domain->Events.PirqPorts[pirq] = 0;
        domain->Events.Lock.Release();
    }
}
