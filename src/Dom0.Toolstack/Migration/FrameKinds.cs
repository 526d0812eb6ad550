// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Toolstack.Migration;

/// <summary>
/// What every guest frame is in use for, and which of them page tables refer to. Stretches of frames that nothing is
/// said of cost nothing.
/// </summary>
public sealed class FrameKinds
{
    private const int ChunkShift = 12;
    private const int ChunkFrames = 1 << ChunkShift;
    private const byte ReferencedBit = 0x80;
    private const byte KindMask = 0x0f;
    private const byte Unknown = PageKind.None;

    private readonly byte[]?[] _chunks;

    /// <summary>For frames below <paramref name="count"/>; there is no page yet.</summary>
    public FrameKinds(ulong count)
    {
        Count = count;
        _chunks = new byte[]?[(int)((count + ChunkFrames - 1) >> ChunkShift)];
    }

    /// <summary>One more than the highest frame.</summary>
    public ulong Count { get; }

    /// <summary>The kind of a frame below <see cref="Count"/>.</summary>
    public byte this[ulong frame]
    {
        get => (byte)((_chunks[frame >> ChunkShift]?[frame & (ChunkFrames - 1)] ?? Unknown) & KindMask);
        set
        {
            ref byte state = ref At(frame);
            state = (byte)((state & ReferencedBit) | value);
        }
    }

    /// <summary>Is there memory under the frame?</summary>
    public bool HasMemory(ulong frame) => frame < Count && PageKind.HasMemory(this[frame]);

    /// <summary>Remembers that a page table refers to the frame.</summary>
    public void MarkReferenced(ulong frame) => At(frame) |= ReferencedBit;

    /// <summary>The lowest frame that page tables refer to and that has no memory; null when there is none.</summary>
    public ulong? FirstMissing()
    {
        for (int chunk = 0; chunk < _chunks.Length; chunk++)
        {
            int index = _chunks[chunk] is { } states
                ? Array.FindIndex(states, state => (state & ReferencedBit) != 0
                    && !PageKind.HasMemory((byte)(state & KindMask)))
                : -1;
            if (index >= 0)
            {
                return ((ulong)chunk << ChunkShift) + (ulong)index;
            }
        }

        return null;
    }

    /// <summary>The frames with memory, in ascending order.</summary>
    public IEnumerable<ulong> WithMemory()
    {
        for (int chunk = 0; chunk < _chunks.Length; chunk++)
        {
            if (_chunks[chunk] is not { } states)
            {
                continue;
            }

            for (int index = 0; index < states.Length; index++)
            {
                if (PageKind.HasMemory((byte)(states[index] & KindMask)))
                {
                    yield return ((ulong)chunk << ChunkShift) + (ulong)index;
                }
            }
        }
    }

    private ref byte At(ulong frame)
    {
        ref byte[]? chunk = ref _chunks[frame >> ChunkShift];
        if (chunk is null)
        {
            chunk = new byte[ChunkFrames];
            Array.Fill(chunk, Unknown);
        }

        return ref chunk[frame & (ChunkFrames - 1)];
    }
}
