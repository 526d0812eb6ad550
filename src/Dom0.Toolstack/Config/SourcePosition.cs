// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Config;

/// <summary>A place in a configuration file or on the command line; lines and columns start at 1.</summary>
public readonly record struct SourcePosition(string File, int Line, int Column)
{
    /// <summary>A NAME=VALUE argument has no lines: the argument itself is the place.</summary>
    public static SourcePosition Argument(string name) => new($"argument {name}", 0, 0);

    /// <inheritdoc/>
    public override string ToString() => Line == 0 ? File : $"{File}:{Line}:{Column}";
}
