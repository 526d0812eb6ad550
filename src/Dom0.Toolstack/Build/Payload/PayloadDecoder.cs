// SPDX-License-Identifier: MIT
//
// Ring 0 unpacks gzip, XZ and zstd, and its decoders are shared; what other distributions pack guests' kernels with is
// unpacked here, by decoders that need not be small. A packed kernel may come from anywhere: whatever is in it, the end is
// an unpacked file within the limit or an InvalidDataException with a sentence.
using System;
using System.IO;
using Xen.Images;

namespace Dom0.Toolstack.Build.Payload;

/// <summary>Unpacks the formats that the hypervisor does not know.</summary>
public static class PayloadDecoder
{
    /// <summary>Can a format be unpacked here?</summary>
    public static bool Knows(PayloadFormat format) =>
        format is PayloadFormat.Bzip2 or PayloadFormat.Lzma or PayloadFormat.Lz4;

    /// <summary>Unpacks a whole payload into up to <paramref name="limit"/> bytes.</summary>
    /// <exception cref="InvalidDataException">It is corrupt, cut short, or unpacks to more than the limit.</exception>
    public static byte[] Decode(PayloadFormat format, ReadOnlySpan<byte> payload, int limit)
    {
        OutputBuffer output = new(limit);
        switch (format)
        {
            case PayloadFormat.Bzip2:
                Bzip2Decoder.Decode(payload, output);
                break;
            case PayloadFormat.Lzma:
                new LzmaDecoder(output).Decode(payload);
                break;
            case PayloadFormat.Lz4:
                Lz4Decoder.Decode(payload, output);
                break;
            default:
                throw new ArgumentException($"not decoded here: {format}", nameof(format));
        }

        return output.ToArray();
    }
}
