// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>The machine's memory map as Domain-0 is to see it; set at boot.</summary>
public static unsafe class HostMemoryMap
{
    private static E820Entry* s_entries;
    private static uint s_count;

    public static E820Entry* Entries => s_entries;

    public static uint Count => s_count;

    /// <summary>Announces the map, which stays where it is.</summary>
    public static void Set(E820Entry* entries, uint count)
    {
        s_entries = entries;
        s_count = count;
    }
}
