// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.Bvt;

/// <summary>What <see cref="BvtPolicy"/> remembers about a unit.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BvtUnit
{
    /// <summary>Actual virtual time: what the unit ran, times its advance. Only differences mean something; it may
    /// wrap.</summary>
    public ulong Actual;

    /// <summary>Virtual time that the unit counts as being further back: its warp, or 0 while it is not
    /// warped.</summary>
    public ulong Warp;

    /// <summary>Nanoseconds run since it warped.</summary>
    public ulong WarpUsed;

    /// <summary>When it may warp again.</summary>
    public ulong MayWarpAt;

    /// <summary>Virtual time that it may be ahead of those that it passes, until it runs: what it would run in the
    /// context switch allowance, from when it wakes. Otherwise it would wait for whoever is less ahead than that.</summary>
    public ulong HeadStart;

    /// <summary>Has not run since it woke: it does not wait for the context switch allowance of another.</summary>
    public bool HasWoken;

    public bool HasYielded;

    /// <summary>Effective virtual time: the order of the queue.</summary>
    public readonly ulong Effective
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Actual - Warp - HeadStart;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BvtUnit* Of(SchedUnit* unit) => (BvtUnit*)&unit->Policy;
}
