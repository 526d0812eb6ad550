// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Collections.Generic;
using System.Linq;
using Xunit;

public unsafe class ZstdTests
{
    private static readonly string[] s_options =
    [
        "-1", "-3", "-7", "-12", "-19", "--fast=5", "-5 --no-check", "-3 --long=27", "-19 --no-check",
    ];

    public static IEnumerable<object[]> Cases =>
        from options in s_options
        from sample in Samples.Names
        select new object[] { options, sample };

    /// <summary>Frames that no packer makes, with a window of 1 KiB and one block.</summary>
    public static IEnumerable<object[]> BadBlocks =>
    [
        ["kind 3", ImageError.ZstdBadBlock, Frame(3, 1, [0])],
        ["stored, larger than the window", ImageError.ZstdBadBlock, Frame(0, 1025, new byte[1025])],
        ["repeated, larger than the window", ImageError.ZstdBadBlock, Frame(1, 1025, [7])],
        ["nothing in it", ImageError.ZstdBadLiterals, Frame(2, 0, [])],
        ["raw literals that are not there", ImageError.ZstdBadLiterals, Frame(2, [5 << 3, 1, 2])],
        ["more literals than the window", ImageError.ZstdBadLiterals, Frame(2, [0x15, 0x41, 9, 0])],
        ["no sequence count", ImageError.ZstdBadSequences, Frame(2, [1 << 3, 9])],
        ["something after no sequences", ImageError.ZstdBadSequences, Frame(2, [1 << 3, 9, 0, 0])],
        ["no modes", ImageError.ZstdBadSequences, Frame(2, [1 << 3, 9, 1])],
        ["reserved modes", ImageError.ZstdBadSequences, Frame(2, [1 << 3, 9, 1, 1, 0x80])],
        ["no bits", ImageError.ZstdBadSequences, Frame(2, [1 << 3, 9, 1, 0])],
        ["no mark at the end of the bits", ImageError.ZstdBadSequences, Frame(2, [1 << 3, 9, 1, 0, 0xFF, 0])],
        ["tables of a block before, of which there is none", ImageError.ZstdBadSequences,
            Frame(2, [1 << 3, 9, 1, 0xFC, 0x80])],
        ["literals by a tree before, of which there is none", ImageError.ZstdBadHuffmanTable,
            Frame(2, [0x13, 0x40, 0, 0x80, 0])],
        ["a single literal length beyond the last", ImageError.ZstdBadSequences,
            Frame(2, [1 << 3, 9, 1, 0x54, 36, 0, 0, 1])],

        // One sequence of one literal and a match of three: from two bytes back, and by the second offset of four.
        ["an offset before the beginning", ImageError.ZstdOffsetTooFar,
            Frame(2, [1 << 3, 9, 1, 0x54, 1, 2, 0, 0b101])],
        ["a last offset before the beginning", ImageError.ZstdOffsetTooFar,
            Frame(2, [1 << 3, 9, 1, 0x54, 1, 1, 0, 0b10])],

        // Without literals, the third choice is the last offset less one, and that is 1.
        ["an offset of nothing", ImageError.ZstdOffsetTooFar, Frame(2, [1 << 3, 9, 1, 0x54, 0, 1, 0, 0b11])],
        ["more literals than there are", ImageError.ZstdBadSequences,
            Frame(2, [1 << 3, 9, 1, 0x54, 2, 0, 0, 0b1])],
        ["bits left over", ImageError.ZstdBadSequences, Frame(2, [1 << 3, 9, 1, 0x54, 1, 0, 0, 0b10])],
    ];

    private static byte[] Pack(string options, byte[] data) => ExternalTool.Filter("zstd", $"-q -c {options}", data);

    [ToolTheory("zstd")]
    [MemberData(nameof(Cases))]
    public void What_zstd_packs_unpacks_to_the_original(string options, string sample)
    {
        byte[] original = Samples.Get(sample);
        Decoder.RequireOriginal(Format.Zstd, Pack(options, original), original);
    }

    [ToolTheory("zstd")]
    [InlineData("text")]
    [InlineData("program")]
    public void The_highest_level_does_as_well(string sample)
    {
        byte[] original = Samples.Get(sample);
        Decoder.RequireOriginal(Format.Zstd, Pack("--ultra -22", original), original);
    }

    [ToolTheory("zstd")]
    [InlineData("empty")]
    [InlineData("byte")]
    [InlineData("short")]
    [InlineData("small")]
    [InlineData("random")]
    [InlineData("text")]
    public void A_size_in_the_header_is_told_beforehand(string sample)
    {
        byte[] original = Samples.Get(sample);
        byte[] packed = Pack($"-3 --stream-size={original.Length}", original);
        Decoder.RequireOriginal(Format.Zstd, packed, original);
        Assert.Equal((ImageError.Ok, (ulong)original.Length), Measure(packed));
        Assert.Equal((ImageError.Ok, 2 * (ulong)original.Length), Measure([.. packed, .. packed]));
        Assert.Equal(ImageError.Truncated, Measure(packed[..^1]).Error);
    }

    [ToolFact("zstd")]
    public void A_size_that_the_header_does_not_tell_is_unknown() =>
        Assert.Equal(ImageError.SizeUnknown, Measure(Pack("-3", Samples.Get("text"))).Error);

    [ToolFact("zstd")]
    public void Frames_in_a_row_are_one_file_and_skippable_ones_are_skipped()
    {
        byte[] first = Samples.Get("text");
        byte[] second = Samples.Get("pattern");
        byte[] skippable = [0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3];
        byte[] packed = [.. skippable, .. Pack("-3", first), .. skippable, .. Pack("-19 --no-check", second)];
        Decoder.RequireOriginal(Format.Zstd, packed, [.. first, .. second]);
        Decoder.RequireOriginal(Format.Zstd, skippable, []);

        Assert.Equal(ImageError.Truncated, Decoder.Run(Format.Zstd, [.. packed, .. skippable[..^1]], 1 << 20).Error);
    }

    [ToolFact("zstd")]
    public void What_follows_the_last_frame_is_not_consumed()
    {
        byte[] original = Samples.Get("short");
        byte[] packed = Pack("-3", original);
        Decoded result = Decoder.Run(Format.Zstd, [.. packed, 0x28, 0xB5, 0x2F, 0], original.Length);
        Assert.Equal((ImageError.Ok, packed.Length), (result.Error, result.Consumed));
    }

    [Fact]
    public void A_sequence_made_by_hand_is_carried_out()
    {
        // Four raw literals; one sequence: three literals, then a match of three at offset 6 - 3.
        byte[] block = [4 << 3, .. "abcd"u8, 1, 0x54, 3, 2, 0, 0b110];
        Decoded result = Decoder.Run(Format.Zstd, Frame(2, block), 7);
        Assert.Equal(ImageError.Ok, result.Error);
        Assert.Equal("abcabcd"u8.ToArray(), result.Output);
    }

    /// <summary>
    /// Features that the packer hardly ever uses, in blocks made by hand; the real unpacker says what they mean.
    /// </summary>
    [ToolTheory("zstd")]
    [InlineData("weights as nibbles", 0x62, 0x00, 0x01, 0x81, 0x11, 0x1C, 0x03, 0)]
    [InlineData("weights as nibbles, four streams", 0x86, 0x00, 0x03, 0x81, 0x11, 1, 0, 1, 0, 1, 0, 7, 7, 7, 7, 0)]
    [InlineData("one literal repeated, one-byte header", (31 << 3) | 1, 0x41, 0)]
    [InlineData("one literal repeated, two-byte header", 0x05, 0x10, 0x41, 0)]
    [InlineData("one literal repeated, three-byte header", 0x0D, 0x35, 0x00, 0x41, 0)]
    public void A_rare_feature_means_what_zstd_takes_it_for(string feature, params int[] block)
    {
        byte[] frame = Frame(2, [.. block.Select(value => (byte)value)]);
        byte[] expected = ExternalTool.Filter("zstd", "-dc", frame);
        Decoded result = Decoder.Run(Format.Zstd, frame, expected.Length);
        Assert.True(result.Error == ImageError.Ok, $"{feature}: {result.Error}");
        Assert.Equal(expected, result.Output);
    }

    [ToolFact("zstd")]
    public void A_block_may_have_more_than_thirty_thousand_sequences()
    {
        // A window of 128 KiB; eight bytes stored; then a block of 7F00h + 100h sequences without literals, of the
        // second last offset and the shortest match, for which not a single bit is needed.
        byte[] frame =
        [
            0x28, 0xB5, 0x2F, 0xFD, 0, 7 << 3,
            8 << 3, 0, 0, .. "abcdefgh"u8,
            1 | (2 << 1) | (9 << 3), 0, 0, 0, 255, 0x00, 0x01, 0x54, 0, 0, 0, 1,
        ];
        byte[] expected = ExternalTool.Filter("zstd", "-dc", frame);
        Assert.Equal(8 + (0x8000 * 3), expected.Length);
        Decoded result = Decoder.Run(Format.Zstd, frame, expected.Length);
        Assert.Equal(ImageError.Ok, result.Error);
        Assert.Equal(expected, result.Output);
    }

    [ToolFact("zstd")]
    public void Long_matches_far_back_are_found()
    {
        byte[] original = new byte[3 << 20];
        new Random(17).NextBytes(original);
        for (int block = 0; block < 8; block++)
        {
            Array.Copy(original, block * 90_000, original, (2 << 20) + (block * 100_000), 90_000 - block);
        }

        byte[] packed = Pack("-3 --long=27", original);
        Assert.InRange(packed.Length, 1, (5 << 20) / 2);
        Decoder.RequireOriginal(Format.Zstd, packed, original);
    }

    [Theory]
    [MemberData(nameof(BadBlocks))]
    public void An_impossible_block_is_refused_for_its_fault(string fault, ImageError expected, byte[] frame)
    {
        ImageError error = Decoder.Run(Format.Zstd, frame, 4096).Error;
        Assert.True(expected == error, $"{fault}: {error}");
    }

    [Fact]
    public void A_frame_that_wants_a_dictionary_is_refused()
    {
        byte[] frame = [0x28, 0xB5, 0x2F, 0xFD, 0x01, 0, 5, 1, 0, 0];
        Assert.Equal(ImageError.ZstdNeedsDictionary, Decoder.Run(Format.Zstd, frame, 16).Error);
        frame[6] = 0;
        Assert.Equal(ImageError.Ok, Decoder.Run(Format.Zstd, frame, 16).Error);
        frame[4] |= 8;
        Assert.Equal(ImageError.ZstdBadFrameHeader, Decoder.Run(Format.Zstd, frame, 16).Error);
    }

    [ToolFact("zstd")]
    public void Checksum_and_size_are_compared()
    {
        byte[] original = Samples.Get("short");
        byte[] packed = Pack($"-3 --stream-size={original.Length}", original);
        packed[^1] ^= 0x80;
        Assert.Equal(ImageError.ZstdCheckMismatch, Decoder.Run(Format.Zstd, packed, original.Length).Error);

        // A single-segment header's size is its sixth byte.
        packed[^1] ^= 0x80;
        packed[5]++;
        Assert.Equal(ImageError.ZstdSizeMismatch, Decoder.Run(Format.Zstd, packed, original.Length).Error);
    }

    [ToolTheory("zstd")]
    [InlineData("small", "-3")]
    [InlineData("random", "-3")]
    [InlineData("zeroes", "-3")]
    [InlineData("library", "-12")]
    public void A_target_one_byte_too_small_is_refused(string sample, string options)
    {
        byte[] original = Samples.Get(sample);
        Decoded result = Decoder.Run(Format.Zstd, Pack(options, original), original.Length - 1);
        Assert.Equal(ImageError.OutputTooSmall, result.Error);
    }

    [ToolTheory("zstd")]
    [InlineData("empty", "-3")]
    [InlineData("short", "-3 --no-check")]
    [InlineData("small", "-1")]
    [InlineData("small", "-19")]
    [InlineData("random", "-3")]
    public void Every_truncation_is_refused(string sample, string options)
    {
        byte[] original = Samples.Get(sample);
        original = original[..Math.Min(original.Length, 3000)];
        Decoder.RequireTruncationErrors(Format.Zstd, Pack(options, original), original.Length);
    }

    [ToolTheory("zstd")]
    [InlineData("-1", true)]
    [InlineData("-19", true)]
    [InlineData("-19 --no-check", false)]
    [InlineData("--fast=3 --no-check", false)]
    public void Damage_is_found_and_never_leads_out_of_bounds(string options, bool hasCheck)
    {
        byte[] original = Samples.Get("small");
        byte[] packed = Pack(options, original);
        for (int seed = 0; seed < 4; seed++)
        {
            int refused = Decoder.Damage(Format.Zstd, packed, original, 2500, seed, hasCheck);
            Assert.True(refused > (hasCheck ? 2000 : 100), $"only {refused} of 2500 damaged files were refused");
        }
    }

    [ToolFact("zstd")]
    public void Damage_in_files_of_many_blocks_never_leads_out_of_bounds()
    {
        byte[] original = [.. Samples.Get("text"), .. Samples.Get("pattern")];
        byte[] packed = Pack("-19 --no-check", original);
        int refused = Decoder.Damage(Format.Zstd, packed, original, 200, 1, hasCheck: false);
        Assert.True(refused > 20, $"only {refused} of 200 damaged files were refused");
    }

    [Fact]
    public void Noise_in_a_sound_block_never_leads_out_of_bounds()
    {
        using GuardedBuffer target = new(2048);
        using GuardedBuffer work = Decoder.NewWork(Format.Zstd);
        Random random = new(13);
        int accepted = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] noise = new byte[random.Next(4, 200)];
            random.NextBytes(noise);

            // A few raw literals and two sequences, or Huffman-coded literals by a description that may well be sound.
            if (round % 2 == 0)
            {
                noise[0] = 2 << 3;
                noise[3] = 2;
                noise[4 % noise.Length] &= 0xFC;
            }
            else
            {
                noise[0] = (byte)((noise[0] & 0xF0) | 2 | ((round % 3) << 2));
                noise[2] &= 0x7F;
            }

            ImageError error = Decoder.Run(Format.Zstd, Frame(2, noise), target, work).Error;
            accepted += error == ImageError.Ok ? 1 : 0;
        }

        Assert.InRange(accepted, 0, 2000);
    }

    [Fact]
    public void Too_little_work_memory_is_refused()
    {
        byte value = 0;
        ImageError error = ZstdDecoder.Decode(
            &value, 1, &value, 1, &value, ZstdDecoder.WorkSize - 1, out nuint produced, out nuint consumed);
        Assert.Equal((ImageError.WorkTooSmall, 0ul, 0ul), (error, produced, consumed));
    }

    private static byte[] Frame(int kind, byte[] content) => Frame(kind, content.Length, content);

    private static byte[] Frame(int kind, int size, byte[] content)
    {
        int header = 1 | (kind << 1) | (size << 3);
        return
        [
            0x28, 0xB5, 0x2F, 0xFD, 0, 0, (byte)header, (byte)(header >> 8), (byte)(header >> 16), .. content,
        ];
    }

    private static (ImageError Error, ulong Size) Measure(byte[] packed)
    {
        using GuardedBuffer source = new(packed);
        ImageError error = ZstdDecoder.Measure(source.Start, source.Size, out ulong size);
        return (error, size);
    }
}
