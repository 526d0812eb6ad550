// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Real = System.Threading.Volatile;

namespace Hypervisor;

/// <summary>Ordered loads and stores of the host's libraries, each behind a point for others
/// (<see cref="StepPoints"/>).</summary>
internal static class Volatile
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte Read(ref readonly byte location)
    {
        StepPoints.Pass();
        return Real.Read(in location);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref byte location, byte value)
    {
        StepPoints.Pass();
        Real.Write(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Read(ref readonly ushort location)
    {
        StepPoints.Pass();
        return Real.Read(in location);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref ushort location, ushort value)
    {
        StepPoints.Pass();
        Real.Write(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Read(ref readonly int location)
    {
        StepPoints.Pass();
        return Real.Read(in location);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref int location, int value)
    {
        StepPoints.Pass();
        Real.Write(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read(ref readonly uint location)
    {
        StepPoints.Pass();
        return Real.Read(in location);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref uint location, uint value)
    {
        StepPoints.Pass();
        Real.Write(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Read(ref readonly long location)
    {
        StepPoints.Pass();
        return Real.Read(in location);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref long location, long value)
    {
        StepPoints.Pass();
        Real.Write(ref location, value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(ref readonly ulong location)
    {
        StepPoints.Pass();
        return Real.Read(in location);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ref ulong location, ulong value)
    {
        StepPoints.Pass();
        Real.Write(ref location, value);
    }
}
