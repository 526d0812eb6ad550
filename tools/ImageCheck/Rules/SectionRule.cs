// SPDX-License-Identifier: MIT
// The final page tables give each page the rights of the part it lies in: from image_start to image_text_end executable, up
// to image_rodata_end readable, the rest writable. So the parts must be sections with just those rights, on page boundaries,
// in that order; and no further section may exist, since the flat image is made of these alone.
//
// .boot is writable and executable: it runs before there is paging, and the final page tables do not map it as code.

using System.Collections.Generic;
using System.Linq;
using ImageCheck.Elf;

namespace ImageCheck.Rules;

/// <summary>Rights and borders of the linked image's sections.</summary>
public static class SectionRule
{
    private const ulong PageMask = 0xFFF;

    /// <summary>Name, writable, executable, symbol at its start, symbol at its end.</summary>
    private static readonly (string Name, bool Writable, bool Executable, string? Start, string? End)[] s_parts =
    [
        (".boot", true, true, null, null),
        (".text", false, true, "image_start", "image_text_end"),
        (".rodata", false, false, "image_text_end", "image_rodata_end"),
        (".data", true, false, "image_rodata_end", "image_data_end"),
        (".bss", true, false, null, "image_end"),
    ];

    public static void Check(ElfFile image, Findings findings)
    {
        HashSet<string> known = [.. s_parts.Select(part => part.Name)];
        foreach (ElfSection section in image.Sections.Where(section => section.IsAllocated && section.Size != 0))
        {
            if (!known.Contains(section.Name))
            {
                findings.Add($"section {section.Name} has no place in the image; boot/hypervisor.ld must put it somewhere");
            }
        }

        foreach (ElfSymbol symbol in image.Symbols.Where(symbol => symbol.IsUndefined))
        {
            findings.Add($"{symbol.Name} is undefined in the linked image");
        }

        foreach ((string name, bool writable, bool executable, string? start, string? end) in s_parts)
        {
            ElfSection? section = image.FindSection(name);
            if (section == null)
            {
                findings.Add($"section {name} is missing");
                continue;
            }

            if (section.IsWritable != writable || section.IsExecutable != executable)
            {
                findings.Add($"section {name} is {Rights(section.IsWritable, section.IsExecutable)}, "
                    + $"but must be {Rights(writable, executable)}");
            }

            CheckBorder(image, name, start, section.Address, findings);
            CheckBorder(image, name, end, section.End, findings);
        }
    }

    private static void CheckBorder(ElfFile image, string section, string? symbol, ulong address, Findings findings)
    {
        if (symbol == null)
        {
            return;
        }

        ulong? value = image.FindSymbol(symbol)?.Value;
        if (value != address)
        {
            findings.Add($"{symbol} is not the border of section {section} ({value:x} instead of {address:x})");
        }
        else if ((address & PageMask) != 0)
        {
            findings.Add($"{symbol} is not on a page boundary ({address:x})");
        }
    }

    private static string Rights(bool writable, bool executable) =>
        (writable, executable) switch
        {
            (true, true) => "writable and executable",
            (true, false) => "writable",
            (false, true) => "executable",
            _ => "readable only",
        };
}
