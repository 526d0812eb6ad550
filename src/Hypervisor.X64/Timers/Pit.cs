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
    private const byte Gate = 0x01;
    private const byte Speaker = 0x02;
    private const byte Output = 0x20;

    /// <summary>Polls before the timer counts as dead: two hundred times what 50 ms take.</summary>
    private const int Patience = 20_000_000;

    /// <summary>Channel 0 ticks no more: firmware leaves it running for its clock.</summary>
    public static void Silence()
    {
        Machine.Out8(Control, Channel0OneShot);

        // A count of 0 begins at 65536 and ends once, in 55 ms, on a masked line.
        Machine.Out8(Channel0, 0);
        Machine.Out8(Channel0, 0);
    }

    /// <summary>TSC ticks while channel 2 counts <paramref name="count"/> periods; 0 where it does not
    /// answer.</summary>
    public static ulong MeasureTsc(ushort count)
    {
        byte control = Machine.In8(SystemControl);
        Machine.Out8(SystemControl, (byte)((control & ~(Speaker | Gate)) | 0));
        Machine.Out8(Control, Channel2OneShot);
        Machine.Out8(Channel2, (byte)count);
        Machine.Out8(Channel2, (byte)(count >> 8));
        ulong start = Machine.ReadTsc();
        Machine.Out8(SystemControl, (byte)((control & ~Speaker) | Gate));
        int turn = 0;
        while ((Machine.In8(SystemControl) & Output) == 0 && turn < Patience)
        {
            turn++;
        }

        ulong end = Machine.ReadTsc();
        Machine.Out8(SystemControl, control);

        // High at once: no 8254 behind the ports, they read as all ones.
        return turn is < 2 or Patience ? 0 : end - start;
    }
}
