// SPDX-License-Identifier: MIT
namespace Xen.Images;

// Theory. An XZ file is a row of streams with zero padding between them; a stream is a header, blocks, an index of the
// blocks, and a footer that can be read from behind. A block is LZMA2 data, here optionally with the x86 branch filter
// (the kernel's build uses it), and a check of the unpacked bytes.
//
// The whole output stands in one buffer of the caller, which serves as dictionary, so nothing is copied twice; the
// branch filter runs over a block in place once the block is complete, for the dictionary must not see its result.

/// <summary>Unpacks XZ: LZMA2 with or without the x86 filter, every check that the format defines.</summary>
public static unsafe class XzDecoder
{
    /// <summary>Bytes of work memory that <see cref="Decode"/> wants.</summary>
    public const nuint WorkSize = 48 * 1024;

    private const nuint StreamHeaderSize = 12;
    private const nuint StreamFooterSize = 12;
    private const nuint StreamMagicSize = 6;
    private const uint StreamMagicLow = 0x587A37FD;
    private const ushort StreamMagicHigh = 0x005A;
    private const ushort FooterMagic = 0x5A59;
    private const int CheckNone = 0;
    private const int CheckCrc32 = 1;
    private const int CheckCrc64 = 4;
    private const int CheckSha256 = 10;

    public static bool HasMagic(byte* source, nuint length) =>
        length >= StreamMagicSize
        && *(uint*)source == StreamMagicLow
        && *(ushort*)(source + sizeof(uint)) == StreamMagicHigh;

    /// <summary>Unpacks all streams at the start of <paramref name="source"/>.</summary>
    /// <param name="source">The file.</param>
    /// <param name="sourceLength">Its size; bytes after the last stream are left alone.</param>
    /// <param name="target">Where to write; must not overlap the file.</param>
    /// <param name="targetCapacity">Bytes there.</param>
    /// <param name="work">Scratch memory, in any state.</param>
    /// <param name="workLength">Bytes there, at least <see cref="WorkSize"/>.</param>
    /// <param name="produced">Bytes written, on success.</param>
    /// <param name="consumed">Bytes of the file that belong to streams and the padding after them, on success.</param>
    public static ImageError Decode(
        byte* source,
        nuint sourceLength,
        byte* target,
        nuint targetCapacity,
        byte* work,
        nuint workLength,
        out nuint produced,
        out nuint consumed)
    {
        produced = 0;
        consumed = 0;
        if (workLength < WorkSize)
        {
            return ImageError.WorkTooSmall;
        }

        XzWork* memory = (XzWork*)work;
        Crc32.BuildTables(memory->Crc32Tables);
        Crc64.BuildTables(memory->Crc64Tables);

        byte* cursor = source;
        byte* end = source + sourceLength;
        byte* output = target;
        byte* outputEnd = target + targetCapacity;
        do
        {
            ImageError error = DecodeStream(memory, ref cursor, end, ref output, outputEnd);
            if (error != ImageError.Ok)
            {
                return error;
            }

            SkipPadding(ref cursor, end);
        }
        while (HasMagic(cursor, (nuint)(end - cursor)));

        produced = (nuint)(output - target);
        consumed = (nuint)(cursor - source);
        return ImageError.Ok;
    }

    /// <summary>
    /// Reads from the indexes what a file unpacks to. The file must end with a stream or its padding.
    /// </summary>
    public static ImageError Measure(
        byte* source, nuint sourceLength, byte* work, nuint workLength, out ulong unpackedSize)
    {
        unpackedSize = 0;
        if (workLength < WorkSize)
        {
            return ImageError.WorkTooSmall;
        }

        uint* crcTables = ((XzWork*)work)->Crc32Tables;
        Crc32.BuildTables(crcTables);

        nuint remaining = sourceLength;
        do
        {
            while (remaining >= 4 && *(uint*)(source + remaining - 4) == 0)
            {
                remaining -= 4;
            }

            if (remaining < StreamHeaderSize + StreamFooterSize)
            {
                return ImageError.Truncated;
            }

            byte* footer = source + remaining - StreamFooterSize;
            ImageError error = CheckFooter(crcTables, footer, out nuint indexSize);
            if (error != ImageError.Ok)
            {
                return error;
            }

            if (indexSize > remaining - StreamHeaderSize - StreamFooterSize || *(footer - indexSize) != 0)
            {
                return ImageError.XzBadIndex;
            }

            error = XzIndex.Read(crcTables, footer - indexSize, footer, out XzIndex index, out nuint actualSize);
            if (error != ImageError.Ok)
            {
                return error;
            }

            nuint blocksLimit = remaining - StreamHeaderSize - StreamFooterSize - indexSize;
            if (actualSize != indexSize || index.PackedTotal > blocksLimit)
            {
                return ImageError.XzBadIndex;
            }

            ulong total = unpackedSize + index.UnpackedTotal;
            if (total < unpackedSize)
            {
                return ImageError.XzBadIndex;
            }

            unpackedSize = total;
            remaining = blocksLimit - (nuint)index.PackedTotal;
        }
        while (remaining != 0);

        return ImageError.Ok;
    }

    /// <summary>Padding is whole zero words up to the next stream or the end; anything else is not ours.</summary>
    private static void SkipPadding(ref byte* cursor, byte* end)
    {
        byte* padding = cursor;
        while ((nuint)(end - padding) >= 4 && *(uint*)padding == 0)
        {
            padding += 4;
        }

        if (padding == end || HasMagic(padding, (nuint)(end - padding)))
        {
            cursor = padding;
        }
    }

    private static ImageError DecodeStream(
        XzWork* work, ref byte* cursor, byte* end, ref byte* output, byte* outputEnd)
    {
        byte* header = cursor;
        nuint available = (nuint)(end - header);
        if (!HasMagic(header, available))
        {
            return available < StreamMagicSize ? ImageError.Truncated : ImageError.XzBadMagic;
        }

        if (available < StreamHeaderSize)
        {
            return ImageError.Truncated;
        }

        if (Crc32.Compute(work->Crc32Tables, header + 6, 2) != *(uint*)(header + 8))
        {
            return ImageError.XzHeaderChecksum;
        }

        if (header[6] != 0 || header[7] > 0x0F)
        {
            return ImageError.XzBadStreamFlags;
        }

        int check = header[7];
        if (check != CheckNone && check != CheckCrc32 && check != CheckCrc64 && check != CheckSha256)
        {
            return ImageError.XzUnsupportedCheck;
        }

        byte* input = header + StreamHeaderSize;
        XzIndex seen = default;
        ImageError error;
        while (true)
        {
            if (input == end)
            {
                return ImageError.Truncated;
            }

            if (*input == 0)
            {
                break;
            }

            error = DecodeBlock(work, check, ref input, end, ref output, outputEnd, ref seen);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        error = XzIndex.Read(work->Crc32Tables, input, end, out XzIndex index, out nuint indexSize);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if (!index.Matches(in seen))
        {
            return ImageError.XzBadIndex;
        }

        byte* footer = input + indexSize;
        if ((nuint)(end - footer) < StreamFooterSize)
        {
            return ImageError.Truncated;
        }

        error = CheckFooter(work->Crc32Tables, footer, out nuint footerIndexSize);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if (footerIndexSize != indexSize || *(ushort*)(footer + 8) != *(ushort*)(header + 6))
        {
            return ImageError.XzBadFooter;
        }

        cursor = footer + StreamFooterSize;
        return ImageError.Ok;
    }

    private static ImageError CheckFooter(uint* crcTables, byte* footer, out nuint indexSize)
    {
        indexSize = 0;
        if (*(ushort*)(footer + 10) != FooterMagic || Crc32.Compute(crcTables, footer + 4, 6) != *(uint*)footer)
        {
            return ImageError.XzBadFooter;
        }

        indexSize = ((nuint)(*(uint*)(footer + 4)) + 1) * 4;
        return ImageError.Ok;
    }

    private static ImageError DecodeBlock(
        XzWork* work,
        int check,
        ref byte* cursor,
        byte* end,
        ref byte* output,
        byte* outputEnd,
        ref XzIndex seen)
    {
        byte* block = cursor;
        ImageError error = XzBlockHeader.Read(work->Crc32Tables, block, end, out XzBlockHeader header);
        if (error != ImageError.Ok)
        {
            return error;
        }

        byte* data = block + header.HeaderSize;
        byte* input = data;
        byte* unpacked = output;
        byte* unpackedEnd = output;
        error = Lzma2Stream.Decode(&work->Model, work->Tail, ref input, end, ref unpackedEnd, outputEnd);
        if (error != ImageError.Ok)
        {
            return error;
        }

        nuint packedSize = (nuint)(input - data);
        nuint unpackedSize = (nuint)(unpackedEnd - unpacked);
        if ((header.PackedSize != XzBlockHeader.SizeUnknown && header.PackedSize != packedSize)
            || (header.UnpackedSize != XzBlockHeader.SizeUnknown && header.UnpackedSize != unpackedSize))
        {
            return ImageError.XzSizeMismatch;
        }

        if (header.HasX86Filter)
        {
            X86Filter.Decode(unpacked, unpackedSize, header.X86StartOffset);
        }

        while (((nuint)(input - block) & 3) != 0)
        {
            if (input == end)
            {
                return ImageError.Truncated;
            }

            if (*input++ != 0)
            {
                return ImageError.XzBadPadding;
            }
        }

        nuint checkSize = CheckSize(check);
        if ((nuint)(end - input) < checkSize)
        {
            return ImageError.Truncated;
        }

        if (!CheckMatches(work, check, unpacked, unpackedSize, input))
        {
            return ImageError.XzCheckMismatch;
        }

        seen.Add(header.HeaderSize + packedSize + checkSize, unpackedSize);
        cursor = input + checkSize;
        output = unpackedEnd;
        return ImageError.Ok;
    }

    private static nuint CheckSize(int check) => check switch
    {
        CheckCrc32 => 4,
        CheckCrc64 => 8,
        CheckSha256 => Sha256.DigestSize,
        _ => 0,
    };

    private static bool CheckMatches(XzWork* work, int check, byte* data, nuint length, byte* expected)
    {
        switch (check)
        {
            case CheckCrc32:
                return Crc32.Compute(work->Crc32Tables, data, length) == *(uint*)expected;
            case CheckCrc64:
                return Crc64.Compute(work->Crc64Tables, data, length) == *(ulong*)expected;
            case CheckSha256:
                Sha256.Compute(data, length, work->Sha256Work, work->Digest);
                return Sha256.AreEqual(work->Digest, expected);
            default:
                return true;
        }
    }
}
