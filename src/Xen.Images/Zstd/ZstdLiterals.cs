// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>The literals section of a compressed block (RFC 8878, 3.1.1.3.1).</summary>
internal static unsafe class ZstdLiterals
{
    private const int KindRaw = 0;
    private const int KindSingle = 1;
    private const int KindTreeless = 3;
    private const nuint JumpTableSize = 6;

    /// <summary>Reads the section; raw literals are used where they stand.</summary>
    /// <param name="work">Work memory.</param>
    /// <param name="cursor">First byte of the section; moved past its last.</param>
    /// <param name="end">End of the block.</param>
    /// <param name="limit">The most that the block may unpack to.</param>
    /// <param name="literals">The literals.</param>
    /// <param name="length">Their number.</param>
    public static ImageError Read(
        ZstdWork* work, ref byte* cursor, byte* end, nuint limit, out byte* literals, out nuint length)
    {
        literals = work->Literals;
        length = 0;
        if (cursor == end)
        {
            return ImageError.ZstdBadLiterals;
        }

        int kind = *cursor & 3;
        int sizeFormat = (*cursor >> 2) & 3;
        if (kind > KindSingle)
        {
            return ReadCoded(work, kind == KindTreeless, sizeFormat, ref cursor, end, limit, out length);
        }

        // One byte with five bits of size (the low bit of the format belongs to it), or two with 12, or three with 20.
        int headerSize = (sizeFormat & 1) == 0 ? 1 : (sizeFormat >> 1) + 2;
        if (!ReadHeader(ref cursor, end, headerSize, out ulong header))
        {
            return ImageError.ZstdBadLiterals;
        }

        length = (nuint)(header >> (headerSize == 1 ? 3 : 4));
        nuint stored = kind == KindRaw ? length : 1;
        if (length > limit || stored > (nuint)(end - cursor))
        {
            return ImageError.ZstdBadLiterals;
        }

        if (kind == KindRaw)
        {
            literals = cursor;
        }
        else
        {
            ByteCopy.Fill(work->Literals, *cursor, length);
        }

        cursor += stored;
        return ImageError.Ok;
    }

    private static ImageError ReadCoded(
        ZstdWork* work, bool isTreeless, int sizeFormat, ref byte* cursor, byte* end, nuint limit, out nuint length)
    {
        length = 0;
        int headerSize = sizeFormat < 2 ? 3 : sizeFormat + 2;
        int sizeBits = sizeFormat < 2 ? 10 : sizeFormat == 2 ? 14 : 18;
        if (!ReadHeader(ref cursor, end, headerSize, out ulong header))
        {
            return ImageError.ZstdBadLiterals;
        }

        ulong mask = (1ul << sizeBits) - 1;
        nuint unpacked = (nuint)((header >> 4) & mask);
        nuint packed = (nuint)((header >> (4 + sizeBits)) & mask);
        if (unpacked > limit || packed > (nuint)(end - cursor))
        {
            return ImageError.ZstdBadLiterals;
        }

        byte* section = cursor;
        byte* sectionEnd = section + packed;
        bool hasTable = isTreeless ? work->HasHuffmanTable : ZstdHuffman.ReadTable(work, ref section, sectionEnd);
        if (!hasTable)
        {
            return ImageError.ZstdBadHuffmanTable;
        }

        nuint size = (nuint)(sectionEnd - section);
        bool isSound = sizeFormat == 0
            ? ZstdHuffman.DecodeStream(work, section, size, work->Literals, unpacked)
            : DecodeFourStreams(work, section, size, unpacked);
        if (!isSound)
        {
            return ImageError.ZstdBadLiterals;
        }

        cursor = sectionEnd;
        length = unpacked;
        return ImageError.Ok;
    }

    private static bool DecodeFourStreams(ZstdWork* work, byte* section, nuint size, nuint unpacked)
    {
        nuint quarter = (unpacked + 3) / 4;
        if (size < JumpTableSize || quarter * 3 > unpacked)
        {
            return false;
        }

        byte* stream = section + JumpTableSize;
        nuint remaining = size - JumpTableSize;
        byte* output = work->Literals;
        for (int number = 0; number < 3; number++)
        {
            nuint streamSize = ((ushort*)section)[number];
            if (streamSize > remaining || !ZstdHuffman.DecodeStream(work, stream, streamSize, output, quarter))
            {
                return false;
            }

            stream += streamSize;
            remaining -= streamSize;
            output += quarter;
        }

        return ZstdHuffman.DecodeStream(work, stream, remaining, output, unpacked - (quarter * 3));
    }

    private static bool ReadHeader(ref byte* cursor, byte* end, int size, out ulong header)
    {
        header = 0;
        if (end - cursor < size)
        {
            return false;
        }

        for (int index = 0; index < size; index++)
        {
            header |= (ulong)*cursor++ << (index * 8);
        }

        return true;
    }
}
