// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Toolstack.Migration;

/// <summary>The state of one virtual CPU, as the hypervisor hands it out and takes it back.</summary>
public sealed class SavedVcpu
{
    /// <summary>Where the record with the registers begins.</summary>
    public required long Offset { get; init; }

    /// <summary>The registers; frames in them are guest frames.</summary>
    public required byte[] Registers { get; init; }

    /// <summary>Further entry points; empty if the file has none.</summary>
    public byte[] Extended { get; set; } = [];

    /// <summary>Vector registers and their like; empty if the file has none.</summary>
    public byte[] Vectors { get; set; } = [];

    /// <summary>MSRs; empty if the file has none.</summary>
    public byte[] Msrs { get; set; } = [];
}
