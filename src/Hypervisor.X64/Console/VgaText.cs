// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;
using Hypervisor.Core.Console;

namespace Hypervisor.X64.Console;

/// <summary>The colour text screen of a PC: cells at physical B8000h, the cursor in the CRT controller.</summary>
public static unsafe class VgaText
{
    public const int UsualColumns = 80;
    public const int UsualRows = 25;

    private const ulong Memory = 0xB8000;
    private const ulong MemoryEnd = 0xC0000;
    private const uint BytesPerCell = 2;
    private const ushort Attribute = 0x0700;
    private const ushort ControllerIndex = 0x3D4;
    private const ushort ControllerData = 0x3D5;
    private const byte CursorHigh = 0x0E;
    private const byte CursorLow = 0x0F;

    /// <summary>Whether a text screen that the loader describes is this one, cell beside cell and inside the
    /// window.</summary>
    public static bool CanShow(in Framebuffer screen) =>
        screen.Address == Memory
        && screen.Width is > 0 and <= TextGrid.MaxColumns && screen.Height is > 0 and <= TextGrid.MaxRows
        && screen.Pitch == screen.Width * BytesPerCell
        && (ulong)screen.Pitch * screen.Height <= MemoryEnd - Memory;

    /// <summary>Blanks everything; a machine without VGA loses the bytes.</summary>
    public static void Clear(int columns, int rows)
    {
        for (int cell = 0; cell < columns * rows; cell++)
        {
            Cells[cell] = Attribute | ' ';
        }

        ShowCursor(0);
    }

    /// <summary>Draws what has changed, and moves the cursor.</summary>
    public static void Draw(TextGrid* grid)
    {
        int position = 0;
        while (grid->NextChanged(ref position, out int column, out int row, out byte character))
        {
            Cells[(row * grid->Columns) + column] = (ushort)(Attribute | character);
        }

        int cursor = grid->Column < grid->Columns ? grid->Column : grid->Columns - 1;
        ShowCursor((grid->Row * grid->Columns) + cursor);
    }

    private static ushort* Cells => (ushort*)Machine.Direct(Memory);

    private static void ShowCursor(int position)
    {
        Machine.Out8(ControllerIndex, CursorHigh);
        Machine.Out8(ControllerData, (byte)(position >> 8));
        Machine.Out8(ControllerIndex, CursorLow);
        Machine.Out8(ControllerData, (byte)position);
    }
}
