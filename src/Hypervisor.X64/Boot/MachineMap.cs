// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Hypervisor.X64.Apic;
using Xen.Abi;

namespace Hypervisor.X64.Boot;

/// <summary>The memory map that Domain-0 sees.</summary>
public static unsafe class MachineMap
{
    private const ulong LocalApicWindow = 1UL << 20;

    /// <summary>Room for the largest map, the I/O APICs and the local APIC: at most 1,638 entries of 20 bytes.</summary>
    private const int Order = 3;

    /// <summary>Firmware's map, and what it may have left out.</summary>
    public static void Publish()
    {
        Core.Boot.MemoryMap* host = BootData.Host;
        E820Entry* entries = (E820Entry*)PageAllocator.AllocatePages(Order);
        if (entries == null)
        {
            Boot.Stop("too little memory: "u8, "no pages for the memory map"u8);
        }

        uint count = 0;
        for (int index = 0; index < host->Count; index++)
        {
            MemoryRegion region = (*host)[index];
            entries[count].Addr = region.Base;
            entries[count].Size = region.Length;
            entries[count].Type = (uint)region.Type;
            count++;
        }

        // Firmware may leave these out, but nothing else may be put there.
        for (int index = 0; index < BootData.Acpi->IoApicCount; index++)
        {
            entries[count++] = ReservedEntry(BootData.Acpi->IoApic(index).Address, MemoryLayout.PageSize);
        }

        entries[count++] = ReservedEntry(LocalApic.PhysicalAddress, LocalApicWindow);
        HostMemoryMap.Set(entries, count);
    }

    private static E820Entry ReservedEntry(ulong address, ulong size)
    {
        E820Entry entry;
        entry.Addr = address;
        entry.Size = size;
        entry.Type = (uint)E820Type.Reserved;
        return entry;
    }
}
