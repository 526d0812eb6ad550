// SPDX-License-Identifier: MIT
// System time: nanoseconds since the hypervisor calibrated the time stamp counter at
// boot, the same for every CPU and guest.
//
//     time = base + ((TSC - base TSC) * scale >> 32)          scale = nanoseconds per tick, 32.32 fixed point
//
// Guests compute the very same thing from their time record, with a multiplier of 32 bits and a shift. The scale is
// therefore cut to a number that both forms express: below 2^32 (a TSC above 1 GHz) it is the multiplier itself,
// above that its low bits are dropped. So a guest's clock and the hypervisor's never differ by a nanosecond, and the
// record need not be written again for as long as the base stands (GuestTime). Against the calibrated frequency the
// cut costs less than one part in 10^9.
//
// The base stands for ever where the processor promises a constant rate. Elsewhere a check against a timer of the
// board (ClockWatch) may set a new one, with the pace that was found; the four numbers belong together, so readers look
// at a version before and after.
//
// The multiplication keeps 128 bits: no overflow before the year 2500. There is no division but for arming the
// hardware.

using System.Runtime.CompilerServices;
using System.Threading;

namespace Hypervisor.Core.Time;

/// <summary>The clock of the machine.</summary>
public static unsafe class SystemTime
{
    public const ulong Second = 1_000_000_000;
    public const ulong Millisecond = 1_000_000;
    public const ulong Never = ulong.MaxValue;

    private static ulong s_baseTsc;
    private static ulong s_base;
    private static ulong s_scale;
    private static ulong s_tscHz;
    private static bool s_isStable;

    /// <summary>Odd while the four numbers change; grows by two each time.</summary>
    private static uint s_version;

    /// <summary>Ticks of the time stamp counter a second, as calibrated.</summary>
    public static ulong TscHz => s_tscHz;

    /// <summary>Nanoseconds a tick, 32.32.</summary>
    public static ulong Scale => s_scale;

    public static ulong BaseTsc => s_baseTsc;

    /// <summary>System time at <see cref="BaseTsc"/>.</summary>
    public static ulong Base => s_base;

    /// <summary>The counters of all CPUs run at one constant rate and agree: guests may use them without a
    /// guard.</summary>
    public static bool IsTscStable
    {
        get => s_isStable;
        set => s_isStable = value;
    }

    /// <summary>
    /// Sets the rate of the time stamp counter. The first call starts the clock at zero; a later one, with a better
    /// figure, lets it go on without a jump. Only at boot: no other CPU runs yet, and no guest has a time record.
    ///</summary>
    public static void Calibrate(ulong tscHz)
    {
        if (tscHz == 0)
        {
            Panic.Because("The time stamp counter does not count"u8);
        }

        Restart(tscHz);
    }

    /// <summary>The counter runs at another rate than was thought: the clock goes on from now without a jump, at the
    /// right pace. Guests' records are the caller's (<see cref="GuestTime.RenewAll"/>).</summary>
    /// <remarks>One caller at a time; others may read the clock meanwhile.</remarks>
    public static void Rescale(ulong tscHz)
    {
        Check.That(tscHz != 0, "rate of the time stamp counter"u8);
        Volatile.Write(ref s_version, s_version + 1);
        Restart(tscHz);
        Volatile.Write(ref s_version, s_version + 1);
    }

    /// <summary>Nanoseconds since boot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Now()
    {
        while (true)
        {
            uint version = Volatile.Read(ref s_version);
            ulong now = OfTsc(Machine.ReadTsc());
            if ((version & 1) == 0 && version == Volatile.Read(ref s_version))
            {
                return now;
            }

            Machine.Pause();
        }
    }

    /// <summary>System time at a value of the time stamp counter. One before the base, which another CPU has just set,
    /// is the base.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong OfTsc(ulong tsc)
    {
        ulong ticks = tsc - s_baseTsc;
        return s_base + Machine.MultiplyShift32((long)ticks < 0 ? 0 : ticks, s_scale);
    }

    /// <summary>Nanoseconds that so many ticks last.</summary>
    public static ulong OfTicks(ulong ticks) => Machine.MultiplyShift32(ticks, s_scale);

    private static void Restart(ulong tscHz)
    {
        ulong tsc = Machine.ReadTsc();
        ulong start = s_scale == 0 ? 0 : OfTsc(tsc);
        ulong scale = (Second << 32) / tscHz;
        int excess = scale >> 32 == 0 ? 0 : Machine.HighestBit(scale) - 31;
        s_base = start;
        s_baseTsc = tsc;
        s_tscHz = tscHz;
        s_scale = scale >> excess << excess;
    }

    /// <summary>The first value of the time stamp counter at which <see cref="Now"/> gives <paramref name="time"/> or
    /// more; never 0, which means "no timer" to the hardware.</summary>
    public static ulong ToTsc(ulong time)
    {
        if (time <= s_base)
        {
            return s_baseTsc != 0 ? s_baseTsc : 1;
        }

        ulong delta = time - s_base;
        if (delta >> 32 >= s_scale)
        {
            return ulong.MaxValue;
        }

        ulong ticks = Machine.Divide128(delta >> 32, delta << 32, s_scale);
        if (Machine.MultiplyShift32(ticks, s_scale) < delta)
        {
            ticks++;
        }

        ulong tsc = s_baseTsc + ticks;
        return tsc >= ticks ? tsc : ulong.MaxValue;
    }
}
