// SPDX-License-Identifier: MIT
// How fast the time stamp counter counts. Three sources, from the best: a measurement against the ACPI timer or the
// PIT, good to some ten millionths; what the processor states (CPUID 15h, 16h), exact on those that state it; what
// the host of a virtual machine states (40000010h). A statement is taken when the measurement agrees within one
// percent, else the measurement: a host may scale the counter and pass the real processor's statement on.

using System;
using Hypervisor.Core.Acpi;

namespace Hypervisor.X64.Timers;

/// <summary>Where the frequency came from.</summary>
public enum TscSource
{
    None = 0,
    AcpiTimer,
    Pit,
    Processor,
    Host,
}

/// <summary>Finds the rate of the time stamp counter.</summary>
public static unsafe class Tsc
{
    private const int Rounds = 5;

    /// <summary>A host may keep this CPU away while the PIT's short count runs out.</summary>
    private const int Attempts = 5;
    private const ulong SlowestHertz = 10_000_000;
    private const ulong FastestHertz = 20_000_000_000;
    private const uint HasHypervisor = 1U << 31;
    private const uint InvariantBit = 1 << 8;

    /// <summary>Ticks a second.</summary>
    public static ulong Hertz { get; private set; }

    public static TscSource Source { get; private set; }

    /// <summary>The processor promises that the rate never changes, not even asleep (CPUID 80000007h).</summary>
    public static bool IsInvariant { get; private set; }

    /// <summary>Measures; false where no timer of the machine works and the processor states nothing.</summary>
    public static bool TryCalibrate(AcpiInformation* acpi)
    {
        IsInvariant = HasInvariantTsc();
        ulong measured = MeasureByAcpiTimer(acpi);
        Source = TscSource.AcpiTimer;
        if (measured == 0)
        {
            measured = MeasureByPit();
            Source = TscSource.Pit;
        }

        Hertz = measured;
        if (!TryAccept(StatedByProcessor(), measured, TscSource.Processor)
            && !TryAccept(StatedByHost(), measured, TscSource.Host)
            && measured == 0)
        {
            Source = TscSource.None;
        }

        return Hertz != 0;
    }

    public static ReadOnlySpan<byte> Describe(TscSource source) => source switch
    {
        TscSource.AcpiTimer => "measured against the ACPI timer"u8,
        TscSource.Pit => "measured against the PIT"u8,
        TscSource.Processor => "stated by the processor"u8,
        TscSource.Host => "stated by the host"u8,
        _ => "unknown"u8,
    };

    /// <summary>Waits; for the start-up of CPUs and devices at boot.</summary>
    public static void Wait(ulong microseconds)
    {
        ulong start = Machine.ReadTsc();
        ulong ticks = microseconds * (Hertz / 1_000_000);
        while (Machine.ReadTsc() - start < ticks)
        {
            Machine.Pause();
        }
    }

    private static bool TryAccept(ulong stated, ulong measured, TscSource source)
    {
        if (stated < SlowestHertz || stated > FastestHertz)
        {
            return false;
        }

        ulong difference = stated > measured ? stated - measured : measured - stated;
        if (measured != 0 && difference > measured / 100)
        {
            return false;
        }

        Hertz = stated;
        Source = source;
        return true;
    }

    private static bool HasInvariantTsc()
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(0x8000_0000, 0, registers);
        if (registers[0] < 0x8000_0007)
        {
            return false;
        }

        Machine.Cpuid(0x8000_0007, 0, registers);
        return (registers[3] & InvariantBit) != 0;
    }

    private static ulong StatedByProcessor()
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(0, 0, registers);
        uint highest = registers[0];
        if (highest < 0x15)
        {
            return 0;
        }

        Machine.Cpuid(0x15, 0, registers);
        uint denominator = registers[0];
        uint numerator = registers[1];
        uint crystal = registers[2];
        if (denominator == 0 || numerator == 0)
        {
            return 0;
        }

        if (crystal != 0)
        {
            return (ulong)crystal * numerator / denominator;
        }

        // No crystal stated: the base frequency is the counter's on these, to the precision of a megahertz.
        if (highest < 0x16)
        {
            return 0;
        }

        Machine.Cpuid(0x16, 0, registers);
        return (ulong)(registers[0] & 0xFFFF) * 1_000_000;
    }

    private static ulong StatedByHost()
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(1, 0, registers);
        if ((registers[2] & HasHypervisor) == 0)
        {
            return 0;
        }

        Machine.Cpuid(0x4000_0000, 0, registers);
        if (registers[0] is < 0x4000_0010 or > 0x4000_00FF)
        {
            return 0;
        }

        Machine.Cpuid(0x4000_0010, 0, registers);
        return (ulong)registers[0] * 1000;
    }

    /// <summary>Rounds of 20 ms; the median, which neither an interruption by SMM nor by a host reaches.</summary>
    private static ulong MeasureByAcpiTimer(AcpiInformation* acpi)
    {
        const uint Periods = (uint)(PmTimer.Hertz / 50);
        if (acpi == null || acpi->PmTimerPort == 0)
        {
            return 0;
        }

        ulong* results = stackalloc ulong[Rounds];
        for (int round = 0; round < Rounds; round++)
        {
            if (!PmTimer.TryMeasureTsc(acpi, Periods, out ulong tscTicks, out ulong timerTicks))
            {
                return 0;
            }

            Insert(results, round, Divide(tscTicks, PmTimer.Hertz, timerTicks));
        }

        return Plausible(results[Rounds / 2]);
    }

    private static ulong MeasureByPit()
    {
        const uint Periods = (uint)(Pit.Hertz / 50);
        ulong* results = stackalloc ulong[Rounds];
        for (int round = 0; round < Rounds; round++)
        {
            bool isSound = false;
            ulong tscTicks = 0;
            ulong timerTicks = 0;
            for (int attempt = 0; attempt < Attempts && !isSound; attempt++)
            {
                isSound = Pit.TryMeasureTsc(Periods, out tscTicks, out timerTicks);
            }

            if (!isSound)
            {
                return 0;
            }

            Insert(results, round, Divide(tscTicks, Pit.Hertz, timerTicks));
        }

        return Plausible(results[Rounds / 2]);
    }

    /// <summary>Keeps the first <paramref name="count"/> results sorted.</summary>
    private static void Insert(ulong* results, int count, ulong value)
    {
        int place = count;
        for (; place > 0 && results[place - 1] > value; place--)
        {
            results[place] = results[place - 1];
        }

        results[place] = value;
    }

    /// <summary>Ticks of a fraction of a second, times the rate of the yardstick: fits 64 bits.</summary>
    private static ulong Divide(ulong ticks, ulong hertz, ulong periods) =>
        periods == 0 || ticks > ulong.MaxValue / hertz ? 0 : ticks * hertz / periods;

    private static ulong Plausible(ulong hertz) => hertz is >= SlowestHertz and <= FastestHertz ? hertz : 0;
}
