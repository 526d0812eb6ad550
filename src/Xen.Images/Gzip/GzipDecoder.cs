// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>Unpacks gzip (RFC 1952): one or more members, each a deflate stream with a CRC-32 and a size.</summary>
public static unsafe class GzipDecoder
{
    /// <summary>Bytes of work memory that <see cref="Decode"/> wants.</summary>
    public const nuint WorkSize = 32 * 1024;

    private const ushort Magic = 0x8B1F;
    private const nuint FixedHeaderSize = 10;
    private const nuint TrailerSize = 8;
    private const byte MethodDeflate = 8;
    private const byte FlagHeaderChecksum = 0x02;
    private const byte FlagExtra = 0x04;
    private const byte FlagName = 0x08;
    private const byte FlagComment = 0x10;
    private const byte ReservedFlags = 0xE0;

    public static bool HasMagic(byte* source, nuint length) => length >= sizeof(ushort) && *(ushort*)source == Magic;

    /// <summary>Unpacks all members at the start of <paramref name="source"/>.</summary>
    /// <param name="source">The file.</param>
    /// <param name="sourceLength">Its size; bytes after the last member are left alone.</param>
    /// <param name="target">Where to write; must not overlap the file.</param>
    /// <param name="targetCapacity">Bytes there.</param>
    /// <param name="work">Scratch memory, in any state.</param>
    /// <param name="workLength">Bytes there, at least <see cref="WorkSize"/>.</param>
    /// <param name="produced">Bytes written, on success.</param>
    /// <param name="consumed">Bytes of the file that belong to members, on success.</param>
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

        GzipWork* memory = (GzipWork*)work;
        Crc32.BuildTables(memory->Crc32Tables);

        byte* cursor = source;
        byte* end = source + sourceLength;
        byte* output = target;
        do
        {
            ImageError error = DecodeMember(memory, ref cursor, end, ref output, target + targetCapacity);
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
    /// What the last member unpacks to, by the last word of a file that ends with it; larger members give the rest
    /// after division by 4 GiB.
    /// </summary>
    public static ImageError Measure(byte* source, nuint sourceLength, out ulong unpackedSize)
    {
        unpackedSize = 0;
        if (!HasMagic(source, sourceLength))
        {
            return ImageError.GzipBadHeader;
        }

        if (sourceLength < FixedHeaderSize + TrailerSize)
        {
            return ImageError.Truncated;
        }

        unpackedSize = *(uint*)(source + sourceLength - sizeof(uint));
        return ImageError.Ok;
    }

    private static ImageError DecodeMember(
        GzipWork* work, ref byte* cursor, byte* end, ref byte* output, byte* outputEnd)
    {
        ImageError error = SkipHeader(work->Crc32Tables, ref cursor, end);
        if (error != ImageError.Ok)
        {
            return error;
        }

        byte* unpacked = output;
        error = DeflateStream.Decode(work, ref cursor, end, ref output, outputEnd);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if ((nuint)(end - cursor) < TrailerSize)
        {
            return ImageError.Truncated;
        }

        nuint size = (nuint)(output - unpacked);
        if (Crc32.Compute(work->Crc32Tables, unpacked, size) != *(uint*)cursor)
        {
            return ImageError.GzipCheckMismatch;
        }

        if ((uint)size != *(uint*)(cursor + sizeof(uint)))
        {
            return ImageError.GzipSizeMismatch;
        }

        cursor += TrailerSize;
        return ImageError.Ok;
    }

    private static ImageError SkipHeader(uint* crcTables, ref byte* cursor, byte* end)
    {
        byte* header = cursor;
        if ((nuint)(end - header) < FixedHeaderSize)
        {
            return ImageError.Truncated;
        }

        byte flags = header[3];
        if (!HasMagic(header, FixedHeaderSize) || header[2] != MethodDeflate || (flags & ReservedFlags) != 0)
        {
            return ImageError.GzipBadHeader;
        }

        byte* field = header + FixedHeaderSize;
        if ((flags & FlagExtra) != 0)
        {
            if (end - field < sizeof(ushort) || end - field - sizeof(ushort) < *(ushort*)field)
            {
                return ImageError.Truncated;
            }

            field += sizeof(ushort) + *(ushort*)field;
        }

        if (((flags & FlagName) != 0 && !SkipText(ref field, end))
            || ((flags & FlagComment) != 0 && !SkipText(ref field, end)))
        {
            return ImageError.Truncated;
        }

        if ((flags & FlagHeaderChecksum) != 0)
        {
            if (end - field < sizeof(ushort))
            {
                return ImageError.Truncated;
            }

            if ((ushort)Crc32.Compute(crcTables, header, (nuint)(field - header)) != *(ushort*)field)
            {
                return ImageError.GzipHeaderChecksum;
            }

            field += sizeof(ushort);
        }

        cursor = field;
        return ImageError.Ok;
    }

    private static bool SkipText(ref byte* field, byte* end)
    {
        while (field < end)
        {
            if (*field++ == 0)
            {
                return true;
            }
        }

        return false;
    }
}
