// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using Xunit;

public unsafe class DebianKernelTests
{
    private static ReadOnlySpan<byte> StreamHeader => [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00];

    private static ReadOnlySpan<byte> FooterEnd => [0x00, 0x01, 0x59, 0x5A];

    [KernelFact]
    public void It_unpacks_to_what_xz_unpacks_it_to()
    {
        byte[] file = File.ReadAllBytes(DebianKernel.Path);

        // Found without the boot header: from the first XZ signature to the last footer of a stream with CRC32.
        int start = file.AsSpan().IndexOf(StreamHeader);
        int end = file.AsSpan().LastIndexOf(FooterEnd) + 4;
        byte[] expected = ExternalTool.Filter("xz", "-dc", file[start..end]);

        using GuardedBuffer target = Unpack(file);
        Assert.Equal(
            Convert.ToHexString(SHA256.HashData(expected)), Convert.ToHexString(SHA256.HashData(target.Span)));
    }

    [KernelFact]
    public void Its_segments_are_loaded_by_physical_address()
    {
        using GuardedBuffer kernel = Unpack(File.ReadAllBytes(DebianKernel.Path));
        Assert.Equal(ImageError.Ok, ElfImage.Open(kernel.Start, kernel.Size, out ElfImage elf));
        Assert.Equal(0x1000000UL, elf.PhysicalStart);
        Assert.Equal(0UL, elf.PhysicalEnd % 0x1000);

        int number = 0;
        int count = 0;
        bool hasPerCpuSegment = false;
        ulong end = elf.PhysicalStart;
        while (elf.NextLoad(ref number, out ElfSegment segment))
        {
            Assert.InRange(segment.PhysicalAddress, end, elf.PhysicalEnd);
            end = segment.PhysicalAddress + segment.MemorySize;
            hasPerCpuSegment |= segment.VirtualAddress == 0;
            count++;
        }

        Assert.Equal((4, true, elf.PhysicalEnd), (count, hasPerCpuSegment, end));
    }

    [KernelFact]
    public void Its_notes_say_what_Linux_6_1_says()
    {
        using GuardedBuffer kernel = Unpack(File.ReadAllBytes(DebianKernel.Path));
        Assert.Equal(ImageError.Ok, ElfImage.Open(kernel.Start, kernel.Size, out ElfImage elf));
        Assert.Equal(ImageError.Ok, XenNotes.Read(in elf, out XenNotes notes));

        Assert.InRange(notes.Entry, notes.VirtualStart, notes.VirtualEnd - 1);
        Assert.Equal((0xFFFFFFFF80000000UL, 0UL), (notes.VirtBase, notes.PaddrOffset));
        Assert.Equal((0xFFFFFFFF81000000UL, elf.PhysicalEnd), (notes.VirtualStart, notes.VirtualEnd - notes.VirtBase));
        Assert.Equal("xen-3.0", Text(notes.XenVersion));
        Assert.Equal(("linux", "2.6", "generic"), (Text(notes.GuestOs), Text(notes.GuestVersion), Text(notes.Loader)));
        Assert.Equal("yes", Text(notes.PaeMode));
        Assert.Equal((0x8811u, 0x1u), (notes.SupportedFeatures, notes.RequiredFeatures));
        Assert.Equal(0xFFFF800000000000UL, notes.HvStartLow);
        Assert.Equal((1UL, 1UL), (notes.L1MfnValidMask, notes.L1MfnValidValue));
        Assert.Equal(0x8000000000UL, notes.InitP2m);
        Assert.True(notes.CanCancelSuspend && notes.TakesModuleAsPfn && notes.CanBeDom0);
        Assert.True(notes.Has(XenNoteType.Phys32Entry));

        if (DebianKernel.Path.EndsWith("-6.1.0-56-amd64", StringComparison.Ordinal))
        {
            Assert.Equal((0xFFFFFFFF830791C0UL, 0x1000850UL), (notes.Entry, notes.Phys32Entry));
            Assert.False(notes.Has(XenNoteType.HypercallPage));
            Assert.Equal(0x4A00000UL, elf.PhysicalEnd);
        }
    }

    private static string Text(NoteText text) => Encoding.ASCII.GetString(text.Start, (int)text.Length);

    /// <summary>Into a buffer of exactly the size that the file announces.</summary>
    private static GuardedBuffer Unpack(byte[] image)
    {
        using GuardedBuffer file = new(image);
        using GuardedBuffer work = new(KernelImage.WorkSize);
        Assert.Equal(
            ImageError.Ok, KernelImage.Measure(file.Start, file.Size, work.Start, work.Size, out ulong size));
        GuardedBuffer target = new((nuint)size);
        ImageError error = KernelImage.Unpack(
            file.Start, file.Size, target.Start, target.Size, work.Start, work.Size, out nuint produced);
        Assert.Equal((ImageError.Ok, (nuint)size), (error, produced));
        return target;
    }
}
