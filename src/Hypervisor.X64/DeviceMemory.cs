// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Hypervisor.X64.Boot;

namespace Hypervisor.X64;

/// <summary>Maps device registers, uncached, in the hypervisor's own window. Mappings are never taken back.</summary>
public static unsafe class DeviceMemory
{
    private const ulong Capacity = 512;

    private static ulong* s_table;
    private static ulong s_used;

    /// <summary>Registers can be mapped.</summary>
    public static bool IsReady => s_table != null;

    /// <summary>Announces the level-1 table that maps the window.</summary>
    public static void Initialise(ulong* table) => s_table = table;

    /// <summary>The registers at <paramref name="physical"/>; panics when the window (2 MiB) is full.</summary>
    public static void* Map(ulong physical, ulong length)
    {
        ulong first = physical & ~MemoryLayout.PageMask;
        ulong pages = (physical + length - first + MemoryLayout.PageMask) >> MemoryLayout.PageShift;
        if (s_used + pages > Capacity)
        {
            Panic.Because("no room to map another device's registers"u8);
        }

        ulong start = s_used;
        for (ulong page = 0; page < pages; page++)
        {
            s_table[s_used++] = (first + (page << MemoryLayout.PageShift))
                | Pte.Present | Pte.Writable | Pte.Accessed | Pte.Dirty | Pte.CacheDisable | Pte.WriteThrough
                | Pte.Global | (CpuFeatures.HasNoExecute ? Pte.NoExecute : 0);
        }

        return (void*)(MemoryLayout.DeviceMemory + (start << MemoryLayout.PageShift) + (physical - first));
    }
}
