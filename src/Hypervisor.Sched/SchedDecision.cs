// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor.Sched;

/// <summary>What a CPU is to do: run a unit, or nothing, until a certain time at most.</summary>
public readonly unsafe struct SchedDecision
{
    public const ulong NoLimit = ulong.MaxValue;

    /// <summary>Null: stay idle.</summary>
    public readonly SchedUnit* Unit;

    /// <summary>When to choose anew, though nothing happens before (nanoseconds since boot); <see cref="NoLimit"/>:
    /// then never.</summary>
    public readonly ulong Until;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private SchedDecision(SchedUnit* unit, ulong until)
    {
        Unit = unit;
        Until = until;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SchedDecision Run(SchedUnit* unit, ulong until) => new(unit, until);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SchedDecision Idle(ulong until) => new(null, until);
}
