// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text.Json;

namespace Dom0.Xend.Consoles;

/// <summary>
/// What must be known of a console beyond its log when the daemon starts again: positions in the stream count on.
/// </summary>
internal sealed record ConsoleState
{
    private const string Suffix = ".json";

    /// <summary>Whose console.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>Position in the stream of the log file's first byte.</summary>
    public required long Base { get; init; }

    /// <summary>Position at which this domain began: what the log has from before belongs to an earlier one.</summary>
    public required long Start { get; init; }

    /// <summary>The state of a name, if it is kept and can be read.</summary>
    public static ConsoleState? TryRead(string directory, string name)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(directory, name + Suffix)),
                XendJson.Default.ConsoleState);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Keeps the state of a name; without it, positions begin anew after a restart.</summary>
    public bool TryWrite(string directory, string name)
    {
        string path = Path.Combine(directory, name + Suffix);
        try
        {
            _ = Directory.CreateDirectory(directory);
            File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, XendJson.Default.ConsoleState));
            File.Move(path + ".new", path, overwrite: true);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
