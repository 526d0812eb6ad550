// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using Xunit;

internal enum Format
{
    Xz,
    Gzip,
    Zstd,
}

internal readonly record struct Decoded(ImageError Error, byte[] Output, int Consumed);

/// <summary>Calls a decoder with every buffer guarded and exactly as large as it is said to be.</summary>
internal static unsafe class Decoder
{
    public static Decoded Run(Format format, ReadOnlySpan<byte> packed, int capacity, bool guardStart = false)
    {
        using GuardedBuffer source = new(packed, guardStart);
        using GuardedBuffer target = new((nuint)capacity, guardStart);
        using GuardedBuffer work = NewWork(format, guardStart);
        return Run(format, source, target, work);
    }

    /// <summary>Runs with target and work memory as another run has left them.</summary>
    public static Decoded Run(Format format, ReadOnlySpan<byte> packed, GuardedBuffer target, GuardedBuffer work)
    {
        using GuardedBuffer source = new(packed);
        return Run(format, source, target, work);
    }

    /// <summary>The decoders promise to take scratch memory in any state.</summary>
    public static GuardedBuffer NewWork(Format format, bool guardStart = false)
    {
        GuardedBuffer work = new(WorkSize(format), guardStart);
        work.Span.Fill(0xA5);
        return work;
    }

    public static Decoded Run(Format format, GuardedBuffer source, GuardedBuffer target, GuardedBuffer work)
    {
        byte* from = source.Start;
        nuint length = source.Size;
        byte* to = target.Start;
        nuint capacity = target.Size;
        nuint produced;
        nuint consumed;
        ImageError error = format switch
        {
            Format.Xz => XzDecoder.Decode(
                from, length, to, capacity, work.Start, work.Size, out produced, out consumed),
            Format.Gzip => GzipDecoder.Decode(
                from, length, to, capacity, work.Start, work.Size, out produced, out consumed),
            Format.Zstd => ZstdDecoder.Decode(
                from, length, to, capacity, work.Start, work.Size, out produced, out consumed),
            _ => throw new ArgumentException(format.ToString()),
        };
        return error == ImageError.Ok
            ? new Decoded(error, target.Span[..(int)produced].ToArray(), (int)consumed)
            : new Decoded(error, [], 0);
    }

    public static nuint WorkSize(Format format) => format switch
    {
        Format.Xz => XzDecoder.WorkSize,
        Format.Gzip => GzipDecoder.WorkSize,
        Format.Zstd => ZstdDecoder.WorkSize,
        _ => throw new ArgumentException(format.ToString()),
    };

    /// <summary>Decodes into a buffer of exactly the right size, and requires exactly the original.</summary>
    public static void RequireOriginal(Format format, byte[] packed, byte[] original)
    {
        Decoded result = Run(format, packed, original.Length);
        Assert.Equal(ImageError.Ok, result.Error);
        Assert.True(original.AsSpan().SequenceEqual(result.Output), "the output differs from the original");
        Assert.Equal(packed.Length, result.Consumed);
    }

    /// <summary>Every proper prefix of a single-stream file must be refused.</summary>
    public static void RequireTruncationErrors(Format format, byte[] packed, int capacity)
    {
        using GuardedBuffer target = new((nuint)capacity);
        using GuardedBuffer work = NewWork(format);
        for (int length = 0; length < packed.Length; length++)
        {
            Decoded result = Run(format, packed.AsSpan(0, length), target, work);
            Assert.True(result.Error != ImageError.Ok, $"the first {length} bytes were taken for a whole file");
            Assert.NotEqual(ImageError.OutputTooSmall, result.Error);
        }
    }

    /// <summary>
    /// Damages a file in one to three places, again and again. What comes out must be an error or, if the format's
    /// check covers the data, the original. The guard pages watch the rest.
    /// </summary>
    /// <returns>How many of the damaged files were refused.</returns>
    public static int Damage(Format format, byte[] packed, byte[] original, int rounds, int seed, bool hasCheck)
    {
        Random random = new(seed);
        int refused = 0;
        bool guardStart = (seed & 1) != 0;
        using GuardedBuffer source = new(packed, guardStart);
        using GuardedBuffer target = new((nuint)original.Length, guardStart);
        using GuardedBuffer work = NewWork(format, guardStart);
        for (int round = 0; round < rounds; round++)
        {
            packed.CopyTo(source.Span);
            int places = random.Next(3) == 0 ? random.Next(2, 4) : 1;
            for (int place = 0; place < places; place++)
            {
                ref byte victim = ref source.Span[random.Next(packed.Length)];
                victim = random.Next(2) == 0 ? (byte)(victim ^ (1 << random.Next(8))) : (byte)random.Next(256);
            }

            Decoded result = Run(format, source, target, work);
            if (result.Error != ImageError.Ok)
            {
                refused++;
            }
            else if (hasCheck && result.Consumed == packed.Length)
            {
                Assert.True(original.AsSpan().SequenceEqual(result.Output), $"round {round} gave other data");
            }
        }

        return refused;
    }
}
