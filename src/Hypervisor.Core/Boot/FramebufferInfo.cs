// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>Reads the description of the screen, which both multiboot versions share but for the place of the
/// colours.</summary>
internal static unsafe class FramebufferInfo
{
    /// <summary>Where the information block of VBE has its capabilities.</summary>
    internal const uint VbeCapabilitiesOffset = 10;

    private const byte TypeIndexed = 0;
    private const byte TypeDirect = 1;
    private const byte TypeText = 2;
    private const uint MaxExtent = 32768;

    /// <param name="description">Address (8), pitch, width, height (4 each), depth, type (1 each).</param>
    /// <param name="colours">Position and size of red, green and blue.</param>
    /// <param name="hasColours">Whether the six bytes at <paramref name="colours"/> exist.</param>
    /// <param name="information">Takes the result.</param>
    internal static BootError Read(byte* description, byte* colours, bool hasColours, BootInformation* information)
    {
        Framebuffer* result = &information->Framebuffer;
        ulong address = *(ulong*)description;
        uint pitch = *(uint*)(description + 8);
        uint width = *(uint*)(description + 12);
        uint height = *(uint*)(description + 16);
        byte depth = description[20];
        byte type = description[21];
        uint bytesPerCell = ((uint)depth + 7) / 8;
        bool isText = type == TypeText;

        // Modes of VGA with sixteen colours are planes, each with one bit of every pixel: GRUB takes one where there is no VBE.
        bool isPlanar = type == TypeIndexed && depth is > 0 and < 8;
        uint shortestRow = isText ? width * 2 : isPlanar ? (width + 7) / 8 : width * bytesPerCell;
        if (type > TypeText)
        {
            return BootError.Ok; // a kind from the future: the screen stays dark
        }

        if (width == 0 || height == 0 || width > MaxExtent || height > MaxExtent || address == 0
            || (!isText && bytesPerCell is 0 or > 4)
            || pitch < shortestRow || pitch > MaxExtent * 8
            || address > (1UL << 52) - ((ulong)pitch * height))
        {
            return BootError.FramebufferWrong;
        }

        if (type == TypeDirect)
        {
            if (!hasColours || !IsFieldInside(colours, depth) || !IsFieldInside(colours + 2, depth)
                || !IsFieldInside(colours + 4, depth))
            {
                return BootError.FramebufferWrong;
            }

            result->RedPosition = colours[0];
            result->RedSize = colours[1];
            result->GreenPosition = colours[2];
            result->GreenSize = colours[3];
            result->BluePosition = colours[4];
            result->BlueSize = colours[5];
        }

        result->Kind = type switch
        {
            TypeIndexed => FramebufferKind.Indexed,
            TypeDirect => FramebufferKind.DirectColour,
            _ => FramebufferKind.EgaText,
        };
        result->Address = address;
        result->Pitch = pitch;
        result->Width = width;
        result->Height = height;
        result->BitsPerPixel = depth;
        return BootError.Ok;
    }

    private static bool IsFieldInside(byte* field, byte depth) => field[1] <= 16 && field[0] + field[1] <= depth;
}
