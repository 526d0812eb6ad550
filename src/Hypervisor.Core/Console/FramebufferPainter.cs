// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Console;

/// <summary>Draws on a framebuffer of two, three or four bytes a pixel; it writes, and never reads.</summary>
public static unsafe class FramebufferPainter
{
    /// <summary>Everything dark, the part beyond the last whole cell included.</summary>
    public static void Clear(byte* pixels, in FramebufferGeometry geometry)
    {
        for (int y = 0; y < geometry.Height; y++)
        {
            byte* row = pixels + ((long)y * geometry.Pitch);
            int bytes = geometry.Width * geometry.BytesPerPixel;
            int at = 0;
            for (; at + sizeof(ulong) <= bytes; at += sizeof(ulong))
            {
                *(ulong*)(row + at) = 0;
            }

            for (; at < bytes; at++)
            {
                row[at] = 0;
            }
        }
    }

    /// <summary>Draws what has changed in a grid of <paramref name="geometry"/>'s size.</summary>
    /// <param name="pixels">The framebuffer.</param>
    /// <param name="geometry">Its form.</param>
    /// <param name="font">What <see cref="ScreenFont.Pack"/> made.</param>
    /// <param name="grid">The text.</param>
    public static void Draw(byte* pixels, in FramebufferGeometry geometry, byte* font, TextGrid* grid)
    {
        int position = 0;
        while (grid->NextChanged(ref position, out int column, out int row, out byte character))
        {
            DrawCell(pixels, in geometry, Glyph(font, character), column, row);
        }
    }

    private static byte* Glyph(byte* font, byte character)
    {
        byte known = character is >= ScreenFont.First and < ScreenFont.Unknown ? character : ScreenFont.Unknown;
        return font + ((known - ScreenFont.First) * ScreenFont.Height);
    }

    private static void DrawCell(byte* pixels, in FramebufferGeometry geometry, byte* glyph, int column, int row)
    {
        int scale = geometry.Scale;
        byte* corner = pixels + ((long)row * ScreenFont.Height * scale * geometry.Pitch)
            + ((long)column * ScreenFont.Width * scale * geometry.BytesPerPixel);
        for (int y = 0; y < ScreenFont.Height; y++)
        {
            for (int repeat = 0; repeat < scale; repeat++)
            {
                DrawRow(corner, glyph[y], in geometry);
                corner += geometry.Pitch;
            }
        }
    }

    private static void DrawRow(byte* target, int bits, in FramebufferGeometry geometry)
    {
        int scale = geometry.Scale;
        for (int mask = 1 << (ScreenFont.Width - 1); mask != 0; mask >>= 1)
        {
            uint value = (bits & mask) != 0 ? geometry.Light : 0;
            for (int repeat = 0; repeat < scale; repeat++)
            {
                switch (geometry.BytesPerPixel)
                {
                    case 4:
                        *(uint*)target = value;
                        break;
                    case 3:
                        target[0] = (byte)value;
                        target[1] = (byte)(value >> 8);
                        target[2] = (byte)(value >> 16);
                        break;
                    default:
                        *(ushort*)target = (ushort)value;
                        break;
                }

                target += geometry.BytesPerPixel;
            }
        }
    }
}
