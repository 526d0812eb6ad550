// SPDX-License-Identifier: MIT

using Hypervisor.Core.Time;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Debug key a: timers of all CPUs.</summary>
public static unsafe class TimerDump
{
    /// <summary>Timers shown of one CPU.</summary>
    private const uint MaxTimers = 48;

    public static void Print()
    {
        ulong now = SystemTime.Now();
        Log.Error("timers, now "u8).Decimal(now).Text(" ns:"u8).End();
        for (uint number = 0; number < Machine.OnlineCpus; number++)
        {
            TimerQueue* queue = (TimerQueue*)Machine.CpuOf(number)->TimerQueue;
            if (queue != null)
            {
                Print(queue, number, now);
            }
        }
    }

    private static void Print(TimerQueue* queue, uint cpu, ulong now)
    {
        queue->Lock.Acquire();
        Log.Error("  CPU "u8).Decimal(cpu).Text(queue->Armed == SystemTime.Never ? ": not armed"u8 : ": armed, in "u8)
            .Text(queue->Armed == SystemTime.Never ? ""u8 : Sign(queue->Armed, now))
            .Decimal(queue->Armed == SystemTime.Never ? 0 : Distance(queue->Armed, now)).Text(" ns"u8).End();
        uint shown = 0;
        for (Timer* timer = queue->Root; timer != null; timer = Next(timer))
        {
            if (shown++ == MaxTimers)
            {
                Log.Error("    and more"u8).End();
                break;
            }

            LogLine line = Log.Error("    in "u8).Text(Sign(timer->Deadline, now))
                .Decimal(Distance(timer->Deadline, now)).Text(" ns: "u8).Text(NameOf(timer->Kind));
            line = timer->Kind switch
            {
                TimerKind.VcpuSingleShot or TimerKind.VcpuPeriodic or TimerKind.VcpuPoll =>
                    line.Text(" of d"u8).Decimal((uint)((Vcpu*)timer->Subject)->Domain->Id).Text("v"u8)
                        .Decimal(((Vcpu*)timer->Subject)->Id),
                TimerKind.DomainWatchdog => line.Text(" of d"u8).Decimal((uint)((Domain*)timer->Subject)->Id),
                _ => line,
            };
            line.End();
        }

        queue->Lock.Release();
    }

    /// <summary>The heap in the order parent, left, right.</summary>
    private static Timer* Next(Timer* timer)
    {
        if (timer->Left != null)
        {
            return timer->Left;
        }

        if (timer->Right != null)
        {
            return timer->Right;
        }

        while (timer->Parent != null && (timer->Parent->Right == timer || timer->Parent->Right == null))
        {
            timer = timer->Parent;
        }

        return timer->Parent == null ? null : timer->Parent->Right;
    }

    private static System.ReadOnlySpan<byte> NameOf(TimerKind kind) => kind switch
    {
        TimerKind.VcpuSingleShot => "one-shot timer"u8,
        TimerKind.VcpuPeriodic => "periodic timer"u8,
        TimerKind.VcpuPoll => "end of a poll"u8,
        TimerKind.DomainWatchdog => "watchdog"u8,
        TimerKind.SchedulerSlice => "end of the slice"u8,
        TimerKind.Housekeeping => "housekeeping"u8,
        _ => "another"u8,
    };

    private static System.ReadOnlySpan<byte> Sign(ulong deadline, ulong now) => deadline < now ? "-"u8 : ""u8;

    private static ulong Distance(ulong deadline, ulong now) => deadline < now ? now - deadline : deadline - now;
}
