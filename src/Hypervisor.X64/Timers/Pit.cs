// SPDX-License-Identifier: MIT

namespace Hypervisor.X64.Timers;

/// <summary>The programmable interval timer (Intel 8254 data sheet) in its role as a source of
/// interrupts; as a yardstick see <c>PlatformTimer</c>.</summary>
public static class Pit
{
    private const ushort Channel0 = 0x40;
    private const ushort Control = 0x43;
    private const byte Channel0OneShot = 0x30;

    /// <summary>Channel 0 ticks no more: firmware leaves it running for its clock.</summary>
    public static void Silence()
    {
        Machine.Out8(Control, Channel0OneShot);

        // A count of 0 begins at 65536 and ends once, in 55 ms, on a masked line.
        Machine.Out8(Channel0, 0);
        Machine.Out8(Channel0, 0);
    }
}
