// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Buffers.Binary;
using System.Text;
using Xunit;

public unsafe class KernelImageTests
{
    private const int SetupSectors = 3;
    private const int PayloadGap = 0x40;

    private static readonly byte[] s_kernel = ElfBuilder.Kernel(ElfBuilder.UsualNotes());

    [Fact]
    public void An_ELF_file_is_taken_as_it_is()
    {
        Assert.Equal((ImageError.Ok, (ulong)s_kernel.Length), Measure(s_kernel));
        Assert.Equal(s_kernel, Unpack(s_kernel, s_kernel.Length, out ImageError error));
        Assert.Equal(ImageError.Ok, error);
        _ = Unpack(s_kernel, s_kernel.Length - 1, out error);
        Assert.Equal(ImageError.OutputTooSmall, error);
    }

    [ToolTheory("xz")]
    [InlineData("--check=crc32 --x86 --lzma2")]
    public void A_bzImage_with_XZ_is_unpacked(string options) =>
        RequireKernel(BzImageOf(WithSize(ExternalTool.Filter("xz", $"-c {options}", s_kernel))));

    [ToolFact("xz")]
    public void A_packed_ELF_file_is_unpacked() =>
        RequireKernel(ExternalTool.Filter("xz", "-c", s_kernel));

    [ToolFact("gzip")]
    public void A_bzImage_with_gzip_is_unpacked() =>
        RequireKernel(BzImageOf(ExternalTool.Filter("gzip", "-c9", s_kernel)));

    [ToolFact("gzip")]
    public void A_gzipped_ELF_file_is_unpacked() =>
        RequireKernel(ExternalTool.Filter("gzip", "-c", s_kernel));

    [ToolFact("zstd")]
    public void A_bzImage_with_zstd_is_unpacked() =>
        RequireKernel(BzImageOf(WithSize(ExternalTool.Filter("zstd", "-c -19", s_kernel))));

    [ToolFact("zstd")]
    public void An_ELF_file_packed_by_zstd_is_unpacked() =>
        RequireKernel(ExternalTool.Filter("zstd", $"-c --stream-size={s_kernel.Length}", s_kernel));

    [ToolFact("xz")]
    public void A_wrong_size_at_the_end_of_the_payload_is_refused()
    {
        byte[] payload = WithSize(ExternalTool.Filter("xz", "-c", s_kernel));
        payload[^4] ^= 1;
        _ = Unpack(BzImageOf(payload), s_kernel.Length, out ImageError error);
        Assert.Equal(ImageError.PayloadSizeMismatch, error);

        _ = Unpack(BzImageOf([.. payload, 1]), s_kernel.Length, out error);
        Assert.Equal(ImageError.PayloadTrailingData, error);
    }

    [Theory]
    [InlineData("425A6839")]
    [InlineData("5D000080")]
    [InlineData("894C5A4F")]
    [InlineData("02214C18")]
    public void A_format_that_is_known_but_not_unpacked_is_refused(string magic)
    {
        byte[] file = [.. Convert.FromHexString(magic), .. new byte[100]];
        _ = Unpack(file, 1000, out ImageError error);
        Assert.Equal(ImageError.FormatUnsupported, error);
        Assert.Equal(ImageError.FormatUnsupported, Measure(file).Error);
    }

    [Theory]
    [InlineData(0x206, 0x0207, ImageError.BootProtocolTooOld)]
    [InlineData(0x24A, 0x0001, ImageError.PayloadOutOfRange)]
    [InlineData(0x24A, 0xFFFF, ImageError.PayloadOutOfRange)]
    [InlineData(0x24E, 0xFFFF, ImageError.PayloadOutOfRange)]
    [InlineData(0x1F1, 0x00FF, ImageError.PayloadOutOfRange)]
    [InlineData(0x202, 0x0000, ImageError.FormatUnknown)]
    [InlineData(0x1FE, 0x0000, ImageError.FormatUnknown)]
    public void A_boot_header_that_lies_is_refused(int position, int value, ImageError expected)
    {
        byte[] image = BzImageOf(s_kernel);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(position), (ushort)value);
        Assert.Equal(expected, Measure(image).Error);
        _ = Unpack(image, s_kernel.Length, out ImageError error);
        Assert.Equal(expected, error);
    }

    [Fact]
    public void Every_truncation_of_a_bzImage_is_refused()
    {
        byte[] image = BzImageOf(s_kernel);
        for (int length = 0; length < image.Length; length++)
        {
            _ = Unpack(image[..length], s_kernel.Length, out ImageError error);
            Assert.NotEqual(ImageError.Ok, error);
        }
    }

    [Theory]
    [InlineData("7F454C46", PayloadFormat.Elf)]
    [InlineData("1F8B0800", PayloadFormat.Gzip)]
    [InlineData("425A6839", PayloadFormat.Bzip2)]
    [InlineData("5D000080", PayloadFormat.Lzma)]
    [InlineData("FD377A585A00", PayloadFormat.Xz)]
    [InlineData("894C5A4F", PayloadFormat.Lzo)]
    [InlineData("02214C18", PayloadFormat.Lz4)]
    [InlineData("28B52FFD", PayloadFormat.Zstd)]
    [InlineData("4D5A9000", PayloadFormat.Unknown)]
    [InlineData("FD37", PayloadFormat.Unknown)]
    [InlineData("", PayloadFormat.Unknown)]
    public void Formats_are_told_by_their_first_bytes(string magic, PayloadFormat expected)
    {
        using GuardedBuffer file = new(Convert.FromHexString(magic));
        ImageError error = KernelImage.Identify(file.Start, file.Size, out KernelFile kernel);
        Assert.Equal(expected, kernel.Format);
        Assert.Equal(expected == PayloadFormat.Unknown ? ImageError.FormatUnknown : ImageError.Ok, error);
    }

    [Fact]
    public void The_work_memory_asked_for_is_enough()
    {
        Assert.InRange((nuint)sizeof(XzWork), 1u, XzDecoder.WorkSize);
        Assert.InRange((nuint)sizeof(GzipWork), 1u, GzipDecoder.WorkSize);
        Assert.InRange((nuint)sizeof(ZstdWork), 1u, ZstdDecoder.WorkSize);
        Assert.Equal(
            KernelImage.WorkSize, Math.Max(XzDecoder.WorkSize, Math.Max(GzipDecoder.WorkSize, ZstdDecoder.WorkSize)));
    }

    [Fact]
    public void Every_error_has_words_of_its_own()
    {
        string none = Encoding.ASCII.GetString(ImageErrors.Describe((ImageError)10_000));
        System.Collections.Generic.HashSet<string> seen = [none];
        foreach (ImageError error in Enum.GetValues<ImageError>())
        {
            Assert.True(seen.Add(Encoding.ASCII.GetString(ImageErrors.Describe(error))), error.ToString());
        }
    }

    private static void RequireKernel(byte[] file)
    {
        Assert.Equal((ImageError.Ok, (ulong)s_kernel.Length), Measure(file));
        Assert.Equal(s_kernel, Unpack(file, s_kernel.Length, out ImageError error));
        Assert.Equal(ImageError.Ok, error);
    }

    private static byte[] WithSize(byte[] packed) => [.. packed, .. BitConverter.GetBytes(s_kernel.Length)];

    private static byte[] BzImageOf(byte[] payload)
    {
        int start = (SetupSectors + 1) * 512;
        byte[] image = new byte[start + PayloadGap + payload.Length];
        image[0x1F1] = SetupSectors;
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x1FE), 0xAA55);
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), 0x020F);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(0x248), PayloadGap);
        BinaryPrimitives.WriteInt32LittleEndian(image.AsSpan(0x24C), payload.Length);
        payload.CopyTo(image, start + PayloadGap);
        return image;
    }

    private static (ImageError Error, ulong Size) Measure(byte[] image)
    {
        using GuardedBuffer file = new(image);
        using GuardedBuffer work = new(KernelImage.WorkSize);
        ImageError error = KernelImage.Measure(file.Start, file.Size, work.Start, work.Size, out ulong size);
        return (error, size);
    }

    private static byte[] Unpack(byte[] image, int capacity, out ImageError error)
    {
        using GuardedBuffer file = new(image);
        using GuardedBuffer target = new((nuint)capacity);
        using GuardedBuffer work = new(KernelImage.WorkSize);
        error = KernelImage.Unpack(
            file.Start, file.Size, target.Start, target.Size, work.Start, work.Size, out nuint produced);
        return error == ImageError.Ok ? target.Span[..(int)produced].ToArray() : [];
    }
}
