// SPDX-License-Identifier: MIT
// All CPUs stand still but one. Each of the others comes to its soft interrupts, where it holds no lock and is not in the
// middle of anything, and waits there until it is let go. While it waits it serves TLB flushes, and beats for the watchdog.
//
// Who may ask: one CPU at a time, with no lock held, outside of any request for another CPU. A CPU that does not come is
// not waited for longer than Patience.

using System.Threading;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Stops the other CPUs for a look at something that must not change meanwhile.</summary>
public static unsafe class Standstill
{
    private const ulong Patience = 2 * SystemTime.Second;

    private static int s_isAsking;
    private static int s_isWanted;
    private static int s_standing;

    /// <summary>Stops the others. False, and nobody stands: somebody else has stopped them, or one did not come, which
    /// is told.</summary>
    public static bool TryBegin()
    {
        if (Interlocked.CompareExchange(ref s_isAsking, 1, 0) != 0)
        {
            Log.Error("another CPU has stopped the machine for the same purpose"u8).End();
            return false;
        }

        _ = Interlocked.Exchange(ref s_isWanted, 1);
        uint self = Machine.Cpu->CpuId;
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            if (cpu != self)
            {
                SoftIrqs.RaiseOn(cpu, SoftIrq.Question);
            }
        }

        int others = (int)Machine.OnlineCpus - 1;
        ulong end = SystemTime.Now() + Patience;
        while (Volatile.Read(ref s_standing) != others)
        {
            Machine.SpinWait();
            if (SystemTime.Now() > end)
            {
                Log.Error("of "u8).Decimal((uint)others).Text(" other CPUs "u8).Decimal((uint)Volatile.Read(ref s_standing))
                    .Text(" came to a stop; nothing was looked at"u8).End();
                End();
                return false;
            }
        }

        return true;
    }

    /// <summary>Lets the others go on.</summary>
    public static void End()
    {
        Volatile.Write(ref s_isWanted, 0);
        while (Volatile.Read(ref s_standing) != 0)
        {
            Machine.SpinWait();
        }

        Volatile.Write(ref s_isAsking, 0);
    }

    /// <summary>A turn of long work during the standstill: others' requests are served, and nobody is taken for locked
    /// up.</summary>
    public static void Turn()
    {
        LockupWatch.Excuse();
        Machine.SpinWait();
    }

    /// <summary>The soft interrupt: this CPU stands while that is wanted.</summary>
    internal static void Answer()
    {
        if (Volatile.Read(ref s_isWanted) == 0)
        {
            return;
        }

        _ = Interlocked.Add(ref s_standing, 1);
        while (Volatile.Read(ref s_isWanted) != 0)
        {
            Machine.SpinWait();
        }

        _ = Interlocked.Add(ref s_standing, -1);
    }
}
