// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Console;

/// <summary>What consoles want done ten times a second; no lock is held.</summary>
public static class ConsoleUpkeep
{
    public static void Tick()
    {
        DebugKeys.ServeTyped();
        ConsoleLog.ContinueReplay();
        GuestMessages.ReportSuppressed();
        if (ConsoleLog.TakeNews())
        {
            Events.VirtualIrq.RaiseGlobal((uint)VirtualIrq.ConRing);
        }
    }
}
