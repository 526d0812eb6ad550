// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>The structure of multiboot 0.6.96 §3.3.</summary>
internal static unsafe class Multiboot1
{
    private const uint HasMemory = 1 << 0;
    private const uint HasCommandLine = 1 << 2;
    private const uint HasModules = 1 << 3;
    private const uint HasMemoryMap = 1 << 6;
    private const uint HasLoaderName = 1 << 9;
    private const uint HasVbe = 1 << 11;
    private const uint HasFramebuffer = 1 << 12;

    private const ulong BasicSize = 88;
    private const ulong FramebufferSize = 116;
    private const uint ModuleSize = 16;

    // An entry's size field does not count itself.
    private const uint EntrySizeField = 4;
    private const uint SmallestEntry = 20;

    internal static BootError Parse(ulong address, PhysicalWindow window, BootInformation* information)
    {
        byte* start = window.At(address, BasicSize);
        if (start == null || address == 0)
        {
            return BootError.InformationOutOfReach;
        }

        uint flags = *(uint*)start;
        ulong size = (flags & HasFramebuffer) != 0 ? FramebufferSize : BasicSize;
        if (!window.Contains(address, size))
        {
            return BootError.InformationOutOfReach;
        }

        information->MultibootVersion = 1;
        information->InformationStart = address;
        information->InformationEnd = address + size;
        if ((flags & HasMemory) != 0)
        {
            information->LowerMemoryKib = *(uint*)(start + 4);
            information->UpperMemoryKib = *(uint*)(start + 8);
        }

        BootError error = ReadTexts(flags, start, window, information);
        if (error == BootError.Ok && (flags & HasModules) != 0)
        {
            error = ReadModules(*(uint*)(start + 20), *(uint*)(start + 24), window, information);
        }

        if (error == BootError.Ok && (flags & HasMemoryMap) != 0)
        {
            error = ReadMemoryMap(*(uint*)(start + 44), *(uint*)(start + 48), window, information);
        }

        if (error == BootError.Ok && (flags & HasVbe) != 0)
        {
            ReadVbe(start, window, &information->Framebuffer);
        }

        return error == BootError.Ok && (flags & HasFramebuffer) != 0
            ? FramebufferInfo.Read(start + 88, start + 110, true, information)
            : error;
    }

    /// <summary>The blocks of VBE 3.0 are a help to Domain-0 and no more: those out of reach are left out.</summary>
    private static void ReadVbe(byte* start, PhysicalWindow window, Framebuffer* screen)
    {
        screen->VbeMode = *(ushort*)(start + 80);
        byte* control = window.At(*(uint*)(start + 72), FramebufferInfo.VbeCapabilitiesOffset + 4);
        byte* mode = window.At(*(uint*)(start + 76), 2);
        screen->VbeCapabilities = control != null ? *(uint*)(control + FramebufferInfo.VbeCapabilitiesOffset) : 0;
        screen->VbeModeAttributes = mode != null ? *(ushort*)mode : (ushort)0;
    }

    private static BootError ReadTexts(uint flags, byte* start, PhysicalWindow window, BootInformation* information)
    {
        if ((flags & HasCommandLine) != 0)
        {
            BootError error = KeepText(
                *(uint*)(start + 16),
                window,
                information,
                BootError.CommandLineOutOfReach,
                out information->CommandLine);
            if (error != BootError.Ok)
            {
                return error;
            }
        }

        return (flags & HasLoaderName) != 0
            ? KeepText(
                *(uint*)(start + 64),
                window,
                information,
                BootError.LoaderNameOutOfReach,
                out information->LoaderName)
            : BootError.Ok;
    }

    /// <summary>A null address stands for an empty string.</summary>
    private static BootError KeepText(
        ulong address, PhysicalWindow window, BootInformation* information, BootError unreachable, out BootText text)
    {
        text = default;
        if (address == 0)
        {
            return BootError.Ok;
        }

        byte* first = window.At(address, 1);
        return first == null ? unreachable : information->KeepText(first, window.Length - address, out text);
    }

    private static BootError ReadModules(uint count, ulong address, PhysicalWindow window, BootInformation* information)
    {
        if (count > BootInformation.MaxModules)
        {
            return BootError.TooManyModules;
        }

        byte* modules = window.At(address, (ulong)count * ModuleSize);
        if (modules == null)
        {
            return BootError.ModuleListOutOfReach;
        }

        for (uint i = 0; i < count; i++)
        {
            uint* module = (uint*)(modules + (i * ModuleSize));
            BootError error = KeepText(
                module[2], window, information, BootError.CommandLineOutOfReach, out BootText commandLine);
            if (error == BootError.Ok)
            {
                error = MultibootInfo.AddModule(information, window, module[0], module[1], commandLine);
            }

            if (error != BootError.Ok)
            {
                return error;
            }
        }

        return BootError.Ok;
    }

    private static BootError ReadMemoryMap(
        uint length, ulong address, PhysicalWindow window, BootInformation* information)
    {
        byte* map = window.At(address, length);
        if (map == null)
        {
            return BootError.MemoryMapOutOfReach;
        }

        uint position = 0;
        while (length - position >= EntrySizeField + SmallestEntry)
        {
            byte* entry = map + position;
            uint size = *(uint*)entry;
            if (size < SmallestEntry || size > length - position - EntrySizeField)
            {
                return BootError.MemoryMapEntrySizeWrong;
            }

            if (!information->MemoryMap.TryAdd(*(ulong*)(entry + 4), *(ulong*)(entry + 12), *(uint*)(entry + 20)))
            {
                return BootError.MemoryMapTooLong;
            }

            position += EntrySizeField + size;
        }

        return BootError.Ok;
    }
}
