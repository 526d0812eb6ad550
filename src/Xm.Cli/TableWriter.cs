// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;

namespace Xm.Cli;

/// <summary>A column: its heading, its least width, and the side on which cells are filled up.</summary>
internal readonly record struct TableColumn(string Heading, int Width, bool IsLeft = false);

/// <summary>
/// Prints tables of fixed columns with one space between them. A cell that is too wide pushes its line to the right and
/// is never cut: scripts split at blanks.
/// </summary>
internal sealed class TableWriter
{
    private readonly TextWriter _output;
    private readonly IReadOnlyList<TableColumn> _columns;

    public TableWriter(TextWriter output, params IReadOnlyList<TableColumn> columns)
    {
        _output = output;
        _columns = columns;
        string[] headings = new string[columns.Count];
        for (int column = 0; column < headings.Length; column++)
        {
            headings[column] = columns[column].Heading;
        }

        Write(headings);
    }

    /// <summary>Prints one line.</summary>
    public void Write(params IReadOnlyList<string> cells)
    {
        StringBuilder line = new();
        for (int column = 0; column < cells.Count; column++)
        {
            if (column > 0)
            {
                _ = line.Append(' ');
            }

            TableColumn format = _columns[column];
            _ = line.Append(format.IsLeft ? cells[column].PadRight(format.Width) : cells[column].PadLeft(format.Width));
        }

        _output.WriteLine(line.ToString().TrimEnd());
    }

    /// <summary>Nanoseconds as seconds with one digit behind the point.</summary>
    public static string Seconds(ulong nanoseconds) =>
        (nanoseconds / 1e9).ToString("F1", CultureInfo.InvariantCulture);
}
