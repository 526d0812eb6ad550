// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Build;

/// <summary>
/// Which file, and which state of it: device, inode, size and both times. The time of the last change of the inode
/// cannot be set by anybody, so equal versions mean equal contents, unless the file changed twice within one tick of
/// the clock.
/// </summary>
public readonly record struct FileVersion(
    ulong Device, ulong Node, long Size, long Modified, long Changed, DateTimeOffset ChangedAt)
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The version of an open file.</summary>
    public static unsafe FileVersion Of(FileStream stream)
    {
        Libc.FileStatus status;
        if (Libc.Status((int)stream.SafeFileHandle.DangerousGetHandle(), &status) != 0)
        {
            throw new IOException("the file's state cannot be read");
        }

        return new FileVersion(status.Device, status.Node, status.Size,
            (status.ModifiedSeconds * NanosecondsPerSecond) + status.ModifiedNanoseconds,
            (status.ChangedSeconds * NanosecondsPerSecond) + status.ChangedNanoseconds,
            DateTimeOffset.FromUnixTimeSeconds(status.ChangedSeconds));
    }

    /// <summary>Has it been left alone for so long that a further change would show?</summary>
    public bool IsSettled(DateTimeOffset now) => now - ChangedAt > TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public override string ToString() => $"{Device:x}-{Node:x}-{Size:x}-{Modified:x}-{Changed:x}";
}
