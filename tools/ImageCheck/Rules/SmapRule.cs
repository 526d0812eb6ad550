// SPDX-License-Identifier: MIT
// Where user pages are open to ring 0 (boot/guest_memory.asm). On a processor with SMAP the first bytes of each plain
// routine become a jump to its twin, which must open at once and close before each return: a way out that forgets it
// would leave the rest of the hypervisor without protection. Nothing else may open.

using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;
using ImageCheck.Elf;

namespace ImageCheck.Rules;

/// <summary>The twins of the guest memory routines, and the table that leads to them.</summary>
public static class SmapRule
{
    private const int PairSize = 16;
    private const int JumpLength = 5;

    public static void Check(ElfFile image, Findings findings)
    {
        ulong? start = image.FindSymbol("smap_routines_start")?.Value;
        ulong? end = image.FindSymbol("smap_routines_end")?.Value;
        ulong? first = image.FindSymbol("smap_twins_start")?.Value;
        ulong? last = image.FindSymbol("smap_twins_end")?.Value;
        ElfSection? text = image.FindSection(".text");
        if (start == null || end == null || first == null || last == null || text == null
            || end <= start || (end - start) % PairSize != 0 || first < text.Address || last > text.End || last <= first)
        {
            findings.Add("the table of smap_routines, or the code from smap_twins_start to smap_twins_end, has no sound borders");
            return;
        }

        HashSet<ulong> twins = [];
        List<ulong> plain = [];
        for (ulong at = start.Value; at < end.Value; at += PairSize)
        {
            ReadOnlySpan<byte> pair = image.At(at, PairSize);
            plain.Add(BinaryPrimitives.ReadUInt64LittleEndian(pair));
            _ = twins.Add(BinaryPrimitives.ReadUInt64LittleEndian(pair[8..]));
        }

        CheckPlain(image, text, plain, first.Value, last.Value, findings);
        CheckTwins(Decode(image, first.Value, last.Value), twins, findings);
        CheckRest(image, text, first.Value, last.Value, findings);
    }

    /// <summary>The jump must not reach into the routine behind.</summary>
    private static void CheckPlain(
        ElfFile image, ElfSection text, List<ulong> plain, ulong first, ulong last, Findings findings)
    {
        foreach (ulong address in plain)
        {
            bool isInside = address >= text.Address && address + JumpLength <= text.End
                && (address < first || address >= last)
                && !image.Symbols.Any(symbol => symbol.IsFunction
                    && address >= symbol.Value && address < symbol.Value + symbol.Size);
            if (!isInside || plain.Any(other => other > address && other < address + JumpLength))
            {
                findings.Add($"smap_routines has {address:x}, which is no routine of five bytes or more in the assembly files");
            }
        }
    }

    private static void CheckTwins(List<Instruction> code, HashSet<ulong> twins, Findings findings)
    {
        foreach (ulong twin in twins.Except(code.Select(instruction => instruction.IP)))
        {
            findings.Add($"smap_routines leads to {twin:x}, which is no instruction between smap_twins_start and smap_twins_end");
        }

        for (int index = 0; index < code.Count; index++)
        {
            Instruction instruction = code[index];
            bool isTwin = twins.Contains(instruction.IP);
            if (isTwin != (instruction.Mnemonic == Mnemonic.Stac))
            {
                findings.Add(isTwin
                    ? $"the twin at {instruction.IP:x} does not begin by STAC"
                    : $"STAC at {instruction.IP:x} does not begin a twin");
            }

            if (instruction.FlowControl == FlowControl.Return && (index == 0 || code[index - 1].Mnemonic != Mnemonic.Clac))
            {
                findings.Add($"the return at {instruction.IP:x} leaves user pages open: no CLAC before it");
            }

            if (instruction.FlowControl is FlowControl.UnconditionalBranch or FlowControl.ConditionalBranch
                && !code.Any(other => other.IP == instruction.NearBranchTarget))
            {
                findings.Add($"the jump at {instruction.IP:x} leaves the twins with user pages open");
            }
        }
    }

    /// <summary>No other assembly code opens. Compiled code has the base instruction set only (InstructionRule).</summary>
    private static void CheckRest(ElfFile image, ElfSection text, ulong first, ulong last, Findings findings)
    {
        ulong managed = image.Symbols.Where(symbol => symbol.IsFunction).Select(symbol => symbol.Value)
            .Where(value => value >= text.Address && value < text.End).DefaultIfEmpty(text.End).Min();
        foreach (Instruction instruction in Decode(image, text.Address, managed))
        {
            if (instruction.Mnemonic == Mnemonic.Stac && (instruction.IP < first || instruction.IP >= last))
            {
                findings.Add($"STAC at {instruction.IP:x}, outside of the twins");
            }
        }
    }

    private static List<Instruction> Decode(ElfFile image, ulong start, ulong end)
    {
        List<Instruction> code = [];
        Decoder decoder = Decoder.Create(64, image.At(start, (int)(end - start)).ToArray(), start);
        while (decoder.IP < end)
        {
            code.Add(decoder.Decode());
        }

        return code;
    }
}
