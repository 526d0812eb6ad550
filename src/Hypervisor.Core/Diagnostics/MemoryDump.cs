// SPDX-License-Identifier: MIT

using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Debug keys m, H and u: where memory is.</summary>
public static unsafe class MemoryDump
{
    private const int FrameToKiB = MemoryLayout.PageShift - 10;

    /// <summary>All memory, and how much is free.</summary>
    public static void Print() =>
        Log.Error("memory: "u8).Decimal(PageAllocator.FreeFrames << FrameToKiB).Text("kB free of "u8)
            .Decimal(HostMemoryMap.RamFrames << FrameToKiB).Text("kB, "u8)
            .Decimal(PageAllocator.ClaimedFrames << FrameToKiB).Text("kB of it claimed"u8).End();

    /// <summary>What the allocator rules, and who has it.</summary>
    public static void PrintHeap()
    {
        ulong owned = 0;
        uint id = 0;
        for (Domain* domain = DomainWalk.Next(ref id); domain != null; domain = DomainWalk.Next(ref id))
        {
            Log.Error("  domain "u8).Decimal((uint)domain->Id).Text(": "u8)
                .Decimal(domain->TotalPages << FrameToKiB).Text("kB, most "u8)
                .Decimal(domain->MaxPages).Text(" pages, claimed "u8)
                .Decimal(domain->OutstandingPages << FrameToKiB).Text("kB"u8).End();
            owned += domain->TotalPages;
            _ = DomainTable.Put(domain);
        }

        ulong total = PageAllocator.TotalFrames;
        ulong free = PageAllocator.FreeFrames;
        ulong used = free + owned < total ? total - free - owned : 0;
        Log.Error("heap: "u8).Decimal(total << FrameToKiB).Text("kB, free "u8).Decimal(free << FrameToKiB)
            .Text("kB, domains' "u8).Decimal(owned << FrameToKiB).Text("kB, hypervisor's own "u8)
            .Decimal(used << FrameToKiB).Text("kB"u8).End();
    }

    /// <summary>There is one node: what a machine has more is treated as that one.</summary>
    public static void PrintNodes()
    {
        Log.Error("one node: "u8).Decimal(PageAllocator.TotalFrames << FrameToKiB).Text("kB, free "u8)
            .Decimal(PageAllocator.FreeFrames << FrameToKiB).Text("kB, CPUs 0 to "u8)
            .Decimal(Machine.OnlineCpus - 1).End();
    }
}
