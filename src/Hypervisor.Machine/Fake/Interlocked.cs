// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Real = System.Threading.Interlocked;

namespace Hypervisor;

/// <summary>Atomic operations of the host's libraries, each behind a point for others (<see cref="StepPoints"/>).</summary>
internal static class Interlocked
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int CompareExchange(ref int location, int value, int comparand)
    {
        StepPoints.Pass();
        return Real.CompareExchange(ref location, value, comparand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint CompareExchange(ref uint location, uint value, uint comparand)
    {
        StepPoints.Pass();
        return Real.CompareExchange(ref location, value, comparand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long CompareExchange(ref long location, long value, long comparand)
    {
        StepPoints.Pass();
        return Real.CompareExchange(ref location, value, comparand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong CompareExchange(ref ulong location, ulong value, ulong comparand)
    {
        StepPoints.Pass();
        return Real.CompareExchange(ref location, value, comparand);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Exchange(ref int location, int value)
    {
        StepPoints.Pass();
        return Real.Exchange(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Exchange(ref long location, long value)
    {
        StepPoints.Pass();
        return Real.Exchange(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Add(ref int location, int value)
    {
        StepPoints.Pass();
        return Real.Add(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Add(ref long location, long value)
    {
        StepPoints.Pass();
        return Real.Add(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong And(ref ulong location, ulong value)
    {
        StepPoints.Pass();
        return Real.And(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Or(ref ulong location, ulong value)
    {
        StepPoints.Pass();
        return Real.Or(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MemoryBarrier()
    {
        StepPoints.Pass();
        Real.MemoryBarrier();
    }
}
