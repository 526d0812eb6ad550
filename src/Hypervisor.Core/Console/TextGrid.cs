// SPDX-License-Identifier: MIT
// Screen memory is slow to write and slower to read. So the text lives here, in ordinary memory, beside what the screen
// shows of it; scrolling moves the text, and only cells that differ afterwards are drawn.

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Console;

/// <summary>Rows of characters, a cursor, and which of the cells have still to be drawn.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct TextGrid
{
    public const int MaxColumns = 256;
    public const int MaxRows = 128;
    private const byte Blank = (byte)' ';
    private const int TabMask = 7;

    private fixed byte _text[MaxColumns * MaxRows];
    private fixed byte _shown[MaxColumns * MaxRows];
    private int _firstChanged;
    private int _lastChanged;

    public int Columns { get; private set; }

    public int Rows { get; private set; }

    /// <summary>Where the next character goes; <see cref="Columns"/> when the row is full.</summary>
    public int Column { get; private set; }

    public int Row { get; private set; }

    /// <summary>An empty grid on an empty screen. More than there is room for is not used.</summary>
    public void Open(int columns, int rows)
    {
        Columns = columns < MaxColumns ? columns : MaxColumns;
        Rows = rows < MaxRows ? rows : MaxRows;
        Column = 0;
        Row = 0;
        for (int cell = 0; cell < Columns * Rows; cell++)
        {
            _text[cell] = Blank;
            _shown[cell] = Blank;
        }

        _firstChanged = Rows;
        _lastChanged = -1;
    }

    /// <summary>The screen was cleared: everything has to be drawn again.</summary>
    public void Forget()
    {
        for (int cell = 0; cell < Columns * Rows; cell++)
        {
            _shown[cell] = Blank;
        }

        Touch(0, Rows - 1);
    }

    public void Write(byte* text, int length)
    {
        for (int index = 0; index < length && Rows > 0; index++)
        {
            Put(text[index]);
        }
    }

    /// <summary>The next cell that is not shown as it is; from now on it counts as shown. False when there is
    /// none.</summary>
    /// <param name="position">Where to look on: 0 at first, then as the last call left it.</param>
    /// <param name="column">Its column.</param>
    /// <param name="row">Its row.</param>
    /// <param name="character">What it has to show.</param>
    public bool NextChanged(ref int position, out int column, out int row, out byte character)
    {
        int start = _firstChanged * Columns;
        int end = (_lastChanged + 1) * Columns;
        for (int cell = position > start ? position : start; cell < end; cell++)
        {
            if (_text[cell] != _shown[cell])
            {
                character = _text[cell];
                _shown[cell] = character;
                row = cell / Columns;
                column = cell % Columns;
                position = cell + 1;
                return true;
            }
        }

        _firstChanged = Rows;
        _lastChanged = -1;
        column = 0;
        row = 0;
        character = 0;
        return false;
    }

    private void Put(byte character)
    {
        switch (character)
        {
            case (byte)'\n':
                NextRow();
                break;
            case (byte)'\r':
                Column = 0;
                break;
            case (byte)'\b':
                Column = Column > 0 ? Column - 1 : 0;
                break;
            case (byte)'\t':
                Column = (Column + TabMask + 1) & ~TabMask;
                break;
            case >= Blank:
                if (Column >= Columns)
                {
                    NextRow();
                }

                _text[(Row * Columns) + Column] = character;
                Column++;
                Touch(Row, Row);
                break;
            default:
                break;
        }
    }

    private void NextRow()
    {
        Column = 0;
        if (Row < Rows - 1)
        {
            Row++;
            return;
        }

        int last = (Rows - 1) * Columns;
        for (int cell = 0; cell < last; cell++)
        {
            _text[cell] = _text[cell + Columns];
        }

        for (int cell = last; cell < last + Columns; cell++)
        {
            _text[cell] = Blank;
        }

        Touch(0, Rows - 1);
    }

    private void Touch(int first, int last)
    {
        _firstChanged = first < _firstChanged ? first : _firstChanged;
        _lastChanged = last > _lastChanged ? last : _lastChanged;
    }
}
