// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>The header of a zstd frame (RFC 8878, 3.1.1.1), its signature included.</summary>
internal struct ZstdFrameHeader
{
    public const ulong SizeUnknown = ulong.MaxValue;

    private const nuint SmallestSize = 5;
    private const byte FlagSingleSegment = 0x20;
    private const byte FlagReserved = 0x08;
    private const byte FlagChecksum = 0x04;

    public nuint HeaderSize;
    public ulong ContentSize;
    public bool HasChecksum;

    /// <summary>The most that one block unpacks to: the window, but no more than 128 KiB.</summary>
    public nuint BlockLimit;

    public static unsafe ImageError Read(byte* frame, nuint available, out ZstdFrameHeader header)
    {
        header = default;
        if (available < SmallestSize)
        {
            return ImageError.Truncated;
        }

        byte descriptor = frame[4];
        if ((descriptor & FlagReserved) != 0)
        {
            return ImageError.ZstdBadFrameHeader;
        }

        bool isSingle = (descriptor & FlagSingleSegment) != 0;
        int dictionarySize = (descriptor & 3) == 3 ? 4 : descriptor & 3;
        int sizeCode = descriptor >> 6;
        int contentSizeSize = sizeCode == 0 ? (isSingle ? 1 : 0) : 1 << sizeCode;
        header.HasChecksum = (descriptor & FlagChecksum) != 0;
        header.HeaderSize = SmallestSize + (isSingle ? 0u : 1u) + (nuint)(uint)(dictionarySize + contentSizeSize);
        if (available < header.HeaderSize)
        {
            return ImageError.Truncated;
        }

        byte* field = frame + SmallestSize;
        byte window = isSingle ? (byte)0 : *field++;
        if (ReadNumber(ref field, dictionarySize) != 0)
        {
            return ImageError.ZstdNeedsDictionary;
        }

        header.ContentSize = contentSizeSize == 0 ? SizeUnknown : ReadNumber(ref field, contentSizeSize);
        header.ContentSize += contentSizeSize == 2 ? 256u : 0;
        ulong windowBase = 1ul << (10 + (window >> 3));
        ulong windowSize = isSingle ? header.ContentSize : windowBase + ((windowBase >> 3) * (window & 7u));
        header.BlockLimit = windowSize < ZstdWork.BlockLimit ? (nuint)windowSize : ZstdWork.BlockLimit;
        return ImageError.Ok;
    }

    private static unsafe ulong ReadNumber(ref byte* field, int size)
    {
        ulong value = 0;
        for (int index = 0; index < size; index++)
        {
            value |= (ulong)*field++ << (index * 8);
        }

        return value;
    }
}
