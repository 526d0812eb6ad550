// SPDX-License-Identifier: MIT
//
// A guest that writes to one of its page tables faults, for it maps them read-only. The write is carried out on its
// behalf, as one compare-and-exchange of the whole 8-byte entry, between a check of the new entry and the reference
// counting of both:
//
//   decode → address → read old entry → Evaluate → validate → compare-exchange (changed? again) → Complete
//
// Evaluate computes the entry that the instruction would leave and touches nothing, so it may be repeated as often as
// another CPU gets in between. Complete alone changes the guest's registers, and only after the store has happened: an
// instruction is carried out as a whole or not at all. Both see the same old entry and hence agree.
//
// An access may cover any 1 to 8 bytes of an entry, but not two entries: nothing writes two of them atomically.
using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>What a store instruction does to an 8-byte page-table entry and to the registers of its guest.</summary>
public static unsafe class PageTableWrite
{
    private const ulong Carry = 1 << 0;
    private const ulong Parity = 1 << 2;
    private const ulong Adjust = 1 << 4;
    private const ulong Zero = 1 << 6;
    private const ulong Sign = 1 << 7;
    private const ulong Overflow = 1 << 11;
    private const ulong Arithmetic = Carry | Parity | Adjust | Zero | Sign | Overflow;

    // An even number of ones in a nibble, as a bit per value of the nibble.
    private const uint EvenParity = 0x9669;

    /// <summary>Computes the entry that the instruction leaves.</summary>
    /// <param name="instruction">A decoded instruction of any kind.</param>
    /// <param name="registers">The guest's registers, which are only read.</param>
    /// <param name="offset">Where in the 8-byte-aligned entry the access begins.</param>
    /// <param name="oldEntry">The entry as it stands.</param>
    /// <param name="stringSource">What MOVS has read; ignored by everything else.</param>
    /// <param name="newEntry">The entry to store; equal to the old one if a comparison failed.</param>
    /// <returns>Whether this is a store that stays within the entry.</returns>
    public static bool Evaluate(
        in DecodedInstruction instruction, CpuUserRegs* registers, int offset, ulong oldEntry, ulong stringSource,
        out ulong newEntry)
    {
        newEntry = oldEntry;
        int size = instruction.OperandSize;
        InstructionKind kind = instruction.Kind;
        if (kind is InstructionKind.Unsupported or > InstructionKind.Movs || offset < 0 || offset + size > 8)
        {
            return false;
        }

        if (kind > InstructionKind.Xchg)
        {
            return EvaluateOther(instruction, registers, offset, stringSource, ref newEntry);
        }

        // MOV and XCHG, which are nearly all.
        newEntry = Merge(oldEntry, Source(instruction, registers), GuestRegisters.Mask(size), 8 * offset);
        return true;
    }

    /// <summary>
    /// Updates registers, flags and the instruction pointer after the new entry of <see cref="Evaluate"/> has been
    /// stored over <paramref name="oldEntry"/>. A repeated string instruction makes one step and stays where it is
    /// until its count is used up.
    /// </summary>
    /// <remarks>A guest that single-steps (RFLAGS.TF) is then owed a debug trap: the caller's business.</remarks>
    public static void Complete(
        in DecodedInstruction instruction, CpuUserRegs* registers, int offset, ulong oldEntry)
    {
        ulong target = (oldEntry >> (8 * offset)) & GuestRegisters.Mask(instruction.OperandSize);
        switch (instruction.Kind)
        {
            case InstructionKind.Mov:
                break;
            case InstructionKind.Xchg:
                WriteSource(instruction, registers, target);
                break;
            case InstructionKind.Stos:
            case InstructionKind.Movs:
                StringStep.Complete(instruction, registers);
                return;
            default:
                CompleteArithmetic(instruction, registers, target);
                break;
        }

        GuestRegisters.Advance(registers, instruction);
    }

    private static bool EvaluateOther(
        in DecodedInstruction instruction, CpuUserRegs* registers, int offset, ulong stringSource, ref ulong entry)
    {
        // A repetition of no times does not fault, so this one has been changed since.
        if (instruction.Has(InstructionFlags.Rep) && StringStep.Remaining(instruction, registers) == 0)
        {
            return false;
        }

        int shift = 8 * offset;
        ulong mask = GuestRegisters.Mask(instruction.OperandSize);
        ulong result = Result(instruction, registers, (entry >> shift) & mask, mask, stringSource);
        entry = Merge(entry, result, mask, shift);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Merge(ulong entry, ulong value, ulong mask, int shift) =>
        (entry & ~(mask << shift)) | ((value & mask) << shift);

    // Everything that sets flags.
    private static void CompleteArithmetic(in DecodedInstruction instruction, CpuUserRegs* registers, ulong target)
    {
        ulong mask = GuestRegisters.Mask(instruction.OperandSize);
        ulong source = Source(instruction, registers) & mask;
        ulong sign = (mask >> 1) + 1;

        switch (instruction.Kind)
        {
            case InstructionKind.Xadd:
                SetFlags(registers, AdditionFlags(target, source, mask, sign));
                WriteSource(instruction, registers, target);
                break;
            case InstructionKind.Cmpxchg:
                ulong accumulator = registers->Rax & mask;
                SetFlags(registers, SubtractionFlags(accumulator, target, mask, sign));
                if (accumulator != target)
                {
                    GuestRegisters.Write(registers, 0, instruction.OperandSize, target);
                }

                break;
            case InstructionKind.Cmpxchg8b:
                if (Pair(registers->Rdx, registers->Rax) == target)
                {
                    registers->Rflags |= Zero;
                }
                else
                {
                    registers->Rflags &= ~Zero;
                    registers->Rax = (uint)target;
                    registers->Rdx = target >> 32;
                }

                break;
            case InstructionKind.Add:
                SetFlags(registers, AdditionFlags(target, source, mask, sign));
                break;
            case InstructionKind.Sub:
                SetFlags(registers, SubtractionFlags(target, source, mask, sign));
                break;
            case InstructionKind.Or:
                SetFlags(registers, ResultFlags(target | source, sign));
                break;
            case InstructionKind.And:
                SetFlags(registers, ResultFlags(target & source, sign));
                break;
            case InstructionKind.Xor:
                SetFlags(registers, ResultFlags(target ^ source, sign));
                break;
            case InstructionKind.Bts:
            case InstructionKind.Btr:
            case InstructionKind.Btc:
                bool wasSet = (target & BitMask(instruction, source)) != 0;
                registers->Rflags = wasSet ? registers->Rflags | Carry : registers->Rflags & ~Carry;
                break;
        }
    }

    private static ulong Result(
        in DecodedInstruction instruction, CpuUserRegs* registers, ulong target, ulong mask, ulong stringSource)
    {
        ulong source = Source(instruction, registers);
        return instruction.Kind switch
        {
            InstructionKind.Xadd or InstructionKind.Add => target + source,
            InstructionKind.Sub => target - source,
            InstructionKind.Or => target | source,
            InstructionKind.And => target & source,
            InstructionKind.Xor => target ^ source,
            InstructionKind.Bts => target | BitMask(instruction, source),
            InstructionKind.Btr => target & ~BitMask(instruction, source),
            InstructionKind.Btc => target ^ BitMask(instruction, source),
            InstructionKind.Cmpxchg => (registers->Rax & mask) == target ? source : target,
            InstructionKind.Cmpxchg8b => Pair(registers->Rdx, registers->Rax) == target
                ? Pair(registers->Rcx, registers->Rbx)
                : target,
            InstructionKind.Movs => stringSource,
            _ => source, // STOS
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Source(in DecodedInstruction instruction, CpuUserRegs* registers)
    {
        if (instruction.Has(InstructionFlags.Immediate))
        {
            return (ulong)(long)instruction.Immediate;
        }

        ulong value = *GuestRegisters.Pointer(registers, instruction.Register);
        return instruction.Has(InstructionFlags.HighByte) ? value >> 8 : value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WriteSource(in DecodedInstruction instruction, CpuUserRegs* registers, ulong value)
    {
        if (instruction.Has(InstructionFlags.HighByte))
        {
            ulong* register = GuestRegisters.Pointer(registers, instruction.Register);
            *register = (*register & ~0xFF00UL) | (value << 8);
            return;
        }

        GuestRegisters.Write(registers, instruction.Register, instruction.OperandSize, value);
    }

    private static ulong BitMask(in DecodedInstruction instruction, ulong bitOffset) =>
        1UL << (int)(bitOffset & (uint)(8 * instruction.OperandSize - 1));

    private static ulong Pair(ulong high, ulong low) => (high << 32) | (uint)low;

    private static ulong AdditionFlags(ulong left, ulong right, ulong mask, ulong sign)
    {
        ulong result = (left + right) & mask;
        return ResultFlags(result, sign)
            | (result < left ? Carry : 0)
            | ((left ^ right ^ result) & Adjust)
            | (((left ^ result) & (right ^ result) & sign) != 0 ? Overflow : 0);
    }

    private static ulong SubtractionFlags(ulong left, ulong right, ulong mask, ulong sign)
    {
        ulong result = (left - right) & mask;
        return ResultFlags(result, sign)
            | (left < right ? Carry : 0)
            | ((left ^ right ^ result) & Adjust)
            | (((left ^ right) & (left ^ result) & sign) != 0 ? Overflow : 0);
    }

    private static ulong ResultFlags(ulong result, ulong sign) =>
        (result == 0 ? Zero : 0)
        | ((result & sign) != 0 ? Sign : 0)
        | (((EvenParity >> (int)((result ^ (result >> 4)) & 15)) & 1) != 0 ? Parity : 0);

    private static void SetFlags(CpuUserRegs* registers, ulong flags) =>
        registers->Rflags = (registers->Rflags & ~Arithmetic) | flags;
}
