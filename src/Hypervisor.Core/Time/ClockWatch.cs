// SPDX-License-Identifier: MIT
// Does the time stamp counter keep its pace? Ten times a second the watching timer is read and its ticks are added up,
// so that a counter that wraps every few seconds is as good as a long one. Every few seconds the TSC's rate follows
// from both.
//
// A reading that took long (SMM, a host with other things to do) proves nothing: it is left out, and the interval
// becomes longer. Two intervals in a row that find the same other rate are believed. Where the processor promises a
// constant rate this is only said; elsewhere the clock takes the new pace.
//
// Locking: one caller, the housekeeping of one CPU.

namespace Hypervisor.Core.Time;

/// <summary>Watches the time stamp counter.</summary>
public static unsafe class ClockWatch
{
    /// <summary>Seconds that an interval lasts at least and at most.</summary>
    private const ulong Shortest = 4;
    private const ulong Longest = 12;

    /// <summary>One part in so many is a deviation; in so many, agreement of two findings; in so many, the most that
    /// readings may be uncertain.</summary>
    private const ulong Deviation = 1000;
    private const ulong Agreement = 2000;
    private const ulong Certainty = 10_000;

    private static PlatformTimer s_timer;
    private static bool s_isInvariant;
    private static bool s_isRunning;
    private static ulong s_startTsc;
    private static ulong s_startUncertainty;
    private static ulong s_lastTsc;
    private static ulong s_lastCount;
    private static ulong s_ticks;
    private static ulong s_found;
    private static uint s_corrections;

    /// <summary>Times that the clock took another pace.</summary>
    public static uint Corrections => s_corrections;

    /// <summary>The timer in use; None: the counter is not watched.</summary>
    public static PlatformTimerKind Timer => s_timer.Kind;

    /// <summary>Begins; <paramref name="isInvariant"/>: the processor promises that the rate never changes.</summary>
    public static void Start(in PlatformTimer timer, bool isInvariant)
    {
        s_timer = timer;
        s_isInvariant = isInvariant;
        s_isRunning = false;
        s_found = 0;
        s_corrections = 0;
    }

    /// <summary>To be called several times in what the timer takes to wrap.</summary>
    public static void Tick()
    {
        if (s_timer.Kind == PlatformTimerKind.None)
        {
            return;
        }

        ulong uncertainty = s_timer.Sample(out ulong tsc, out ulong count);
        if (!s_isRunning || SystemTime.OfTicks(tsc - s_lastTsc) > s_timer.WrapTime / 2)
        {
            // The first time, or so late that the counter may have wrapped unseen.
            Begin(tsc, count, uncertainty);
            return;
        }

        s_ticks += (count - s_lastCount) & s_timer.Mask;
        s_lastCount = count;
        s_lastTsc = tsc;
        ulong interval = tsc - s_startTsc;
        if (interval < Shortest * SystemTime.TscHz)
        {
            return;
        }

        if (uncertainty + s_startUncertainty <= interval / Certainty)
        {
            Judge(interval);
            Begin(tsc, count, uncertainty);
        }
        else if (interval > Longest * SystemTime.TscHz)
        {
            Begin(tsc, count, uncertainty);
        }
    }

    private static void Begin(ulong tsc, ulong count, ulong uncertainty)
    {
        s_isRunning = true;
        s_startTsc = tsc;
        s_startUncertainty = uncertainty;
        s_lastTsc = tsc;
        s_lastCount = count;
        s_ticks = 0;
    }

    private static void Judge(ulong interval)
    {
        if (s_ticks == 0 || interval > ulong.MaxValue / s_timer.Hertz)
        {
            return;
        }

        ulong hertz = interval * s_timer.Hertz / s_ticks;
        bool deviates = hertz is >= TscCalibration.SlowestHertz and <= TscCalibration.FastestHertz
            && TscCalibration.Differ(SystemTime.TscHz, hertz, Deviation);
        if (!deviates)
        {
            s_found = 0;
        }
        else if (s_found == 0 || TscCalibration.Differ(s_found, hertz, Agreement))
        {
            s_found = hertz;
        }
        else
        {
            s_found = 0;
            Correct(hertz);
        }
    }

    private static void Correct(ulong hertz)
    {
        s_corrections++;
        if ((s_corrections & (s_corrections - 1)) == 0)
        {
            Log.Warning("time stamp counter: "u8).Decimal(hertz / 1000).Text(" kHz by the "u8)
                .Text(TscCalibration.NameOf(s_timer.Kind)).Text(", not "u8).Decimal(SystemTime.TscHz / 1000)
                .Text(s_isInvariant ? " kHz; the processor promises a constant rate and is believed, "u8
                    : " kHz; the clock follows, "u8)
                .Decimal(s_corrections).Text(" times so far"u8).End();
        }

        if (!s_isInvariant)
        {
            SystemTime.Rescale(hertz);
            GuestTime.RenewAll();
        }
    }
}
