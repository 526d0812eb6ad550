// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Grants;

/// <summary>The handles of a domain: which grants of others it has mapped.</summary>
public static unsafe class GrantMappings
{
    private const uint NoHandle = 0xFFFF_FFFF;
    private const int PageShiftOfMappings = 8;
    private const uint PerPage = 1u << PageShiftOfMappings;

    /// <summary>Pages for which the greatest directory has room.</summary>
    private const uint MaxPages = 8 * (uint)MemoryLayout.PageSize / 8;

    /// <summary>One past the greatest handle that was ever given out.</summary>
    internal static uint CountOf(Domain* domain) => domain->Grants.MappingPages << PageShiftOfMappings;

    internal static void Initialise(Domain* domain) => domain->Grants.FirstFreeHandle = NoHandle;

    /// <summary>A handle that nobody else can use until <see cref="Publish"/> or <see cref="Free"/>; null: there is
    /// none left.</summary>
    internal static Mapping* Allocate(Domain* domain, out uint handle)
    {
        DomainGrants* grants = &domain->Grants;
        Mapping* mapping = null;
        grants->MappingLock.Acquire();
        if (grants->FirstFreeHandle != NoHandle || AddPage(domain))
        {
            mapping = At(grants, grants->FirstFreeHandle);
            handle = grants->FirstFreeHandle;
            grants->FirstFreeHandle = mapping->Next;
            grants->MappingCount++;
            mapping->State = MappingState.Busy;
        }
        else
        {
            handle = NoHandle;
        }

        grants->MappingLock.Release();
        return mapping;
    }

    /// <summary>The mapping becomes what the handle stands for.</summary>
    internal static void Publish(Domain* domain, Mapping* mapping, MappingState state)
    {
        domain->Grants.MappingLock.Acquire();
        mapping->State = state;
        domain->Grants.MappingLock.Release();
    }

    internal static void Free(Domain* domain, Mapping* mapping, uint handle)
    {
        DomainGrants* grants = &domain->Grants;
        grants->MappingLock.Acquire();
        mapping->State = MappingState.Free;
        mapping->Next = grants->FirstFreeHandle;
        grants->FirstFreeHandle = handle;
        grants->MappingCount--;
        grants->MappingLock.Release();
    }

    /// <summary>Takes the mapping that the guest names out of circulation; null where there is none, or a call works on
    /// it.</summary>
    internal static Mapping* TryClaim(Domain* domain, uint handle)
    {
        DomainGrants* grants = &domain->Grants;
        Mapping* claimed = null;
        grants->MappingLock.Acquire();
        uint count = CountOf(domain);
        if (handle < count)
        {
            Mapping* mapping = At(grants, GuestIndex.Mask(handle, count));
            if (mapping->State != MappingState.Free && (mapping->State & MappingState.Busy) == 0)
            {
                mapping->State |= MappingState.Busy;
                claimed = mapping;
            }
        }

        grants->MappingLock.Release();
        return claimed;
    }

    /// <summary>The mapping behind a handle below <see cref="CountOf"/>.</summary>
    internal static Mapping* At(DomainGrants* grants, uint handle) =>
        grants->Mappings[handle >> PageShiftOfMappings] + (handle & (PerPage - 1));

    /// <summary>Frees the pages; there is no mapping any more and no call that could make one.</summary>
    internal static void Release(Domain* domain)
    {
        DomainGrants* grants = &domain->Grants;
        for (uint page = 0; page < grants->MappingPages; page++)
        {
            DomainMemory.Free(domain, grants->Mappings[page], 0);
        }

        if (grants->Mappings != null)
        {
            DomainMemory.Free(domain, grants->Mappings, DirectoryOrder(domain));
        }

        grants->MappingPages = 0;
        grants->Mappings = null;
    }

    private static bool AddPage(Domain* domain)
    {
        DomainGrants* grants = &domain->Grants;
        if (grants->MappingPages >= LimitOf(domain))
        {
            return false;
        }

        if (grants->Mappings == null)
        {
            grants->Mappings = (Mapping**)DomainMemory.Allocate(domain, DirectoryOrder(domain));
        }

        Mapping* page = grants->Mappings == null ? null : (Mapping*)DomainMemory.Allocate(domain, 0);
        if (page == null)
        {
            return false;
        }

        uint first = CountOf(domain);
        for (uint index = 0; index < PerPage; index++)
        {
            page[index].Next = index + 1 < PerPage ? first + index + 1 : NoHandle;
        }

        grants->Mappings[grants->MappingPages] = page;
        grants->MappingPages++;
        grants->FirstFreeHandle = first;
        return true;
    }

    private static uint LimitOf(Domain* domain) =>
        domain->MaxMaptrackFrames < MaxPages ? domain->MaxMaptrackFrames : MaxPages;

    /// <summary>The directory has room for as many pages as the domain may ever have.</summary>
    private static int DirectoryOrder(Domain* domain)
    {
        const uint PointersPerPage = (uint)MemoryLayout.PageSize / 8;
        uint limit = LimitOf(domain);
        return limit <= PointersPerPage ? 0 : Machine.HighestBit((limit - 1) / PointersPerPage) + 1;
    }
}
