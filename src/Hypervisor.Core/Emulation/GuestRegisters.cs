// SPDX-License-Identifier: MIT
using System;
using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>Access to the registers of a guest by the numbers that instructions use.</summary>
public static unsafe class GuestRegisters
{
    private const ulong ResumeFlag = 1 << 16;

    /// <summary>The 64-bit register with the given ModRM number (0 to 15).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* Pointer(CpuUserRegs* registers, int number) => (ulong*)registers + Slots[number & 15];

    /// <summary>Reads the low 1, 2, 4 or 8 bytes of a register, zero-extended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(CpuUserRegs* registers, int number, int size) => *Pointer(registers, number) & Mask(size);

    /// <summary>Writes as the processor does: 4 bytes clear the upper half, fewer keep the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(CpuUserRegs* registers, int number, int size, ulong value)
    {
        ulong* register = Pointer(registers, number);
        ulong mask = Mask(size);
        *register = size >= 4 ? value & mask : (*register & ~mask) | (value & mask);
    }

    /// <summary>Moves on to the next instruction, as the retirement of one does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Advance(CpuUserRegs* registers, in DecodedInstruction instruction)
    {
        registers->Rip += instruction.Length;
        registers->Rflags &= ~ResumeFlag;
    }

    /// <summary>All ones in the given number of bytes (1 to 8).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Mask(int size) => ulong.MaxValue >> (64 - 8 * size);

    // Where ModRM's register n stands in cpu_user_regs, in units of 8 bytes.
    private static ReadOnlySpan<byte> Slots => [10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0];
}
