// SPDX-License-Identifier: MIT
// How fast the time stamp counter counts. Three sources, from the best: a measurement against the board's timers
// (TscCalibration), good to some ten millionths; what the processor states (CPUID 15h, 16h), exact on those that state it; what
// the host of a virtual machine states (40000010h). A statement is taken when the measurement agrees within one
// percent, else the measurement: a host may scale the counter and pass the real processor's statement on.

using System;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Time;

namespace Hypervisor.X64.Timers;

/// <summary>Where the frequency came from.</summary>
public enum TscSource : uint
{
    None = 0,
    Hpet = PlatformTimerKind.Hpet,
    AcpiTimer = PlatformTimerKind.AcpiTimer,
    Pit = PlatformTimerKind.Pit,
    Processor,
    Host,
}

/// <summary>Finds the rate of the time stamp counter.</summary>
public static unsafe class Tsc
{
    private const int MostTimers = 3;
    private const ulong HpetLength = 0x400;
    private const uint HasHypervisor = 1U << 31;
    private const uint InvariantBit = 1 << 8;

    private static PlatformTimer s_watcher;

    /// <summary>The timer it was measured with, where that one lasts longer than a moment; else none.</summary>
    public static PlatformTimer Watcher => s_watcher;

    /// <summary>Ticks a second.</summary>
    public static ulong Hertz { get; private set; }

    public static TscSource Source { get; private set; }

    /// <summary>The processor promises that the rate never changes, not even asleep (CPUID 80000007h).</summary>
    public static bool IsInvariant { get; private set; }

    /// <summary>Measures; false where no timer of the machine works and the processor states nothing.</summary>
    public static bool TryCalibrate(AcpiInformation* acpi)
    {
        IsInvariant = HasInvariantTsc();
        PlatformTimer* timers = stackalloc PlatformTimer[MostTimers];
        int count = FindTimers(acpi, timers);
        TscMeasurement result = TscCalibration.Measure(timers, count);
        TellDispute(in result);
        for (int i = 0; i < count && result.Source != PlatformTimerKind.Pit; i++)
        {
            s_watcher = timers[i].Kind == result.Source ? timers[i] : s_watcher;
        }

        ulong measured = result.Hertz;
        Source = (TscSource)result.Source;
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
        TscSource.Hpet => "measured against the HPET"u8,
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
        if (stated is < TscCalibration.SlowestHertz or > TscCalibration.FastestHertz)
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

    /// <summary>The timers of this board that may count, the most trusted first.</summary>
    private static int FindTimers(AcpiInformation* acpi, PlatformTimer* timers)
    {
        int count = 0;

        // Before the hypervisor's own tables are in force there is nowhere to map registers.
        if (acpi != null && acpi->HasHpet && DeviceMemory.IsReady
            && PlatformTimer.TryOpenHpet(
                (byte*)DeviceMemory.Map(acpi->HpetAddress, HpetLength), out PlatformTimer timer))
        {
            timers[count++] = timer;
        }

        if (acpi != null && PlatformTimer.TryOpenAcpiTimer(acpi->PmTimerPort, acpi->IsPmTimer32Bits, out timer))
        {
            timers[count++] = timer;
        }

        timers[count++] = PlatformTimer.OpenPit();
        return count;
    }

    private static void TellDispute(in TscMeasurement measured)
    {
        if (measured.IsDisputed)
        {
            Log.Warning("timers disagree: "u8).Decimal(measured.Hertz / 1000).Text(" kHz by the "u8)
                .Text(TscCalibration.NameOf(measured.Source)).Text(", "u8).Decimal(measured.OtherHertz / 1000)
                .Text(" kHz by the "u8).Text(TscCalibration.NameOf(measured.Other)).Text("; the "u8)
                .Text(TscCalibration.NameOf(measured.Source)).Text(" is believed"u8).End();
        }
    }
}
