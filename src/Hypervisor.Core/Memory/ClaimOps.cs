// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>XENMEM_claim_pages: memory promised to a domain before it is handed out.</summary>
public static unsafe class ClaimOps
{
    /// <returns>
    /// Inval: less than the domain has, more than it may have, or a claim is open. NoMem: not that much is free.
    /// </returns>
    public static HypercallResult Claim(Vcpu* vcpu, ulong argument)
    {
        MemoryReservation request;
        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.ExtentStart != 0 || request.ExtentOrder != 0 || request.MemFlags != 0)
        {
            return Errno.Inval;
        }

        Errno error = TargetDomain.Resolve(vcpu->Domain, request.Domid.Raw, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        domain->PageLock.Acquire();
        error = domain->IsDying ? Errno.Inval : Set(domain, request.NrExtents);
        domain->PageLock.Release();
        TargetDomain.Put(vcpu->Domain, domain);
        return error;
    }

    private static Errno Set(Domain* domain, ulong pages)
    {
        if (pages == 0)
        {
            _ = PageAllocator.TryClaim(-(long)domain->OutstandingPages);
            domain->OutstandingPages = 0;
            return Errno.Ok;
        }

        if (domain->OutstandingPages != 0 || pages <= domain->TotalPages || pages > domain->MaxPages)
        {
            return Errno.Inval;
        }

        ulong claim = pages - domain->TotalPages;
        if (!PageAllocator.TryClaim((long)claim))
        {
            return Errno.NoMem;
        }

        domain->OutstandingPages = claim;
        return Errno.Ok;
    }
}
