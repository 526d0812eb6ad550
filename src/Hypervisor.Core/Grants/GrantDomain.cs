// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>Birth and end of a domain's grants and mappings.</summary>
public static unsafe class GrantDomain
{
    /// <summary>Handles looked at between two questions whether something else wants the CPU.</summary>
    private const uint Slice = 64;

    public static Errno Initialise(Domain* domain)
    {
        GrantMappings.Initialise(domain);
        Errno error = Errno.NoMem;
        if (GrantTable.Create(domain))
        {
            error = GrantTable.Grow(domain, GrantTable.LimitOf(domain) == 0 ? 0u : 1u);
        }

        if (error != Errno.Ok)
        {
            GrantTable.Release(domain);
        }

        return error;
    }

    /// <summary>
    /// Lets go of all that this domain has mapped of others, and grants nothing any more; what others have mapped of it
    /// stays theirs. False: gave way, to be called again.
    /// </summary>
    /// <remarks>
    /// Precondition: the domain's vCPUs are stopped for good. Its page-table entries may still be there: they hold
    /// references of their own.
    /// </remarks>
    public static bool Destroy(Domain* domain)
    {
        DomainGrants* grants = &domain->Grants;
        grants->Lock.Acquire();
        grants->IsClosed = true;
        grants->Lock.Release();
        while (grants->MappingCount != 0 && grants->DestroyCursor < GrantMappings.CountOf(domain))
        {
            uint handle = grants->DestroyCursor;
            Mapping* mapping = GrantMappings.TryClaim(domain, handle);
            if (mapping != null)
            {
                GrantUnmap.DropPins(mapping, MappingState.Host | MappingState.Device);
                GrantMappings.Free(domain, mapping, handle);
            }

            if ((++grants->DestroyCursor & (Slice - 1)) == 0 && Preemption.IsDue())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Frees the tables of a domain that nobody refers to any more.</summary>
    public static void Release(Domain* domain)
    {
        GrantMappings.Release(domain);
        GrantTable.Release(domain);
    }
}
