// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the bvt policy is told about a domain; it holds for each of its units.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BvtParameters
{
    public const uint DefaultAdvance = 10;
    public const uint MaxAdvance = 65535;
    public const ulong MaxWarp = 10_000_000_000;

    /// <summary>Virtual time that passes for each unit of running time: twice as much is half the share. 1 to
    /// <see cref="MaxAdvance"/>.</summary>
    public uint Advance;

    /// <summary>Not zero: the units warp when they wake.</summary>
    public uint IsWarping;

    /// <summary>How far back a warped unit counts as being, in nanoseconds of running time at the default
    /// advance.</summary>
    public ulong WarpValue;

    /// <summary>Nanoseconds of running time that a unit may stay warped; 0 is no limit.</summary>
    public ulong WarpLimit;

    /// <summary>Nanoseconds that a unit which has used up its limit must stay unwarped.</summary>
    public ulong UnwarpRequirement;

    public static BvtParameters Default => new() { Advance = DefaultAdvance };

    /// <summary>Values that the policy can work with.</summary>
    public readonly bool IsValid =>
        Advance - 1 < MaxAdvance && IsWarping <= 1
        && WarpValue <= MaxWarp && WarpLimit <= MaxWarp && UnwarpRequirement <= MaxWarp;
}
