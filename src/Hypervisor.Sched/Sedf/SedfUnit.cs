// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.Sedf;

/// <summary>What <see cref="SedfPolicy"/> remembers about a unit.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SedfUnit
{
    /// <summary>End of the present period: deadline of its budget, and release of the next one.</summary>
    public ulong Deadline;

    /// <summary>Nanoseconds of the present period's slice that are left; what was run over is negative.</summary>
    public long Budget;

    /// <summary>Length of the present period; shorter than the domain's after a wake-up (latency).</summary>
    public ulong Period;

    /// <summary>What the unit has been charged for left-over time. It only means something in comparison with others
    /// on its CPU, and may wrap.</summary>
    public ulong ExtraSpent;

    /// <summary>Nanoseconds of its present turn in left-over time.</summary>
    public ulong Used;

    public SedfQueue Queue;

    /// <summary>Runs in left-over time, not on its budget.</summary>
    public bool IsExtra;

    /// <summary>Has not run since it woke: it may take left-over time from a unit that has had some.</summary>
    public bool HasWoken;

    public bool HasYielded;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SedfUnit* Of(SchedUnit* unit) => (SedfUnit*)&unit->Policy;
}

/// <summary>The queues of a CPU.</summary>
internal enum SedfQueue : uint
{
    Ready,
    Extra,
    Depleted,
}
