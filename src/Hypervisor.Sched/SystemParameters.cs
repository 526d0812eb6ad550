// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the policies are told about the machine as a whole. Kept whichever is in force; changes under
/// <see cref="SchedSystem.UnitsLock"/>, and counts from the next choice on.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SystemParameters
{
    public const ulong MinTimeSlice = 1_000_000;
    public const ulong MaxTimeSlice = 1_000_000_000;
    public const ulong MinRateLimit = 100_000;
    public const ulong MaxRateLimit = 500_000_000;
    public const ulong MinAllowance = 100_000;
    public const ulong MaxAllowance = 1_000_000_000;

    /// <summary>Nanoseconds: how long a unit runs before its equals have their turn (credit, and what sedf has left
    /// over).</summary>
    public ulong TimeSlice;

    /// <summary>Nanoseconds that a unit has run before a waking one may take the CPU from it (credit).</summary>
    public ulong RateLimit;

    /// <summary>Nanoseconds that a unit may run on though another one is ahead of it in virtual time (bvt).</summary>
    public ulong ContextSwitchAllowance;

    public static SystemParameters Default => new()
    {
        TimeSlice = 10_000_000,
        RateLimit = 1_000_000,
        ContextSwitchAllowance = 5_000_000,
    };

    /// <summary>Values that the policies can work with.</summary>
    public readonly bool IsValid =>
        TimeSlice >= MinTimeSlice && TimeSlice <= MaxTimeSlice
        && (RateLimit == 0 || (RateLimit >= MinRateLimit && RateLimit <= MaxRateLimit)) && RateLimit <= TimeSlice
        && ContextSwitchAllowance >= MinAllowance && ContextSwitchAllowance <= MaxAllowance;
}
