// SPDX-License-Identifier: MIT
// Multiboot 1 (magic 2BADB002h) leaves a structure whose flags say which fields are valid; multiboot 2 (magic
// 36D76289h) a list of tags, eight-byte aligned. Both are read where they lie, through a window of physical memory;
// nothing in them is believed: each address, size and count is checked against the window or the enclosing tag before
// it is used.

namespace Hypervisor.Core.Boot;

/// <summary>Reads what a multiboot loader left in memory.</summary>
public static unsafe class MultibootInfo
{
    public const uint Magic1 = 0x2BADB002;
    public const uint Magic2 = 0x36D76289;

    /// <summary>Fills <paramref name="information"/>, which is zeroed, from the loader's structure at a physical
    /// address.</summary>
    public static BootError Parse(uint magic, ulong address, PhysicalWindow window, BootInformation* information)
    {
        BootError error = magic switch
        {
            Magic1 => Multiboot1.Parse(address, window, information),
            Magic2 => Multiboot2.Parse(address, window, information),
            _ => BootError.NotMultiboot,
        };
        if (error != BootError.Ok)
        {
            return error;
        }

        FileNames.TakeOff(information);
        return CompleteMemoryMap(window, information);
    }

    internal static BootError AddModule(
        BootInformation* information, PhysicalWindow window, ulong start, ulong end, BootText commandLine)
    {
        if (end < start)
        {
            return BootError.ModuleBackwards;
        }

        if (!window.Contains(start, end - start))
        {
            return BootError.ModuleOutOfReach;
        }

        BootModule module = new() { Start = start, End = end, CommandLine = commandLine };
        return information->AddModule(module);
    }

    /// <summary>A loader that passes no E820 map may pass EFI's, or only the two sizes that every BIOS knows.</summary>
    private static BootError CompleteMemoryMap(PhysicalWindow window, BootInformation* information)
    {
        if (information->MemoryMap.Count == 0 && information->EfiMapAddress != 0)
        {
            BootError error = EfiMemoryMap.Convert(window, information);
            if (error != BootError.Ok)
            {
                return error;
            }
        }

        if (information->MemoryMap.Count == 0)
        {
            if (information->UpperMemoryKib == 0)
            {
                return BootError.MemoryMapMissing;
            }

            // The map was empty: two entries fit. BIOS stops counting at 640 KiB.
            uint lower = information->LowerMemoryKib > 640 ? 640 : information->LowerMemoryKib;
            _ = information->MemoryMap.TryAdd(0, (ulong)lower << 10, (uint)MemoryType.Ram);
            _ = information->MemoryMap.TryAdd(
                0x100000, (ulong)information->UpperMemoryKib << 10, (uint)MemoryType.Ram);
        }

        return information->MemoryMap.TotalRam == 0 ? BootError.MemoryMapWithoutRam : BootError.Ok;
    }
}
