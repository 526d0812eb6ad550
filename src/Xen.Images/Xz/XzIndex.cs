// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// What the blocks of a stream add up to. The index at the stream's end repeats the two sizes of every block; with no
/// memory to keep them in, the decoder compares a count, two sums and a running hash.
/// </summary>
internal struct XzIndex
{
    private const ulong HashMultiplier = 0x9E3779B97F4A7C15;

    public ulong BlockCount;
    public ulong PackedTotal;
    public ulong UnpackedTotal;
    public ulong Hash;

    /// <param name="unpaddedSize">Header, data and check of the block, without the padding between.</param>
    /// <param name="unpackedSize">What the block unpacks to.</param>
    public void Add(ulong unpaddedSize, ulong unpackedSize)
    {
        BlockCount++;
        PackedTotal += (unpaddedSize + 3) & ~3ul;
        UnpackedTotal += unpackedSize;
        Hash = Mix(Mix(Hash, unpaddedSize), unpackedSize);
    }

    public readonly bool Matches(in XzIndex other) =>
        BlockCount == other.BlockCount
        && PackedTotal == other.PackedTotal
        && UnpackedTotal == other.UnpackedTotal
        && Hash == other.Hash;

    /// <summary>Reads an index, whose indicator byte is at <paramref name="start"/>, up to its checksum.</summary>
    public static unsafe ImageError Read(uint* crcTables, byte* start, byte* end, out XzIndex index, out nuint size)
    {
        index = default;
        size = 0;
        byte* cursor = start + 1;
        ImageError error = XzNumber.Read(ref cursor, end, out ulong count);
        if (error != ImageError.Ok)
        {
            return error;
        }

        for (ulong record = 0; record < count; record++)
        {
            error = XzNumber.Read(ref cursor, end, out ulong unpaddedSize);
            if (error != ImageError.Ok)
            {
                return error;
            }

            error = XzNumber.Read(ref cursor, end, out ulong unpackedSize);
            if (error != ImageError.Ok)
            {
                return error;
            }

            index.Add(unpaddedSize, unpackedSize);
        }

        while (((nuint)(cursor - start) & 3) != 0)
        {
            if (cursor == end)
            {
                return ImageError.Truncated;
            }

            if (*cursor++ != 0)
            {
                return ImageError.XzBadPadding;
            }
        }

        if ((nuint)(end - cursor) < sizeof(uint))
        {
            return ImageError.Truncated;
        }

        if (Crc32.Compute(crcTables, start, (nuint)(cursor - start)) != *(uint*)cursor)
        {
            return ImageError.XzBadIndex;
        }

        size = (nuint)(cursor - start) + sizeof(uint);
        return ImageError.Ok;
    }

    private static ulong Mix(ulong hash, ulong value)
    {
        ulong mixed = (hash ^ value) * HashMultiplier;
        return mixed ^ (mixed >> 29);
    }
}
