// SPDX-License-Identifier: MIT
// Two tables of addresses change what code does: .fixups says where execution goes on after a fault, .smap_patches which
// no-ops become CLAC. An entry that points elsewhere would turn a fault into a jump anywhere, or a patch into a
// broken instruction.

using System;
using System.Buffers.Binary;
using System.Linq;
using ImageCheck.Elf;

namespace ImageCheck.Rules;

/// <summary>The tables that boot/*.asm keeps of its own instructions.</summary>
public static class FixupRule
{
    private const int WordSize = 8;

    /// <summary>What CLAC_IF_SMAP leaves for the patch: a no-op of three bytes.</summary>
    private static ReadOnlySpan<byte> Patchable => [0x0F, 0x1F, 0x00];

    public static void Check(ElfFile image, Findings findings)
    {
        int fixups = CheckTable(image, "fixups", findings);
        if ((fixups & 1) != 0)
        {
            findings.Add("the table of fixups has half an entry");
        }

        _ = CheckTable(image, "smap_patches", findings);
    }

    /// <summary>Number of addresses in the table.</summary>
    private static int CheckTable(ElfFile image, string name, Findings findings)
    {
        ulong? start = image.FindSymbol(name + "_start")?.Value;
        ulong? end = image.FindSymbol(name + "_end")?.Value;
        ElfSection? text = image.FindSection(".text");
        if (start == null || end == null || end < start || (end - start) % WordSize != 0 || text == null)
        {
            findings.Add($"the table of {name} has no sound borders ({name}_start, {name}_end)");
            return 0;
        }

        int count = (int)((end.Value - start.Value) / WordSize);
        for (int index = 0; index < count; index++)
        {
            ReadOnlySpan<byte> entry = image.At(start.Value + (ulong)(index * WordSize), WordSize);
            ulong address = entry.IsEmpty ? 0 : BinaryPrimitives.ReadUInt64LittleEndian(entry);
            if (address < text.Address || address >= text.End)
            {
                findings.Add($"{name}[{index}] points to {address:x}, outside of .text");
            }
            else if (image.Symbols.Any(symbol => symbol.IsFunction
                && address >= symbol.Value && address < symbol.Value + symbol.Size))
            {
                findings.Add($"{name}[{index}] points to {address:x}, into compiled code");
            }
            else if (name == "smap_patches" && !image.At(address, Patchable.Length).SequenceEqual(Patchable))
            {
                findings.Add($"{name}[{index}] points to {address:x}, where no three-byte no-op is");
            }
        }

        return count;
    }
}
