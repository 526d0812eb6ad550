// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text;
using Dom0.Toolstack.Interop;

namespace Xm.Cli;

/// <summary>Standard error. On a terminal the word that says what kind of complaint it is has a colour, unless NO_COLOR is set.</summary>
internal sealed class ComplaintWriter : StreamWriter
{
    private readonly bool _isColoured;

    /// <summary>Writes to <paramref name="stream"/> at once.</summary>
    public ComplaintWriter(StandardStream stream)
        : base(stream, new UTF8Encoding(false), 256)
    {
        AutoFlush = true;
        _isColoured = stream.IsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    }

    /// <inheritdoc/>
    public override void WriteLine(string? value) => base.WriteLine(_isColoured ? Coloured(value) : value);

    /// <summary>The line with its first word in red or yellow, if that is the word of an error or a warning.</summary>
    internal static string? Coloured(string? line) => line switch
    {
        not null when line.StartsWith("Error: ", StringComparison.Ordinal) => $"\e[31mError:\e[0m{line[6..]}",
        not null when line.StartsWith("Warning: ", StringComparison.Ordinal) => $"\e[33mWarning:\e[0m{line[8..]}",
        _ => line,
    };
}
