// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>
/// What a hypercall leaves in the guest's rax: a value, a negative errno, or the order to run the call again
/// (<see cref="Continuation"/> has by then rewritten the arguments).
/// </summary>
public readonly struct HypercallResult
{
    public readonly long Raw;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private HypercallResult(long raw) => Raw = raw;

    /// <summary>Run the call again after interrupts and soft interrupts have been served; the arguments in the frame say
    /// where to go on (<see cref="Continuation"/>).</summary>
    public static HypercallResult Preempted
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(long.MinValue);
    }

    public bool IsPreempted
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Raw == long.MinValue;
    }

    /// <summary>A non-negative answer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static HypercallResult Value(long value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static HypercallResult Value(ulong value) => new((long)value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static implicit operator HypercallResult(Errno error) => new(-(long)error);
}
