// SPDX-License-Identifier: MIT
using System.Collections.Generic;

namespace Dom0.Toolstack.Migration;

/// <summary>
/// The guest frame of each machine frame of one guest: its own list, turned round. The hypervisor's machine-to-physical
/// table says the same, and needs a mapping as large as the host's memory.
/// </summary>
public sealed class MachineMap
{
    private const int ChunkShift = 12;
    private const int ChunkFrames = 1 << ChunkShift;
    private const uint Nothing = uint.MaxValue;

    private readonly Dictionary<ulong, uint[]> _chunks = [];

    /// <summary>Adds a pair; false when the machine frame has a guest frame already.</summary>
    public bool TryAdd(ulong machineFrame, ulong guestFrame)
    {
        if (!_chunks.TryGetValue(machineFrame >> ChunkShift, out uint[]? chunk))
        {
            chunk = new uint[ChunkFrames];
            System.Array.Fill(chunk, Nothing);
            _chunks[machineFrame >> ChunkShift] = chunk;
        }

        ref uint place = ref chunk[machineFrame & (ChunkFrames - 1)];
        if (place != Nothing)
        {
            return false;
        }

        place = (uint)guestFrame;
        return true;
    }

    /// <summary>The guest frame of a machine frame; null when the guest has none.</summary>
    public ulong? Find(ulong machineFrame) =>
        _chunks.TryGetValue(machineFrame >> ChunkShift, out uint[]? chunk)
        && chunk[machineFrame & (ChunkFrames - 1)] is var frame and not Nothing
            ? frame
            : null;
}
