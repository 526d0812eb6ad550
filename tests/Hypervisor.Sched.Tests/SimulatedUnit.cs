// SPDX-License-Identifier: MIT

namespace Hypervisor.Sched.Tests;

/// <summary>A unit of the <see cref="Simulation"/> and how it behaves: it runs for a while, then sleeps for a
/// while.</summary>
internal sealed unsafe class SimulatedUnit
{
    public SimulatedUnit(SchedUnit* unit) => Unit = unit;

    public SchedUnit* Unit { get; }

    /// <summary>Nanoseconds of work between two sleeps; 0: it never sleeps of itself.</summary>
    public ulong Work { get; init; }

    public ulong Rest { get; init; }

    public ulong WorkLeft { get; set; }

    public ulong WakesAt { get; set; } = ulong.MaxValue;

    /// <summary>Nanoseconds run so far.</summary>
    public ulong Ran { get; set; }

    /// <summary>Longest time from a wake to the first run after it.</summary>
    public ulong WorstDelay { get; set; }

    public ulong WokeAt { get; set; }

    public bool IsWaitingForFirstRun { get; set; }
}
