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
}
