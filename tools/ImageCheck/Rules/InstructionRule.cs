// SPDX-License-Identifier: MIT
// Reads every instruction that the compiler wrote. The rules, and what would go wrong without them:
//
//  - Vector registers hold the guest's values while C# runs, but for the few that the entry stubs save. Any other would carry
//    the hypervisor's data into the guest, and destroy the guest's.
//  - VEX and EVEX encodings zero the upper halves of registers, which nobody saves.
//  - The guest's MXCSR and x87 control word are in force: a rounding or an invalid operation could fault in ring 0.
//  - Nothing beyond the base instruction set: the image runs on the first CPU that had long mode.
//  - Instructions that change the processor's state are in boot/*.asm, where they can be read together.
//  - A call through a pointer is a delegate, a virtual method or a function pointer; none of them has a place in ring 0, and
//    each would be a target for speculation that the guest trains. The one computed jump is that of a switch: an address that
//    was added up just before it.

using System;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;
using ImageCheck.Elf;
using ImageCheck.Names;

namespace ImageCheck.Rules;

/// <summary>What was found in the compiled code.</summary>
public sealed record CodeSummary(int Methods, IReadOnlySet<Register> VectorRegisters);

/// <summary>Instructions of the managed object.</summary>
public static class InstructionRule
{
    public const string CodeSection = "__managedcode";

    private static readonly HashSet<CpuidFeature> s_baseSet =
    [
        CpuidFeature.INTEL8086, CpuidFeature.INTEL186, CpuidFeature.INTEL286, CpuidFeature.INTEL386,
        CpuidFeature.INTEL486, CpuidFeature.X64, CpuidFeature.CMOV, CpuidFeature.CX8, CpuidFeature.MULTIBYTENOP,
        CpuidFeature.PAUSE, CpuidFeature.SSE, CpuidFeature.SSE2,
    ];

    /// <summary>Moves, the zeroing idioms, and what touches no vector register.</summary>
    private static readonly HashSet<Mnemonic> s_vectorMoves =
    [
        Mnemonic.Movaps, Mnemonic.Movups, Mnemonic.Movapd, Mnemonic.Movupd, Mnemonic.Movdqa, Mnemonic.Movdqu,
        Mnemonic.Movd, Mnemonic.Movq, Mnemonic.Movss, Mnemonic.Movsd, Mnemonic.Xorps, Mnemonic.Xorpd, Mnemonic.Pxor,
        Mnemonic.Lfence, Mnemonic.Mfence, Mnemonic.Sfence, Mnemonic.Movnti, Mnemonic.Pause,
        Mnemonic.Prefetcht0, Mnemonic.Prefetcht1, Mnemonic.Prefetcht2, Mnemonic.Prefetchnta,
    ];

    private static readonly HashSet<Mnemonic> s_assemblyOnly =
    [
        Mnemonic.Syscall, Mnemonic.Sysret, Mnemonic.Sysretq, Mnemonic.Sysenter, Mnemonic.Sysexit, Mnemonic.Sysexitq,
        Mnemonic.Iret, Mnemonic.Iretd, Mnemonic.Iretq, Mnemonic.Swapgs, Mnemonic.Wrmsr, Mnemonic.Rdmsr,
        Mnemonic.Int, Mnemonic.Int1, Mnemonic.Popf, Mnemonic.Popfq, Mnemonic.Std, Mnemonic.Cld, Mnemonic.Retf,
        Mnemonic.Sgdt, Mnemonic.Sidt, Mnemonic.Sldt, Mnemonic.Str, Mnemonic.Smsw, Mnemonic.Rdtsc, Mnemonic.Cpuid,
    ];

    public static CodeSummary Check(ElfFile managed, VectorSet saved, Findings findings)
    {
        HashSet<Register> used = [];
        ElfSection? section = managed.FindSection(CodeSection);
        if (section == null)
        {
            findings.Add($"{managed.Name} has no section {CodeSection}; is it the output of ILCompiler?");
            return new CodeSummary(0, used);
        }

        if (saved.Count > VectorSet.MaxSaved)
        {
            findings.Add($"boot/vectors.inc lists {saved.Count} registers; CpuInfo.VectorSave has room for {VectorSet.MaxSaved}");
        }

        // Exports are second names of methods.
        ElfSymbol[] methods =
        [
            .. managed.Symbols.Where(symbol => symbol.IsFunction && symbol.Section == section.Index)
                .OrderByDescending(symbol => symbol.Name.Contains("__", StringComparison.Ordinal))
                .DistinctBy(symbol => symbol.Value)
                .OrderBy(symbol => symbol.Value),
        ];
        Reader reader = new(section, saved, used, findings);
        ulong end = 0;
        foreach (ElfSymbol method in methods)
        {
            CheckPadding(section, end, method.Value, findings);
            reader.Read(method);
            end = Math.Max(end, method.Value + method.Size);
        }

        CheckPadding(section, end, section.Size, findings);
        return new CodeSummary(methods.Length, used);
    }

    /// <summary>Code that belongs to no method would escape the check.</summary>
    private static void CheckPadding(ElfSection section, ulong start, ulong end, Findings findings)
    {
        const byte NoOperation = 0x90;
        const byte Breakpoint = 0xCC;
        for (ulong at = start; at < end; at++)
        {
            if (section.Content.Span[(int)at] is not (0 or NoOperation or Breakpoint))
            {
                findings.Add($"{CodeSection}+{at:x} is code that belongs to no method");
                return;
            }
        }
    }

    private sealed class Reader(ElfSection section, VectorSet saved, HashSet<Register> used, Findings findings)
    {
        private readonly Dictionary<Code, string?> _verdicts = [];

        public void Read(ElfSymbol method)
        {
            if (method.Value + method.Size > section.Size)
            {
                findings.Add($"{method.Name} ends outside of {CodeSection}");
                return;
            }

            byte[] code = section.Content.Slice((int)method.Value, (int)method.Size).ToArray();
            Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(code), method.Value);
            Instruction previous = default;
            while (decoder.IP < method.Value + method.Size)
            {
                decoder.Decode(out Instruction instruction);
                string? offence = instruction.IsInvalid ? "has bytes that are no instruction" : Judge(instruction, previous);
                if (offence != null)
                {
                    findings.Add($"{SymbolNames.Short(method.Name)}+{instruction.IP - method.Value:x} {offence}"
                        + $" ({instruction.ToString()})");
                }

                previous = instruction;
            }
        }

        private string? Judge(in Instruction instruction, in Instruction previous)
        {
            if (!_verdicts.TryGetValue(instruction.Code, out string? verdict))
            {
                verdict = JudgeCode(instruction);
                _verdicts.Add(instruction.Code, verdict);
            }

            return verdict ?? JudgeOperands(instruction) ?? JudgeJump(instruction, previous);
        }

        private static string? JudgeCode(in Instruction instruction)
        {
            if (instruction.Encoding != EncodingKind.Legacy)
            {
                return $"is in {instruction.Encoding} encoding, which changes the upper halves of vector registers";
            }

            foreach (CpuidFeature feature in instruction.CpuidFeatures)
            {
                if (feature is CpuidFeature.FPU or CpuidFeature.FPU287 or CpuidFeature.FPU387)
                {
                    return "uses the x87 unit";
                }

                if (feature == CpuidFeature.MMX)
                {
                    return "uses MMX";
                }
            }

            if (instruction.IsPrivileged || s_assemblyOnly.Contains(instruction.Mnemonic))
            {
                return "is an instruction for boot/*.asm alone";
            }

            foreach (CpuidFeature feature in instruction.CpuidFeatures)
            {
                if (feature is CpuidFeature.SSE or CpuidFeature.SSE2 && !s_vectorMoves.Contains(instruction.Mnemonic))
                {
                    return "computes in vector registers";
                }

                if (!s_baseSet.Contains(feature))
                {
                    return $"is beyond the base instruction set ({feature})";
                }
            }

            return instruction.FlowControl == FlowControl.IndirectCall
                ? "calls through a pointer (a delegate, a virtual method or a function pointer)"
                : null;
        }

        private string? JudgeOperands(in Instruction instruction)
        {
            if (instruction.SegmentPrefix is Register.FS or Register.GS)
            {
                return "uses storage of a thread";
            }

            string? offence = null;
            for (int index = 0; index < instruction.OpCount; index++)
            {
                if (instruction.GetOpKind(index) != OpKind.Register)
                {
                    continue;
                }

                Register register = instruction.GetOpRegister(index);
                if (register.IsSegmentRegister())
                {
                    return "is an instruction for boot/*.asm alone";
                }

                if (register.IsMM())
                {
                    return "uses MMX";
                }

                if (register.IsXMM())
                {
                    _ = used.Add(register);
                    if (!saved.Contains(register))
                    {
                        offence = $"uses {register.ToString().ToLowerInvariant()}; the entry stubs save {saved} alone";
                    }
                }
            }

            return offence;
        }

        private static string? JudgeJump(in Instruction instruction, in Instruction previous)
        {
            if (instruction.FlowControl != FlowControl.IndirectBranch)
            {
                return null;
            }

            bool isSwitch = instruction.Op0Kind == OpKind.Register && previous.Mnemonic == Mnemonic.Add
                && previous.Op0Kind == OpKind.Register && previous.Op0Register == instruction.Op0Register;
            return isSwitch ? null : "jumps through a pointer (a delegate, a virtual method or a function pointer)";
        }
    }
}
