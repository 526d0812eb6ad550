// SPDX-License-Identifier: MIT

using Hypervisor.Core.Acpi;

namespace Hypervisor.X64.Timers;

/// <summary>The ACPI power management timer (ACPI 6.5 §4.8.3.3): 3.579545 MHz, 24 or 32 bits wide.</summary>
public static unsafe class PmTimer
{
    public const ulong Hertz = 3_579_545;

    private const int ReadTries = 8;
    private const int Patience = 20_000_000;

    /// <summary>TSC ticks and timer ticks over roughly <paramref name="periods"/> of the timer; false where it stands
    /// still.</summary>
    public static bool TryMeasureTsc(AcpiInformation* acpi, uint periods, out ulong tscTicks, out ulong timerTicks)
    {
        uint mask = acpi->IsPmTimer32Bits ? 0xFFFF_FFFF : 0x00FF_FFFF;
        ushort port = acpi->PmTimerPort;
        ulong startTsc = Sample(port, mask, out uint start);
        uint elapsed = 0;
        int turn = 0;
        while (elapsed < periods && turn < Patience)
        {
            elapsed = (Machine.In32(port) - start) & mask;
            turn++;
        }

        ulong endTsc = Sample(port, mask, out uint end);
        tscTicks = endTsc - startTsc;
        timerTicks = (end - start) & mask;

        // A port that reads as all ones, or a value that jumps, is no timer.
        return turn is > 1 and < Patience && timerTicks < 4UL * periods && tscTicks != 0;
    }

    /// <summary>Reads timer and TSC as close together as several tries allow.</summary>
    private static ulong Sample(ushort port, uint mask, out uint timer)
    {
        ulong best = ulong.MaxValue;
        ulong tsc = 0;
        timer = 0;
        for (int i = 0; i < ReadTries; i++)
        {
            ulong before = Machine.ReadTsc();
            uint value = Machine.In32(port) & mask;
            ulong after = Machine.ReadTsc();
            if (after - before < best)
            {
                best = after - before;
                tsc = before + (best / 2);
                timer = value;
            }
        }

        return tsc;
    }
}
