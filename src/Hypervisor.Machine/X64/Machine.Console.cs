// SPDX-License-Identifier: MIT

using System.Runtime;
using System.Runtime.CompilerServices;

namespace Hypervisor;

public static unsafe partial class Machine
{
    /// <summary>Writes bytes of Domain-0's console to the serial lines and the screen as they are: no ring, no carriage returns.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "console_write_verbatim")]
    public static extern void WriteConsoleVerbatim(byte* text, int length);

    /// <summary>Bytes that the serial lines take without anybody waiting.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "console_room")]
    public static extern uint ConsoleRoom();

    /// <summary>Nanoseconds until the serial lines want to be looked at again because their interrupts do not come; 0: they
    /// do.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "console_poll_delay")]
    public static extern ulong ConsolePollDelay();
}
