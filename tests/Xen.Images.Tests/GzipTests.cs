// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using Xunit;

public unsafe class GzipTests
{
    private const int HeaderSize = 10;

    private static readonly string[] s_options = ["-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "-9"];

    public static IEnumerable<object[]> Cases =>
        from options in s_options
        from sample in Samples.Names
        select new object[] { options, sample };

    /// <summary>Blocks that need a second look, and what is wrong with them.</summary>
    public static IEnumerable<object[]> BadBlocks =>
    [
        // Block kind 3.
        [new BitWriter().Add(1, 1).Add(3, 2), ImageError.DeflateBadBlock],

        // A stored block whose length and its complement differ.
        [new BitWriter().Add(1, 1).Add(0, 2).Align().Add(5, 16).Add(5, 16), ImageError.DeflateBadBlock],

        // 287 literal codes; 31 distance codes.
        [new BitWriter().Add(1, 1).Add(2, 2).Add(30, 5).Add(0, 5).Add(0, 4), ImageError.DeflateBadCode],
        [new BitWriter().Add(1, 1).Add(2, 2).Add(0, 5).Add(30, 5).Add(0, 4), ImageError.DeflateBadCode],

        // A precode with no code at all, and one with too many.
        [new BitWriter().Add(1, 1).Add(2, 2).Add(0, 14).Add(0, 12), ImageError.DeflateBadCode],
        [new BitWriter().Add(1, 1).Add(2, 2).Add(0, 14).Add(1, 3).Add(1, 3).Add(1, 3).Add(0, 3),
            ImageError.DeflateBadCode],

        // Lengths that begin with "as before" (symbols 16 and 0 have one-bit codes, 0 first).
        [new BitWriter().Add(1, 1).Add(2, 2).Add(0, 14).Add(1, 3).Add(0, 6).Add(1, 3).Add(1, 1),
            ImageError.DeflateBadCode],

        // Fixed codes: length 3 at distance 1 with nothing before; distance symbol 30; length symbol 286.
        [new BitWriter().Add(1, 1).Add(1, 2).AddCode(0b0000001, 7).AddCode(0, 5), ImageError.DeflateDistanceTooFar],
        [new BitWriter().Add(1, 1).Add(1, 2).AddCode(0b0000001, 7).AddCode(30, 5), ImageError.DeflateCorruptData],
        [new BitWriter().Add(1, 1).Add(1, 2).AddCode(0b11000110, 8), ImageError.DeflateCorruptData],
    ];

    private static byte[] Pack(string options, byte[] data) => ExternalTool.Filter("gzip", $"-c {options}", data);

    [ToolTheory("gzip")]
    [MemberData(nameof(Cases))]
    public void What_gzip_packs_unpacks_to_the_original(string options, string sample)
    {
        byte[] original = Samples.Get(sample);
        byte[] packed = Pack(options, original);
        Decoder.RequireOriginal(Format.Gzip, packed, original);
        using GuardedBuffer source = new(packed);
        Assert.Equal(ImageError.Ok, GzipDecoder.Measure(source.Start, source.Size, out ulong size));
        Assert.Equal((ulong)original.Length, size);
    }

    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void Another_packer_does_as_well(CompressionLevel level)
    {
        foreach (string sample in Samples.Names.Where(sample => sample != "empty"))
        {
            byte[] original = Samples.Get(sample);
            using MemoryStream packed = new();
            using (GZipStream gzip = new(packed, level, leaveOpen: true))
            {
                gzip.Write(original);
            }

            Decoder.RequireOriginal(Format.Gzip, packed.ToArray(), original);
        }
    }

    [ToolFact("gzip")]
    public void Members_in_a_row_are_one_file_and_a_window_ends_with_its_member()
    {
        byte[] first = Samples.Get("text");
        byte[] second = Samples.Get("program");
        byte[] packed = [.. Pack("-6", first), .. Pack("-1", second), .. Pack("-9", [])];
        Decoder.RequireOriginal(Format.Gzip, packed, [.. first, .. second]);

        byte[] reaching = Member(new BitWriter().Add(1, 1).Add(1, 2).AddCode(0b0000001, 7).AddCode(0, 5));
        Decoded result = Decoder.Run(Format.Gzip, [.. Pack("-6", first), .. reaching], first.Length + 100);
        Assert.Equal(ImageError.DeflateDistanceTooFar, result.Error);
    }

    [ToolFact("gzip")]
    public void What_follows_the_last_member_is_not_consumed()
    {
        byte[] original = Samples.Get("short");
        byte[] packed = Pack("-6", original);
        Decoded result = Decoder.Run(Format.Gzip, [.. packed, 0x1F, 0, 0, 0, 0, 0, 0, 0, 0], original.Length);
        Assert.Equal((ImageError.Ok, packed.Length), (result.Error, result.Consumed));
    }

    [ToolFact("gzip")]
    public void Every_field_of_the_header_may_be_there()
    {
        byte[] original = Samples.Get("short");
        byte[] packed = Pack("-6 -n", original);
        byte[] header = [.. packed[..HeaderSize], 3, 0, 7, 8, 9, .. "name\0"u8, .. "comment\0"u8];
        header[3] = 0x1F;
        uint crc = Crc(header);
        byte[] full = [.. header, (byte)crc, (byte)(crc >> 8), .. packed[HeaderSize..]];
        Decoder.RequireOriginal(Format.Gzip, full, original);
        Decoder.RequireTruncationErrors(Format.Gzip, full, original.Length);

        full[header.Length] ^= 1;
        Assert.Equal(ImageError.GzipHeaderChecksum, Decoder.Run(Format.Gzip, full, original.Length).Error);
    }

    [ToolTheory("gzip")]
    [InlineData(0, 0x1E, ImageError.GzipBadHeader)]
    [InlineData(2, 7, ImageError.GzipBadHeader)]
    [InlineData(3, 0x20, ImageError.GzipBadHeader)]
    [InlineData(-8, 0, ImageError.GzipCheckMismatch)]
    [InlineData(-1, 1, ImageError.GzipSizeMismatch)]
    public void Damage_is_named_for_what_it_hits(int position, byte value, ImageError expected)
    {
        byte[] original = Samples.Get("short");
        byte[] packed = Pack("-6 -n", original);
        ref byte victim = ref packed[position < 0 ? packed.Length + position : position];
        victim = victim == value ? (byte)~value : value;
        Assert.Equal(expected, Decoder.Run(Format.Gzip, packed, original.Length).Error);
    }

    [Theory]
    [MemberData(nameof(BadBlocks))]
    public void An_impossible_block_is_refused_for_its_fault(object block, ImageError expected)
    {
        byte[] file = Member((BitWriter)block);
        Assert.Equal(expected, Decoder.Run(Format.Gzip, file, 1000).Error);
    }

    [ToolTheory("gzip")]
    [InlineData("small", "-9")]
    [InlineData("random", "-1")]
    public void A_target_one_byte_too_small_is_refused(string sample, string options)
    {
        byte[] original = Samples.Get(sample);
        Decoded result = Decoder.Run(Format.Gzip, Pack(options, original), original.Length - 1);
        Assert.Equal(ImageError.OutputTooSmall, result.Error);
    }

    [ToolTheory("gzip")]
    [InlineData("empty", "-6")]
    [InlineData("short", "-6")]
    [InlineData("small", "-1")]
    [InlineData("small", "-9")]
    [InlineData("random", "-6")]
    public void Every_truncation_is_refused(string sample, string options)
    {
        byte[] original = Samples.Get(sample);
        original = original[..Math.Min(original.Length, 3000)];
        Decoder.RequireTruncationErrors(Format.Gzip, Pack(options, original), original.Length);
    }

    [ToolTheory("gzip")]
    [InlineData("-1")]
    [InlineData("-9")]
    public void Damage_is_found_and_never_leads_out_of_bounds(string options)
    {
        byte[] original = Samples.Get("small");
        byte[] packed = Pack(options, original);
        for (int seed = 0; seed < 4; seed++)
        {
            int refused = Decoder.Damage(Format.Gzip, packed, original, 2500, seed, hasCheck: true);
            Assert.True(refused > 2000, $"only {refused} of 2500 damaged files were refused");
        }
    }

    [Fact]
    public void Noise_after_a_sound_header_never_leads_out_of_bounds()
    {
        using GuardedBuffer target = new(4096);
        using GuardedBuffer work = Decoder.NewWork(Format.Gzip);
        Random random = new(11);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] noise = new byte[random.Next(1, 200)];
            random.NextBytes(noise);

            // Every other one as a block with its own codes, the likeliest to get far.
            noise[0] = round % 2 == 0 ? (byte)((noise[0] & 0xF8) | 4) : noise[0];
            BitWriter block = new();
            foreach (byte value in noise)
            {
                _ = block.Add(value, 8);
            }

            Decoded result = Decoder.Run(Format.Gzip, Member(block), target, work);
            Assert.NotEqual(ImageError.Ok, result.Error);
        }
    }

    [Fact]
    public void Too_little_work_memory_is_refused()
    {
        byte value = 0;
        ImageError error = GzipDecoder.Decode(
            &value, 1, &value, 1, &value, GzipDecoder.WorkSize - 1, out nuint produced, out nuint consumed);
        Assert.Equal((ImageError.WorkTooSmall, 0ul, 0ul), (error, produced, consumed));
    }

    private static byte[] Member(BitWriter block) =>
        [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, .. block.ToArray(), .. new byte[16]];

    private static uint Crc(byte[] data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xEDB88320 : crc >> 1;
            }
        }

        return ~crc;
    }
}
