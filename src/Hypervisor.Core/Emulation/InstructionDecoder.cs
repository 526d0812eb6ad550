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
// The opcode maps say for each opcode what it is and what follows it, as the maps of the manuals do; a handful of
// instructions that share an opcode are told apart by ModRM afterwards. Write faults on page tables are frequent enough
// that the way from the first byte to an ordinary memory operand is kept straight.
//
// Encodings: Intel SDM Vol. 2, chapter 2 and appendix A; AMD APM Vol. 3, chapter 1 and appendix A.
using System;
using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>Decodes the few instructions that are emulated for paravirtual guests.</summary>
public static unsafe class InstructionDecoder
{
    /// <summary>The longest instruction that the processor accepts.</summary>
    public const int MaxLength = 15;

    private const int ForcedCpuidLength = 7;
    private const byte RegisterSi = 6;
    private const byte RegisterDi = 7;

    // Prefixes seen so far; the REX prefix as it is in the low byte.
    private const uint RexB = 1 << 0;
    private const uint RexX = 1 << 1;
    private const uint RexR = 1 << 2;
    private const uint RexW = 1 << 3;
    private const uint AnyRex = 0xFF;
    private const uint OperandPrefix = 1 << 8;
    private const uint AddressPrefix = 1 << 9;
    private const uint LockPrefix = 1 << 10;
    private const uint RepPrefix = 1 << 11;
    private const uint RepnePrefix = 1 << 12;
    private const uint AnyRepeat = RepPrefix | RepnePrefix;
    private const uint FsPrefix = 1 << 13;
    private const uint GsPrefix = 1 << 14;
    private const uint AnySegment = FsPrefix | GsPrefix;

    // No prefix, but decoding depends on it at the same places: the code is that of compatibility mode.
    private const uint Compatibility = 1 << 16;

    // What follows the opcode. In this order: nothing; ModRM for a group; ModRM with an operand that is or may be
    // memory; ModRM that names registers only.
    private enum Form : byte
    {
        Invalid,
        Plain,
        Port, // an immediate byte that is not sign-extended
        String,
        Group,
        Store, // register to memory
        BitStore, // the same, the register being a bit offset
        ImmediateByte, // to memory, sign-extended
        Immediate, // to memory, as wide as the operand but at most 4 bytes, sign-extended
        BitImmediate,
        Memory,
        MemoryOrRegister,
        SystemRegister,
        BaseRegister, // the general register is in the r/m field
        ThreeBytes, // ModRM is the third byte of the opcode
    }

    // Opcodes that ModRM tells apart.
    private enum Group : byte
    {
        Arithmetic,
        ArithmeticByte,
        Move,
        SegmentTables, // 0F 00
        System, // 0F 01
        Bases, // 0F AE
        Bits, // 0F BA
        NonTemporal, // 0F C3
        CompareExchange, // 0F C7
    }

    /// <summary>Whether the bytes are "ud2, 'xen', cpuid": what nearly every #UD of a Linux kernel is about.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

        if (available >= MaxLength && width == CodeWidth.Bits64 && TryDecodeEntryStore(code, ref instruction))
        {
            return DecodeStatus.Ok;
        }

        return DecodeAny(code, available, width, ref instruction);
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

        if (instruction.Has(InstructionFlags.BitString))
        {
            offset += BitStringOffset(instruction, registers);
        }

        return Linear(instruction.AddressSize, instruction.Segment, offset, fsBase, gsBase);
    }

    /// <summary>Linear address that MOVS reads from.</summary>
    public static ulong StringSourceAddress(
        in DecodedInstruction instruction, CpuUserRegs* registers, ulong fsBase, ulong gsBase) =>
        Linear(instruction.AddressSize, instruction.SourceSegment, registers->Rsi, fsBase, gsBase);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodeStatus DecodeAny(
        byte* code, int available, CodeWidth width, ref DecodedInstruction instruction)
    {
        int limit = available < MaxLength ? available : MaxLength;
        int position = 0;
        uint prefixes = width == CodeWidth.Bits64 ? 0 : Compatibility;
        byte opcode;
        uint entry;
        while (true)
        {
            if (position >= limit)
            {
                return Shortage(limit);
            }

            opcode = code[position++];
            entry = OneByteMap[opcode];
            if ((entry & IsPrefix) == 0)
            {
                break;
            }

            if ((opcode & 0xF0) == 0x40)
            {
                if ((prefixes & Compatibility) != 0)
                {
                    return DecodeStatus.Unsupported; // INC and DEC there
                }

                prefixes = (prefixes & ~AnyRex) | opcode;
                continue;
            }

            // Of each kind the last one counts; REX counts only right before the opcode.
            uint added = (entry & PrefixBits) << PrefixShift;
            uint replaced = AnyRex
                | ((added & AnySegment) != 0 ? AnySegment : 0)
                | ((added & AnyRepeat) != 0 ? AnyRepeat : 0);
            prefixes = (prefixes & ~replaced) | added;
        }

        if (opcode == 0x0F)
        {
            if (position >= limit)
            {
                return Shortage(limit);
            }

            opcode = code[position++];
            entry = TwoByteMap[opcode];
            if (opcode == 0x0B)
            {
                // A part of the forced emulation prefix may go on behind the end; anything else is UD2 itself.
                return position == 2 && MayBecomeForcedCpuid(code, limit) ? Shortage(limit) : DecodeStatus.Unsupported;
            }
        }

        if (entry == 0)
        {
            return DecodeStatus.Unsupported;
        }

        return FormOf(entry) <= Form.String
            ? DecodeRest(code, position, limit, entry, prefixes, ref instruction)
            : DecodeModRm(code, position, limit, entry, prefixes, ref instruction);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Linear(int addressSize, SegmentOverride segment, ulong offset, ulong fsBase, ulong gsBase)
    {
        if (addressSize == 4)
        {
            offset = (uint)offset;
        }

        return segment == SegmentOverride.None ? offset : offset + (segment == SegmentOverride.Fs ? fsBase : gsBase);
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

    // All bytes at hand are used up. More of them help only if there were not as many as an instruction can have.
    private static DecodeStatus Shortage(int limit) =>
        limit < MaxLength ? DecodeStatus.Truncated : DecodeStatus.Unsupported;

    private static bool MayBecomeForcedCpuid(byte* code, int limit)
    {
        ReadOnlySpan<byte> sequence = [0x0F, 0x0B, (byte)'x', (byte)'e', (byte)'n', 0x0F, 0xA2];
        for (int index = 0; index < limit; index++)
        {
            if (index >= sequence.Length || code[index] != sequence[index])
            {
                return false;
            }
        }

        return true;
    }

    // MOV or XCHG of a whole entry through a pointer, which nearly every direct write to a page table is: REX.W,
    // opcode, ModRM without SIB, and enough bytes at hand not to count them. Whatever is not that goes the long way.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryDecodeEntryStore(byte* code, ref DecodedInstruction instruction)
    {
        uint rex = code[0];
        uint opcode = code[1];
        uint modRm = code[2];
        uint field = modRm & 7;
        if ((rex & 0xF8) != 0x48 || (opcode != 0x87 && opcode != 0x89)
            || modRm >= 0xC0 || field == 4 || (field == 5 && modRm < 0x40))
        {
            return false;
        }

        byte length = 3;
        if (modRm >= 0x80)
        {
            instruction.Displacement = *(int*)(code + 3);
            length = 7;
        }
        else if (modRm >= 0x40)
        {
            instruction.Displacement = *(sbyte*)(code + 3);
            length = 4;
        }

        instruction.Kind = opcode == 0x87 ? InstructionKind.Xchg : InstructionKind.Mov;
        instruction.Length = length;
        instruction.OperandSize = 8;
        instruction.AddressSize = 8;
        instruction.Flags = InstructionFlags.Memory;
        instruction.Base = (byte)(field | ((rex & RexB) << 3));
        instruction.Index = DecodedInstruction.NoRegister;
        instruction.Register = (byte)(((modRm >> 3) & 7) | ((rex & RexR) << 1));
        return true;
    }

    // Instructions without ModRM.
    private static DecodeStatus DecodeRest(
        byte* code, int position, int limit, uint entry, uint prefixes, ref DecodedInstruction instruction)
    {
        InstructionKind kind = KindOf(entry);
        Form form = FormOf(entry);
        if ((prefixes & LockPrefix) != 0)
        {
            return DecodeStatus.Unsupported;
        }

        // Ports are at most 4 bytes wide, so REX.W leaves them there.
        byte operandSize = OperandSize(entry, prefixes);
        if (operandSize == 8 && kind is >= InstructionKind.In and <= InstructionKind.Outs)
        {
            operandSize = 4;
        }

        instruction.Kind = kind;
        instruction.OperandSize = operandSize;
        instruction.AddressSize = AddressSize(prefixes);
        instruction.Base = DecodedInstruction.NoRegister;
        instruction.Index = DecodedInstruction.NoRegister;
        if (form == Form.Port)
        {
            if (position >= limit)
            {
                return Shortage(limit);
            }

            instruction.Flags = InstructionFlags.Immediate;
            instruction.Immediate = code[position++];
        }
        else if (form == Form.String)
        {
            if ((prefixes & Compatibility) != 0)
            {
                return DecodeStatus.Unsupported;
            }

            // Only sources can have another segment than ES, whose base is 0.
            bool isOut = kind == InstructionKind.Outs;
            instruction.Base = isOut ? RegisterSi : RegisterDi;
            instruction.Segment = isOut ? Segment(prefixes) : SegmentOverride.None;
            instruction.SourceSegment = kind == InstructionKind.Movs ? Segment(prefixes) : SegmentOverride.None;
            instruction.Flags = (prefixes & AnyRepeat) != 0
                ? InstructionFlags.Memory | InstructionFlags.Rep
                : InstructionFlags.Memory;
        }

        instruction.Length = (byte)position;
        return DecodeStatus.Ok;
    }

    private static DecodeStatus DecodeModRm(
        byte* code, int position, int limit, uint entry, uint prefixes, ref DecodedInstruction instruction)
    {
        if (position >= limit)
        {
            return Shortage(limit);
        }

        uint modRm = code[position++];
        if (FormOf(entry) == Form.Group)
        {
            entry = GroupMember(entry, modRm, prefixes);
        }

        Form form = FormOf(entry);
        bool hasMemory = modRm < 0xC0 && form <= Form.MemoryOrRegister;
        InstructionFlags flags = hasMemory ? InstructionFlags.Memory : InstructionFlags.None;
        if ((prefixes & LockPrefix) != 0)
        {
            if ((entry & Lockable) == 0 || !hasMemory)
            {
                return DecodeStatus.Unsupported;
            }

            flags |= InstructionFlags.Lock;
        }

        byte operandSize = OperandSize(entry, prefixes);
        byte register = (byte)(((modRm >> 3) & 7) | ((prefixes & RexR) << 1));
        byte general = (byte)((modRm & 7) | ((prefixes & RexB) << 3));
        instruction.Kind = KindOf(entry);
        instruction.AddressSize = AddressSize(prefixes);
        instruction.Segment = Segment(prefixes);
        instruction.Base = DecodedInstruction.NoRegister;
        instruction.Index = DecodedInstruction.NoRegister;

        if (hasMemory)
        {
            if ((prefixes & Compatibility) != 0)
            {
                return DecodeStatus.Unsupported;
            }

            uint field = modRm & 7;
            if (modRm < 0x40 && field != 4 && field != 5)
            {
                instruction.Base = general;
            }
            else
            {
                position = DecodeAddress(code, position, limit, modRm, prefixes, ref instruction);
                if (position < 0)
                {
                    return Shortage(limit);
                }
            }
        }
        else if (form < Form.MemoryOrRegister)
        {
            return DecodeStatus.Unsupported; // Invalid, too
        }

        int immediateSize = 0;
        switch (form)
        {
            case Form.Store:
                if (operandSize == 1 && (prefixes & AnyRex) == 0 && register >= 4)
                {
                    register -= 4;
                    flags |= InstructionFlags.HighByte;
                }

                break;
            case Form.BitStore:
                flags |= InstructionFlags.BitString;
                break;
            case Form.ImmediateByte:
            case Form.BitImmediate:
                immediateSize = 1;
                break;
            case Form.Immediate:
                immediateSize = operandSize < 4 ? operandSize : 4;
                break;
            case Form.Memory:
                if (instruction.Kind == InstructionKind.Cmpxchg8b)
                {
                    instruction.Kind = operandSize == 8 ? InstructionKind.Cmpxchg16b : InstructionKind.Cmpxchg8b;
                    operandSize = operandSize == 8 ? (byte)16 : (byte)8;
                }
                else
                {
                    operandSize = instruction.Kind == InstructionKind.Invlpg ? (byte)1 : (byte)10;
                }

                break;
            case Form.MemoryOrRegister:
                register = general;
                if (hasMemory
                    || instruction.Kind is InstructionKind.Lmsw or InstructionKind.Lldt or InstructionKind.Ltr)
                {
                    operandSize = 2;
                }

                break;
            case Form.SystemRegister:
                bool exists = instruction.Kind is InstructionKind.MovFromControl or InstructionKind.MovToControl
                    ? register is 0 or 2 or 3 or 4 or 8
                    : register < 8;
                if (!exists)
                {
                    return DecodeStatus.Unsupported;
                }

                instruction.SystemRegister = register;
                register = general;
                operandSize = (prefixes & Compatibility) == 0 ? (byte)8 : (byte)4;
                break;
            case Form.BaseRegister:
                if ((prefixes & Compatibility) != 0)
                {
                    return DecodeStatus.Unsupported;
                }

                register = general;
                operandSize = operandSize == 8 ? (byte)8 : (byte)4;
                break;
            case Form.ThreeBytes:
                if ((prefixes & Compatibility) != 0 && instruction.Kind == InstructionKind.Swapgs)
                {
                    return DecodeStatus.Unsupported;
                }

                break;
        }

        if (immediateSize != 0)
        {
            if (position + immediateSize > limit)
            {
                return Shortage(limit);
            }

            int immediate = ReadSigned(code + position, immediateSize);
            instruction.Immediate = form == Form.BitImmediate ? immediate & (8 * operandSize - 1) : immediate;
            flags |= InstructionFlags.Immediate;
            position += immediateSize;
        }

        instruction.Register = register;
        instruction.Flags = flags;
        instruction.OperandSize = operandSize;
        instruction.Length = (byte)position;
        return DecodeStatus.Ok;
    }

    // The entry of the opcode map for one member of a group, 0 where it is not emulated.
    private static uint GroupMember(uint entry, uint modRm, uint prefixes)
    {
        uint member = (modRm >> 3) & 7;
        bool isRegister = modRm >= 0xC0;
        uint size = entry & ByteOperand;
        switch ((Group)(entry & KindMask))
        {
            case Group.Arithmetic:
                return Arithmetic(member, Form.Immediate) | size;
            case Group.ArithmeticByte:
                return Arithmetic(member, Form.ImmediateByte);
            case Group.Move:
                return member == 0 ? Entry(InstructionKind.Mov, Form.Immediate) | size : 0;
            case Group.SegmentTables:
                return member switch
                {
                    0 => Entry(InstructionKind.Sldt, Form.MemoryOrRegister),
                    1 => Entry(InstructionKind.Str, Form.MemoryOrRegister),
                    2 => Entry(InstructionKind.Lldt, Form.MemoryOrRegister),
                    3 => Entry(InstructionKind.Ltr, Form.MemoryOrRegister),
                    _ => 0,
                };
            case Group.System:
                return isRegister ? SystemRegisterMember(modRm, member, prefixes) : member switch
                {
                    0 => Entry(InstructionKind.Sgdt, Form.Memory),
                    1 => Entry(InstructionKind.Sidt, Form.Memory),
                    2 => Entry(InstructionKind.Lgdt, Form.Memory),
                    3 => Entry(InstructionKind.Lidt, Form.Memory),
                    4 => Entry(InstructionKind.Smsw, Form.MemoryOrRegister),
                    6 => Entry(InstructionKind.Lmsw, Form.MemoryOrRegister),
                    7 => Entry(InstructionKind.Invlpg, Form.Memory),
                    _ => 0,
                };
            case Group.Bases:
                return !isRegister || (prefixes & RepPrefix) == 0 ? 0 : member switch
                {
                    0 => Entry(InstructionKind.Rdfsbase, Form.BaseRegister),
                    1 => Entry(InstructionKind.Rdgsbase, Form.BaseRegister),
                    2 => Entry(InstructionKind.Wrfsbase, Form.BaseRegister),
                    3 => Entry(InstructionKind.Wrgsbase, Form.BaseRegister),
                    _ => 0,
                };
            case Group.Bits:
                return member switch
                {
                    5 => Entry(InstructionKind.Bts, Form.BitImmediate) | Lockable,
                    6 => Entry(InstructionKind.Btr, Form.BitImmediate) | Lockable,
                    7 => Entry(InstructionKind.Btc, Form.BitImmediate) | Lockable,
                    _ => 0,
                };
            case Group.NonTemporal:
                // MOVNTI, whose hint has no meaning for a page table.
                return (prefixes & (AnyRepeat | OperandPrefix)) == 0 ? Entry(InstructionKind.Mov, Form.Store) : 0;
            case Group.CompareExchange:
                return member == 1 ? Entry(InstructionKind.Cmpxchg8b, Form.Memory) | Lockable : 0;
            default:
                return 0;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Arithmetic(uint member, Form form)
    {
        InstructionKind kind = member switch
        {
            0 => InstructionKind.Add,
            1 => InstructionKind.Or,
            4 => InstructionKind.And,
            5 => InstructionKind.Sub,
            6 => InstructionKind.Xor,
            _ => InstructionKind.Unsupported,
        };
        return kind == InstructionKind.Unsupported ? 0 : Entry(kind, form) | Lockable;
    }

    private static uint SystemRegisterMember(uint modRm, uint member, uint prefixes)
    {
        // With 0F 01 D0 and D1 these prefixes make other opcodes.
        bool isPrefixed = (prefixes & (AnyRepeat | OperandPrefix)) != 0;
        return modRm switch
        {
            0xD0 when !isPrefixed => Entry(InstructionKind.Xgetbv, Form.ThreeBytes),
            0xD1 when !isPrefixed => Entry(InstructionKind.Xsetbv, Form.ThreeBytes),
            0xF8 => Entry(InstructionKind.Swapgs, Form.ThreeBytes),
            0xF9 => Entry(InstructionKind.Rdtscp, Form.ThreeBytes),
            _ => member switch
            {
                4 => Entry(InstructionKind.Smsw, Form.MemoryOrRegister),
                6 => Entry(InstructionKind.Lmsw, Form.MemoryOrRegister),
                _ => 0,
            },
        };
    }

    // Fills in the memory operand behind ModRM; the position after it, or -1 if the bytes end first.
    private static int DecodeAddress(
        byte* code, int position, int limit, uint modRm, uint prefixes, ref DecodedInstruction instruction)
    {
        uint mode = modRm >> 6;
        uint field = modRm & 7;
        int displacementSize = mode == 1 ? 1 : mode == 2 ? 4 : 0;
        if (field == 4)
        {
            if (position >= limit)
            {
                return -1;
            }

            uint sib = code[position++];
            uint index = ((sib >> 3) & 7) | ((prefixes & RexX) << 2);
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
                instruction.Base = (byte)(field | ((prefixes & RexB) << 3));
            }
        }
        else if (field == 5 && mode == 0)
        {
            instruction.Base = DecodedInstruction.RipRegister;
            displacementSize = 4;
        }
        else
        {
            instruction.Base = (byte)(field | ((prefixes & RexB) << 3));
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ReadSigned(byte* source, int size) =>
        size == 1 ? *(sbyte*)source : size == 2 ? *(short*)source : *(int*)source;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte OperandSize(uint entry, uint prefixes) =>
        (entry & ByteOperand) != 0 ? (byte)1
        : (prefixes & RexW) != 0 ? (byte)8
        : (prefixes & OperandPrefix) != 0 ? (byte)2
        : (byte)4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte AddressSize(uint prefixes) =>
        (prefixes & (Compatibility | AddressPrefix)) == 0 ? (byte)8 : (byte)4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static SegmentOverride Segment(uint prefixes) =>
        (prefixes & AnySegment) == 0 ? SegmentOverride.None
        : (prefixes & FsPrefix) != 0 ? SegmentOverride.Fs
        : SegmentOverride.Gs;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static InstructionKind KindOf(uint entry) => (InstructionKind)(entry & KindMask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Form FormOf(uint entry) => (Form)((entry >> FormShift) & FormMask);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Entry(InstructionKind kind, Form form) => (uint)kind | ((uint)form << FormShift);

    // An entry of the opcode maps: InstructionKind or Group, Form, and properties; or a prefix. 0 is not emulated.
    private const uint KindMask = 0x3F;
    private const int FormShift = 6;
    private const uint FormMask = 0xF;
    private const ushort Lockable = 1 << 10;
    private const ushort ByteOperand = 1 << 11;
    private const ushort IsPrefix = 1 << 15;
    private const uint PrefixBits = 0x7F;
    private const int PrefixShift = 8;

    private const ushort Add8 = (int)InstructionKind.Add | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort Add = (int)InstructionKind.Add | ((int)Form.Store << FormShift) | Lockable;
    private const ushort Or8 = (int)InstructionKind.Or | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort Or = (int)InstructionKind.Or | ((int)Form.Store << FormShift) | Lockable;
    private const ushort And8 = (int)InstructionKind.And | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort And = (int)InstructionKind.And | ((int)Form.Store << FormShift) | Lockable;
    private const ushort Sub8 = (int)InstructionKind.Sub | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort Sub = (int)InstructionKind.Sub | ((int)Form.Store << FormShift) | Lockable;
    private const ushort Xor8 = (int)InstructionKind.Xor | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort Xor = (int)InstructionKind.Xor | ((int)Form.Store << FormShift) | Lockable;
    private const ushort Xchg8 = (int)InstructionKind.Xchg | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort Xchg = (int)InstructionKind.Xchg | ((int)Form.Store << FormShift) | Lockable;
    private const ushort Mov8 = (int)InstructionKind.Mov | ((int)Form.Store << FormShift) | ByteOperand;
    private const ushort Mov = (int)InstructionKind.Mov | ((int)Form.Store << FormShift);
    private const ushort Ins8 = (int)InstructionKind.Ins | ((int)Form.String << FormShift) | ByteOperand;
    private const ushort Ins = (int)InstructionKind.Ins | ((int)Form.String << FormShift);
    private const ushort Outs8 = (int)InstructionKind.Outs | ((int)Form.String << FormShift) | ByteOperand;
    private const ushort Outs = (int)InstructionKind.Outs | ((int)Form.String << FormShift);
    private const ushort Movs8 = (int)InstructionKind.Movs | ((int)Form.String << FormShift) | ByteOperand;
    private const ushort Movs = (int)InstructionKind.Movs | ((int)Form.String << FormShift);
    private const ushort Stos8 = (int)InstructionKind.Stos | ((int)Form.String << FormShift) | ByteOperand;
    private const ushort Stos = (int)InstructionKind.Stos | ((int)Form.String << FormShift);
    private const ushort In8 = (int)InstructionKind.In | ((int)Form.Port << FormShift) | ByteOperand;
    private const ushort In = (int)InstructionKind.In | ((int)Form.Port << FormShift);
    private const ushort InDx8 = (int)InstructionKind.In | ((int)Form.Plain << FormShift) | ByteOperand;
    private const ushort InDx = (int)InstructionKind.In | ((int)Form.Plain << FormShift);
    private const ushort Out8 = (int)InstructionKind.Out | ((int)Form.Port << FormShift) | ByteOperand;
    private const ushort Out = (int)InstructionKind.Out | ((int)Form.Port << FormShift);
    private const ushort OutDx8 = (int)InstructionKind.Out | ((int)Form.Plain << FormShift) | ByteOperand;
    private const ushort OutDx = (int)InstructionKind.Out | ((int)Form.Plain << FormShift);
    private const ushort Hlt = (int)InstructionKind.Hlt | ((int)Form.Plain << FormShift);
    private const ushort Cli = (int)InstructionKind.Cli | ((int)Form.Plain << FormShift);
    private const ushort Sti = (int)InstructionKind.Sti | ((int)Form.Plain << FormShift);
    private const ushort Grp1B = (int)Group.Arithmetic | ((int)Form.Group << FormShift) | ByteOperand;
    private const ushort Grp1 = (int)Group.Arithmetic | ((int)Form.Group << FormShift);
    private const ushort Grp1S = (int)Group.ArithmeticByte | ((int)Form.Group << FormShift);
    private const ushort Grp11B = (int)Group.Move | ((int)Form.Group << FormShift) | ByteOperand;
    private const ushort Grp11 = (int)Group.Move | ((int)Form.Group << FormShift);
    private const ushort Null = IsPrefix;
    private const ushort Rex = IsPrefix;
    private const ushort Fs = IsPrefix | (int)(FsPrefix >> PrefixShift);
    private const ushort Gs = IsPrefix | (int)(GsPrefix >> PrefixShift);
    private const ushort Opnd = IsPrefix | (int)(OperandPrefix >> PrefixShift);
    private const ushort Addr = IsPrefix | (int)(AddressPrefix >> PrefixShift);
    private const ushort Lock = IsPrefix | (int)(LockPrefix >> PrefixShift);
    private const ushort Repn = IsPrefix | (int)(RepnePrefix >> PrefixShift);
    private const ushort Rep = IsPrefix | (int)(RepPrefix >> PrefixShift);
    private const ushort Clts = (int)InstructionKind.Clts | ((int)Form.Plain << FormShift);
    private const ushort Invd = (int)InstructionKind.Invd | ((int)Form.Plain << FormShift);
    private const ushort Wbinvd = (int)InstructionKind.Wbinvd | ((int)Form.Plain << FormShift);
    private const ushort Wrmsr = (int)InstructionKind.Wrmsr | ((int)Form.Plain << FormShift);
    private const ushort Rdtsc = (int)InstructionKind.Rdtsc | ((int)Form.Plain << FormShift);
    private const ushort Rdmsr = (int)InstructionKind.Rdmsr | ((int)Form.Plain << FormShift);
    private const ushort Rdpmc = (int)InstructionKind.Rdpmc | ((int)Form.Plain << FormShift);
    private const ushort Cpuid = (int)InstructionKind.Cpuid | ((int)Form.Plain << FormShift);
    private const ushort FromCr = (int)InstructionKind.MovFromControl | ((int)Form.SystemRegister << FormShift);
    private const ushort FromDr = (int)InstructionKind.MovFromDebug | ((int)Form.SystemRegister << FormShift);
    private const ushort ToCr = (int)InstructionKind.MovToControl | ((int)Form.SystemRegister << FormShift);
    private const ushort ToDr = (int)InstructionKind.MovToDebug | ((int)Form.SystemRegister << FormShift);
    private const ushort Bts = (int)InstructionKind.Bts | ((int)Form.BitStore << FormShift) | Lockable;
    private const ushort Btr = (int)InstructionKind.Btr | ((int)Form.BitStore << FormShift) | Lockable;
    private const ushort Btc = (int)InstructionKind.Btc | ((int)Form.BitStore << FormShift) | Lockable;
    private const ushort Cmpx8 = (int)InstructionKind.Cmpxchg | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort Cmpx = (int)InstructionKind.Cmpxchg | ((int)Form.Store << FormShift) | Lockable;
    private const ushort Xadd8 = (int)InstructionKind.Xadd | ((int)Form.Store << FormShift) | Lockable | ByteOperand;
    private const ushort Xadd = (int)InstructionKind.Xadd | ((int)Form.Store << FormShift) | Lockable;
    private const ushort Grp6 = (int)Group.SegmentTables | ((int)Form.Group << FormShift);
    private const ushort Grp7 = (int)Group.System | ((int)Form.Group << FormShift);
    private const ushort Grp15 = (int)Group.Bases | ((int)Form.Group << FormShift);
    private const ushort Grp8 = (int)Group.Bits | ((int)Form.Group << FormShift);
    private const ushort MovNti = (int)Group.NonTemporal | ((int)Form.Group << FormShift);
    private const ushort Grp9 = (int)Group.CompareExchange | ((int)Form.Group << FormShift);

    private static ReadOnlySpan<ushort> OneByteMap =>
    [
        Add8, Add, 0, 0, 0, 0, 0, 0, Or8, Or, 0, 0, 0, 0, 0, 0, // 00
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 10
        And8, And, 0, 0, 0, 0, Null, 0, Sub8, Sub, 0, 0, 0, 0, Null, 0, // 20
        Xor8, Xor, 0, 0, 0, 0, Null, 0, 0, 0, 0, 0, 0, 0, Null, 0, // 30
        Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, Rex, // 40
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 50
        0, 0, 0, 0, Fs, Gs, Opnd, Addr, 0, 0, 0, 0, Ins8, Ins, Outs8, Outs, // 60
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 70
        Grp1B, Grp1, 0, Grp1S, 0, 0, Xchg8, Xchg, Mov8, Mov, 0, 0, 0, 0, 0, 0, // 80
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 90
        0, 0, 0, 0, Movs8, Movs, 0, 0, 0, 0, Stos8, Stos, 0, 0, 0, 0, // A0
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // B0
        0, 0, 0, 0, 0, 0, Grp11B, Grp11, 0, 0, 0, 0, 0, 0, 0, 0, // C0
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // D0
        0, 0, 0, 0, In8, In, Out8, Out, 0, 0, 0, 0, InDx8, InDx, OutDx8, OutDx, // E0
        Lock, 0, Repn, Rep, Hlt, 0, 0, 0, 0, 0, Cli, Sti, 0, 0, 0, 0, // F0
    ];

    // Behind 0F.
    private static ReadOnlySpan<ushort> TwoByteMap =>
    [
        Grp6, Grp7, 0, 0, 0, 0, Clts, 0, Invd, Wbinvd, 0, 0, 0, 0, 0, 0, // 00
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 10
        FromCr, FromDr, ToCr, ToDr, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 20
        Wrmsr, Rdtsc, Rdmsr, Rdpmc, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 30
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 40
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 50
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 60
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 70
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 80
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // 90
        0, 0, Cpuid, 0, 0, 0, 0, 0, 0, 0, 0, Bts, 0, 0, Grp15, 0, // A0
        Cmpx8, Cmpx, 0, Btr, 0, 0, 0, 0, 0, 0, Grp8, Btc, 0, 0, 0, 0, // B0
        Xadd8, Xadd, 0, MovNti, 0, 0, 0, Grp9, 0, 0, 0, 0, 0, 0, 0, 0, // C0
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // D0
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // E0
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // F0
    ];
}
