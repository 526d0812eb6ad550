// SPDX-License-Identifier: MIT
// The screen as a console: characters of a text mode, or pixels of a framebuffer that the boot loader or EFI left. What
// is written goes into a grid in memory, and what has changed there to the screen; nothing is ever read back.
//
// A framebuffer is written through the boot tables' map of the first 4 GiB until the final tables map it (MoveTo); one that
// lies beyond stays dark until then, and shows everything at once.

using Hypervisor.Core.Boot;
using Hypervisor.Core.Console;

namespace Hypervisor.X64.Console;

/// <summary>The machine's screen. Its callers hold the consoles' lock.</summary>
public static unsafe class Screen
{
    private const ulong EarlyWindow = 4UL << 30;

    private static bool s_isOpen;
    private static bool s_isUsable;
    private static bool s_hasPixels;
    private static byte* s_pixels;
    private static FramebufferGeometry s_geometry;
    private static TextGrid s_grid;
    private static Font s_font;

    private struct Font
    {
        public fixed byte Rows[ScreenFont.Glyphs * ScreenFont.Height];
    }

    /// <summary>The framebuffer in physical memory; the size is 0 where there is none.</summary>
    public static ref readonly FramebufferGeometry Geometry => ref s_geometry;

    public static int CursorColumn => s_grid.Column;

    public static int CursorRow => s_grid.Row;

    /// <summary>Clears the screen that the loader describes, and begins to write; false where nothing can be written
    /// on it.</summary>
    public static bool TryOpen(in Framebuffer screen, MemoryMap* map, int addressBits, bool isEfi)
    {
        switch (screen.Kind)
        {
            case FramebufferKind.Unknown when !isEfi:
                OpenText(VgaText.UsualColumns, VgaText.UsualRows);
                return true;
            case FramebufferKind.EgaText when VgaText.CanShow(in screen):
                OpenText((int)screen.Width, (int)screen.Height);
                return true;
            case FramebufferKind.DirectColour
                when FramebufferGeometry.TryMake(in screen, map, addressBits, out FramebufferGeometry geometry):
                OpenPixels(in geometry);
                return true;
            default:
                return false;
        }
    }

    /// <summary>The text screen of a PC, as long as nobody has said that there is another one.</summary>
    public static void OpenText(int columns, int rows)
    {
        s_grid.Open(columns, rows);
        VgaText.Clear(columns, rows);
        s_isUsable = true;
        s_isOpen = true;
    }

    /// <summary>From here on the framebuffer is seen at another address.</summary>
    public static void MoveTo(byte* pixels)
    {
        bool wasDark = s_pixels == null;
        s_pixels = pixels;
        if (wasDark && s_isOpen)
        {
            FramebufferPainter.Clear(pixels, in s_geometry);
            Draw();
        }
    }

    /// <summary>Leaves the screen to Domain-0.</summary>
    public static void Close() => s_isOpen = false;

    /// <summary>Takes the screen back for the last words, unless it never was the hypervisor's.</summary>
    public static void Reopen()
    {
        if (s_isOpen || !s_isUsable)
        {
            return;
        }

        s_isOpen = true;
        s_grid.Forget();
        if (!s_hasPixels)
        {
            VgaText.Clear(s_grid.Columns, s_grid.Rows);
        }
        else if (s_pixels != null)
        {
            FramebufferPainter.Clear(s_pixels, in s_geometry);
        }

        Draw();
    }

    public static void Write(byte* text, int length)
    {
        if (!s_isOpen)
        {
            return;
        }

        s_grid.Write(text, length);
        Draw();
    }

    private static void OpenPixels(in FramebufferGeometry geometry)
    {
        s_geometry = geometry;
        s_hasPixels = true;
        s_grid.Open(geometry.Columns, geometry.Rows);
        fixed (Font* font = &s_font)
        {
            ScreenFont.Pack(font->Rows);
        }

        if (geometry.Address + geometry.Size <= EarlyWindow)
        {
            s_pixels = (byte*)Machine.Direct(geometry.Address);
            FramebufferPainter.Clear(s_pixels, in s_geometry);
        }

        s_isUsable = true;
        s_isOpen = true;
    }

    private static void Draw()
    {
        fixed (TextGrid* grid = &s_grid)
        fixed (Font* font = &s_font)
        {
            if (!s_hasPixels)
            {
                VgaText.Draw(grid);
            }
            else if (s_pixels != null)
            {
                FramebufferPainter.Draw(s_pixels, in s_geometry, font->Rows, grid);
            }
        }
    }
}
