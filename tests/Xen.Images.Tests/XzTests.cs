// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

public unsafe class XzTests
{
    // Small dictionaries where the dictionary is not the point: the packer's time goes into clearing its memory.
    private static readonly string[] s_options =
    [
        "-0", "-6", "--lzma2=preset=9e,dict=1MiB", "--check=none -1", "--check=crc32 -1", "--check=crc64 -1",
        "--check=sha256 -1", "--x86 --lzma2=preset=6,dict=1MiB", "--x86=start=4096 --lzma2=preset=1",
        "--lzma2=preset=1,lc=0,lp=4,pb=4", "--lzma2=preset=1,lc=4,lp=0,pb=0", "--lzma2=preset=1,lc=1,lp=3,pb=1",
        "--lzma2=dict=4KiB,nice=8", "--block-size=4096 -0", "--block-size=65536 --x86 --lzma2=preset=0",
        "-0 -T2 --block-size=100000",
    ];

    public static IEnumerable<object[]> Cases =>
        from options in s_options
        from sample in Samples.Names
        select new object[] { options, sample };

    private static byte[] Pack(string options, byte[] data) => ExternalTool.Filter("xz", $"-c {options}", data);

    [ToolTheory("xz")]
    [MemberData(nameof(Cases))]
    public void What_xz_packs_unpacks_to_the_original(string options, string sample)
    {
        byte[] original = Samples.Get(sample);
        byte[] packed = Pack(options, original);
        Decoder.RequireOriginal(Format.Xz, packed, original);
        Assert.Equal((ImageError.Ok, (ulong)original.Length), Measure(packed));
    }

    [ToolFact("xz")]
    public void Streams_and_padding_in_a_row_are_one_file()
    {
        byte[] first = Samples.Get("text");
        byte[] second = Samples.Get("pattern");
        byte[] packed =
        [
            .. Pack("--check=crc32", first), 0, 0, 0, 0, .. Pack("--check=sha256", second), .. Pack("-6", []),
            0, 0, 0, 0, 0, 0, 0, 0,
        ];
        byte[] whole = [.. first, .. second];
        Decoder.RequireOriginal(Format.Xz, packed, whole);
        Assert.Equal((ImageError.Ok, (ulong)whole.Length), Measure(packed));
    }

    [ToolFact("xz")]
    public void What_follows_the_last_stream_is_not_consumed()
    {
        byte[] original = Samples.Get("short");
        byte[] packed = Pack("-6", original);
        byte[] extended = [.. packed, 0, 0, 0, 0, 1, 2, 3];
        Decoded result = Decoder.Run(Format.Xz, extended, original.Length);
        Assert.Equal(ImageError.Ok, result.Error);
        Assert.Equal(packed.Length, result.Consumed);
    }

    [ToolTheory("xz")]
    [InlineData("-6")]
    [InlineData("-6 --x86 --lzma2")]
    [InlineData("-6 --block-size=1000")]
    public void A_target_one_byte_too_small_is_refused(string options)
    {
        byte[] original = Samples.Get("small");
        byte[] packed = Pack(options, original);
        Decoded result = Decoder.Run(Format.Xz, packed, original.Length - 1);
        Assert.Equal(ImageError.OutputTooSmall, result.Error);
    }

    [ToolTheory("xz")]
    [InlineData("short", "-6")]
    [InlineData("random", "-0 --block-size=32768")]
    [InlineData("small", "--x86 --lzma2 --check=crc32")]
    [InlineData("small", "--check=sha256 --block-size=700")]
    [InlineData("empty", "-6")]
    public void Every_truncation_is_refused(string sample, string options)
    {
        byte[] original = Samples.Get(sample);
        original = original[..Math.Min(original.Length, 3000)];
        Decoder.RequireTruncationErrors(Format.Xz, Pack(options, original), original.Length);
    }

    [ToolTheory("xz")]
    [InlineData("-6", true)]
    [InlineData("--check=crc32 --x86 --lzma2", true)]
    [InlineData("--check=sha256 --block-size=700", true)]
    [InlineData("--check=none --lzma2=lc=0,lp=4,pb=4", false)]
    [InlineData("--check=none --x86 --lzma2", false)]
    public void Damage_is_found_and_never_leads_out_of_bounds(string options, bool hasCheck)
    {
        byte[] original = Samples.Get("small");
        byte[] packed = Pack(options, original);
        for (int seed = 0; seed < 4; seed++)
        {
            int refused = Decoder.Damage(Format.Xz, packed, original, 1500, seed, hasCheck);
            Assert.True(refused > 1000, $"only {refused} of 1500 damaged files were refused");
        }
    }

    [ToolFact("xz")]
    public void Damage_in_one_byte_of_a_file_with_checks_is_always_found()
    {
        byte[] original = Samples.Get("small");
        byte[] packed = Pack("--check=crc64 --x86 --lzma2", original);
        for (int position = 0; position < packed.Length; position++)
        {
            byte[] damaged = (byte[])packed.Clone();
            damaged[position] ^= (byte)(1 << (position % 8));
            Decoded result = Decoder.Run(Format.Xz, damaged, original.Length);
            Assert.True(result.Error != ImageError.Ok, $"a flipped bit in byte {position} went unnoticed");
        }
    }

    [ToolTheory("xz")]
    [InlineData(1, ImageError.XzBadMagic)]
    [InlineData(9, ImageError.XzHeaderChecksum)]
    [InlineData(12, ImageError.XzHeaderChecksum)]
    public void Damage_is_named_for_what_it_hits(int position, ImageError expected)
    {
        byte[] packed = Pack("-6", Samples.Get("short"));
        packed[position] ^= 0x04;
        Assert.Equal(expected, Decoder.Run(Format.Xz, packed, 1000).Error);
    }

    [ToolFact("xz")]
    public void Each_part_of_the_end_is_named_when_damaged()
    {
        byte[] original = Samples.Get("short");
        byte[] packed = Pack("--check=crc32", original);
        int length = packed.Length;

        // From the end: footer 12, index 8, check 4.
        Assert.Equal(ImageError.XzBadFooter, Flip(length - 1));
        Assert.Equal(ImageError.XzBadFooter, Flip(length - 5));
        Assert.Equal(ImageError.XzBadIndex, Flip(length - 13));
        Assert.Equal(ImageError.XzCheckMismatch, Flip(length - 24));

        ImageError Flip(int position)
        {
            byte[] damaged = (byte[])packed.Clone();
            damaged[position] ^= 0x10;
            return Decoder.Run(Format.Xz, damaged, original.Length).Error;
        }
    }

    [ToolTheory("xz")]
    [InlineData("--arm --lzma2")]
    [InlineData("--delta --lzma2")]
    [InlineData("--x86 --delta --lzma2")]
    public void Other_filters_are_refused_by_name(string options)
    {
        byte[] packed = Pack(options, Samples.Get("short"));
        Assert.Equal(ImageError.XzUnsupportedFilter, Decoder.Run(Format.Xz, packed, 1000).Error);
    }

    [Fact]
    public void Too_little_work_memory_is_refused()
    {
        byte value = 0;
        ImageError error = XzDecoder.Decode(
            &value, 1, &value, 1, &value, XzDecoder.WorkSize - 1, out nuint produced, out nuint consumed);
        Assert.Equal((ImageError.WorkTooSmall, 0ul, 0ul), (error, produced, consumed));
    }

    private static (ImageError Error, ulong Size) Measure(byte[] packed)
    {
        using GuardedBuffer source = new(packed);
        using GuardedBuffer work = new(XzDecoder.WorkSize);
        ImageError error = XzDecoder.Measure(source.Start, source.Size, work.Start, work.Size, out ulong size);
        return (error, size);
    }
}
