// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>Turns EFI's memory map into E820 types (UEFI 2.10 §7.2, ACPI 6.5 table 15.6).</summary>
public static unsafe class EfiMemoryMap
{
    internal const uint AcpiReclaimType = (uint)EfiType.AcpiReclaim;
    internal const uint AcpiNonVolatileType = (uint)EfiType.AcpiNonVolatile;

    private const uint SmallestDescriptor = 40;
    private const uint LargestDescriptor = 4096;

    private enum EfiType : uint
    {
        LoaderCode = 1,
        LoaderData = 2,
        BootServicesCode = 3,
        BootServicesData = 4,
        Conventional = 7,
        Unusable = 8,
        AcpiReclaim = 9,
        AcpiNonVolatile = 10,
    }

    /// <summary>Appends EFI's map, which the information names, to its memory map.</summary>
    internal static BootError Convert(PhysicalWindow window, BootInformation* information)
    {
        uint size = information->EfiDescriptorSize;
        byte* map = window.At(information->EfiMapAddress, information->EfiMapLength);
        if (map == null || size < SmallestDescriptor || size > LargestDescriptor || (size & 7) != 0)
        {
            return BootError.EfiMapWrong;
        }

        for (uint left = information->EfiMapLength; left >= size; left -= size, map += size)
        {
            ulong start = *(ulong*)(map + 8);
            ulong pages = *(ulong*)(map + 24);
            if ((start & MemoryLayout.PageMask) != 0 || pages > ulong.MaxValue >> MemoryLayout.PageShift)
            {
                return BootError.EfiMapWrong;
            }

            MemoryType type = TypeOf(*(uint*)map, information->EfiBootServicesRunning);
            if (!TryAddMerged(&information->MemoryMap, start, pages << MemoryLayout.PageShift, type))
            {
                return BootError.MemoryMapTooLong;
            }
        }

        return BootError.Ok;
    }

    private static MemoryType TypeOf(uint type, bool bootServicesRunning) => (EfiType)type switch
    {
        EfiType.BootServicesCode or EfiType.BootServicesData when bootServicesRunning => MemoryType.Reserved,
        EfiType.LoaderCode or EfiType.LoaderData or EfiType.BootServicesCode or EfiType.BootServicesData
            or EfiType.Conventional => MemoryType.Ram,
        EfiType.AcpiReclaim => MemoryType.AcpiReclaimable,
        EfiType.AcpiNonVolatile => MemoryType.AcpiNonVolatile,
        EfiType.Unusable => MemoryType.Unusable,
        _ => MemoryType.Reserved,
    };

    /// <summary>EFI's maps are long because they tell boot services from free memory: neighbours of one E820 type are
    /// one entry, lest the map overflow.</summary>
    private static bool TryAddMerged(MemoryMap* map, ulong start, ulong length, MemoryType type) =>
        map->TryExtendLast(start, length, type) || map->TryAdd(start, length, (uint)type);
}
