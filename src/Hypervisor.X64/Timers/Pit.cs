// SPDX-License-Identifier: MIT

namespace Hypervisor.X64.Timers;

/// <summary>The programmable interval timer (Intel 8254 data sheet), 1.193182 MHz: a yardstick at boot, silent
/// afterwards.</summary>
public static class Pit
{
    public const ulong Hertz = 1_193_182;

    private const ushort Channel0 = 0x40;
    private const ushort Channel2 = 0x42;
    private const ushort Control = 0x43;
    private const ushort SystemControl = 0x61;
    private const byte Channel0OneShot = 0x30;
    private const byte Channel2OneShot = 0xB0;
    private const byte LatchChannel2 = 0x80;
    private const byte Gate = 0x01;
    private const byte Speaker = 0x02;
    private const byte Output = 0x20;
    private const int ReadTries = 8;

    /// <summary>Readings before the timer counts as dead: a hundred times what 55 ms take.</summary>
    private const int Patience = 1_000_000;

    /// <summary>Channel 0 ticks no more: firmware leaves it running for its clock.</summary>
    public static void Silence()
    {
        Machine.Out8(Control, Channel0OneShot);

        // A count of 0 begins at 65536 and ends once, in 55 ms, on a masked line.
        Machine.Out8(Channel0, 0);
        Machine.Out8(Channel0, 0);
    }

    /// <summary>TSC ticks and timer ticks over roughly <paramref name="periods"/> (less than 60000) of channel 2; false
    /// where it does not count, or this CPU was kept away so long that it ran out.</summary>
    public static bool TryMeasureTsc(uint periods, out ulong tscTicks, out ulong timerTicks)
    {
        byte control = Machine.In8(SystemControl);
        Machine.Out8(SystemControl, (byte)((control & ~Speaker) | Gate));
        Machine.Out8(Control, Channel2OneShot);
        Machine.Out8(Channel2, 0xFF);
        Machine.Out8(Channel2, 0xFF);

        // The count is loaded with the timer's next period.
        _ = ReadCount();
        _ = ReadCount();
        ulong startTsc = Sample(out ushort start);
        ushort elapsed = 0;
        int turn = 0;
        while (elapsed < periods && turn < Patience)
        {
            elapsed = (ushort)(start - ReadCount());
            turn++;
        }

        ulong endTsc = Sample(out ushort end);
        bool ranOut = (Machine.In8(SystemControl) & Output) != 0;
        Machine.Out8(SystemControl, control);
        tscTicks = endTsc - startTsc;
        timerTicks = (ushort)(start - end);
        return turn is > 1 and < Patience && !ranOut && timerTicks >= periods && tscTicks != 0;
    }

    /// <summary>Reads counter and TSC as close together as several tries allow.</summary>
    private static ulong Sample(out ushort count)
    {
        ulong best = ulong.MaxValue;
        ulong tsc = 0;
        count = 0;
        for (int i = 0; i < ReadTries; i++)
        {
            // The latch command takes the count; reading it out may take its time.
            ulong before = Machine.ReadTsc();
            Machine.Out8(Control, LatchChannel2);
            ulong after = Machine.ReadTsc();
            ushort value = ReadLatched();
            if (after - before < best)
            {
                best = after - before;
                tsc = before + (best / 2);
                count = value;
            }
        }

        return tsc;
    }

    private static ushort ReadCount()
    {
        Machine.Out8(Control, LatchChannel2);
        return ReadLatched();
    }

    private static ushort ReadLatched()
    {
        byte low = Machine.In8(Channel2);
        return (ushort)(low | (Machine.In8(Channel2) << 8));
    }
}
