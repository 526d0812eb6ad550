// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// From a kernel file in memory to the ELF kernel in it: an ELF file, a Linux bzImage, or a packed ELF file.
/// </summary>
public static unsafe class KernelImage
{
    /// <summary>Bytes of work memory that serve any file.</summary>
    public const nuint WorkSize = ZstdDecoder.WorkSize;

    private const nuint SizeTrailer = sizeof(uint);

    /// <summary>Recognises a file. Success does not promise that the format can be unpacked.</summary>
    public static ImageError Identify(byte* file, nuint length, out KernelFile kernel)
    {
        kernel = default;
        kernel.PayloadLength = length;
        if (BzImage.HasMagic(file, length))
        {
            kernel.IsBzImage = true;
            ImageError error = BzImage.FindPayload(
                file, length, out kernel.PayloadOffset, out kernel.PayloadLength);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        kernel.Format = FormatOf(file + kernel.PayloadOffset, kernel.PayloadLength);
        return kernel.Format == PayloadFormat.Unknown ? ImageError.FormatUnknown : ImageError.Ok;
    }

    /// <summary>
    /// Says how large the ELF kernel is, so that memory can be found for it. It is the file's claim, which
    /// <see cref="Unpack"/> does not rely on; the caller sets a limit.
    /// </summary>
    public static ImageError Measure(
        byte* file, nuint length, byte* work, nuint workLength, out ulong unpackedSize)
    {
        unpackedSize = 0;
        ImageError error = Identify(file, length, out KernelFile kernel);
        if (error != ImageError.Ok)
        {
            return error;
        }

        byte* payload = file + kernel.PayloadOffset;
        nuint payloadLength = kernel.PayloadLength;
        if (kernel.Format == PayloadFormat.Elf)
        {
            unpackedSize = payloadLength;
            return ImageError.Ok;
        }

        // The kernel's build appends the size to what it packs, but for gzip, whose own last word it is.
        if (kernel.IsBzImage)
        {
            if (payloadLength < SizeTrailer)
            {
                return ImageError.Truncated;
            }

            unpackedSize = *(uint*)(payload + payloadLength - SizeTrailer);
            return ImageError.Ok;
        }

        return kernel.Format switch
        {
            PayloadFormat.Gzip => GzipDecoder.Measure(payload, payloadLength, out unpackedSize),
            PayloadFormat.Xz => XzDecoder.Measure(payload, payloadLength, work, workLength, out unpackedSize),
            PayloadFormat.Zstd => ZstdDecoder.Measure(payload, payloadLength, out unpackedSize),
            _ => ImageError.FormatUnsupported,
        };
    }

    /// <summary>Writes the ELF kernel to <paramref name="target"/>, which must not overlap the file.</summary>
    public static ImageError Unpack(
        byte* file,
        nuint length,
        byte* target,
        nuint targetCapacity,
        byte* work,
        nuint workLength,
        out nuint produced)
    {
        produced = 0;
        ImageError error = Identify(file, length, out KernelFile kernel);
        if (error != ImageError.Ok)
        {
            return error;
        }

        byte* payload = file + kernel.PayloadOffset;
        nuint payloadLength = kernel.PayloadLength;
        nuint consumed;
        switch (kernel.Format)
        {
            case PayloadFormat.Elf:
                if (payloadLength > targetCapacity)
                {
                    return ImageError.OutputTooSmall;
                }

                ByteCopy.Forward(target, payload, payloadLength);
                produced = payloadLength;
                return ImageError.Ok;
            case PayloadFormat.Gzip:
                error = GzipDecoder.Decode(
                    payload, payloadLength, target, targetCapacity, work, workLength, out produced, out consumed);
                break;
            case PayloadFormat.Xz:
                error = XzDecoder.Decode(
                    payload, payloadLength, target, targetCapacity, work, workLength, out produced, out consumed);
                break;
            case PayloadFormat.Zstd:
                error = ZstdDecoder.Decode(
                    payload, payloadLength, target, targetCapacity, work, workLength, out produced, out consumed);
                break;
            default:
                return ImageError.FormatUnsupported;
        }

        return error != ImageError.Ok ? error : CheckRest(payload + consumed, payloadLength - consumed, produced);
    }

    /// <summary>After the packed kernel there may be its unpacked size, or zeroes, or nothing.</summary>
    private static ImageError CheckRest(byte* rest, nuint length, nuint produced)
    {
        if (length == SizeTrailer)
        {
            uint size = *(uint*)rest;
            return size == (uint)produced || size == 0 ? ImageError.Ok : ImageError.PayloadSizeMismatch;
        }

        for (nuint index = 0; index < length; index++)
        {
            if (rest[index] != 0)
            {
                return ImageError.PayloadTrailingData;
            }
        }

        return ImageError.Ok;
    }

    private static PayloadFormat FormatOf(byte* payload, nuint length)
    {
        if (ElfImage.HasMagic(payload, length))
        {
            return PayloadFormat.Elf;
        }

        if (XzDecoder.HasMagic(payload, length))
        {
            return PayloadFormat.Xz;
        }

        if (length < 4)
        {
            return PayloadFormat.Unknown;
        }

        uint magic = *(uint*)payload;
        return (magic & 0xFFFF) switch
        {
            0x8B1F or 0x9E1F => PayloadFormat.Gzip,
            0x5A42 when (byte)(magic >> 16) == 'h' => PayloadFormat.Bzip2,
            0x005D when (byte)(magic >> 16) == 0 => PayloadFormat.Lzma,
            _ => magic switch
            {
                0x4F5A4C89 => PayloadFormat.Lzo,
                0x184C2102 => PayloadFormat.Lz4,
                0xFD2FB528 => PayloadFormat.Zstd,
                _ => PayloadFormat.Unknown,
            },
        };
    }
}
