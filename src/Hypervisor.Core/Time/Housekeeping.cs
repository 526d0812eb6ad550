// SPDX-License-Identifier: MIT

using Hypervisor.Core.Console;
using Hypervisor.Core.Interrupts;

namespace Hypervisor.Core.Time;

/// <summary>What one CPU looks after for the whole machine, ten times a second; serial lines whose interrupts do not come
/// more often.</summary>
public static unsafe class Housekeeping
{
    public const ulong Period = 100 * SystemTime.Millisecond;

    private static ulong s_last;

    internal static void Run(Timer* timer, ulong now)
    {
        Machine.PollConsole();
        if (now - s_last >= Period)
        {
            s_last = now;
            Mmu.TlbFlush.Refresh();
            IrqThrottle.Tick();
            ClockWatch.Tick();
            ConsoleUpkeep.Tick();
        }

        ulong delay = Machine.ConsolePollDelay();
        TimerQueue.Set(timer, now + (delay == 0 || delay > Period ? Period : delay));
    }
}
