// SPDX-License-Identifier: MIT
// Each CPU has five stacks in its block (MemoryLayout): the ordinary one, and one page each for #DB, NMI, #DF and #MC. Below
// each lies at least one page that is not mapped. A stack that grows into it faults, the fault cannot be delivered on the same
// stack, and the double fault that follows has a stack of its own.

using System;

namespace Hypervisor.Core.Traps;

/// <summary>The pages below the hypervisor's stacks.</summary>
public static unsafe class StackGuard
{
    private const ulong BlockSize = 1UL << MemoryLayout.PerCpuShift;

    /// <summary>Whether a double fault with this stack pointer and CR2 is that of a stack that overflowed.</summary>
    public static bool IsOverflow(ulong stackPointer, ulong address) =>
        !NameOf(address).IsEmpty || !NameOf(stackPointer).IsEmpty;

    /// <summary>The stack whose guard <paramref name="address"/> lies in; empty: in none.</summary>
    public static ReadOnlySpan<byte> NameOf(ulong address)
    {
        ulong offset = address - MemoryLayout.PerCpuBase;
        if (offset >= BlockSize * MemoryLayout.MaxCpus)
        {
            return default;
        }

        offset &= BlockSize - 1;
        return IsIn(offset, MemoryLayout.PerCpuData + MemoryLayout.PageSize, MemoryLayout.PerCpuStack) ? "the ordinary stack"u8
            : IsBelow(offset, MemoryLayout.PerCpuDebugStackTop) ? "the stack of #DB"u8
            : IsBelow(offset, MemoryLayout.PerCpuNmiStackTop) ? "the NMI stack"u8
            : IsBelow(offset, MemoryLayout.PerCpuDoubleFaultStackTop) ? "the stack of #DF"u8
            : IsBelow(offset, MemoryLayout.PerCpuMachineCheckStackTop) ? "the machine check stack"u8
            : default;
    }

    /// <summary>The CPU in whose block an address lies that <see cref="NameOf"/> has named.</summary>
    public static uint CpuOf(ulong address) => (uint)((address - MemoryLayout.PerCpuBase) >> MemoryLayout.PerCpuShift);

    /// <summary>Whether the level-1 entries of a block map the stacks and none of their guards.</summary>
    public static bool HasGuards(ulong* entries)
    {
        for (ulong offset = 0; offset < BlockSize; offset += MemoryLayout.PageSize)
        {
            bool isPresent = (entries[offset >> MemoryLayout.PageShift] & Mmu.Pte.Present) != 0;
            bool isGuard = !NameOf(MemoryLayout.PerCpuBase + offset).IsEmpty;
            if ((isGuard && isPresent) || (IsStack(offset) && !isPresent))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsStack(ulong offset) =>
        IsIn(offset, MemoryLayout.PerCpuStack, MemoryLayout.PerCpuStackTop)
        || offset + MemoryLayout.PageSize is MemoryLayout.PerCpuDebugStackTop or MemoryLayout.PerCpuNmiStackTop
            or MemoryLayout.PerCpuDoubleFaultStackTop or MemoryLayout.PerCpuMachineCheckStackTop;

    /// <summary>In the page below a stack of one page.</summary>
    private static bool IsBelow(ulong offset, ulong top) =>
        IsIn(offset, top - (2 * MemoryLayout.PageSize), top - MemoryLayout.PageSize);

    private static bool IsIn(ulong offset, ulong start, ulong end) => offset >= start && offset < end;
}
