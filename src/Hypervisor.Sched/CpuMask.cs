// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor.Sched;

/// <summary>A set of CPUs, by number.</summary>
public struct CpuMask
{
    /// <summary>Bit n: CPU n. Changed atomically where several CPUs may
    /// (<see cref="Machine.TestAndSetBit"/>).</summary>
    public ulong Bits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public CpuMask(ulong bits) => Bits = bits;

    public static CpuMask All
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(ulong.MaxValue);
    }

    public readonly bool IsEmpty
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Bits == 0;
    }

    /// <summary>Number of the lowest CPU in the set, which is not empty.</summary>
    public readonly uint First
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Machine.LowestBit(Bits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CpuMask Of(uint cpu) => new(1UL << (int)cpu);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CpuMask operator &(CpuMask left, CpuMask right) => new(left.Bits & right.Bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Contains(uint cpu) => (Bits >> (int)cpu & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly CpuMask Without(uint cpu) => new(Bits & ~(1UL << (int)cpu));
}
