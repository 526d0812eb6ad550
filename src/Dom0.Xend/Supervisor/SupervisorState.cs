// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;

namespace Dom0.Xend.Supervisor;

/// <summary>One process of the daemon, as the supervisor sees it.</summary>
internal sealed record RoleState
{
    /// <summary>The role's name.</summary>
    public required string Role { get; init; }

    /// <summary>How often it was started again.</summary>
    public int Restarts { get; init; }

    /// <summary>How it ended last.</summary>
    public string? LastEnd { get; init; }

    /// <summary>Since when the present process has been known.</summary>
    public DateTimeOffset? Since { get; init; }
}

/// <summary>All processes.</summary>
internal sealed record SupervisorState
{
    /// <summary>Each role.</summary>
    public IReadOnlyList<RoleState> Roles { get; init; } = [];

    /// <summary>What a supervisor wrote last; nothing when none did.</summary>
    public static SupervisorState Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), XendJson.Default.SupervisorState) ?? new();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return new();
        }
    }

    /// <summary>Writes it for <c>xend status</c>; if that fails, only the status suffers.</summary>
    public void TryWrite(string path)
    {
        try
        {
            File.WriteAllBytes(path + ".new", JsonSerializer.SerializeToUtf8Bytes(this, XendJson.Default.SupervisorState));
            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // Nothing depends on it.
        }
    }
}
