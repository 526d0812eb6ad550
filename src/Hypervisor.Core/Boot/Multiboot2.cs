// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>The tag list of multiboot 2.0 §3.6.</summary>
internal static unsafe class Multiboot2
{
    private const uint HeaderSize = 8;
    private const uint LargestInformation = 16 << 20;

    private enum Tag : uint
    {
        End = 0,
        CommandLine = 1,
        LoaderName = 2,
        Module = 3,
        BasicMemory = 4,
        MemoryMap = 6,
        Vbe = 7,
        Framebuffer = 8,
        Efi32 = 11,
        Efi64 = 12,
        AcpiOld = 14,
        AcpiNew = 15,
        EfiMemoryMap = 17,
        EfiBootServices = 18,
        LoadBase = 21,
    }

    internal static BootError Parse(ulong address, PhysicalWindow window, BootInformation* information)
    {
        if ((address & 7) != 0)
        {
            return BootError.InformationMisaligned;
        }

        byte* start = window.At(address, HeaderSize);
        if (start == null || address == 0)
        {
            return BootError.InformationOutOfReach;
        }

        uint total = *(uint*)start;
        if (total < 2 * HeaderSize || total > LargestInformation)
        {
            return BootError.InformationSizeWrong;
        }

        if (!window.Contains(address, total))
        {
            return BootError.InformationOutOfReach;
        }

        information->MultibootVersion = 2;
        information->InformationStart = address;
        information->InformationEnd = address + total;
        uint position = HeaderSize;
        while (total - position >= HeaderSize)
        {
            byte* tag = start + position;
            Tag type = (Tag)(*(uint*)tag);
            uint size = *(uint*)(tag + 4);
            if (type == Tag.End)
            {
                return BootError.Ok;
            }

            if (size < HeaderSize)
            {
                return BootError.TagTooShort;
            }

            if (size > total - position)
            {
                return BootError.TagBeyondEnd;
            }

            BootError error = ReadTag(type, tag, size, address + position, window, information);
            if (error != BootError.Ok)
            {
                return error;
            }

            // At most seven bytes of padding, which the last tag may lack.
            uint padded = (size + 7) & ~7u;
            if (padded > total - position)
            {
                break;
            }

            position += padded;
        }

        return BootError.EndTagMissing;
    }

    private static BootError ReadTag(
        Tag type, byte* tag, uint size, ulong address, PhysicalWindow window, BootInformation* information)
    {
        if (size < SmallestSize(type))
        {
            return BootError.TagTooShort;
        }

        switch (type)
        {
            case Tag.CommandLine:
                return information->KeepText(tag + 8, size - 8, out information->CommandLine);
            case Tag.LoaderName:
                return information->KeepText(tag + 8, size - 8, out information->LoaderName);
            case Tag.Module:
                BootError error = information->KeepText(tag + 16, size - 16, out BootText commandLine);
                return error != BootError.Ok
                    ? error
                    : MultibootInfo.AddModule(
                        information, window, *(uint*)(tag + 8), *(uint*)(tag + 12), commandLine);
            case Tag.BasicMemory:
                information->LowerMemoryKib = *(uint*)(tag + 8);
                information->UpperMemoryKib = *(uint*)(tag + 12);
                return BootError.Ok;
            case Tag.MemoryMap:
                return ReadMemoryMap(tag, size, information);
            case Tag.Vbe:
                information->Framebuffer.VbeMode = *(ushort*)(tag + 8);
                information->Framebuffer.VbeCapabilities = *(uint*)(tag + 16 + FramebufferInfo.VbeCapabilitiesOffset);
                information->Framebuffer.VbeModeAttributes = *(ushort*)(tag + 528);
                return BootError.Ok;
            case Tag.Framebuffer:
                return FramebufferInfo.Read(tag + 8, tag + 32, size >= 38, information);
            case Tag.Efi32:
                information->EfiSystemTable32 = *(uint*)(tag + 8);
                return BootError.Ok;
            case Tag.Efi64:
                information->EfiSystemTable64 = *(ulong*)(tag + 8);
                return BootError.Ok;
            case Tag.AcpiOld:
            case Tag.AcpiNew:
                KeepRsdp(tag + 8, (int)(size - 8), information);
                return BootError.Ok;
            case Tag.EfiMemoryMap:
                information->EfiDescriptorSize = *(uint*)(tag + 8);
                information->EfiDescriptorVersion = *(uint*)(tag + 12);
                information->EfiMapAddress = address + 16;
                information->EfiMapLength = size - 16;
                return BootError.Ok;
            case Tag.EfiBootServices:
                information->EfiBootServicesRunning = true;
                return BootError.Ok;
            case Tag.LoadBase:
                information->LoadBase = *(uint*)(tag + 8);
                return BootError.Ok;
            default:
                return BootError.Ok;
        }
    }

    private static uint SmallestSize(Tag type) => type switch
    {
        Tag.CommandLine or Tag.LoaderName => 9,
        Tag.Module => 17,
        Tag.BasicMemory or Tag.MemoryMap or Tag.EfiMemoryMap or Tag.Efi64 => 16,
        Tag.Vbe => 784,
        Tag.Framebuffer => 32,
        Tag.Efi32 or Tag.LoadBase => 12,
        Tag.AcpiOld => 28,
        Tag.AcpiNew => 44,
        _ => HeaderSize,
    };

    private static BootError ReadMemoryMap(byte* tag, uint size, BootInformation* information)
    {
        uint entrySize = *(uint*)(tag + 8);
        if (entrySize < 20 || (entrySize & 3) != 0)
        {
            return BootError.MemoryMapEntrySizeWrong;
        }

        for (uint left = size - 16, position = 16; left >= entrySize; left -= entrySize, position += entrySize)
        {
            byte* entry = tag + position;
            if (!information->MemoryMap.TryAdd(*(ulong*)entry, *(ulong*)(entry + 8), *(uint*)(entry + 16)))
            {
                return BootError.MemoryMapTooLong;
            }
        }

        return BootError.Ok;
    }

    /// <summary>The newer (longer) of the two copies that a loader may pass wins.</summary>
    private static void KeepRsdp(byte* rsdp, int length, BootInformation* information)
    {
        int kept = length > BootInformation.MaxRsdp ? BootInformation.MaxRsdp : length;
        if (kept <= information->RsdpLength)
        {
            return;
        }

        for (int i = 0; i < kept; i++)
        {
            information->Rsdp[i] = rsdp[i];
        }

        information->RsdpLength = kept;
    }
}
