// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Toolstack.Console;

/// <summary>The last bytes of an endless stream, each at its position; whoever reads keeps a position of his own.</summary>
public sealed class ReplayBuffer
{
    private readonly byte[] _bytes;

    /// <summary>Keeps up to <paramref name="size"/> bytes of a stream that has reached <paramref name="position"/>.</summary>
    public ReplayBuffer(int size, long position = 0)
    {
        _bytes = new byte[size];
        Start = End = position;
    }

    /// <summary>Position of the oldest byte that is kept.</summary>
    public long Start { get; private set; }

    /// <summary>Position behind the newest byte.</summary>
    public long End { get; private set; }

    /// <summary>Adds bytes; the oldest make room.</summary>
    public void Append(ReadOnlySpan<byte> data)
    {
        End += data.Length;
        ReadOnlySpan<byte> kept = data.Length > _bytes.Length ? data[^_bytes.Length..] : data;
        int at = (int)((End - kept.Length) % _bytes.Length);
        int first = Math.Min(kept.Length, _bytes.Length - at);
        kept[..first].CopyTo(_bytes.AsSpan(at));
        kept[first..].CopyTo(_bytes);
        Start = Math.Max(Start, End - _bytes.Length);
    }

    /// <summary>
    /// The bytes from a position on, as far as they lie together; a position that is no longer kept moves up to the
    /// oldest that is, and one from another stream, beyond the end, to the end.
    /// </summary>
    public ReadOnlySpan<byte> From(ref long position)
    {
        position = position > End ? End : Math.Max(position, Start);
        int at = (int)(position % _bytes.Length);
        return _bytes.AsSpan(at, (int)Math.Min(End - position, _bytes.Length - at));
    }
}
