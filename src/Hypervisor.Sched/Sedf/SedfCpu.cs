// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.Sedf;

/// <summary>What <see cref="SedfPolicy"/> remembers about a CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SedfCpu
{
    /// <summary>Units with budget, the earliest deadline first.</summary>
    public RunQueue Ready;

    /// <summary>Units without budget that may have left-over time: those charged least for it first.</summary>
    public RunQueue Extra;

    /// <summary>Units without budget that may not, the earliest release first.</summary>
    public RunQueue Depleted;

    /// <summary>No later than the first release of a unit in <see cref="Extra"/>.</summary>
    public ulong NextExtraRelease;

    /// <summary>What the unit that last had left-over time had been charged when it began.</summary>
    public ulong ExtraFloor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SedfCpu* Of(SchedCpu* cpu) => (SedfCpu*)&cpu->Policy;
}
