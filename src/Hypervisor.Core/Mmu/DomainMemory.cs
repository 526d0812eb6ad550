// SPDX-License-Identifier: MIT
// What the hypervisor keeps for a domain (its vCPUs, event ports, grant tables, handles of mappings) grows with what the
// domain does, and comes out of memory that is everybody's. So each domain has an account: what is taken for it is
// counted, never exceeds what its limits as the tools have set them can need, and is asked for when the domain ends.

using System.Threading;

namespace Hypervisor.Core.Mmu;

/// <summary>Pages that the hypervisor keeps for a domain.</summary>
public static unsafe class DomainMemory
{
    private const uint BytesPerPort = 16;
    private const uint PointersPerPage = (uint)MemoryLayout.PageSize / 8;

    /// <summary>Shared info, CPU policy, memory map, interrupts' ports, directories of ports, event words and
    /// grants.</summary>
    private const uint BasePages = 17;

    /// <summary>A grant frame comes with two pages of active entries.</summary>
    private const uint PagesPerGrantFrame = 3;

    /// <summary>Opens the account, from the limits that the domain has.</summary>
    /// <param name="domain">A domain for which nothing has been allocated.</param>
    /// <param name="vcpuPages">Pages of the block of one vCPU.</param>
    public static void SetLimit(Domain* domain, uint vcpuPages)
    {
        // Beside its block a vCPU has a page for its trap table.
        domain->KeptFrames = 0;
        domain->KeptLimit = BasePages
            + ((long)domain->MaxVcpuCount * (vcpuPages + 1))
            + (domain->MaxEventChannelPort / ((uint)MemoryLayout.PageSize / BytesPerPort)) + 1
            + ((long)domain->MaxGrantFrames * PagesPerGrantFrame)
            + domain->MaxMaptrackFrames + (2 * (domain->MaxMaptrackFrames / PointersPerPage));
    }

    /// <summary>Zeroed pages on the domain's account; null when the account or the machine has none left.</summary>
    public static void* Allocate(Domain* domain, int order)
    {
        long frames = 1L << order;
        void* pages = Interlocked.Add(ref domain->KeptFrames, frames) <= domain->KeptLimit
            ? PageAllocator.AllocatePages(order)
            : null;
        if (pages == null)
        {
            _ = Interlocked.Add(ref domain->KeptFrames, -frames);
        }

        return pages;
    }

    /// <summary>Gives back what <see cref="Allocate"/> gave.</summary>
    public static void Free(Domain* domain, void* pages, int order)
    {
        PageAllocator.FreePages(pages, order);
        _ = Interlocked.Add(ref domain->KeptFrames, -(1L << order));
    }

    /// <summary>A page leaves the account that others may still have mapped: it is freed when the last of them lets it
    /// go.</summary>
    public static void Forget(Domain* domain) => _ = Interlocked.Add(ref domain->KeptFrames, -1);

    /// <summary>The domain ends: whatever its account still has is lost, which is told.</summary>
    public static void ExpectNone(Domain* domain)
    {
        if (domain->KeptFrames != 0)
        {
            Log.Error("domain "u8).Decimal(domain->Id).Text(": "u8).Decimal((ulong)domain->KeptFrames)
                .Text(" pages that the hypervisor kept for it were not given back"u8).End();
        }
    }
}
