// SPDX-License-Identifier: MIT
//
// The processor that runs the tests is the reference: each instruction is executed natively on a copy of the entry
// and the registers, and emulated on another; entry, registers and defined flags must come out alike.
using System;
using Hypervisor.Core.Emulation;
using Iced.Intel;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Emulation;

public unsafe class PageTableWriteTests
{
    private const ulong Carry = 1;
    private const ulong Zero = 0x40;
    private const ulong WithoutAdjust = 0x8C5;
    private const ulong AllArithmetic = 0x8D5;
    private const ulong ResumeFlag = 0x10000;

    public static TheoryData<string, ulong> Forms
    {
        get
        {
            TheoryData<string, ulong> forms = [];
            string[] names =
            [
                "Mov_rm8_r8", "Mov_rm16_r16", "Mov_rm32_r32", "Mov_rm64_r64", "Mov_rm8_imm8", "Mov_rm16_imm16",
                "Mov_rm32_imm32", "Mov_rm64_imm32", "Xchg_rm8_r8", "Xchg_rm16_r16", "Xchg_rm32_r32", "Xchg_rm64_r64",
                "Movnti_m32_r32", "Movnti_m64_r64",
            ];
            foreach (string name in names)
            {
                forms.Add(name, AllArithmetic);
            }

            foreach (string size in (string[])["8", "16", "32", "64"])
            {
                forms.Add($"Cmpxchg_rm{size}_r{size}", AllArithmetic);
                forms.Add($"Xadd_rm{size}_r{size}", AllArithmetic);
                foreach (string name in (string[])["Add", "Sub", "And", "Or", "Xor"])
                {
                    ulong flags = name is "Add" or "Sub" ? AllArithmetic : WithoutAdjust;
                    forms.Add($"{name}_rm{size}_r{size}", flags);
                    forms.Add(size == "64" ? $"{name}_rm64_imm32" : $"{name}_rm{size}_imm{size}", flags);
                    if (size != "8")
                    {
                        forms.Add($"{name}_rm{size}_imm8", flags);
                    }
                }

                if (size != "8")
                {
                    foreach (string name in (string[])["Bts", "Btr", "Btc"])
                    {
                        forms.Add($"{name}_rm{size}_r{size}", Carry | Zero);
                        forms.Add($"{name}_rm{size}_imm8", Carry | Zero);
                    }
                }
            }

            forms.Add("Cmpxchg8b_m64", AllArithmetic);
            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Entry_registers_and_flags_come_out_as_on_the_processor(string form, ulong definedFlags)
    {
        using NativeProcessor processor = new();
        Random random = new(form.Length * 31 + (int)definedFlags);
        for (int round = 0; round < 120; round++)
        {
            CompareOnce(processor, random, Enum.Parse<Code>(form), definedFlags);
        }
    }

    [Theory]
    [InlineData("AA")]
    [InlineData("66AB")]
    [InlineData("AB")]
    [InlineData("48AB")]
    [InlineData("A4")]
    [InlineData("66A5")]
    [InlineData("A5")]
    [InlineData("48A5")]
    [InlineData("F3AA")]
    [InlineData("F348AB")]
    [InlineData("F348A5")]
    [InlineData("F2A4")]
    public void String_stores_come_out_as_on_the_processor(string bytes)
    {
        using NativeProcessor processor = new();
        byte[] code = Convert.FromHexString(bytes);
        ulong* source = stackalloc ulong[9];
        ulong* native = stackalloc ulong[9];
        ulong* emulated = stackalloc ulong[9];
        Random random = new(bytes.Length);
        for (int round = 0; round < 200; round++)
        {
            for (int index = 0; index < 9; index++)
            {
                source[index] = (ulong)random.NextInt64();
                native[index] = emulated[index] = (ulong)random.NextInt64();
            }

            bool down = random.Next(2) == 0;
            CpuUserRegs registers = RandomRegisters(random);
            registers.Rflags = down ? 0x402ul : 2ul;
            registers.Rcx = (ulong)random.Next(1, 4);
            registers.Rsi = (ulong)(source + 4);
            registers.Rdi = (ulong)(native + 4);
            CpuUserRegs expected = registers;
            processor.Execute(code, &expected);

            CpuUserRegs actual = registers;
            actual.Rip = 0x1000;
            Assert.Equal(DecodeStatus.Ok, Decode(code, out DecodedInstruction instruction));
            int steps = 0;
            while (actual.Rip == 0x1000)
            {
                ulong address = InstructionDecoder.EffectiveAddress(instruction, &actual, 0, 0);
                ulong from = InstructionDecoder.StringSourceAddress(instruction, &actual, 0, 0);
                ulong read = *(ulong*)from;
                ulong* entry = emulated + (long)(address - (ulong)native) / 8;
                int offset = (int)(address & 7);
                ulong old = *entry;
                Assert.True(PageTableWrite.Evaluate(instruction, &actual, offset, old, read, out ulong changed));
                *entry = changed;
                PageTableWrite.Complete(instruction, &actual, offset, old);
                steps++;
            }

            Assert.Equal(instruction.Has(InstructionFlags.Rep) ? (int)registers.Rcx : 1, steps);
            Assert.Equal(0x1000ul + instruction.Length, actual.Rip);
            AssertSameRegisters(expected, actual);
            for (int index = 0; index < 9; index++)
            {
                Assert.Equal(native[index], emulated[index]);
            }
        }
    }

    [Fact]
    public void With_32_bit_addresses_a_string_store_counts_in_the_low_halves()
    {
        Assert.Equal(DecodeStatus.Ok, Decode([0x67, 0xF3, 0x48, 0xAB], out DecodedInstruction instruction));
        CpuUserRegs registers = default;
        registers.Rcx = 0xFFFF_FFFF_0000_0002;
        registers.Rdi = 0xFFFF_FFFF_FFFF_FFF8;
        PageTableWrite.Complete(instruction, &registers, 0, 0);
        Assert.Equal(1ul, registers.Rcx);
        Assert.Equal(0ul, registers.Rdi);
        Assert.Equal(0ul, registers.Rip);
    }

    [Fact]
    public void A_store_that_reaches_into_the_next_entry_is_refused()
    {
        Assert.Equal(DecodeStatus.Ok, Decode([0x89, 0x07], out DecodedInstruction instruction)); // mov [rdi], eax
        CpuUserRegs registers = default;
        Assert.True(PageTableWrite.Evaluate(instruction, &registers, 4, 0, 0, out _));
        Assert.False(PageTableWrite.Evaluate(instruction, &registers, 5, 0, 0, out _));
        Assert.False(PageTableWrite.Evaluate(instruction, &registers, -1, 0, 0, out _));
    }

    [Theory]
    [InlineData("480FC70F")] // cmpxchg16b [rdi]
    [InlineData("0F22C0")] // mov cr0, rax
    [InlineData("6C")] // insb
    public void What_is_no_store_to_an_entry_is_refused(string bytes)
    {
        Assert.Equal(DecodeStatus.Ok, Decode(Convert.FromHexString(bytes), out DecodedInstruction instruction));
        CpuUserRegs registers = default;
        registers.Rcx = 1;
        Assert.False(PageTableWrite.Evaluate(instruction, &registers, 0, 5, 0, out ulong entry));
        Assert.Equal(5ul, entry);
    }

    [Fact]
    public void A_repetition_of_no_times_is_refused()
    {
        Assert.Equal(DecodeStatus.Ok, Decode([0xF3, 0xAA], out DecodedInstruction instruction));
        CpuUserRegs registers = default;
        Assert.False(PageTableWrite.Evaluate(instruction, &registers, 0, 0, 0, out _));
    }

    [Fact]
    public void Completion_clears_the_resume_flag_and_moves_on()
    {
        Assert.Equal(DecodeStatus.Ok, Decode([0x48, 0x89, 0x07], out DecodedInstruction instruction));
        CpuUserRegs registers = default;
        registers.Rip = 0x1000;
        registers.Rflags = ResumeFlag | 2;
        PageTableWrite.Complete(instruction, &registers, 0, 0);
        Assert.Equal(0x1003ul, registers.Rip);
        Assert.Equal(2ul, registers.Rflags);
    }

    private static void CompareOnce(NativeProcessor processor, Random random, Code form, ulong definedFlags)
    {
        ulong* cell = stackalloc ulong[3];
        ulong entry = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        Register target = PickBase(random);
        byte[] code = Encode(form, target, random);
        Assert.True(DecodeStatus.Ok == Decode(code, out DecodedInstruction instruction), Convert.ToHexString(code));

        int offset = random.Next(9 - instruction.OperandSize);
        CpuUserRegs registers = RandomRegisters(random);
        bool bitString = instruction.Kind is InstructionKind.Bts or InstructionKind.Btr or InstructionKind.Btc
            && !instruction.Has(InstructionFlags.Immediate);
        ulong mask = ulong.MaxValue >> (64 - 8 * instruction.OperandSize);
        if (random.Next(2) == 0)
        {
            // Let the comparisons succeed now and then, and the differences be small.
            ulong value = (entry >> (8 * offset)) & mask;
            registers.Rax = (registers.Rax & ~mask) | value;
            if (form == Code.Cmpxchg8b_m64)
            {
                registers.Rax = (registers.Rax << 32) | (uint)value;
                registers.Rdx = (registers.Rdx << 32) | (value >> 32);
            }
        }

        *GuestRegisters.Pointer(&registers, target.GetNumber()) = (ulong)(cell + 1) + (uint)offset;
        if (bitString)
        {
            // Within the operand, so that the address stays; above the operand's width anything may stand.
            ulong* bit = GuestRegisters.Pointer(&registers, instruction.Register);
            *bit = (*bit & ~mask) | (uint)random.Next(8 * instruction.OperandSize);
        }

        cell[1] = entry;
        CpuUserRegs expected = registers;
        processor.Execute(code, &expected);

        CpuUserRegs actual = registers;
        actual.Rip = 0x1000;
        Assert.Equal((ulong)(cell + 1) + (uint)offset, InstructionDecoder.EffectiveAddress(instruction, &actual, 0, 0));
        CpuUserRegs before = actual;
        Assert.True(PageTableWrite.Evaluate(instruction, &actual, offset, entry, 0, out ulong changed));
        AssertSameRegisters(before, actual);
        PageTableWrite.Complete(instruction, &actual, offset, entry);

        string text = $"{form} {Convert.ToHexString(code)}";
        Assert.True(cell[1] == changed, $"{text}: entry {changed:X}, not {cell[1]:X}");
        Assert.True(0x1000ul + (uint)code.Length == actual.Rip, text);
        Assert.True((expected.Rflags & definedFlags) == (actual.Rflags & definedFlags),
            $"{text}: flags {actual.Rflags:X}, not {expected.Rflags:X}");
        AssertSameRegisters(expected, actual);
    }

    private static Register PickBase(Random random)
    {
        Register[] candidates = [Register.RSI, Register.RDI, Register.R8, Register.R12, Register.R13];
        return candidates[random.Next(candidates.Length)];
    }

    private static byte[] Encode(Code form, Register target, Random random)
    {
        OpCodeInfo info = form.ToOpCode();
        Instruction instruction = new() { Code = form, Op0Kind = OpKind.Memory, MemoryBase = target };
        if (info.OpCount > 1)
        {
            OpCodeOperandKind kind = info.Op1Kind;
            string name = kind.ToString();
            if (name.StartsWith("imm", StringComparison.Ordinal))
            {
                instruction = ImmediateForm(form, target, (int)random.NextInt64(int.MinValue, int.MaxValue));
            }
            else
            {
                Register[] candidates = form.ToString() switch
                {
                    string text when text.EndsWith("_r8", StringComparison.Ordinal) =>
                        target.GetNumber() < 8
                            ? [Register.AL, Register.BL, Register.AH, Register.CH, Register.DH, Register.BH]
                            : [Register.AL, Register.R9L, Register.BPL],
                    string text when text.EndsWith("_r16", StringComparison.Ordinal) =>
                        [Register.AX, Register.BX, Register.DX, Register.R10W],
                    string text when text.EndsWith("_r32", StringComparison.Ordinal) =>
                        [Register.EAX, Register.EBX, Register.EDX, Register.R11D],
                    _ => [Register.RAX, Register.RBP, Register.RCX, Register.R15],
                };
                instruction.Op1Kind = OpKind.Register;
                instruction.Op1Register = candidates[random.Next(candidates.Length)];
            }
        }

        bool lockable = info.CanUseLockPrefix;
        instruction.HasLockPrefix = lockable && random.Next(2) == 0;
        ByteWriter writer = new();
        Encoder encoder = Encoder.Create(64, writer);
        _ = encoder.Encode(instruction, 0);
        return writer.ToArray();
    }

    private static Instruction ImmediateForm(Code form, Register target, int value)
    {
        MemoryOperand memory = new(target);
        string name = form.ToString();
        return name switch
        {
            _ when name.EndsWith("rm8_imm8", StringComparison.Ordinal)
                || name.StartsWith("Bt", StringComparison.Ordinal) =>
                Instruction.Create(form, memory, (uint)(byte)value),
            _ when name.EndsWith("_imm8", StringComparison.Ordinal) =>
                Instruction.Create(form, memory, (int)(sbyte)value),
            _ when name.EndsWith("_imm16", StringComparison.Ordinal) =>
                Instruction.Create(form, memory, (uint)(ushort)value),
            _ when name.EndsWith("rm32_imm32", StringComparison.Ordinal) =>
                Instruction.Create(form, memory, (uint)value),
            _ => Instruction.Create(form, memory, value),
        };
    }

    private static CpuUserRegs RandomRegisters(Random random)
    {
        CpuUserRegs registers = default;
        for (int number = 0; number < 16; number++)
        {
            *GuestRegisters.Pointer(&registers, number) = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        }

        registers.Rflags = 2 | ((ulong)random.NextInt64() & AllArithmetic);
        return registers;
    }

    private static void AssertSameRegisters(CpuUserRegs expected, CpuUserRegs actual)
    {
        for (int number = 0; number < 16; number++)
        {
            if (number != 4)
            {
                Assert.Equal(*GuestRegisters.Pointer(&expected, number), *GuestRegisters.Pointer(&actual, number));
            }
        }
    }

    private static DecodeStatus Decode(ReadOnlySpan<byte> code, out DecodedInstruction instruction)
    {
        fixed (byte* start = code)
        {
            return InstructionDecoder.Decode(start, code.Length, CodeWidth.Bits64, out instruction);
        }
    }

    private sealed class ByteWriter : CodeWriter
    {
        private readonly System.Collections.Generic.List<byte> _bytes = [];

        public override void WriteByte(byte value) => _bytes.Add(value);

        public byte[] ToArray() => [.. _bytes];
    }
}
