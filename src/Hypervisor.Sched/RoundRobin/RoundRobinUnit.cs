// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.RoundRobin;

/// <summary>What <see cref="RoundRobinPolicy"/> remembers about a unit.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RoundRobinUnit
{
    /// <summary>Nanoseconds of the present slice that are used up.</summary>
    public ulong Used;

    /// <summary>Nanoseconds run since the unit last woke.</summary>
    public ulong RunSinceWake;

    /// <summary>The unit has just woken from a long enough sleep: it goes before those that have not.</summary>
    public bool IsBoosted;

    public bool HasYielded;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RoundRobinUnit* Of(SchedUnit* unit) => (RoundRobinUnit*)&unit->Policy;
}
