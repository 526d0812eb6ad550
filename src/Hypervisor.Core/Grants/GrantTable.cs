// SPDX-License-Identifier: MIT
// Grants: a domain lets another one read or write a frame of its, without telling the hypervisor, by writing an
// entry into a table in memory that it shares with the hypervisor. The other domain names the entry by its index and
// has the hypervisor map the frame or copy from or to it.
//
// The shared entry is the granter's to change at any moment. So it is believed once, when it comes into use: type,
// grantee and rights are looked at and the bits reading or writing set by one compare-exchange of the word that
// holds them all; the frame is read once after that. From then on an active entry of the hypervisor's own says which
// frame and for whom, until the last use has ended and the bits are cleared. A granter that finds the bits clear,
// and clears the whole word by compare-exchange, has its frame back; one that changes the entry in spite of the bits
// harms itself alone.
//
//   what                     counted by                                 held until
//   a use of an entry        ActiveGrant.Readers/Writers ("pin")        unmap, end of copy, end of the user
//   the frame, per pin       reference, with write access if writable   the same
//   the frame, per mapping   the same again, for the page-table entry   the entry is removed, by whomever
//
// An unmap removes the page-table entry, flushes, and only then drops pin and references: no TLB remembers a frame
// that its owner believes to be its own again.
//
// While a frame is referenced its owner's structure exists (DomainLifecycle.cs), dying or not, and with it this
// table. Frames of the hypervisor (shared_info, the table itself) do not keep their domain, so they are not granted.
//
// Locking: the granter's Lock protects its table, the user's MappingLock its handles; neither is held while the
// other, or the user's MmuLock, is taken. A handle is taken out of circulation (Busy) while a call works on it.
// Inside Lock: the allocator's lock, waiting for TLB flushes.

using System.Runtime.CompilerServices;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>The table of what a domain grants. Its methods are called under the domain's <see
/// cref="DomainGrants.Lock"/>.</summary>
public static unsafe class GrantTable
{
    /// <summary>Frames for which the directories have room.</summary>
    internal const uint MaxFrames = (uint)MemoryLayout.PageSize / 8;

    private const int FrameShift = 9;
    private const int ActiveShift = 8;
    private const uint EntriesPerFrame = 1u << FrameShift;
    private const uint ActivePerPage = 1u << ActiveShift;
    private const int ActiveDirectoryOrder = 1;

    /// <summary>Most frames that the domain's table may have.</summary>
    internal static uint LimitOf(Domain* domain) =>
        domain->MaxGrantFrames < MaxFrames ? domain->MaxGrantFrames : MaxFrames;

    /// <summary>Number of references that exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint CountOf(Domain* domain) => domain->Grants.FrameCount << FrameShift;

    /// <remarks>Precondition: the reference is below <see cref="CountOf"/> and masked.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static GrantEntryV1* Shared(Domain* domain, uint reference) =>
        domain->Grants.Frames[reference >> FrameShift] + (reference & (EntriesPerFrame - 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ActiveGrant* Active(Domain* domain, uint reference) =>
        domain->Grants.Active[reference >> ActiveShift] + (reference & (ActivePerPage - 1));

    internal static Mfn FrameAt(Domain* domain, uint index) =>
        Mfn.OfAddress(Machine.PhysicalOf(domain->Grants.Frames[index]));

    /// <summary>Makes the table at least <paramref name="frames"/> frames long.</summary>
    /// <returns>Inval: more than the domain may have, or it is dying. NoMem: some of the frames may have been
    /// added.</returns>
    internal static Errno Grow(Domain* domain, uint frames)
    {
        DomainGrants* grants = &domain->Grants;
        if (frames > LimitOf(domain) || (frames > grants->FrameCount && grants->IsClosed))
        {
            return Errno.Inval;
        }

        while (grants->FrameCount < frames)
        {
            void* shared = DomainMemory.Allocate(domain, 0);
            void* low = DomainMemory.Allocate(domain, 0);
            void* high = DomainMemory.Allocate(domain, 0);
            if (shared == null || low == null || high == null)
            {
                FreePage(domain, shared);
                FreePage(domain, low);
                FreePage(domain, high);
                return Errno.NoMem;
            }

            DomainPages.Share(shared, domain);
            uint index = grants->FrameCount;
            grants->Frames[index] = (GrantEntryV1*)shared;
            grants->Active[2 * index] = (ActiveGrant*)low;
            grants->Active[(2 * index) + 1] = (ActiveGrant*)high;
            grants->FrameCount = index + 1;
        }

        return Errno.Ok;
    }

    /// <summary>Makes the directories; needs no lock, nobody knows the domain yet.</summary>
    internal static bool Create(Domain* domain)
    {
        domain->Grants.Frames = (GrantEntryV1**)DomainMemory.Allocate(domain, 0);
        domain->Grants.Active = (ActiveGrant**)DomainMemory.Allocate(domain, ActiveDirectoryOrder);
        return domain->Grants.Frames != null && domain->Grants.Active != null;
    }

    /// <summary>Frees the table; needs no lock, nobody refers to the domain any more.</summary>
    internal static void Release(Domain* domain)
    {
        DomainGrants* grants = &domain->Grants;
        for (uint index = 0; index < grants->FrameCount; index++)
        {
            // Tools may still have it mapped; then it is freed with the last mapping.
            DomainPages.Unshare(grants->Frames[index], domain);
            DomainMemory.Free(domain, grants->Active[2 * index], 0);
            DomainMemory.Free(domain, grants->Active[(2 * index) + 1], 0);
        }

        grants->FrameCount = 0;
        FreePage(domain, grants->Frames);
        if (grants->Active != null)
        {
            DomainMemory.Free(domain, grants->Active, ActiveDirectoryOrder);
        }

        grants->Frames = null;
        grants->Active = null;
    }

    private static void FreePage(Domain* domain, void* page)
    {
        if (page != null)
        {
            DomainMemory.Free(domain, page, 0);
        }
    }
}
