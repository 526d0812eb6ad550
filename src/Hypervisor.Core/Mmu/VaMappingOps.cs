// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Hypercalls update_va_mapping and update_va_mapping_otherdomain.</summary>
public static unsafe class VaMappingOps
{
    /// <summary>Sets the entry that translates <paramref name="address"/> and flushes as <paramref name="flags"/> say.</summary>
    public static HypercallResult Run(Vcpu* vcpu, ulong address, ulong entry, ulong flags) =>
        Run(vcpu, vcpu->Domain, address, entry, flags);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static HypercallResult RunForOther(Vcpu* vcpu, ulong address, ulong entry, ulong flags, uint domain)
    {
        Errno error = PageOwner.Resolve(vcpu->Domain, domain, out Domain* owner);
        if (error != Errno.Ok)
        {
            return error;
        }

        HypercallResult result = Run(vcpu, owner, address, entry, flags);
        PageOwner.Put(vcpu->Domain, owner);
        return result;
    }

    private static HypercallResult Run(Vcpu* vcpu, Domain* pageOwner, ulong address, ulong entry, ulong flags)
    {
        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        ulong* slot = GuestWalk.LeafSlot(vcpu->KernelRoot, address, out _);
        Errno error = slot == null ? Errno.Inval : EntryUpdate.Leaf(domain, pageOwner, slot, entry, false);
        domain->MmuLock.Release();
        if (error == Errno.Ok && (flags & UpdateVaMappingFlags.FlushtypeMask) != 0)
        {
            return Flush(vcpu, address, flags);
        }

        return error;
    }

    private static HypercallResult Flush(Vcpu* vcpu, ulong address, ulong flags)
    {
        ulong type = flags & UpdateVaMappingFlags.FlushtypeMask;
        ulong target = flags & ~UpdateVaMappingFlags.FlushtypeMask;
        if (type == UpdateVaMappingFlags.TlbFlush)
        {
            if (target == UpdateVaMappingFlags.Local)
            {
                TlbFlush.Local();
            }
            else
            {
                TlbFlush.Domain(vcpu->Domain);
            }

            return Errno.Ok;
        }

        if (type != UpdateVaMappingFlags.Invlpg)
        {
            return Errno.Inval;
        }

        if (target == UpdateVaMappingFlags.Local)
        {
            Machine.InvalidatePage(address);
        }
        else
        {
            TlbFlush.DomainPage(vcpu->Domain, address);
        }

        return Errno.Ok;
    }
}
