// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the sedf policy is told about a domain; it holds for each of its units.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SedfParameters
{
    public const ulong MinPeriod = 100_000;
    public const ulong MaxPeriod = 10_000_000_000;
    public const ulong MinSlice = 10_000;
    public const ulong MinLatency = 50_000;
    public const uint MaxWeight = 65535;

    /// <summary>Nanoseconds: <see cref="Slice"/> of running time are promised in each period.</summary>
    public ulong Period;

    /// <summary>Nanoseconds; 0: nothing is promised, the unit lives on the time that others leave.</summary>
    public ulong Slice;

    /// <summary>Nanoseconds: a unit that wakes with its period over begins with one as short as this, its slice in
    /// proportion, and doubles it until it is back at its own. 0: it begins with its own.</summary>
    public ulong Latency;

    /// <summary>Share of the time that is left over, in proportion to others': 1 to
    /// <see cref="MaxWeight"/>.</summary>
    public uint Weight;

    /// <summary>Not zero: takes part in the time that is left over.</summary>
    public uint ExtraTime;

    public static SedfParameters Default => new() { Period = 100_000_000, Weight = 256, ExtraTime = 1 };

    /// <summary>Values that the policy can work with.</summary>
    public readonly bool IsValid =>
        Period >= MinPeriod && Period <= MaxPeriod
        && Slice <= Period && (Slice == 0 ? ExtraTime != 0 : Slice >= MinSlice)
        && (Latency == 0 || (Latency >= MinLatency && Latency <= Period))
        && Weight - 1 < MaxWeight && ExtraTime <= 1;
}
