// SPDX-License-Identifier: MIT
// The rate of the time stamp counter, measured against the timers of the board in the order in which they are trusted:
// HPET, ACPI timer, PIT. Each is measured several times for 20 ms; the round that was disturbed least counts. A second
// timer confirms the first: where they differ by more than half a percent that is said, and the more trusted one
// believed.

using System;

namespace Hypervisor.Core.Time;

/// <summary>What a calibration found.</summary>
public struct TscMeasurement
{
    /// <summary>0: no timer counts.</summary>
    public ulong Hertz;
    public PlatformTimerKind Source;

    /// <summary>The timer that was asked for confirmation, and its answer; None and 0 where there was none.</summary>
    public ulong OtherHertz;
    public PlatformTimerKind Other;

    /// <summary>They are more than half a percent apart.</summary>
    public readonly bool IsDisputed => OtherHertz != 0 && TscCalibration.Differ(Hertz, OtherHertz, 200);
}

/// <summary>Measures the time stamp counter.</summary>
public static unsafe class TscCalibration
{
    public const ulong SlowestHertz = 10_000_000;
    public const ulong FastestHertz = 20_000_000_000;

    private const int Rounds = 5;

    /// <summary>A host may keep this CPU away while a short counter runs out.</summary>
    private const int Attempts = 25;
    private const ulong RoundsASecond = 50;

    /// <summary>Readings in a round before the timer counts as dead; each takes a tenth of a microsecond or
    /// more.</summary>
    private const int Patience = 20_000_000;

    /// <summary>Measures against the first two of the timers that count.</summary>
    /// <param name="timers">The most trusted first.</param>
    /// <param name="count">Their number.</param>
    public static TscMeasurement Measure(PlatformTimer* timers, int count)
    {
        TscMeasurement result = default;
        for (int i = 0; i < count && result.OtherHertz == 0; i++)
        {
            ulong hertz = Measure(timers + i);
            if (hertz == 0)
            {
                continue;
            }

            if (result.Hertz == 0)
            {
                result.Hertz = hertz;
                result.Source = timers[i].Kind;
            }
            else
            {
                result.OtherHertz = hertz;
                result.Other = timers[i].Kind;
            }
        }

        return result;
    }

    /// <summary>The TSC's rate by this timer; 0 where it does not count or gives nonsense.</summary>
    public static ulong Measure(PlatformTimer* timer)
    {
        ulong best = ulong.MaxValue;
        ulong hertz = 0;
        int rounds = 0;
        for (int attempt = 0; attempt < Attempts && rounds < Rounds; attempt++)
        {
            if (!TryRound(timer, out ulong found, out ulong uncertainty, out bool isDead))
            {
                if (isDead)
                {
                    return 0;
                }

                continue;
            }

            rounds++;
            if (uncertainty < best)
            {
                best = uncertainty;
                hertz = found;
            }
        }

        return hertz is >= SlowestHertz and <= FastestHertz ? hertz : 0;
    }

    public static ReadOnlySpan<byte> NameOf(PlatformTimerKind kind) => kind switch
    {
        PlatformTimerKind.Hpet => "HPET"u8,
        PlatformTimerKind.AcpiTimer => "ACPI timer"u8,
        PlatformTimerKind.Pit => "PIT"u8,
        _ => "no timer"u8,
    };

    /// <summary>The rates are more than one part in <paramref name="part"/> apart.</summary>
    public static bool Differ(ulong one, ulong other, ulong part) =>
        (one > other ? one - other : other - one) > one / part;

    private static bool TryRound(PlatformTimer* timer, out ulong hertz, out ulong uncertainty, out bool isDead)
    {
        ulong periods = timer->Hertz / RoundsASecond;
        timer->Begin();
        uncertainty = timer->Sample(out ulong startTsc, out ulong start);
        ulong elapsed = 0;
        int turn = 0;
        while (elapsed < periods && turn < Patience)
        {
            elapsed = (timer->Read() - start) & timer->Mask;
            turn++;
        }

        uncertainty += timer->Sample(out ulong endTsc, out ulong end);
        bool isWhole = timer->TryEnd();
        ulong ticks = endTsc - startTsc;
        ulong counted = (end - start) & timer->Mask;
        hertz = 0;

        // A port that reads as all ones, or a value that jumps, is no timer.
        isDead = turn is <= 1 or Patience;
        if (isDead || !isWhole || ticks == 0 || counted < periods || counted > 4 * periods
            || ticks > ulong.MaxValue / timer->Hertz)
        {
            return false;
        }

        hertz = ticks * timer->Hertz / counted;
        return true;
    }
}
