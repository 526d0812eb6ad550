// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>SCHEDOP_*</c>: sub-operation of sched_op.</summary>
public enum SchedCommand : uint
{
    /// <summary><c>SCHEDOP_yield</c>.</summary>
    Yield = 0,

    /// <summary><c>SCHEDOP_block</c>.</summary>
    Block = 1,

    /// <summary><c>SCHEDOP_shutdown</c>.</summary>
    Shutdown = 2,

    /// <summary><c>SCHEDOP_poll</c>.</summary>
    Poll = 3,

    /// <summary><c>SCHEDOP_remote_shutdown</c>.</summary>
    RemoteShutdown = 4,

    /// <summary><c>SCHEDOP_shutdown_code</c>.</summary>
    ShutdownCode = 5,

    /// <summary><c>SCHEDOP_watchdog</c>.</summary>
    Watchdog = 6,

    /// <summary><c>SCHEDOP_pin_override</c>.</summary>
    PinOverride = 7,
}

/// <summary><c>SHUTDOWN_*</c>: why a domain stopped.</summary>
public enum ShutdownReason : uint
{
    /// <summary><c>SHUTDOWN_poweroff</c>.</summary>
    Poweroff = 0,

    /// <summary><c>SHUTDOWN_reboot</c>.</summary>
    Reboot = 1,

    /// <summary><c>SHUTDOWN_suspend</c>: its state is to be saved.</summary>
    Suspend = 2,

    /// <summary><c>SHUTDOWN_crash</c>.</summary>
    Crash = 3,

    /// <summary><c>SHUTDOWN_watchdog</c>.</summary>
    Watchdog = 4,

    /// <summary><c>SHUTDOWN_soft_reset</c>.</summary>
    SoftReset = 5,
}

/// <summary><c>struct sched_shutdown</c>: argument of shutdown and shutdown_code.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedShutdown
{
    /// <summary><c>reason</c>: <see cref="ShutdownReason"/>.</summary>
    public uint Reason;
}

/// <summary><c>struct sched_poll</c>: argument of poll.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedPoll
{
    /// <summary><c>ports</c>: guest address of the list of ports.</summary>
    public ulong Ports;

    /// <summary><c>nr_ports</c>.</summary>
    public uint NrPorts;

    /// <summary><c>timeout</c>: absolute system time in nanoseconds, 0 for none.</summary>
    public ulong Timeout;
}

/// <summary><c>struct sched_remote_shutdown</c>: argument of remote_shutdown.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedRemoteShutdown
{
    /// <summary><c>domain_id</c>.</summary>
    public DomId DomainId;

    /// <summary><c>reason</c>: <see cref="ShutdownReason"/>.</summary>
    public uint Reason;
}

/// <summary><c>struct sched_watchdog</c>: argument of watchdog.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedWatchdog
{
    /// <summary><c>id</c>: 0 makes a new one.</summary>
    public uint Id;

    /// <summary><c>timeout</c>: seconds, 0 destroys.</summary>
    public uint Timeout;
}

/// <summary><c>struct sched_pin_override</c>: argument of pin_override.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedPinOverride
{
    /// <summary><c>pcpu</c>: negative undoes.</summary>
    public int PCpu;
}
