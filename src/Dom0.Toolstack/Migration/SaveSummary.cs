// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Toolstack.Migration;

/// <summary>One line of <c>xm save-verify</c>'s table.</summary>
/// <param name="Offset">Where the record begins.</param>
/// <param name="Record">Its name.</param>
/// <param name="Bytes">Bytes of its body.</param>
/// <param name="Checksum">The checksum behind it; null where the file has none.</param>
/// <param name="Contents">What is in it, in a few words.</param>
public sealed record SaveRecordSummary(long Offset, string Record, int Bytes, string? Checksum, string Contents);

/// <summary>What <c>xm save-verify</c> says of a sound file.</summary>
public sealed record SaveSummary
{
    /// <summary>The file.</summary>
    public required string File { get; init; }

    /// <summary>Its size.</summary>
    public required long Bytes { get; init; }

    /// <summary>Who wrote it: <c>xm</c> or <c>xl</c>.</summary>
    public required string Writer { get; init; }

    /// <summary>Version of the image's format.</summary>
    public required int ImageVersion { get; init; }

    /// <summary>Version of the hypervisor under which it was written.</summary>
    public required string XenVersion { get; init; }

    /// <summary>Are there checksums?</summary>
    public required bool HasChecksums { get; init; }

    /// <summary>The domain's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its identity.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>Memory that it has.</summary>
    public required ulong MemoryKib { get; init; }

    /// <summary>Memory that it may have.</summary>
    public required ulong MaximumMemoryKib { get; init; }

    /// <summary>Virtual CPUs that it may have.</summary>
    public required int MaximumVcpus { get; init; }

    /// <summary>Virtual CPUs that were online.</summary>
    public required int OnlineVcpus { get; init; }

    /// <summary>Pages that hold page tables.</summary>
    public required int PageTables { get; init; }

    /// <summary>The disks that it will want, as entries of a configuration.</summary>
    public required IReadOnlyList<string> Disks { get; init; }

    /// <summary>The network interfaces that it will want.</summary>
    public required IReadOnlyList<string> Vifs { get; init; }

    /// <summary>The records.</summary>
    public required IReadOnlyList<SaveRecordSummary> Records { get; init; }
}
