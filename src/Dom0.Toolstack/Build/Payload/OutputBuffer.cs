// SPDX-License-Identifier: MIT
using System;
using System.IO;

namespace Dom0.Toolstack.Build.Payload;

/// <summary>Unpacked bytes, which grow up to a limit and are copied from by later ones.</summary>
internal sealed class OutputBuffer
{
    private readonly int _limit;
    private byte[] _bytes;

    /// <summary>Takes up to <paramref name="limit"/> bytes.</summary>
    public OutputBuffer(int limit)
    {
        _limit = limit;
        _bytes = new byte[Math.Min(limit, 1 << 20)];
    }

    /// <summary>Bytes so far.</summary>
    public int Length { get; private set; }

    /// <summary>The last byte; zero before the first.</summary>
    public byte Last => Length > 0 ? _bytes[Length - 1] : (byte)0;

    /// <summary>The byte at a distance back from the end; 1 is the last.</summary>
    public byte Back(int distance) => _bytes[Length - distance];

    /// <summary>Adds a byte.</summary>
    public void Add(byte value)
    {
        Grow(1);
        _bytes[Length++] = value;
    }

    /// <summary>Adds bytes.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        Grow(data.Length);
        data.CopyTo(_bytes.AsSpan(Length));
        Length += data.Length;
    }

    /// <summary>Adds a byte so many times.</summary>
    public void AddRun(byte value, int count)
    {
        Grow(count);
        _bytes.AsSpan(Length, count).Fill(value);
        Length += count;
    }

    /// <summary>
    /// Repeats what stands at a distance back; the copy may read what it has just written, but nothing before
    /// <paramref name="floor"/>.
    /// </summary>
    public void Repeat(long distance, int count, int floor = 0)
    {
        if (distance <= 0 || distance > Length - floor)
        {
            throw new InvalidDataException("a match points to before the start of the data");
        }

        Grow(count);
        int from = Length - (int)distance;
        for (int index = 0; index < count; index++)
        {
            _bytes[Length + index] = _bytes[from + index];
        }

        Length += count;
    }

    /// <summary>All bytes, in memory that stays in place.</summary>
    public byte[] ToArray()
    {
        byte[] result = GC.AllocateUninitializedArray<byte>(Length, pinned: true);
        _bytes.AsSpan(0, Length).CopyTo(result);
        return result;
    }

    private void Grow(int count)
    {
        if (count > _limit - Length)
        {
            throw new InvalidDataException($"it unpacks to more than {_limit} bytes");
        }

        if (Length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)Math.Min(_limit, Math.Max((long)_bytes.Length * 2, Length + (long)count)));
        }
    }
}
