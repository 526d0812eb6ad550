// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Collections.Generic;
using Xunit;

public unsafe class ElfTests
{
    private const int FirstSegment = ElfBuilder.HeaderSize;
    private const int SegmentOffset = FirstSegment + 8;
    private const int SegmentPhysical = FirstSegment + 24;
    private const int SegmentFileSize = FirstSegment + 32;
    private const int SegmentMemorySize = FirstSegment + 40;

    private static byte[] Plain => ElfBuilder.Kernel(ElfBuilder.UsualNotes());

    public static IEnumerable<object[]> Unsound =>
    [
        ["a wrong signature", ImageError.ElfBadMagic, ElfBuilder.Patch(Plain, 0, 0x7E)],
        ["nothing", ImageError.ElfBadMagic, Array.Empty<byte>()],
        ["half a header", ImageError.Truncated, Plain[..63]],
        ["a 32-bit class", ImageError.ElfNot64Bit, ElfBuilder.Patch(Plain, 4, 1)],
        ["big-endian data", ImageError.ElfNotLittleEndian, ElfBuilder.Patch(Plain, 5, 2)],
        ["version 2", ImageError.ElfBadHeader, ElfBuilder.Patch(Plain, 6, 2)],
        ["a shared object", ImageError.ElfNotExecutable, ElfBuilder.Patch16(Plain, 16, 3)],
        ["another machine", ImageError.ElfWrongMachine, ElfBuilder.Patch16(Plain, 18, 183)],
        ["short program headers", ImageError.ElfBadHeader, ElfBuilder.Patch16(Plain, 54, 32)],
        ["no program headers", ImageError.ElfNoSegments, ElfBuilder.Patch16(Plain, 56, 0)],
        ["a count kept elsewhere", ImageError.ElfBadHeader, ElfBuilder.Patch16(Plain, 56, 0xFFFF)],
        ["too many headers", ImageError.ElfTableOutOfFile, ElfBuilder.Patch16(Plain, 56, 0xFFFE)],
        ["headers out of the file", ImageError.ElfTableOutOfFile, ElfBuilder.Patch64(Plain, 32, 1 << 20)],
        ["headers that wrap", ImageError.ElfTableOutOfFile, ElfBuilder.Patch64(Plain, 32, ulong.MaxValue - 8)],
        ["a segment past the end", ImageError.ElfSegmentOutOfFile, ElfBuilder.Patch64(Plain, SegmentOffset, 0x500)],
        ["a segment offset that wraps", ImageError.ElfSegmentOutOfFile,
            ElfBuilder.Patch64(Plain, SegmentOffset, ulong.MaxValue - 0x7FF)],
        ["an endless segment", ImageError.ElfSegmentOutOfFile,
            ElfBuilder.Patch64(Plain, SegmentFileSize, ulong.MaxValue)],
        ["less memory than file", ImageError.ElfSegmentTooSmall, ElfBuilder.Patch64(Plain, SegmentMemorySize, 0xFFF)],
        ["a physical range that wraps", ImageError.ElfAddressWraps,
            ElfBuilder.Patch64(Plain, SegmentPhysical, ulong.MaxValue - 0xFFF)],
        ["notes past the end", ImageError.ElfSegmentOutOfFile,
            ElfBuilder.Patch64(Plain, SegmentFileSize + ElfBuilder.SegmentSize, 0x10000)],
        ["no loadable segment", ImageError.ElfNoSegments,
            new ElfBuilder().AddNotes(ElfBuilder.UsualNotes()).Build()],
        ["only an empty segment", ImageError.ElfNoSegments, new ElfBuilder().AddLoad([], 0).Build()],
    ];

    [Theory]
    [MemberData(nameof(Unsound))]
    public void An_unsound_file_is_refused_for_its_fault(string fault, ImageError expected, byte[] image)
    {
        using GuardedBuffer file = new(image);
        Assert.True(expected == ElfImage.Open(file.Start, file.Size, out _), fault);
    }

    [Fact]
    public void Segments_are_walked_in_order_without_the_empty_ones()
    {
        byte[] content = [1, 2, 3];
        byte[] image = new ElfBuilder { Entry = 0x1234 }
            .AddLoad([], 0, 0x100)
            .AddLoad(content, 0x800, 0x3000000)
            .AddNotes(ElfBuilder.UsualNotes())
            .AddLoad([], 0x4000, 0x2000000)
            .Build();
        using GuardedBuffer file = new(image);
        Assert.Equal(ImageError.Ok, ElfImage.Open(file.Start, file.Size, out ElfImage elf));
        Assert.Equal((0x1234UL, 0x2000000UL, 0x3000800UL), (elf.Entry, elf.PhysicalStart, elf.PhysicalEnd));

        int number = 0;
        Assert.True(elf.NextLoad(ref number, out ElfSegment segment));
        Assert.Equal((0x3000000UL, 3UL, 0x800UL), (segment.PhysicalAddress, segment.FileSize, segment.MemorySize));
        Assert.Equal(content, new Span<byte>(elf.Data(in segment), 3).ToArray());
        Assert.True(elf.NextLoad(ref number, out segment));
        Assert.Equal((0x2000000UL, 0UL), (segment.PhysicalAddress, segment.FileSize));
        Assert.False(elf.NextLoad(ref number, out _));
    }

    [Fact]
    public void Every_truncation_of_a_kernel_is_refused()
    {
        byte[] image = Plain;
        for (int length = 0; length < image.Length; length++)
        {
            using GuardedBuffer file = new(image.AsSpan(0, length));
            Assert.NotEqual(ImageError.Ok, ElfImage.Open(file.Start, file.Size, out _));
        }
    }

    [Fact]
    public void Damaged_headers_notes_and_sections_never_lead_out_of_bounds()
    {
        byte[] image = new ElfBuilder()
            .AddLoad(new byte[64], 0x3000)
            .AddNotes([])
            .AddSection(".notes", 7, ElfBuilder.UsualNotes())
            .AddSection("__xen_guest", 1, [1, 2, 3])
            .Build();
        Random random = new(7);
        using GuardedBuffer file = new(image);
        int refused = 0;
        for (int round = 0; round < 50_000; round++)
        {
            image.CopyTo(file.Span);
            for (int place = random.Next(1, 4); place > 0; place--)
            {
                int position = random.Next(image.Length);
                file.Span[position] = (byte)(random.Next(3) == 0 ? 0xFF : random.Next(256));
            }

            if (ElfImage.Open(file.Start, file.Size, out ElfImage elf) != ImageError.Ok
                || XenNotes.Read(in elf, out _) != ImageError.Ok)
            {
                refused++;
                continue;
            }

            int number = 0;
            byte sum = 0;
            while (elf.NextLoad(ref number, out ElfSegment segment))
            {
                for (ulong index = 0; index < segment.FileSize; index++)
                {
                    sum += elf.Data(in segment)[index];
                }
            }
        }

        Assert.InRange(refused, 1000, 49_000);
    }
}
