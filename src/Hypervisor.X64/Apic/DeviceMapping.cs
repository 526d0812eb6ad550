// SPDX-License-Identifier: MIT

using System.Runtime;

namespace Hypervisor.X64.Apic;

/// <summary>Gives the layers below access to device memory: MSI-X tables.</summary>
public static unsafe class DeviceMapping
{
    /// <summary>The page mapped last, and where: entries of one table share a page and come one after another.</summary>
    private static ulong s_lastPhysical;
    private static void* s_lastMapping;
    private static SpinLock s_lock;

    [RuntimeExport("machine_map_device")]
    public static void* Map(ulong physical, ulong length)
    {
        s_lock.Acquire();
        void* mapping = s_lastMapping;
        if (mapping == null || s_lastPhysical != physical || length > MemoryLayout.PageSize)
        {
            mapping = DeviceMemory.Map(physical, length);
            s_lastPhysical = physical;
            s_lastMapping = mapping;
        }

        s_lock.Release();
        return mapping;
    }
}
