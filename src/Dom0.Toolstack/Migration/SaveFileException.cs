// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Migration;

/// <summary>A file that holds no domain which could be restored, with the place that shows why.</summary>
public sealed class SaveFileException : ToolstackException
{
    /// <summary>Creates the error for a part of a file, which begins at <paramref name="offset"/>.</summary>
    public SaveFileException(string file, string part, long offset, string reason)
        : base($"{file}: {part} at offset {offset}: {reason}",
            "This file cannot be restored. Nothing was created; use another copy of it")
    {
        Part = part;
        Offset = offset;
        Reason = reason;
    }

    /// <summary>The record or header.</summary>
    public string Part { get; }

    /// <summary>Where it begins, in bytes from the file's start.</summary>
    public long Offset { get; }

    /// <summary>What is wrong with it.</summary>
    public string Reason { get; }
}
