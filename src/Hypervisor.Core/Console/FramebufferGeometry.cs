// SPDX-License-Identifier: MIT
// Nothing in the loader's description is believed: a framebuffer is used only when every pixel that will be written lies
// inside it, and it inside what the processor can address and outside of RAM.

using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Console;

/// <summary>A framebuffer as the console uses it: cells of characters instead of pixels.</summary>
public unsafe struct FramebufferGeometry
{
    private const ulong LargestSize = 256UL << 20;
    private const int MostColumns = 240;
    private const int MostRows = 100;

    /// <summary>Physical address, and bytes from there to the end of the last row.</summary>
    public ulong Address;
    public ulong Size;
    public int Pitch;
    public int Width;
    public int Height;
    public int BytesPerPixel;

    /// <summary>Screen pixels in each direction for one of a glyph.</summary>
    public int Scale;
    public int Columns;
    public int Rows;

    /// <summary>The value of a lit pixel; a dark one is 0.</summary>
    public uint Light;

    /// <summary>False when the loader described no framebuffer that text can be drawn on.</summary>
    /// <param name="screen">The loader's description.</param>
    /// <param name="map">The machine's memory, normalised or not.</param>
    /// <param name="addressBits">Physical address bits of the processor.</param>
    /// <param name="geometry">The result.</param>
    public static bool TryMake(
        in Framebuffer screen, MemoryMap* map, int addressBits, out FramebufferGeometry geometry)
    {
        geometry = default;
        int bytes = (screen.BitsPerPixel + 7) / 8;
        ulong size = (ulong)screen.Pitch * screen.Height;
        if (screen.Kind != FramebufferKind.DirectColour || bytes is < 2 or > 4
            || screen.Width < ScreenFont.Width || screen.Height < ScreenFont.Height
            || screen.Width > int.MaxValue / 8 || screen.Height > int.MaxValue
            || screen.Pitch < screen.Width * (uint)bytes || size > LargestSize
            || screen.Address == 0 || screen.Address > (1UL << addressBits) - size
            || map->Overlaps(screen.Address, screen.Address + size, MemoryType.Ram))
        {
            return false;
        }

        uint light = Field(screen.RedPosition, screen.RedSize, screen.BitsPerPixel)
            | Field(screen.GreenPosition, screen.GreenSize, screen.BitsPerPixel)
            | Field(screen.BluePosition, screen.BlueSize, screen.BitsPerPixel);
        if (light == 0)
        {
            return false;
        }

        geometry.Address = screen.Address;
        geometry.Size = size;
        geometry.Pitch = (int)screen.Pitch;
        geometry.Width = (int)screen.Width;
        geometry.Height = (int)screen.Height;
        geometry.BytesPerPixel = bytes;
        geometry.Light = light;
        geometry.Scale = 1;
        while (geometry.Width / (ScreenFont.Width * geometry.Scale) > MostColumns
            || geometry.Height / (ScreenFont.Height * geometry.Scale) > MostRows)
        {
            geometry.Scale++;
        }

        // A screen of odd proportions keeps at least one cell in each direction.
        while (geometry.Scale > 1 && (ScreenFont.Width * geometry.Scale > geometry.Width
            || ScreenFont.Height * geometry.Scale > geometry.Height))
        {
            geometry.Scale--;
        }

        geometry.Columns = geometry.Width / (ScreenFont.Width * geometry.Scale);
        geometry.Rows = geometry.Height / (ScreenFont.Height * geometry.Scale);
        return true;
    }

    /// <summary>Two thirds of the brightest, as text screens have it.</summary>
    private static uint Field(byte position, byte size, byte depth)
    {
        if (size == 0 || position + size > depth || position + size > 32)
        {
            return 0;
        }

        ulong brightest = (1UL << size) - 1;
        return (uint)(((brightest * 2) + 2) / 3) << position;
    }
}
