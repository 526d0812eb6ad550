// SPDX-License-Identifier: MIT
// The panic names the methods of its call chain, so the image carries their names. The table is assembled before the link:
// an entry is the distance from the table's start to a symbol, which the linker fills in, and the place of a name. Entries
// stand in the order of the link (assembly files, compiled code, the trampoline page), hence sorted by address.

using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using ImageCheck.Elf;
using ImageCheck.Rules;

namespace ImageCheck.Names;

/// <summary>The image's table of names: assembly text for the link, and the check of what was linked.</summary>
public static class NameTable
{
    public const string Start = "symbol_table";
    public const string End = "symbol_table_end";
    public const string Names = "symbol_names";

    private const string Trampoline = ".trampoline";
    private const int EntrySize = 8;
    private const int MaxName = 63;

    /// <summary>NASM source of the table. <paramref name="assembly"/> is in the order of the link.</summary>
    public static string Write(ElfFile managed, IReadOnlyList<ElfFile> assembly)
    {
        ElfSymbol[] symbols =
        [
            .. assembly.SelectMany(file => InSection(file, ".text", isCompiled: false)),
            .. InSection(managed, InstructionRule.CodeSection, isCompiled: true),
            .. assembly.SelectMany(file => InSection(file, Trampoline, isCompiled: false)),
        ];
        StringBuilder entries = new();
        StringBuilder names = new();
        Dictionary<string, int> places = [];
        int length = 0;
        foreach (ElfSymbol symbol in symbols)
        {
            string name = SymbolNames.Short(symbol.Name);
            name = name.Length > MaxName ? name[..MaxName] : name;
            if (!places.TryGetValue(name, out int place))
            {
                place = length;
                places.Add(name, place);
                length += name.Length + 1;
                _ = names.Append("        db ").Append(name.Length).Append(", \"").Append(name).Append("\"\n");
            }

            _ = entries.Append("extern $").Append(symbol.Name).Append("\n        dd $").Append(symbol.Name)
                .Append(" - ").Append(Start).Append(", ").Append(place).Append('\n');
        }

        return $"""
            ; SPDX-License-Identifier: MIT
            ; Written by tools/ImageCheck in every build.
            section .rodata progbits alloc noexec nowrite align=8
            global {Start}, {End}, {Names}
            {Start}:
            {entries}{End}:
            {Names}:
            {names}

            """;
    }

    /// <summary>Every entry leads to the symbol whose name it gives, and they are sorted.</summary>
    public static void Check(ElfFile image, Findings findings)
    {
        ulong? start = image.FindSymbol(Start)?.Value;
        ulong? end = image.FindSymbol(End)?.Value;
        ulong? names = image.FindSymbol(Names)?.Value;
        if (start == null || end == null || names == null || end <= start || (end - start) % EntrySize != 0)
        {
            findings.Add("the image has no table of names for the panic's call chain");
            return;
        }

        Dictionary<ulong, HashSet<string>> known = [];
        foreach (ElfSymbol symbol in image.Symbols.Where(symbol => symbol.IsInSection))
        {
            if (!known.TryGetValue(symbol.Value, out HashSet<string>? here))
            {
                known.Add(symbol.Value, here = []);
            }

            _ = here.Add(SymbolNames.Short(symbol.Name));
        }

        ulong previous = 0;
        for (ulong at = start.Value; at < end; at += EntrySize)
        {
            ReadOnlySpan<byte> entry = image.At(at, EntrySize);
            ulong address = start.Value + (ulong)(long)BinaryPrimitives.ReadInt32LittleEndian(entry);
            string name = NameAt(image, names.Value + BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]));
            if (address < previous)
            {
                findings.Add($"the table of names is not sorted at {name}: the link order is not the one it was written for");
                return;
            }

            if (!known.TryGetValue(address, out HashSet<string>? here)
                || !here.Any(symbol => symbol == name || (name.Length == MaxName && symbol.StartsWith(name, StringComparison.Ordinal))))
            {
                findings.Add($"the table of names has {name} at {address:x}, where it is not");
                return;
            }

            previous = address;
        }
    }

    private static string NameAt(ElfFile image, ulong address)
    {
        ReadOnlySpan<byte> length = image.At(address, 1);
        return length.IsEmpty ? "?" : Encoding.ASCII.GetString(image.At(address + 1, length[0]));
    }

    /// <summary>Code symbols of a section by address, one for each; the compiler's own name is preferred to an export.</summary>
    private static IEnumerable<ElfSymbol> InSection(ElfFile file, string name, bool isCompiled)
    {
        int? index = file.FindSection(name)?.Index;
        return file.Symbols.Where(symbol => symbol.Section == index && symbol.IsGlobal && symbol.IsFunction == isCompiled)
            .OrderByDescending(symbol => symbol.Name.Contains("__", StringComparison.Ordinal))
            .DistinctBy(symbol => symbol.Value)
            .OrderBy(symbol => symbol.Value);
    }
}
