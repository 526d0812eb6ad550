// SPDX-License-Identifier: MIT
// The local APIC's timer where the processor takes no TSC deadline: it counts down at a rate of its own, once. A count that
// exceeds 32 bits is cut: the timer fires early, and whoever armed it finds nothing due and arms it again.

namespace Hypervisor.Core.Apic;

/// <summary>Counts of the timer for deadlines in TSC ticks.</summary>
public static class ApicTimer
{
    /// <summary>Timer ticks for each TSC tick, times 2³², from what both have counted; 0 where one stands still.</summary>
    public static ulong Ratio(uint counted, ulong tscTicks) =>
        counted == 0 || tscTicks == 0 ? 0 : Machine.Divide128(0, (ulong)counted << 32, tscTicks);

    /// <summary>The count that runs out at <paramref name="deadline"/> or up to one tick of the timer before; 0, which stops
    /// the timer, for the deadline 0; 1, as soon as can be, for one that has passed.</summary>
    public static uint CountUntil(ulong deadline, ulong now, ulong ratio)
    {
        if (deadline == 0)
        {
            return 0;
        }

        ulong ticks = deadline > now ? Multiply(deadline - now, ratio) : 0;
        return ticks > uint.MaxValue ? uint.MaxValue : ticks == 0 ? 1 : (uint)ticks;
    }

    // A timer is slower than the TSC or not much faster; a distance beyond that is cut anyway.
    private static ulong Multiply(ulong distance, ulong ratio) =>
        distance >> 56 != 0 ? ulong.MaxValue : Machine.MultiplyShift32(distance, ratio);
}
