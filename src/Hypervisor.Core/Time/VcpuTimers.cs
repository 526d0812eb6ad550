// SPDX-License-Identifier: MIT
// A vCPU has a one-shot timer, set to an absolute system time, and a periodic one; both raise VIRQ_TIMER.
//
// The periodic timer ticks while the vCPU runs. A tick that falls into a time when it does not is delivered once,
// when it runs again. Every vCPU is born with a period of 10 ms, on which the first PV kernels relied; today's stop
// it first thing.

using Xen.Abi;

namespace Hypervisor.Core.Time;

/// <summary>Timers that guests set.</summary>
public static unsafe class VcpuTimers
{
    public const ulong DefaultPeriod = 10 * SystemTime.Millisecond;

    private const ulong LeastPeriod = SystemTime.Millisecond;
    private const ulong GreatestPeriod = 1UL << 52;

    /// <summary>set_timer_op: as the one-shot timer, where 0 stops it.</summary>
    public static HypercallResult SetTimerOp(Vcpu* vcpu, ulong timeout)
    {
        if (timeout == 0)
        {
            TimerQueue.Stop(&vcpu->Time.SingleShot);
        }
        else
        {
            TimerQueue.Set(&vcpu->Time.SingleShot, Absolute(timeout));
        }

        return Errno.Ok;
    }

    /// <summary>VCPUOP_set_singleshot_timer, for the calling vCPU only.</summary>
    public static Errno SetSingleShot(Vcpu* vcpu, ulong guestAddress)
    {
        VcpuSetSingleShotTimer request;
        if (!GuestMemory.Read(guestAddress, &request))
        {
            return Errno.Fault;
        }

        ulong deadline = Absolute(request.TimeoutAbsNs);
        if ((request.Flags & SingleShotTimerFlags.Future) != 0 && deadline < SystemTime.Now())
        {
            return Errno.Time;
        }

        TimerQueue.Set(&vcpu->Time.SingleShot, deadline);
        return Errno.Ok;
    }

    /// <summary>VCPUOP_set_periodic_timer.</summary>
    public static Errno SetPeriodic(Vcpu* vcpu, ulong guestAddress)
    {
        VcpuSetPeriodicTimer request;
        if (!GuestMemory.Read(guestAddress, &request))
        {
            return Errno.Fault;
        }

        if (request.PeriodNs is < LeastPeriod or > GreatestPeriod)
        {
            return Errno.Inval;
        }

        vcpu->Time.NextTick = SystemTime.Now() + request.PeriodNs;
        vcpu->Time.Period = request.PeriodNs;

        // A vCPU that does not run at this moment sets its timer again when it does.
        TimerQueue.Set(&vcpu->Time.Periodic, vcpu->Time.NextTick);
        return Errno.Ok;
    }

    public static void StopPeriodic(Vcpu* vcpu)
    {
        vcpu->Time.Period = 0;
        TimerQueue.Stop(&vcpu->Time.Periodic);
    }

    internal static void OnSingleShot(Vcpu* vcpu) =>
        Events.VirtualIrq.Raise(vcpu, (uint)Xen.Abi.VirtualIrq.Timer);

    internal static void OnPeriodic(Vcpu* vcpu, ulong now)
    {
        if (vcpu->Time.Period != 0 && vcpu->Sched.IsRunning)
        {
            ResumePeriodic(vcpu, now);
        }
    }

    /// <summary>Delivers a tick that is due, and sets the timer for the next.</summary>
    internal static void ResumePeriodic(Vcpu* vcpu, ulong now)
    {
        VcpuTime* time = &vcpu->Time;
        ulong period = time->Period;
        if (period == 0)
        {
            return;
        }

        if (now >= time->NextTick)
        {
            // Ticks keep their phase, however many were missed.
            ulong missed = (now - time->NextTick) / period;
            time->NextTick += (missed + 1) * period;
            Events.VirtualIrq.Raise(vcpu, (uint)Xen.Abi.VirtualIrq.Timer);
        }

        TimerQueue.Set(&time->Periodic, time->NextTick);
    }

    /// <summary>Guests' times are signed: a negative one has passed.</summary>
    private static ulong Absolute(ulong time) => (long)time < 0 ? 0 : time;
}
