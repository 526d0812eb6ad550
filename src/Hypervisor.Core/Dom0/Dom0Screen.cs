// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;
using Xen.Abi;

namespace Hypervisor.Core.Dom0;

/// <summary>What start_info tells Domain-0 about the screen, so that its kernel goes on where the boot left off.</summary>
public static class Dom0Screen
{
    private const ushort FontHeight = 16;
    private const ushort UsualColumns = 80;
    private const ushort UsualRows = 25;
    private const int SizeUnitShift = 16;

    /// <summary>False where there is no screen that the interface can describe.</summary>
    /// <param name="information">What the loader said.</param>
    /// <param name="cursorColumn">Cursor of a text screen.</param>
    /// <param name="cursorRow">Its row.</param>
    /// <param name="screen">The description.</param>
    public static bool TryDescribe(
        in BootInformation information, int cursorColumn, int cursorRow, out Dom0VgaConsoleInfo screen)
    {
        screen = default;
        return information.Framebuffer.Kind switch
        {
            FramebufferKind.DirectColour => TryDescribePixels(
                in information.Framebuffer, information.IsEfi, ref screen),
            FramebufferKind.EgaText => TryDescribeText(
                information.Framebuffer.Width, information.Framebuffer.Height, cursorColumn, cursorRow, ref screen),
            FramebufferKind.Unknown when !information.IsEfi => TryDescribeText(
                UsualColumns, UsualRows, cursorColumn, cursorRow, ref screen),
            _ => false,
        };
    }

    private static bool TryDescribeText(uint columns, uint rows, int column, int row, ref Dom0VgaConsoleInfo screen)
    {
        screen.VideoType = (byte)VgaConsoleType.TextMode3;
        screen.TextMode3FontHeight = FontHeight;
        screen.TextMode3Columns = (ushort)columns;
        screen.TextMode3Rows = (ushort)rows;
        screen.TextMode3CursorX = (ushort)(column < (int)columns ? column : (int)columns - 1);
        screen.TextMode3CursorY = (ushort)row;
        return true;
    }

    private static bool TryDescribePixels(in Framebuffer pixels, bool isEfi, ref Dom0VgaConsoleInfo screen)
    {
        if (pixels.Width > ushort.MaxValue || pixels.Height > ushort.MaxValue || pixels.Pitch > ushort.MaxValue)
        {
            return false;
        }

        ulong size = (ulong)pixels.Pitch * pixels.Height;
        screen.VideoType = (byte)(isEfi ? VgaConsoleType.EfiLfb : VgaConsoleType.VesaLfb);
        screen.VesaLfbWidth = (ushort)pixels.Width;
        screen.VesaLfbHeight = (ushort)pixels.Height;
        screen.VesaLfbBytesPerLine = (ushort)pixels.Pitch;
        screen.VesaLfbBitsPerPixel = pixels.BitsPerPixel;
        screen.VesaLfbLfbBase = (uint)pixels.Address;
        screen.VesaLfbExtLfbBase = (uint)(pixels.Address >> 32);
        screen.VesaLfbLfbSize = (uint)((size + (1UL << SizeUnitShift) - 1) >> SizeUnitShift);
        screen.VesaLfbRedPos = pixels.RedPosition;
        screen.VesaLfbRedSize = pixels.RedSize;
        screen.VesaLfbGreenPos = pixels.GreenPosition;
        screen.VesaLfbGreenSize = pixels.GreenSize;
        screen.VesaLfbBluePos = pixels.BluePosition;
        screen.VesaLfbBlueSize = pixels.BlueSize;
        DescribeRest(in pixels, ref screen);
        screen.VesaLfbGblCaps = pixels.VbeCapabilities;
        screen.VesaLfbModeAttrs = pixels.VbeModeAttributes;
        return true;
    }

    /// <summary>The bits of a pixel that are no colour, where they stand together at its top.</summary>
    private static void DescribeRest(in Framebuffer pixels, ref Dom0VgaConsoleInfo screen)
    {
        int end = End(pixels.RedPosition, pixels.RedSize);
        int green = End(pixels.GreenPosition, pixels.GreenSize);
        int blue = End(pixels.BluePosition, pixels.BlueSize);
        end = green > end ? green : end;
        end = blue > end ? blue : end;
        if (end < pixels.BitsPerPixel)
        {
            screen.VesaLfbRsvdPos = (byte)end;
            screen.VesaLfbRsvdSize = (byte)(pixels.BitsPerPixel - end);
        }
    }

    private static int End(byte position, byte size) => position + size;
}
