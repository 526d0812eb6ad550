// SPDX-License-Identifier: MIT

using Hypervisor.Core.Scheduling;

namespace Hypervisor.Core.Time;

/// <summary>What each kind of timer does when it is due.</summary>
public static unsafe class TimerActions
{
    /// <summary>Carries out a timer that has just left its queue; no lock is held.</summary>
    public static void Run(Timer* timer, ulong now)
    {
        switch (timer->Kind)
        {
            case TimerKind.VcpuSingleShot:
                VcpuTimers.OnSingleShot((Vcpu*)timer->Subject);
                break;
            case TimerKind.VcpuPeriodic:
                VcpuTimers.OnPeriodic((Vcpu*)timer->Subject, now);
                break;
            case TimerKind.VcpuPoll:
                Polling.OnTimeout((Vcpu*)timer->Subject);
                break;
            case TimerKind.DomainWatchdog:
                Watchdogs.OnExpiry((Domain*)timer->Subject);
                break;
            case TimerKind.SchedulerSlice:
                Machine.RaiseSoftIrq(SoftIrq.Schedule);
                break;
            case TimerKind.Housekeeping:
                Housekeeping.Run(timer, now);
                break;
            case TimerKind.Heartbeat:
                LockupWatch.OnBeat((CpuInfo*)timer->Subject, now);
                break;
            default:
                Panic.Because("A timer of no kind is due"u8);
                break;
        }
    }
}
