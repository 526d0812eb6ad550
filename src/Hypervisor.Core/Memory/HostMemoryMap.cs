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

    /// <summary>Frames of RAM that the machine has, the hypervisor's own among them.</summary>
    public static ulong RamFrames { get; private set; }

    /// <summary>Announces the map, which stays where it is.</summary>
    public static void Set(E820Entry* entries, uint count)
    {
        s_entries = entries;
        s_count = count;
        ulong bytes = 0;
        for (uint index = 0; index < count; index++)
        {
            bytes += entries[index].Type == (uint)E820Type.Ram ? entries[index].Size : 0;
        }

        RamFrames = bytes >> MemoryLayout.PageShift;
    }
}
