// SPDX-License-Identifier: MIT
//
// A paravirtual guest runs at CPL 3, kernel and all. Two kinds of its instructions fault and are then carried out
// here: stores into page tables, which the guest sees read-only, and privileged instructions that kernels use before
// or in spite of hypercalls. This decoder knows these and nothing else; whatever it does not know goes back to the
// guest as the fault that it was.
//
// The guest chooses the bytes, and another of its CPUs may change them between the fault and the fetch. So a decoded
// instruction is an allegation: it need not be the one that faulted, only one that the guest is entitled to have
// carried out. Every operand is checked again by whoever acts on it. Combinations that the processor answers with #UD
// (LOCK before something that cannot be locked, CR1, reserved group members) are Unsupported here.
//
// Encodings: Intel SDM Vol. 2, chapter 2 and appendix A; AMD APM Vol. 3, chapter 1 and appendix A.
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>Decodes the few instructions that are emulated for paravirtual guests.</summary>
public static unsafe class InstructionDecoder
{
    /// <summary>The longest instruction that the processor accepts.</summary>
    public const int MaxLength = 15;

    private const int ForcedCpuidLength = 7;
    private const byte RexW = 8;
    private const byte RexR = 4;
    private const byte RexX = 2;
    private const byte RexB = 1;
    private const byte RegisterSi = 6;
    private const byte RegisterDi = 7;

    // What follows the opcode.
    private enum Form : byte
    {
        Invalid,
        Plain,
        Port, // one immediate byte that is not sign-extended
        String,
        RegisterToMemory,
        ImmediateByteToMemory, // sign-extended
        ImmediateToMemory, // as wide as the operand, at most 4 bytes, sign-extended
        BitImmediate,
        Memory,
        MemoryOrRegister,
        SystemRegister,
        BaseRegister, // ModRM with a register in its r/m field
        ThreeBytes, // ModRM is the third byte of the opcode
    }

    /// <summary>Whether the bytes are "ud2, 'xen', cpuid": what nearly every #UD of a Linux kernel is about.</summary>
    public static bool IsForcedCpuid(byte* code, int available) =>
        available >= ForcedCpuidLength
        && *(uint*)code == 0x65780B0F && code[4] == 0x6E && *(ushort*)(code + 5) == 0xA20F;

    /// <summary>Decodes one instruction, reading at most <paramref name="available"/> bytes.</summary>
    public static DecodeStatus Decode(
        byte* code, int available, CodeWidth width, out DecodedInstruction instruction)
    {
        instruction = default;
        if (IsForcedCpuid(code, available))
        {
            instruction.Kind = InstructionKind.ForcedCpuid;
            instruction.Length = ForcedCpuidLength;
            return DecodeStatus.Ok;
        }

        int limit = available < MaxLength ? available : MaxLength;
        DecodeStatus shortage = available < MaxLength ? DecodeStatus.Truncated : DecodeStatus.Unsupported;
        InstructionFlags flags = InstructionFlags.None;
        SegmentOverride segment = SegmentOverride.None;
        byte repeat = 0;
        byte rex = 0;
        bool operandPrefix = false;
        bool addressPrefix = false;
        int position = 0;
        byte opcode;

        while (true)
        {
            if (position >= limit)
            {
                return shortage;
            }

            opcode = code[position++];
            if (opcode >= 0x40 && opcode <= 0x4F && width == CodeWidth.Bits64)
            {
                rex = opcode;
                continue;
            }

            bool prefix = true;
            switch (opcode)
            {
                case 0x26:
                case 0x2E:
                case 0x36:
                case 0x3E:
                    break;
                case 0x64:
                    segment = SegmentOverride.Fs;
                    break;
                case 0x65:
                    segment = SegmentOverride.Gs;
                    break;
                case 0x66:
                    operandPrefix = true;
                    break;
                case 0x67:
                    addressPrefix = true;
                    break;
                case 0xF0:
                    flags |= InstructionFlags.Lock;
                    break;
                case 0xF2:
                case 0xF3:
                    repeat = opcode;
                    break;
                default:
                    prefix = false;
                    break;
            }

            if (!prefix)
            {
                break;
            }

            rex = 0; // only the byte right before the opcode counts
        }

        bool twoBytes = opcode == 0x0F;
        byte modRm = 0;
        InstructionKind kind;
        Form form;
        bool lockable = false;
        if (twoBytes)
        {
            if (position >= limit)
            {
                return shortage;
            }

            opcode = code[position++];
            if (opcode == 0x0B)
            {
                // A part of the forced emulation prefix may go on behind the end; anything else is UD2 itself.
                return repeat == 0 && rex == 0 && position == 2 && MayBecomeForcedCpuid(code, limit)
                    ? shortage
                    : DecodeStatus.Unsupported;
            }

            form = TwoByteForm(opcode, repeat, operandPrefix, out kind, out lockable);
        }
        else
        {
            form = OneByteForm(opcode, out kind, out lockable);
        }

        if (form == Form.Invalid)
        {
            return DecodeStatus.Unsupported;
        }

        if (form > Form.String)
        {
            if (position >= limit)
            {
                return shortage;
            }

            modRm = code[position++];
            if (kind == InstructionKind.Unsupported)
            {
                form = twoBytes
                    ? TwoByteGroup(opcode, modRm, repeat, operandPrefix, ref flags, out kind, out lockable)
                    : OneByteGroup(opcode, modRm, out kind, out lockable);
                if (form == Form.Invalid)
                {
                    return DecodeStatus.Unsupported;
                }
            }
        }

        bool hasMemory = form > Form.String && form < Form.SystemRegister && modRm < 0xC0;
        if ((flags & InstructionFlags.Lock) != 0 && !(lockable && hasMemory))
        {
            return DecodeStatus.Unsupported;
        }

        bool byteOperand = twoBytes ? (opcode is 0xB0 or 0xC0) : (opcode & 1) == 0;
        byte operandSize = byteOperand ? (byte)1 : (rex & RexW) != 0 ? (byte)8 : operandPrefix ? (byte)2 : (byte)4;

        instruction.Kind = kind;
        instruction.AddressSize = width == CodeWidth.Bits64 && !addressPrefix ? (byte)8 : (byte)4;
        instruction.Base = DecodedInstruction.NoRegister;
        instruction.Index = DecodedInstruction.NoRegister;
        instruction.Segment = segment;
        instruction.Register = (byte)(((modRm >> 3) & 7) | ((rex & RexR) << 1));

        if (hasMemory)
        {
            if (width != CodeWidth.Bits64)
            {
                return DecodeStatus.Unsupported;
            }

            flags |= InstructionFlags.Memory;
            int end = DecodeAddress(code, position, limit, modRm, rex, ref instruction);
            if (end < 0)
            {
                return shortage;
            }

            position = end;
        }

        int immediateSize = 0;
        switch (form)
        {
            case Form.Plain:
                operandSize = IsPortAccess(kind) ? PortSize(opcode, rex, operandPrefix) : operandSize;
                break;
            case Form.Port:
                operandSize = PortSize(opcode, rex, operandPrefix);
                immediateSize = 1;
                break;
            case Form.String:
                if (width != CodeWidth.Bits64)
                {
                    return DecodeStatus.Unsupported;
                }

                flags |= InstructionFlags.Memory | (repeat != 0 ? InstructionFlags.Rep : InstructionFlags.None);
                operandSize = IsPortAccess(kind) ? PortSize(opcode, rex, operandPrefix) : operandSize;
                instruction.Base = kind == InstructionKind.Outs ? RegisterSi : RegisterDi;
                instruction.Register = 0;
                if (kind is InstructionKind.Stos or InstructionKind.Ins)
                {
                    instruction.Segment = SegmentOverride.None; // ES, which no prefix overrides
                }

                break;
            case Form.RegisterToMemory:
                if (!hasMemory)
                {
                    return DecodeStatus.Unsupported;
                }

                if (byteOperand && rex == 0 && instruction.Register >= 4)
                {
                    instruction.Register -= 4;
                    flags |= InstructionFlags.HighByte;
                }

                break;
            case Form.ImmediateByteToMemory:
            case Form.BitImmediate:
                if (!hasMemory)
                {
                    return DecodeStatus.Unsupported;
                }

                immediateSize = 1;
                break;
            case Form.ImmediateToMemory:
                if (!hasMemory)
                {
                    return DecodeStatus.Unsupported;
                }

                immediateSize = operandSize < 4 ? operandSize : 4;
                break;
            case Form.Memory:
                if (!hasMemory)
                {
                    return DecodeStatus.Unsupported;
                }

                operandSize = kind switch
                {
                    InstructionKind.Cmpxchg8b when operandSize == 8 => 16,
                    InstructionKind.Cmpxchg8b => 8,
                    InstructionKind.Invlpg => 1,
                    _ => 10,
                };
                if (operandSize == 16)
                {
                    instruction.Kind = InstructionKind.Cmpxchg16b;
                }

                break;
            case Form.MemoryOrRegister:
                instruction.Register = (byte)((modRm & 7) | ((rex & RexB) << 3));
                if (hasMemory || kind is InstructionKind.Lmsw or InstructionKind.Lldt or InstructionKind.Ltr)
                {
                    operandSize = 2;
                }

                break;
            case Form.SystemRegister:
                instruction.SystemRegister = instruction.Register;
                instruction.Register = (byte)((modRm & 7) | ((rex & RexB) << 3));
                operandSize = width == CodeWidth.Bits64 ? (byte)8 : (byte)4;
                bool exists = kind is InstructionKind.MovFromControl or InstructionKind.MovToControl
                    ? instruction.SystemRegister is 0 or 2 or 3 or 4 or 8
                    : instruction.SystemRegister < 8;
                if (!exists)
                {
                    return DecodeStatus.Unsupported;
                }

                break;
            case Form.ThreeBytes:
                if (kind == InstructionKind.Swapgs && width != CodeWidth.Bits64)
                {
                    return DecodeStatus.Unsupported;
                }

                break;
            case Form.BaseRegister:
                instruction.Register = (byte)((modRm & 7) | ((rex & RexB) << 3));
                operandSize = operandSize == 8 ? (byte)8 : (byte)4;
                if (width != CodeWidth.Bits64)
                {
                    return DecodeStatus.Unsupported;
                }

                break;
        }

        if (immediateSize != 0)
        {
            if (position + immediateSize > limit)
            {
                return shortage;
            }

            flags |= InstructionFlags.Immediate;
            instruction.Immediate = ReadSigned(code + position, immediateSize);
            position += immediateSize;
            if (form == Form.Port)
            {
                instruction.Immediate &= 0xFF;
            }
            else if (form == Form.BitImmediate)
            {
                instruction.Immediate &= 8 * operandSize - 1;
            }
        }

        instruction.Flags = flags;
        instruction.OperandSize = operandSize;
        instruction.Length = (byte)position;
        return DecodeStatus.Ok;
    }

    /// <summary>
    /// Linear address of the memory operand: the destination of MOVS, the only one of everything else. The bases are
    /// those of the guest's FS and GS as it runs.
    /// </summary>
    public static ulong EffectiveAddress(
        in DecodedInstruction instruction, CpuUserRegs* registers, ulong fsBase, ulong gsBase)
    {
        ulong offset = (ulong)(long)instruction.Displacement;
        if (instruction.Base < DecodedInstruction.NoRegister)
        {
            offset += *GuestRegisters.Pointer(registers, instruction.Base);
        }
        else if (instruction.Base == DecodedInstruction.RipRegister)
        {
            offset += registers->Rip + instruction.Length;
        }

        if (instruction.Index < DecodedInstruction.NoRegister)
        {
            offset += *GuestRegisters.Pointer(registers, instruction.Index) << instruction.Scale;
        }

        switch (instruction.Kind)
        {
            case InstructionKind.Bts:
            case InstructionKind.Btr:
            case InstructionKind.Btc:
                if (!instruction.Has(InstructionFlags.Immediate))
                {
                    offset += BitStringOffset(instruction, registers);
                }

                break;
            case InstructionKind.Movs:
                return instruction.AddressSize == 4 ? (uint)offset : offset;
        }

        return Linear(instruction, offset, fsBase, gsBase);
    }

    /// <summary>Linear address that MOVS reads from.</summary>
    public static ulong StringSourceAddress(
        in DecodedInstruction instruction, CpuUserRegs* registers, ulong fsBase, ulong gsBase) =>
        Linear(instruction, registers->Rsi, fsBase, gsBase);

    private static ulong Linear(in DecodedInstruction instruction, ulong offset, ulong fsBase, ulong gsBase)
    {
        if (instruction.AddressSize == 4)
        {
            offset = (uint)offset;
        }

        return instruction.Segment switch
        {
            SegmentOverride.Fs => offset + fsBase,
            SegmentOverride.Gs => offset + gsBase,
            _ => offset,
        };
    }

    // A bit offset in a register is signed and reaches beyond the operand: it selects the word, too.
    private static ulong BitStringOffset(in DecodedInstruction instruction, CpuUserRegs* registers)
    {
        ulong raw = *GuestRegisters.Pointer(registers, instruction.Register);
        return instruction.OperandSize switch
        {
            2 => (ulong)((short)raw >> 4 << 1),
            4 => (ulong)((int)raw >> 5 << 2),
            _ => (ulong)((long)raw >> 6 << 3),
        };
    }

    private static bool MayBecomeForcedCpuid(byte* code, int limit)
    {
        for (int index = 2; index < limit; index++)
        {
            byte expected = index switch
            {
                2 => (byte)'x',
                3 => (byte)'e',
                4 => (byte)'n',
                5 => 0x0F,
                6 => 0xA2,
                _ => 0,
            };
            if (index >= ForcedCpuidLength || code[index] != expected)
            {
                return false;
            }
        }

        return true;
    }

    private static Form OneByteForm(byte opcode, out InstructionKind kind, out bool lockable)
    {
        kind = InstructionKind.Unsupported;
        lockable = false;
        switch (opcode)
        {
            case 0x00:
            case 0x01:
                kind = InstructionKind.Add;
                break;
            case 0x08:
            case 0x09:
                kind = InstructionKind.Or;
                break;
            case 0x20:
            case 0x21:
                kind = InstructionKind.And;
                break;
            case 0x28:
            case 0x29:
                kind = InstructionKind.Sub;
                break;
            case 0x30:
            case 0x31:
                kind = InstructionKind.Xor;
                break;
            case 0x86:
            case 0x87:
                kind = InstructionKind.Xchg;
                break;
            case 0x88:
            case 0x89:
                kind = InstructionKind.Mov;
                return Form.RegisterToMemory;
            case 0x6C:
            case 0x6D:
                kind = InstructionKind.Ins;
                return Form.String;
            case 0x6E:
            case 0x6F:
                kind = InstructionKind.Outs;
                return Form.String;
            case 0xA4:
            case 0xA5:
                kind = InstructionKind.Movs;
                return Form.String;
            case 0xAA:
            case 0xAB:
                kind = InstructionKind.Stos;
                return Form.String;
            case 0xE4:
            case 0xE5:
                kind = InstructionKind.In;
                return Form.Port;
            case 0xE6:
            case 0xE7:
                kind = InstructionKind.Out;
                return Form.Port;
            case 0xEC:
            case 0xED:
                kind = InstructionKind.In;
                return Form.Plain;
            case 0xEE:
            case 0xEF:
                kind = InstructionKind.Out;
                return Form.Plain;
            case 0xF4:
                kind = InstructionKind.Hlt;
                return Form.Plain;
            case 0xFA:
                kind = InstructionKind.Cli;
                return Form.Plain;
            case 0xFB:
                kind = InstructionKind.Sti;
                return Form.Plain;
            case 0x80:
            case 0x81:
            case 0x83:
            case 0xC6:
            case 0xC7:
                return Form.ImmediateToMemory; // the group decides
            default:
                return Form.Invalid;
        }

        lockable = true;
        return Form.RegisterToMemory;
    }

    private static Form OneByteGroup(byte opcode, byte modRm, out InstructionKind kind, out bool lockable)
    {
        int member = (modRm >> 3) & 7;
        if (opcode is 0xC6 or 0xC7)
        {
            kind = InstructionKind.Mov;
            lockable = false;
            return member == 0 ? Form.ImmediateToMemory : Form.Invalid;
        }

        lockable = true;
        kind = member switch
        {
            0 => InstructionKind.Add,
            1 => InstructionKind.Or,
            4 => InstructionKind.And,
            5 => InstructionKind.Sub,
            6 => InstructionKind.Xor,
            _ => InstructionKind.Unsupported,
        };
        return kind == InstructionKind.Unsupported ? Form.Invalid
            : opcode == 0x83 ? Form.ImmediateByteToMemory
            : Form.ImmediateToMemory;
    }

    private static Form TwoByteForm(
        byte opcode, byte repeat, bool operandPrefix, out InstructionKind kind, out bool lockable)
    {
        kind = InstructionKind.Unsupported;
        lockable = false;
        switch (opcode)
        {
            case 0x06:
                kind = InstructionKind.Clts;
                return Form.Plain;
            case 0x08:
                kind = InstructionKind.Invd;
                return Form.Plain;
            case 0x09:
                kind = InstructionKind.Wbinvd;
                return Form.Plain;
            case 0x20:
                kind = InstructionKind.MovFromControl;
                return Form.SystemRegister;
            case 0x21:
                kind = InstructionKind.MovFromDebug;
                return Form.SystemRegister;
            case 0x22:
                kind = InstructionKind.MovToControl;
                return Form.SystemRegister;
            case 0x23:
                kind = InstructionKind.MovToDebug;
                return Form.SystemRegister;
            case 0x30:
                kind = InstructionKind.Wrmsr;
                return Form.Plain;
            case 0x31:
                kind = InstructionKind.Rdtsc;
                return Form.Plain;
            case 0x32:
                kind = InstructionKind.Rdmsr;
                return Form.Plain;
            case 0x33:
                kind = InstructionKind.Rdpmc;
                return Form.Plain;
            case 0xA2:
                kind = InstructionKind.Cpuid;
                return Form.Plain;
            case 0xC3:
                kind = InstructionKind.Mov; // MOVNTI, whose hint has no meaning for a page table
                return repeat == 0 && !operandPrefix ? Form.RegisterToMemory : Form.Invalid;
            case 0xAB:
                kind = InstructionKind.Bts;
                break;
            case 0xB3:
                kind = InstructionKind.Btr;
                break;
            case 0xBB:
                kind = InstructionKind.Btc;
                break;
            case 0xB0:
            case 0xB1:
                kind = InstructionKind.Cmpxchg;
                break;
            case 0xC0:
            case 0xC1:
                kind = InstructionKind.Xadd;
                break;
            case 0x00:
            case 0x01:
            case 0xAE:
            case 0xBA:
            case 0xC7:
                return Form.MemoryOrRegister; // the group decides
            default:
                return Form.Invalid;
        }

        lockable = true;
        return Form.RegisterToMemory;
    }

    private static Form TwoByteGroup(
        byte opcode, byte modRm, byte repeat, bool operandPrefix, ref InstructionFlags flags,
        out InstructionKind kind, out bool lockable)
    {
        int member = (modRm >> 3) & 7;
        bool register = modRm >= 0xC0;
        lockable = false;
        kind = InstructionKind.Unsupported;
        switch (opcode)
        {
            case 0x00:
                kind = member switch
                {
                    0 => InstructionKind.Sldt,
                    1 => InstructionKind.Str,
                    2 => InstructionKind.Lldt,
                    3 => InstructionKind.Ltr,
                    _ => InstructionKind.Unsupported,
                };
                return kind == InstructionKind.Unsupported ? Form.Invalid : Form.MemoryOrRegister;
            case 0x01:
                if (member is 4 or 6)
                {
                    kind = member == 4 ? InstructionKind.Smsw : InstructionKind.Lmsw;
                    return Form.MemoryOrRegister;
                }

                if (register)
                {
                    kind = modRm switch
                    {
                        0xD0 => InstructionKind.Xgetbv,
                        0xD1 => InstructionKind.Xsetbv,
                        0xF8 => InstructionKind.Swapgs,
                        0xF9 => InstructionKind.Rdtscp,
                        _ => InstructionKind.Unsupported,
                    };
                    // With 0F 01 D0 and D1 these prefixes make other opcodes.
                    bool prefixed = (repeat != 0 || operandPrefix) && modRm < 0xF8;
                    return kind == InstructionKind.Unsupported || prefixed ? Form.Invalid : Form.ThreeBytes;
                }

                kind = member switch
                {
                    0 => InstructionKind.Sgdt,
                    1 => InstructionKind.Sidt,
                    2 => InstructionKind.Lgdt,
                    3 => InstructionKind.Lidt,
                    7 => InstructionKind.Invlpg,
                    _ => InstructionKind.Unsupported,
                };
                return kind == InstructionKind.Unsupported ? Form.Invalid : Form.Memory;
            case 0xAE:
                kind = member switch
                {
                    0 => InstructionKind.Rdfsbase,
                    1 => InstructionKind.Rdgsbase,
                    2 => InstructionKind.Wrfsbase,
                    3 => InstructionKind.Wrgsbase,
                    _ => InstructionKind.Unsupported,
                };
                return kind == InstructionKind.Unsupported || !register || repeat != 0xF3
                    ? Form.Invalid
                    : Form.BaseRegister;
            case 0xBA:
                lockable = true;
                kind = member switch
                {
                    5 => InstructionKind.Bts,
                    6 => InstructionKind.Btr,
                    7 => InstructionKind.Btc,
                    _ => InstructionKind.Unsupported,
                };
                return kind == InstructionKind.Unsupported ? Form.Invalid : Form.BitImmediate;
            default:
                lockable = true;
                kind = InstructionKind.Cmpxchg8b;
                return member == 1 ? Form.Memory : Form.Invalid;
        }
    }

    // Fills in the memory operand behind ModRM; the position after it, or -1 if the bytes end first.
    private static int DecodeAddress(
        byte* code, int position, int limit, byte modRm, byte rex, ref DecodedInstruction instruction)
    {
        int mode = modRm >> 6;
        int field = modRm & 7;
        int displacementSize = mode == 1 ? 1 : mode == 2 ? 4 : 0;
        if (field == 4)
        {
            if (position >= limit)
            {
                return -1;
            }

            byte sib = code[position++];
            int index = ((sib >> 3) & 7) | ((rex & RexX) << 2);
            if (index != 4)
            {
                instruction.Index = (byte)index;
                instruction.Scale = (byte)(sib >> 6);
            }

            field = sib & 7;
            if (field == 5 && mode == 0)
            {
                displacementSize = 4;
            }
            else
            {
                instruction.Base = (byte)(field | ((rex & RexB) << 3));
            }
        }
        else if (field == 5 && mode == 0)
        {
            instruction.Base = DecodedInstruction.RipRegister;
            displacementSize = 4;
        }
        else
        {
            instruction.Base = (byte)(field | ((rex & RexB) << 3));
        }

        if (displacementSize != 0)
        {
            if (position + displacementSize > limit)
            {
                return -1;
            }

            instruction.Displacement = ReadSigned(code + position, displacementSize);
        }

        return position + displacementSize;
    }

    private static int ReadSigned(byte* source, int size) => size switch
    {
        1 => *(sbyte*)source,
        2 => *(short*)source,
        _ => *(int*)source,
    };

    private static bool IsPortAccess(InstructionKind kind) => kind is >= InstructionKind.In and <= InstructionKind.Outs;

    // Ports are at most 4 bytes wide, so REX.W leaves them there.
    private static byte PortSize(byte opcode, byte rex, bool operandPrefix) =>
        (opcode & 1) == 0 ? (byte)1 : operandPrefix && (rex & RexW) == 0 ? (byte)2 : (byte)4;
}
