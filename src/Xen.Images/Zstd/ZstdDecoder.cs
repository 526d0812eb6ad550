// SPDX-License-Identifier: MIT
namespace Xen.Images;

// Theory. A zstd file is a row of frames; a frame is a header, blocks of at most 128 KiB, and perhaps a checksum. A
// block is stored, or one byte repeated, or compressed: then its literals (Huffman coded) come first, and then the
// sequences (three interleaved finite state entropy codes) that say how many of them to take and what to repeat from
// earlier in the frame. Codes and the last three offsets carry over from block to block of a frame.
//
// The output buffer is the window. A block's literals are unpacked into work memory first, for they come in another
// order than the sequences that use them.

/// <summary>Unpacks zstd (RFC 8878) that needs no dictionary.</summary>
public static unsafe class ZstdDecoder
{
    /// <summary>Bytes of work memory that <see cref="Decode"/> wants.</summary>
    public const nuint WorkSize = 160 * 1024;

    private const uint Magic = 0xFD2FB528;
    private const uint SkippableMagic = 0x184D2A50;
    private const uint SkippableMask = 0xFFFFFFF0;
    private const nuint SkippableHeaderSize = 8;
    private const nuint BlockHeaderSize = 3;
    private const uint BlockRaw = 0;
    private const uint BlockSingle = 1;
    private const uint BlockCompressed = 2;

    public static bool HasMagic(byte* source, nuint length) =>
        length >= sizeof(uint) && (*(uint*)source == Magic || (*(uint*)source & SkippableMask) == SkippableMagic);

    /// <summary>Unpacks all frames at the start of <paramref name="source"/>.</summary>
    /// <param name="source">The file.</param>
    /// <param name="sourceLength">Its size; bytes after the last frame are left alone.</param>
    /// <param name="target">Where to write; must not overlap the file.</param>
    /// <param name="targetCapacity">Bytes there.</param>
    /// <param name="work">Scratch memory, in any state.</param>
    /// <param name="workLength">Bytes there, at least <see cref="WorkSize"/>.</param>
    /// <param name="produced">Bytes written, on success.</param>
    /// <param name="consumed">Bytes of the file that belong to frames, on success.</param>
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

        if (!HasMagic(source, sourceLength))
        {
            return sourceLength < sizeof(uint) ? ImageError.Truncated : ImageError.ZstdBadMagic;
        }

        ZstdWork* memory = (ZstdWork*)work;
        ZstdCode.SetUpLiteralLengths(&memory->LiteralLengths);
        ZstdCode.SetUpOffsets(&memory->Offsets);
        ZstdCode.SetUpMatchLengths(&memory->MatchLengths);

        byte* cursor = source;
        byte* end = source + sourceLength;
        byte* output = target;
        do
        {
            ImageError error = *(uint*)cursor == Magic
                ? DecodeFrame(memory, ref cursor, end, ref output, target + targetCapacity)
                : SkipFrame(ref cursor, end);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }
        while (HasMagic(cursor, (nuint)(end - cursor)));

        produced = (nuint)(output - target);
        consumed = (nuint)(cursor - source);
        return ImageError.Ok;
    }

    /// <summary>
    /// Reads from the frame headers what a file unpacks to; <see cref="ImageError.SizeUnknown"/> if one does not say.
    /// </summary>
    public static ImageError Measure(byte* source, nuint sourceLength, out ulong unpackedSize)
    {
        unpackedSize = 0;
        byte* cursor = source;
        byte* end = source + sourceLength;
        ulong total = 0;
        while (HasMagic(cursor, (nuint)(end - cursor)))
        {
            if (*(uint*)cursor != Magic)
            {
                ImageError skipError = SkipFrame(ref cursor, end);
                if (skipError != ImageError.Ok)
                {
                    return skipError;
                }

                continue;
            }

            ImageError error = ZstdFrameHeader.Read(cursor, (nuint)(end - cursor), out ZstdFrameHeader header);
            if (error != ImageError.Ok)
            {
                return error;
            }

            if (header.ContentSize == ZstdFrameHeader.SizeUnknown)
            {
                return ImageError.SizeUnknown;
            }

            total += header.ContentSize;
            if (total < header.ContentSize)
            {
                return ImageError.ZstdBadFrameHeader;
            }

            cursor += header.HeaderSize;
            error = SkipBlocks(ref cursor, end, header.HasChecksum);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        unpackedSize = total;
        return cursor == source ? ImageError.ZstdBadMagic : ImageError.Ok;
    }

    private static ImageError SkipFrame(ref byte* cursor, byte* end)
    {
        nuint available = (nuint)(end - cursor);
        if (available < SkippableHeaderSize || *(uint*)(cursor + 4) > available - SkippableHeaderSize)
        {
            return ImageError.Truncated;
        }

        cursor += SkippableHeaderSize + *(uint*)(cursor + 4);
        return ImageError.Ok;
    }

    private static ImageError SkipBlocks(ref byte* cursor, byte* end, bool hasChecksum)
    {
        bool isLast;
        do
        {
            ImageError error = ReadBlockHeader(cursor, end, out isLast, out _, out _, out nuint stored);
            if (error != ImageError.Ok)
            {
                return error;
            }

            cursor += BlockHeaderSize + stored;
        }
        while (!isLast);

        nuint checksumSize = hasChecksum ? (nuint)sizeof(uint) : 0;
        if (checksumSize > (nuint)(end - cursor))
        {
            return ImageError.Truncated;
        }

        cursor += checksumSize;
        return ImageError.Ok;
    }

    /// <summary>Reads the header of a block, whose stored bytes are then all there.</summary>
    private static ImageError ReadBlockHeader(
        byte* cursor, byte* end, out bool isLast, out uint kind, out nuint size, out nuint stored)
    {
        isLast = false;
        kind = 0;
        size = 0;
        stored = 0;
        nuint available = (nuint)(end - cursor);
        if (available < BlockHeaderSize)
        {
            return ImageError.Truncated;
        }

        uint header = cursor[0] | ((uint)cursor[1] << 8) | ((uint)cursor[2] << 16);
        isLast = (header & 1) != 0;
        kind = (header >> 1) & 3;
        size = header >> 3;
        stored = kind == BlockSingle ? 1 : size;
        if (kind > BlockCompressed)
        {
            return ImageError.ZstdBadBlock;
        }

        return stored > available - BlockHeaderSize ? ImageError.Truncated : ImageError.Ok;
    }

    private static ImageError DecodeFrame(
        ZstdWork* work, ref byte* cursor, byte* end, ref byte* output, byte* outputEnd)
    {
        ImageError error = ZstdFrameHeader.Read(cursor, (nuint)(end - cursor), out ZstdFrameHeader header);
        if (error != ImageError.Ok)
        {
            return error;
        }

        work->Offset1 = 1;
        work->Offset2 = 4;
        work->Offset3 = 8;
        work->HasHuffmanTable = false;
        work->LiteralLengths.HasTable = false;
        work->Offsets.HasTable = false;
        work->MatchLengths.HasTable = false;

        byte* input = cursor + header.HeaderSize;
        byte* frame = output;
        byte* target = output;
        bool isLast;
        do
        {
            error = ReadBlockHeader(input, end, out isLast, out uint kind, out nuint size, out nuint stored);
            if (error != ImageError.Ok)
            {
                return error;
            }

            if (size > header.BlockLimit)
            {
                return ImageError.ZstdBadBlock;
            }

            byte* content = input + BlockHeaderSize;
            error = kind == BlockCompressed
                ? DecodeBlock(work, content, content + size, frame, ref target, outputEnd, header.BlockLimit)
                : CopyBlock(content, kind, size, ref target, outputEnd);
            if (error != ImageError.Ok)
            {
                return error;
            }

            input = content + stored;
        }
        while (!isLast);

        nuint produced = (nuint)(target - frame);
        if (header.ContentSize != ZstdFrameHeader.SizeUnknown && header.ContentSize != produced)
        {
            return ImageError.ZstdSizeMismatch;
        }

        if (header.HasChecksum)
        {
            if (end - input < sizeof(uint))
            {
                return ImageError.Truncated;
            }

            if ((uint)XxHash64.Compute(frame, produced) != *(uint*)input)
            {
                return ImageError.ZstdCheckMismatch;
            }

            input += sizeof(uint);
        }

        cursor = input;
        output = target;
        return ImageError.Ok;
    }

    private static ImageError CopyBlock(
        byte* content, uint kind, nuint size, ref byte* output, byte* outputEnd)
    {
        if (size > (nuint)(outputEnd - output))
        {
            return ImageError.OutputTooSmall;
        }

        if (kind == BlockRaw)
        {
            ByteCopy.Forward(output, content, size);
        }
        else
        {
            ByteCopy.Fill(output, *content, size);
        }

        output += size;
        return ImageError.Ok;
    }

    private static ImageError DecodeBlock(
        ZstdWork* work,
        byte* cursor,
        byte* end,
        byte* frame,
        ref byte* output,
        byte* outputEnd,
        nuint blockLimit)
    {
        ImageError error = ZstdLiterals.Read(
            work, ref cursor, end, blockLimit, out byte* literals, out nuint literalCount);
        if (error != ImageError.Ok)
        {
            return error;
        }

        error = ZstdSequences.ReadTables(work, ref cursor, end, out uint sequenceCount);
        if (error != ImageError.Ok)
        {
            return error;
        }

        bool isLimited = (nuint)(outputEnd - output) > blockLimit;
        byte* blockEnd = isLimited ? output + blockLimit : outputEnd;
        byte* literalsEnd = literals + literalCount;
        if (sequenceCount != 0)
        {
            error = ZstdSequences.Run(
                work,
                sequenceCount,
                cursor,
                (nuint)(end - cursor),
                ref literals,
                literalsEnd,
                frame,
                ref output,
                blockEnd);
        }

        nuint rest = (nuint)(literalsEnd - literals);
        if (error == ImageError.Ok && rest > (nuint)(blockEnd - output))
        {
            error = ImageError.OutputTooSmall;
        }

        if (error != ImageError.Ok)
        {
            return error == ImageError.OutputTooSmall && isLimited ? ImageError.ZstdBadBlock : error;
        }

        ByteCopy.Forward(output, literals, rest);
        output += rest;
        return ImageError.Ok;
    }
}
