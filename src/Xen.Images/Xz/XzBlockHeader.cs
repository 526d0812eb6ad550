// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>The header of an XZ block: sizes, if the encoder knew them, and the filter chain.</summary>
internal unsafe struct XzBlockHeader
{
    public const ulong SizeUnknown = ulong.MaxValue;

    private const byte FilterCountMask = 0x03;
    private const byte ReservedFlags = 0x3C;
    private const byte HasPackedSize = 0x40;
    private const byte HasUnpackedSize = 0x80;
    private const ulong FilterX86 = 0x04;
    private const ulong FilterLzma2 = 0x21;
    private const byte DictionarySizeLimit = 40;
    private const nuint SmallestHeader = 8;

    public nuint HeaderSize;
    public ulong PackedSize;
    public ulong UnpackedSize;
    public bool HasX86Filter;
    public uint X86StartOffset;

    /// <summary>Reads the header at <paramref name="cursor"/>, whose first byte is there and not zero.</summary>
    public static ImageError Read(uint* crcTables, byte* cursor, byte* end, out XzBlockHeader header)
    {
        header = default;
        header.HeaderSize = ((nuint)cursor[0] + 1) * 4;
        if (header.HeaderSize > (nuint)(end - cursor))
        {
            return ImageError.Truncated;
        }

        byte* fieldsEnd = cursor + header.HeaderSize - sizeof(uint);
        if (Crc32.Compute(crcTables, cursor, header.HeaderSize - sizeof(uint)) != *(uint*)fieldsEnd)
        {
            return ImageError.XzHeaderChecksum;
        }

        // From here on the header is whole: to run out of it is not truncation but nonsense.
        ImageError error = header.HeaderSize < SmallestHeader
            ? ImageError.XzBadBlockHeader
            : ReadFields(cursor + 1, fieldsEnd, ref header);
        return error == ImageError.Truncated ? ImageError.XzBadBlockHeader : error;
    }

    private static ImageError ReadFields(byte* cursor, byte* end, ref XzBlockHeader header)
    {
        byte flags = *cursor++;
        if ((flags & ReservedFlags) != 0)
        {
            return ImageError.XzBadBlockHeader;
        }

        ImageError error = ReadSize(ref cursor, end, (flags & HasPackedSize) != 0, out header.PackedSize);
        if (error != ImageError.Ok)
        {
            return error;
        }

        error = ReadSize(ref cursor, end, (flags & HasUnpackedSize) != 0, out header.UnpackedSize);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if (header.PackedSize == 0)
        {
            return ImageError.XzBadBlockHeader;
        }

        int filterCount = (flags & FilterCountMask) + 1;
        if (filterCount > 2)
        {
            return ImageError.XzUnsupportedFilter;
        }

        if (filterCount == 2)
        {
            error = ReadX86Filter(ref cursor, end, ref header);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        error = ReadLzma2Filter(ref cursor, end);
        if (error != ImageError.Ok)
        {
            return error;
        }

        while (cursor < end)
        {
            if (*cursor++ != 0)
            {
                return ImageError.XzBadPadding;
            }
        }

        return ImageError.Ok;
    }

    private static ImageError ReadSize(ref byte* cursor, byte* end, bool present, out ulong size)
    {
        size = SizeUnknown;
        return present ? XzNumber.Read(ref cursor, end, out size) : ImageError.Ok;
    }

    private static ImageError ReadX86Filter(ref byte* cursor, byte* end, ref XzBlockHeader header)
    {
        ImageError error = ReadFilter(ref cursor, end, FilterX86, out byte* properties, out ulong size);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if (size != 0 && size != sizeof(uint))
        {
            return ImageError.XzUnsupportedFilter;
        }

        header.HasX86Filter = true;
        header.X86StartOffset = size == 0 ? 0 : *(uint*)properties;
        return ImageError.Ok;
    }

    private static ImageError ReadLzma2Filter(ref byte* cursor, byte* end)
    {
        ImageError error = ReadFilter(ref cursor, end, FilterLzma2, out byte* properties, out ulong size);
        if (error != ImageError.Ok)
        {
            return error;
        }

        // The dictionary size itself does not matter: the output buffer is the dictionary.
        return size == 1 && *properties <= DictionarySizeLimit ? ImageError.Ok : ImageError.XzUnsupportedFilter;
    }

    private static ImageError ReadFilter(
        ref byte* cursor, byte* end, ulong expected, out byte* properties, out ulong propertiesSize)
    {
        properties = cursor;
        propertiesSize = 0;
        ImageError error = XzNumber.Read(ref cursor, end, out ulong filter);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if (filter != expected)
        {
            return ImageError.XzUnsupportedFilter;
        }

        error = XzNumber.Read(ref cursor, end, out propertiesSize);
        if (error != ImageError.Ok)
        {
            return error;
        }

        if (propertiesSize > (ulong)(end - cursor))
        {
            return ImageError.Truncated;
        }

        properties = cursor;
        cursor += propertiesSize;
        return ImageError.Ok;
    }
}
