// SPDX-License-Identifier: MIT

using System.Runtime;

namespace Hypervisor.X64.Apic;

/// <summary>Gives the layers below access to device memory, a page at a time: MSI-X tables.</summary>
/// <remarks>Mappings are for good and room for them is small, while Domain-0 may ask for the same page any number of
/// times: a page is mapped once, and beyond <see cref="Capacity"/> pages there are no more.</remarks>
public static unsafe class DeviceMapping
{
    private const int Capacity = 128;

    private static Pages s_pages;
    private static SpinLock s_lock;

    [RuntimeExport("machine_map_device")]
    public static void* Map(ulong physical, ulong length)
    {
        if ((physical & MemoryLayout.PageMask) != 0 || length > MemoryLayout.PageSize)
        {
            return null;
        }

        s_lock.Acquire();
        int place = 0;
        while (place < s_pages.Count && s_pages.Physical[place] != physical)
        {
            place++;
        }

        void* mapping = null;
        if (place < s_pages.Count)
        {
            mapping = (void*)s_pages.Mapping[place];
        }
        else if (place < Capacity)
        {
            mapping = DeviceMemory.Map(physical, MemoryLayout.PageSize);
            s_pages.Physical[place] = physical;
            s_pages.Mapping[place] = (ulong)mapping;
            s_pages.Count++;
        }

        s_lock.Release();
        return mapping;
    }

    private struct Pages
    {
        public int Count;
        public fixed ulong Physical[Capacity];
        public fixed ulong Mapping[Capacity];
    }
}
