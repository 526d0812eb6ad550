// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Time;

/// <summary>What a <see cref="Timer"/> does when it is due; <see cref="TimerActions"/> holds the table.</summary>
public enum TimerKind : uint
{
    None = 0,

    /// <summary>Subject: the vCPU whose VIRQ_TIMER is raised.</summary>
    VcpuSingleShot = 1,

    /// <summary>Subject: the vCPU; the timer is set again one period later.</summary>
    VcpuPeriodic = 2,

    /// <summary>Subject: the vCPU whose SCHEDOP_poll runs out of time.</summary>
    VcpuPoll = 3,

    /// <summary>Subject: the domain that has not poked its watchdog.</summary>
    DomainWatchdog = 4,

    /// <summary>Subject: the <c>CpuInfo</c> of the CPU whose scheduler is to choose anew.</summary>
    SchedulerSlice = 5,

    /// <summary>No subject: serial lines and stuck interrupts are looked after.</summary>
    Housekeeping = 6,

    /// <summary>Subject: the <c>CpuInfo</c> of the CPU that shows that it comes to its timers.</summary>
    Heartbeat = 7,
}
