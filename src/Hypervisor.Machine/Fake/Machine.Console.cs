// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor;

public static unsafe partial class Machine
{
    public static void WriteConsoleVerbatim(byte* text, int length) =>
        FakeMachine.Current.Print(new ReadOnlySpan<byte>(text, length));

    public static uint ConsoleRoom() => FakeMachine.Current.ConsoleRoom;

    public static ulong ConsolePollDelay() => FakeMachine.Current.ConsolePollDelay;
}
