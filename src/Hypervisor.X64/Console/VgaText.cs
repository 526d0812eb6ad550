// SPDX-License-Identifier: MIT

namespace Hypervisor.X64.Console;

/// <summary>The colour text screen of a PC: 80×25 cells at physical B8000h, the cursor in the CRT controller.</summary>
public static unsafe class VgaText
{
    private const ulong Memory = 0xB8000;
    private const int Columns = 80;
    private const int Rows = 25;
    private const ushort Blank = 0x0720;
    private const ushort ControllerIndex = 0x3D4;
    private const ushort ControllerData = 0x3D5;
    private const byte CursorHigh = 0x0E;
    private const byte CursorLow = 0x0F;

    private static bool s_isOpen;
    private static int s_column;
    private static int s_row;

    public static bool IsOpen => s_isOpen;

    /// <summary>Clears the screen and begins to write; a machine without VGA loses the bytes.</summary>
    public static void Open()
    {
        for (int row = 0; row < Rows; row++)
        {
            ClearRow(row);
        }

        s_column = 0;
        s_row = 0;
        s_isOpen = true;
        ShowCursor();
    }

    /// <summary>Leaves the screen to Domain-0.</summary>
    public static void Close() => s_isOpen = false;

    /// <summary>Takes the screen back for the last words.</summary>
    public static void Reopen() => s_isOpen = true;

    public static void Write(byte* text, int length)
    {
        if (!s_isOpen)
        {
            return;
        }

        for (int i = 0; i < length; i++)
        {
            Put(text[i]);
        }

        ShowCursor();
    }

    private static void Put(byte character)
    {
        switch (character)
        {
            case (byte)'\n':
                NextRow();
                break;
            case (byte)'\r':
                s_column = 0;
                break;
            case (byte)'\b':
                s_column = s_column > 0 ? s_column - 1 : 0;
                break;
            case (byte)'\t':
                s_column = (s_column + 8) & ~7;
                break;
            default:
                if (s_column >= Columns)
                {
                    NextRow();
                }

                if (character >= 32)
                {
                    Cell(s_row, s_column) = (ushort)(0x0700 | character);
                    s_column++;
                }

                break;
        }
    }

    private static void NextRow()
    {
        s_column = 0;
        if (s_row < Rows - 1)
        {
            s_row++;
            return;
        }

        for (int row = 0; row < Rows - 1; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                Cell(row, column) = Cell(row + 1, column);
            }
        }

        ClearRow(Rows - 1);
    }

    private static void ClearRow(int row)
    {
        for (int column = 0; column < Columns; column++)
        {
            Cell(row, column) = Blank;
        }
    }

    private static ref ushort Cell(int row, int column) =>
        ref ((ushort*)Machine.Direct(Memory))[(row * Columns) + column];

    private static void ShowCursor()
    {
        int position = (s_row * Columns) + (s_column < Columns ? s_column : Columns - 1);
        Machine.Out8(ControllerIndex, CursorHigh);
        Machine.Out8(ControllerData, (byte)(position >> 8));
        Machine.Out8(ControllerIndex, CursorLow);
        Machine.Out8(ControllerData, (byte)position);
    }
}
