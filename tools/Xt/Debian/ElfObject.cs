// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Xt.Debian;

/// <summary>
/// The little of a 64-bit ELF file that is needed to gather a system without a dynamic linker at hand: which libraries
/// a program needs (DT_NEEDED), and what a kernel module says about itself (section .modinfo).
/// </summary>
public sealed class ElfObject
{
    private const int SectionHeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const uint ProgramDynamic = 2;
    private const uint ProgramLoad = 1;
    private const long TagNeeded = 1;
    private const long TagStrings = 5;

    private readonly byte[] _bytes;

    private ElfObject(byte[] bytes) => _bytes = bytes;

    public static ElfObject? TryRead(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        bool isElf64 = bytes.Length > 64 && bytes.AsSpan(0, 5).SequenceEqual("\x7f"u8 + "ELF\x02"u8);
        return isElf64 ? new ElfObject(bytes) : null;
    }

    /// <summary>File names of the shared libraries that this object asks for.</summary>
    public List<string> NeededLibraries()
    {
        List<string> needed = [];
        List<ulong> nameOffsets = [];
        ulong strings = 0;
        foreach ((uint type, ulong offset, ulong size) in Segments(ProgramDynamic))
        {
            _ = type;
            for (ulong at = offset; at + 16 <= offset + size; at += 16)
            {
                long tag = (long)U64(at);
                if (tag == 0)
                {
                    break;
                }

                if (tag == TagNeeded)
                {
                    nameOffsets.Add(U64(at + 8));
                }
                else if (tag == TagStrings)
                {
                    strings = FileOffset(U64(at + 8));
                }
            }
        }

        foreach (ulong name in nameOffsets)
        {
            needed.Add(Text(strings + name));
        }

        return needed;
    }

    /// <summary>The key=value pairs of a kernel module; a key may occur many times.</summary>
    public IEnumerable<(string Key, string Value)> ModuleInformation()
    {
        ulong sections = U64(0x28);
        int count = U16(0x3c);
        ulong names = U64(sections + ((ulong)U16(0x3e) * SectionHeaderSize) + 0x18);
        for (int i = 0; i < count; i++)
        {
            ulong header = sections + ((ulong)i * SectionHeaderSize);
            if (Text(names + U32(header)) != ".modinfo")
            {
                continue;
            }

            ulong at = U64(header + 0x18);
            ulong end = at + U64(header + 0x20);
            while (at < end)
            {
                string pair = Text(at);
                at += (ulong)Encoding.UTF8.GetByteCount(pair) + 1;
                int equals = pair.IndexOf('=');
                if (equals > 0)
                {
                    yield return (pair[..equals], pair[(equals + 1)..]);
                }
            }
        }
    }

    private IEnumerable<(uint Type, ulong Offset, ulong Size)> Segments(uint wanted)
    {
        ulong table = U64(0x20);
        for (int i = 0; i < U16(0x38); i++)
        {
            ulong header = table + ((ulong)i * ProgramHeaderSize);
            if (U32(header) == wanted)
            {
                yield return (U32(header), U64(header + 8), U64(header + 0x20));
            }
        }
    }

    private ulong FileOffset(ulong address)
    {
        ulong table = U64(0x20);
        for (int i = 0; i < U16(0x38); i++)
        {
            ulong header = table + ((ulong)i * ProgramHeaderSize);
            ulong start = U64(header + 0x10);
            if (U32(header) == ProgramLoad && address >= start && address - start < U64(header + 0x20))
            {
                return address - start + U64(header + 8);
            }
        }

        return address;
    }

    private string Text(ulong offset)
    {
        ReadOnlySpan<byte> rest = _bytes.AsSpan((int)offset);
        int length = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(length < 0 ? rest : rest[..length]);
    }

    private ulong U64(ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.AsSpan((int)offset));

    private uint U32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan((int)offset));

    private ushort U16(ulong offset) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan((int)offset));
}
