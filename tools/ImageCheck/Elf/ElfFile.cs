// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace ImageCheck.Elf;

/// <summary>A 64-bit little-endian ELF file, as far as the checks need it: sections, symbols, relocations.</summary>
public sealed class ElfFile
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;
    private const int RelocationSize = 24;
    private const ushort MachineX64 = 62;

    private readonly Dictionary<string, ElfSymbol> _byName = [];

    /// <exception cref="InvalidDataException">The bytes are no such file.</exception>
    public ElfFile(byte[] content, string name)
    {
        Name = name;
        try
        {
            if (content.Length < HeaderSize || Word32(content, 0) != 0x464C457F || content[4] != 2 || content[5] != 1
                || Word16(content, 18) != MachineX64)
            {
                throw new InvalidDataException($"{name} is no 64-bit x86-64 ELF file.");
            }

            Sections = ReadSections(content);
            Symbols = ReadSymbols();
            Relocations = ReadRelocations();
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new InvalidDataException($"{name} is damaged: a header points outside the file.");
        }

        foreach (ElfSymbol symbol in Symbols.Where(symbol => symbol.Section != 0))
        {
            _byName[symbol.Name] = symbol;
        }
    }

    public string Name { get; }

    public IReadOnlyList<ElfSection> Sections { get; }

    public IReadOnlyList<ElfSymbol> Symbols { get; }

    public IReadOnlyList<ElfRelocation> Relocations { get; }

    public static ElfFile Read(string path) => new(File.ReadAllBytes(path), Path.GetFileName(path));

    public ElfSection? FindSection(string name) => Sections.FirstOrDefault(section => section.Name == name);

    /// <summary>The defined symbol of that name, or null.</summary>
    public ElfSymbol? FindSymbol(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The symbol that a place belongs to: the last one that begins at or before it, rather
    /// than the start of a group of them; null when there is none.</summary>
    public ElfSymbol? SymbolAt(int section, ulong offset) =>
        Symbols.Where(symbol => symbol.Section == section && symbol.Value <= offset
                && symbol.Kind is not (ElfSymbol.SectionName or ElfSymbol.FileName))
            .OrderBy(symbol => symbol.Name.EndsWith("_Start", StringComparison.Ordinal))
            .MaxBy(symbol => symbol.Value);

    /// <summary>Bytes of a linked file at an address; empty when no section with content has all of them.</summary>
    public ReadOnlySpan<byte> At(ulong address, int length)
    {
        foreach (ElfSection section in Sections.Where(section => section.IsAllocated))
        {
            if (address >= section.Address && address - section.Address + (ulong)length <= (ulong)section.Content.Length)
            {
                return section.Content.Span.Slice((int)(address - section.Address), length);
            }
        }

        return default;
    }

    private static List<ElfSection> ReadSections(byte[] content)
    {
        ulong table = Word64(content, 40);
        int count = Word16(content, 60);
        int namesIndex = Word16(content, 62);
        ReadOnlySpan<byte> Header(int index) =>
            content.AsSpan(checked((int)table) + (index * SectionHeaderSize), SectionHeaderSize);
        ReadOnlySpan<byte> names = Bytes(content, Header(namesIndex)).Span;
        List<ElfSection> sections = [];
        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> header = Header(index);
            uint type = Word32(header, 4);
            sections.Add(new ElfSection(
                index,
                Text(names, Word32(header, 0)),
                type,
                Word64(header, 8),
                Word64(header, 16),
                Word64(header, 32),
                Word64(header, 48),
                type is ElfSection.NoBits or 0 ? default : Bytes(content, header)));
        }

        return sections;
    }

    private List<ElfSymbol> ReadSymbols()
    {
        List<ElfSymbol> symbols = [];
        ElfSection? table = Sections.FirstOrDefault(section => section.Type == ElfSection.SymbolTable);
        if (table == null)
        {
            return symbols;
        }

        ReadOnlySpan<byte> names = Sections[Link(table)].Content.Span;
        for (int at = 0; at < table.Content.Length; at += SymbolSize)
        {
            ReadOnlySpan<byte> entry = table.Content.Span.Slice(at, SymbolSize);
            symbols.Add(new ElfSymbol(
                Text(names, Word32(entry, 0)),
                (byte)(entry[4] & 15),
                (byte)(entry[4] >> 4),
                Word16(entry, 6),
                Word64(entry, 8),
                Word64(entry, 16)));
        }

        return symbols;
    }

    // One symbol table is all that compilers and linkers write; its names are in the string table behind it.
    private int Link(ElfSection table)
    {
        ElfSection? names = Sections.FirstOrDefault(section => section.Name == ".strtab");
        return names?.Index ?? throw new InvalidDataException($"{Name}: section {table.Name} has no names.");
    }

    private List<ElfRelocation> ReadRelocations()
    {
        List<ElfRelocation> relocations = [];
        foreach (ElfSection table in Sections.Where(section => section.Type == ElfSection.RelocationsWithAddend))
        {
            ElfSection? target = FindSection(table.Name[".rela".Length..]);
            if (target == null || !target.IsAllocated)
            {
                continue;
            }

            for (int at = 0; at < table.Content.Length; at += RelocationSize)
            {
                ReadOnlySpan<byte> entry = table.Content.Span.Slice(at, RelocationSize);
                ElfSymbol symbol = Symbols[checked((int)Word32(entry, 12))];
                relocations.Add(new ElfRelocation(target.Index, Word64(entry, 0), symbol));
            }
        }

        return relocations;
    }

    private static ReadOnlyMemory<byte> Bytes(byte[] content, ReadOnlySpan<byte> header)
    {
        ulong offset = Word64(header, 24);
        ulong size = Word64(header, 32);
        return offset > (ulong)content.Length || size > (ulong)content.Length - offset
            ? throw new ArgumentOutOfRangeException(nameof(header))
            : content.AsMemory((int)offset, (int)size);
    }

    private static string Text(ReadOnlySpan<byte> names, uint offset)
    {
        ReadOnlySpan<byte> rest = names[checked((int)offset)..];
        int end = rest.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]);
    }

    private static ushort Word16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint Word32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong Word64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}
