// SPDX-License-Identifier: MIT
//
// The decoder is held against Iced in both directions: on streams that begin with a likely prefix and opcode it must
// see the same supported instructions, no more and no fewer, with the same operands and addresses.
using System;
using System.Collections.Generic;
using Hypervisor.Core.Emulation;
using Iced.Intel;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Emulation;

public unsafe class InstructionDecoderTests
{
    private const ulong FsBase = 0x0000_7F12_3456_7000;
    private const ulong GsBase = 0xFFFF_8880_1234_5000;
    private const ulong Rip = 0xFFFF_FFFF_8123_4567;

    private static readonly byte[] s_prefixes =
        [0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3, 0x40, 0x41, 0x44, 0x48, 0x49, 0x4C, 0x4F];

    public static TheoryData<int> Seeds => [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void In_64_bit_code_it_agrees_with_Iced_on_every_instruction(int seed)
    {
        Random random = new(seed);
        HashSet<InstructionKind> seen = [];
        for (int round = 0; round < 150_000; round++)
        {
            CheckAgainstIced(RandomCode(random), CodeWidth.Bits64, random, seen);
        }

        foreach (InstructionKind kind in Enum.GetValues<InstructionKind>())
        {
            Assert.True(kind == InstructionKind.ForcedCpuid || seen.Contains(kind), $"{kind} never occurred");
        }
    }

    [Fact]
    public void Every_opcode_with_every_ModRM_agrees_with_Iced()
    {
        Random random = new(9);
        HashSet<InstructionKind> seen = [];
        byte[][] prefixes = [[], [0x66], [0xF2], [0xF3], [0x48], [0x44], [0xF0], [0xF0, 0x49], [0x66, 0x48], [0x67]];
        foreach (byte[] prefix in prefixes)
        {
            for (int opcode = 0; opcode < 512; opcode++)
            {
                for (int modRm = 0; modRm < 256; modRm++)
                {
                    byte[] code = new byte[InstructionDecoder.MaxLength];
                    random.NextBytes(code);
                    prefix.CopyTo(code, 0);
                    int position = prefix.Length;
                    if (opcode >= 256)
                    {
                        code[position++] = 0x0F;
                    }

                    code[position++] = (byte)opcode;
                    code[position] = (byte)modRm;
                    CheckAgainstIced(code, CodeWidth.Bits64, random, seen);
                }
            }
        }
    }

    [Fact]
    public void In_compatibility_mode_what_it_decodes_agrees_with_Iced()
    {
        Random random = new(10);
        HashSet<InstructionKind> seen = [];
        for (int round = 0; round < 150_000; round++)
        {
            CheckAgainstIced(RandomCode(random), CodeWidth.Bits32, random, seen);
        }

        Assert.Contains(InstructionKind.Cpuid, seen);
        Assert.Contains(InstructionKind.Out, seen);
        Assert.DoesNotContain(InstructionKind.Xchg, seen);
    }

    [Fact]
    public void The_forced_emulation_prefix_makes_a_CPUID_of_seven_bytes()
    {
        byte[] code = [0x0F, 0x0B, 0x78, 0x65, 0x6E, 0x0F, 0xA2];
        Assert.Equal(DecodeStatus.Ok, Decode(code, CodeWidth.Bits64, out DecodedInstruction instruction));
        Assert.Equal(InstructionKind.ForcedCpuid, instruction.Kind);
        Assert.Equal(7, instruction.Length);

        for (int available = 1; available < code.Length; available++)
        {
            Assert.Equal(DecodeStatus.Truncated, Decode(code[..available], CodeWidth.Bits64, out _));
        }

        for (int index = 1; index < code.Length; index++)
        {
            byte[] changed = [.. code, 0, 0, 0, 0, 0, 0, 0, 0];
            changed[index] ^= 0x80;
            Assert.Equal(DecodeStatus.Unsupported, Decode(changed, CodeWidth.Bits64, out _));
        }
    }

    [Fact]
    public void UD2_alone_is_not_emulated()
    {
        Assert.Equal(DecodeStatus.Unsupported, Decode([0x0F, 0x0B, 0x90], CodeWidth.Bits64, out _));
        byte[] prefixed = [0xF3, 0x0F, 0x0B, 0x78, 0x65, 0x6E, 0x0F, 0xA2, 0, 0, 0, 0, 0, 0, 0];
        Assert.Equal(DecodeStatus.Unsupported, Decode(prefixed, CodeWidth.Bits64, out _));
    }

    [Fact]
    public void Fifteen_prefixes_are_no_instruction()
    {
        byte[] code = new byte[20];
        Array.Fill(code, (byte)0x66);
        Assert.Equal(DecodeStatus.Unsupported, Decode(code, CodeWidth.Bits64, out _));
        Assert.Equal(DecodeStatus.Truncated, Decode(code[..14], CodeWidth.Bits64, out _));
    }

    [Fact]
    public void Nothing_to_read_is_truncated()
    {
        using GuardedPage page = new();
        byte* end = page.Start + GuardedPage.Size;
        Assert.Equal(DecodeStatus.Truncated, InstructionDecoder.Decode(end, 0, CodeWidth.Bits64, out _));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void It_never_reads_beyond_what_is_available(int seed)
    {
        using GuardedPage page = new();
        Random random = new(1000 + seed);
        for (int round = 0; round < 100_000; round++)
        {
            byte[] code = RandomCode(random);
            CodeWidth width = random.Next(4) == 0 ? CodeWidth.Bits32 : CodeWidth.Bits64;
            DecodeStatus whole = Decode(code, width, out DecodedInstruction full);
            int available = random.Next(InstructionDecoder.MaxLength);
            byte* place = page.PlaceAtEnd(code.AsSpan(0, available));
            DecodeStatus part = InstructionDecoder.Decode(place, available, width, out DecodedInstruction cut);
            if (whole == DecodeStatus.Ok)
            {
                Assert.Equal(available >= full.Length ? DecodeStatus.Ok : DecodeStatus.Truncated, part);
            }
            else
            {
                Assert.NotEqual(DecodeStatus.Ok, part);
            }

            Assert.True(part != DecodeStatus.Ok || cut.Length <= available);
        }
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(-65L)]
    [InlineData(64L)]
    [InlineData(4095L)]
    [InlineData(-4096L)]
    public void A_bit_offset_in_a_register_moves_the_address(long bit)
    {
        byte[] code = [0x48, 0x0F, 0xB3, 0x07]; // btr [rdi], rax
        Assert.Equal(DecodeStatus.Ok, Decode(code, CodeWidth.Bits64, out DecodedInstruction instruction));
        CpuUserRegs registers = default;
        registers.Rdi = 0x10_0000;
        registers.Rax = (ulong)bit;
        long expected = 0x10_0000 + (long)Math.Floor(bit / 64.0) * 8;
        Assert.Equal((ulong)expected, InstructionDecoder.EffectiveAddress(instruction, &registers, FsBase, GsBase));
    }

    [Fact]
    public void MOVS_overrides_the_segment_of_its_source_only()
    {
        Assert.Equal(DecodeStatus.Ok, Decode([0x65, 0x48, 0xA5], CodeWidth.Bits64, out DecodedInstruction instruction));
        CpuUserRegs registers = default;
        registers.Rsi = 0x100;
        registers.Rdi = 0x200;
        Assert.Equal(0x200ul, InstructionDecoder.EffectiveAddress(instruction, &registers, FsBase, GsBase));
        Assert.Equal(GsBase + 0x100, InstructionDecoder.StringSourceAddress(instruction, &registers, FsBase, GsBase));
    }

    [Fact]
    public void STOS_has_no_segment_to_override()
    {
        Assert.Equal(DecodeStatus.Ok, Decode([0x64, 0x67, 0xAA], CodeWidth.Bits64, out DecodedInstruction instruction));
        CpuUserRegs registers = default;
        registers.Rdi = 0x1_0000_0200;
        Assert.Equal(0x200ul, InstructionDecoder.EffectiveAddress(instruction, &registers, FsBase, GsBase));
    }

    private static DecodeStatus Decode(ReadOnlySpan<byte> code, CodeWidth width, out DecodedInstruction instruction)
    {
        fixed (byte* start = code)
        {
            return InstructionDecoder.Decode(start, code.Length, width, out instruction);
        }
    }

    private static byte[] RandomCode(Random random)
    {
        ReadOnlySpan<byte> oneByte =
        [
            0x00, 0x01, 0x08, 0x09, 0x20, 0x21, 0x28, 0x29, 0x30, 0x31, 0x6C, 0x6D, 0x6E, 0x6F, 0x80, 0x81, 0x83,
            0x86, 0x87, 0x88, 0x89, 0xA4, 0xA5, 0xAA, 0xAB, 0xC6, 0xC7, 0xE4, 0xE5, 0xE6, 0xE7, 0xEC, 0xED, 0xEE,
            0xEF, 0xF4, 0xFA, 0xFB,
        ];
        ReadOnlySpan<byte> twoBytes =
        [
            0x00, 0x01, 0x06, 0x08, 0x09, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0x33, 0xA2, 0xAB, 0xAE, 0xB0,
            0xB1, 0xB3, 0xBA, 0xBB, 0xC0, 0xC1, 0xC3, 0xC7,
        ];
        byte[] code = new byte[InstructionDecoder.MaxLength];
        random.NextBytes(code);
        int position = 0;
        for (int count = random.Next(4); count > 0; count--)
        {
            code[position++] = s_prefixes[random.Next(s_prefixes.Length)];
        }

        switch (random.Next(8))
        {
            case < 4:
                code[position] = oneByte[random.Next(oneByte.Length)];
                break;
            case < 7:
                code[position++] = 0x0F;
                code[position] = twoBytes[random.Next(twoBytes.Length)];
                break;
        }

        return code;
    }

    private static void CheckAgainstIced(byte[] code, CodeWidth width, Random random, HashSet<InstructionKind> seen)
    {
        Decoder decoder = Decoder.Create(width == CodeWidth.Bits64 ? 64 : 32, code);
        decoder.IP = Rip;
        decoder.Decode(out Instruction reference);
        InstructionKind expected = reference.IsInvalid ? InstructionKind.Unsupported : IcedReference.Kind(reference);
        DecodeStatus status = Decode(code, width, out DecodedInstruction actual);
        string text = $"{Convert.ToHexString(code)} {reference}";
        InstructionKind kind = status == DecodeStatus.Ok ? actual.Kind : InstructionKind.Unsupported;
        if (width == CodeWidth.Bits32 && kind == InstructionKind.Unsupported)
        {
            return; // there only what needs no memory is promised
        }

        Assert.True(expected == kind, $"{text}: {kind}, not {expected}");
        seen.Add(kind);
        if (kind == InstructionKind.Unsupported)
        {
            return;
        }

        Assert.True(reference.Length == actual.Length, $"{text}: length {actual.Length}");
        Assert.True(reference.HasLockPrefix == actual.Has(InstructionFlags.Lock), $"{text}: lock");
        CheckOperands(reference, actual, text);
        if (actual.Has(InstructionFlags.Memory))
        {
            CheckAddress(reference, actual, random, text);
        }
    }

    private static void CheckOperands(in Instruction reference, in DecodedInstruction actual, string text)
    {
        int size = actual.Kind switch
        {
            InstructionKind.In => reference.Op0Register.GetSize(),
            InstructionKind.Out => reference.Op1Register.GetSize(),
            InstructionKind.Invlpg or InstructionKind.Sgdt or InstructionKind.Sidt or InstructionKind.Lgdt
                or InstructionKind.Lidt => actual.OperandSize,
            InstructionKind.Lldt or InstructionKind.Ltr or InstructionKind.Lmsw => 2,
            _ when actual.Has(InstructionFlags.Memory) => reference.MemorySize.GetSize(),
            InstructionKind.Smsw or InstructionKind.Sldt or InstructionKind.Str or InstructionKind.Rdfsbase
                or InstructionKind.Rdgsbase or InstructionKind.Wrfsbase or InstructionKind.Wrgsbase =>
                reference.Op0Register.GetSize(),
            _ => actual.OperandSize,
        };
        Assert.True(size == actual.OperandSize, $"{text}: operand size {actual.OperandSize}");

        switch (actual.Kind)
        {
            case InstructionKind.MovFromControl or InstructionKind.MovFromDebug:
                Assert.True(reference.Op0Register.GetNumber() == actual.Register, text);
                Assert.True(reference.Op1Register.GetNumber() == actual.SystemRegister, text);
                return;
            case InstructionKind.MovToControl or InstructionKind.MovToDebug:
                Assert.True(reference.Op1Register.GetNumber() == actual.Register, text);
                Assert.True(reference.Op0Register.GetNumber() == actual.SystemRegister, text);
                return;
            case InstructionKind.Ins or InstructionKind.Outs or InstructionKind.Movs or InstructionKind.Stos:
                bool repeats = reference.HasRepPrefix || reference.HasRepnePrefix;
                Assert.True(repeats == actual.Has(InstructionFlags.Rep), text);
                return;
            case InstructionKind.Smsw or InstructionKind.Lmsw or InstructionKind.Sldt or InstructionKind.Str
                or InstructionKind.Lldt or InstructionKind.Ltr or InstructionKind.Rdfsbase or InstructionKind.Rdgsbase
                or InstructionKind.Wrfsbase or InstructionKind.Wrgsbase:
                Assert.True(actual.Has(InstructionFlags.Memory)
                    || IcedReference.Number(reference.Op0Register) == actual.Register, text);
                return;
            case InstructionKind.In:
            case InstructionKind.Out:
                int port = actual.Kind == InstructionKind.In ? 1 : 0;
                bool immediate = reference.GetOpKind(port) == OpKind.Immediate8;
                Assert.True(immediate == actual.Has(InstructionFlags.Immediate), text);
                Assert.True(!immediate || reference.Immediate8 == actual.Immediate, text);
                return;
        }

        if (!actual.Has(InstructionFlags.Memory) || reference.OpCount < 2)
        {
            return;
        }

        if (reference.Op1Kind == OpKind.Register)
        {
            Assert.True(!actual.Has(InstructionFlags.Immediate), text);
            Assert.True(IcedReference.Number(reference.Op1Register) == actual.Register, text);
            Assert.True(IcedReference.IsHighByte(reference.Op1Register) == actual.Has(InstructionFlags.HighByte), text);
            return;
        }

        Assert.True(actual.Has(InstructionFlags.Immediate), text);
        ulong mask = ulong.MaxValue >> (64 - 8 * actual.OperandSize);
        bool isBit = actual.Kind is InstructionKind.Bts or InstructionKind.Btr or InstructionKind.Btc;
        ulong expected = isBit
            ? reference.Immediate8 & (8ul * actual.OperandSize - 1)
            : reference.GetImmediate(1) & mask;
        Assert.True(expected == ((ulong)(long)actual.Immediate & mask), $"{text}: immediate {actual.Immediate:X}");
    }

    private static void CheckAddress(in Instruction reference, in DecodedInstruction actual, Random random, string text)
    {
        CpuUserRegs registers = default;
        registers.Rip = Rip;
        for (int number = 0; number < 16; number++)
        {
            *GuestRegisters.Pointer(&registers, number) = (ulong)random.NextInt64(long.MinValue, long.MaxValue);
        }

        int operand = actual.Kind == InstructionKind.Outs ? 1 : 0;
        CpuUserRegs* pointer = &registers;
        ulong expected = reference.GetVirtualAddress(operand, 0, (register, _, _) => register switch
        {
            Register.FS => FsBase,
            Register.GS => GsBase,
            >= Register.ES and <= Register.DS => 0,
            >= Register.EAX and <= Register.R15D => (uint)*GuestRegisters.Pointer(pointer, register.GetNumber()),
            _ => *GuestRegisters.Pointer(pointer, register.GetNumber()),
        });
        if (actual.Kind is InstructionKind.Bts or InstructionKind.Btr or InstructionKind.Btc
            && !actual.Has(InstructionFlags.Immediate))
        {
            registers.Rip = Rip;
            return; // Iced leaves the bit offset out; its own test has it
        }

        ulong address = InstructionDecoder.EffectiveAddress(actual, pointer, FsBase, GsBase);
        Assert.True(expected == address, $"{text}: address {address:X}, not {expected:X}");
    }
}
