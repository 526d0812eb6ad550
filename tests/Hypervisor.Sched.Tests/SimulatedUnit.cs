// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Sched.Tests;

/// <summary>A unit of the <see cref="Simulation"/> and how it behaves: it works for a while, then rests for a
/// while.</summary>
internal sealed unsafe class SimulatedUnit
{
    public SimulatedUnit(SchedUnit* unit, int index)
    {
        Unit = unit;
        Index = index;
    }

    public SchedUnit* Unit { get; }

    public int Index { get; }

    /// <summary>Nanoseconds of work before the next rest; null: it never rests of itself.</summary>
    public Func<ulong> Work { get; init; }

    /// <summary>Nanoseconds of the rest that follows; 0: it yields instead.</summary>
    public Func<ulong> Rest { get; init; }

    public ulong WorkLeft { get; set; }

    public bool IsResting { get; set; }

    /// <summary>Number of the present rest, so that an alarm which was set for an earlier one is known.</summary>
    public int Alarm { get; set; }

    /// <summary>Nanoseconds run so far.</summary>
    public ulong Ran { get; set; }

    /// <summary>Longest time from a wake to the first run after it, and all of them if they are kept.</summary>
    public ulong WorstDelay { get; set; }

    public Action<ulong> OnFirstRun { get; set; }

    /// <summary>Longest time that it waited for a CPU at a stretch.</summary>
    public ulong WorstWait { get; set; }

    public ulong WaitsSince { get; set; }

    public ulong WokeAt { get; set; }

    public bool IsWaitingForFirstRun { get; set; }
}
