// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Toolstack.Build;

/// <summary>The memory of a guest under construction, by guest frame number.</summary>
public interface IGuestFrames
{
    /// <summary>The machine frame under a guest frame.</summary>
    ulong MachineFrame(ulong guestFrame);

    /// <summary>Number of guest frames.</summary>
    ulong FrameCount { get; }

    /// <summary>Copies bytes to a guest-physical address; the range may span frames.</summary>
    void Write(ulong guestAddress, ReadOnlySpan<byte> data);

    /// <summary>Writes zeroes; a guest's frames arrive with whatever they held before.</summary>
    void Clear(ulong guestAddress, ulong length);
}
