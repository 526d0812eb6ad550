// SPDX-License-Identifier: MIT
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>The register side of one step of MOVS, STOS, INS or OUTS.</summary>
public static unsafe class StringStep
{
    private const ulong DirectionFlag = 1 << 10;

    /// <summary>Steps that are left to do, this one included; 1 without a repeat prefix.</summary>
    public static ulong Remaining(in DecodedInstruction instruction, CpuUserRegs* registers) =>
        !instruction.Has(InstructionFlags.Rep) ? 1
        : instruction.AddressSize == 4 ? (uint)registers->Rcx
        : registers->Rcx;

    /// <summary>Bytes from one element to the next, negative if RFLAGS.DF is set.</summary>
    public static long Stride(in DecodedInstruction instruction, CpuUserRegs* registers) =>
        (registers->Rflags & DirectionFlag) != 0 ? -instruction.OperandSize : instruction.OperandSize;

    /// <summary>Moves the index registers on by one element, counts, and leaves the instruction at the last.</summary>
    public static void Complete(in DecodedInstruction instruction, CpuUserRegs* registers) =>
        Complete(instruction, registers, 1);

    /// <summary>The same for several elements at once, never more than <see cref="Remaining"/>.</summary>
    public static void Complete(in DecodedInstruction instruction, CpuUserRegs* registers, ulong steps)
    {
        int size = instruction.AddressSize;
        ulong distance = (ulong)Stride(instruction, registers) * steps;
        if (instruction.Kind is not InstructionKind.Outs)
        {
            GuestRegisters.Write(registers, 7, size, registers->Rdi + distance);
        }

        if (instruction.Kind is InstructionKind.Outs or InstructionKind.Movs)
        {
            GuestRegisters.Write(registers, 6, size, registers->Rsi + distance);
        }

        if (instruction.Has(InstructionFlags.Rep))
        {
            GuestRegisters.Write(registers, 1, size, registers->Rcx - steps);
            if (Remaining(instruction, registers) != 0)
            {
                return;
            }
        }

        GuestRegisters.Advance(registers, instruction);
    }
}
