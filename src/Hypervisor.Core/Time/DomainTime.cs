// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Time;

/// <summary>Clock and watchdogs of a domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomainTime
{
    public const int WatchdogCount = 2;

    /// <summary>Seconds that the tools add to the wall clock (XEN_DOMCTL_settimeoffset).</summary>
    public long OffsetSeconds;

    /// <summary>What the tools stored with XEN_DOMCTL_settscinfo: <c>TSC_MODE_*</c>, and how often the domain was
    /// restored.</summary>
    public uint TscMode;
    public uint TscIncarnation;

    /// <summary>Protects the watchdogs; nests outside the timer queues' locks.</summary>
    public SpinLock WatchdogLock;

    /// <summary>Bit n: watchdog n is in use.</summary>
    public uint WatchdogsInUse;

    public Timer Watchdog0;
    public Timer Watchdog1;
}
