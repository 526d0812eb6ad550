// SPDX-License-Identifier: MIT
// artifacts/xen is the linked image laid flat behind an ELF32 header. A loader finds what is written there, so the check reads
// the file as a loader does: headers of both multiboot versions, one segment, and in it every section where it was linked to.

using System;
using System.Buffers.Binary;
using System.Linq;
using ImageCheck.Elf;

namespace ImageCheck.Rules;

/// <summary>The file that boot loaders load.</summary>
public static class FileRule
{
    public const long MaxCompressed = 1 << 20;

    private const int Multiboot1Limit = 8192;
    private const int Multiboot2Limit = 32768;
    private const uint Multiboot1Magic = 0x1BADB002;
    private const uint Multiboot2Magic = 0xE85250D6;
    private const uint LoadAddress = 0x200000;
    private const int HeaderSize = 52 + 32;
    private const ulong ImageBase = 0xFFFF_8280_0000_0000;

    public static void Check(ReadOnlySpan<byte> file, long compressed, ElfFile image, Findings findings)
    {
        if (compressed >= MaxCompressed)
        {
            findings.Add($"the compressed image has {compressed} bytes; it must stay under {MaxCompressed}");
        }

        if (file.Length < HeaderSize || Word(file, 0) != 0x464C457F || file[4] != 1 || Word(file, 42) >> 16 != 1)
        {
            findings.Add("the image is no ELF32 file with one segment");
            return;
        }

        CheckMultiboot(file, findings);
        uint offset = Word(file, 56);
        uint size = Word(file, 68);
        if (Word(file, 60) != LoadAddress || offset > file.Length || size > file.Length - offset)
        {
            findings.Add($"the image's segment is not loaded at {LoadAddress:x}, or is cut short");
            return;
        }

        if (Word(file, 24) != image.FindSymbol("boot_entry")?.Value)
        {
            findings.Add("the image's entry point is not boot_entry");
        }

        if (LoadAddress + Word(file, 72) + ImageBase != image.FindSymbol("image_end")?.Value)
        {
            findings.Add("the image's segment does not end in memory where image_end is");
        }

        ReadOnlySpan<byte> segment = file.Slice((int)offset, (int)size);
        foreach (ElfSection section in image.Sections.Where(section => section.IsAllocated && !section.Content.IsEmpty))
        {
            ulong physical = section.Address >= ImageBase ? section.Address - ImageBase : section.Address;
            ulong start = physical - LoadAddress;
            if (physical < LoadAddress || start + section.Size > size
                || !segment.Slice((int)start, (int)section.Size).SequenceEqual(section.Content.Span))
            {
                findings.Add($"the image does not have section {section.Name} where it was linked to");
            }
        }
    }

    private static void CheckMultiboot(ReadOnlySpan<byte> file, Findings findings)
    {
        if (!HasHeader(file, Multiboot1Magic, Multiboot1Limit, 4, 3))
        {
            findings.Add($"the image has no multiboot 1 header in its first {Multiboot1Limit} bytes");
        }

        if (!HasHeader(file, Multiboot2Magic, Multiboot2Limit, 8, 4))
        {
            findings.Add($"the image has no multiboot 2 header in its first {Multiboot2Limit} bytes");
        }
    }

    /// <summary>A header's words, the checksum last, add up to zero.</summary>
    private static bool HasHeader(ReadOnlySpan<byte> file, uint magic, int limit, int alignment, int words)
    {
        for (int at = 0; at + (words * 4) <= Math.Min(limit, file.Length); at += alignment)
        {
            if (Word(file, at) != magic)
            {
                continue;
            }

            uint sum = 0;
            for (int index = 0; index < words; index++)
            {
                sum += Word(file, at + (index * 4));
            }

            if (sum == 0)
            {
                return true;
            }
        }

        return false;
    }

    private static uint Word(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadUInt32LittleEndian(file[at..]);
}
