// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Toolstack.Migration;

/// <summary>How far a transfer has come, in pages of 4 KiB.</summary>
public readonly record struct TransferProgress(int Done, int Total);

/// <summary>What a finished transfer was.</summary>
public sealed record TransferReport(string File, int DomainId, string Name, long Bytes, double Seconds)
{
    /// <summary>Millions of bytes a second.</summary>
    public double MegabytesPerSecond => Bytes / 1e6 / Math.Max(Seconds, 0.001);
}
