// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Console;

/// <summary>Single keys from this process's terminal, which shows them not and ends no line.</summary>
public sealed unsafe class KeyInput : IDisposable
{
    private const int StandardInput = 0;
    private const byte Interrupt = 3;

    private readonly Terminal _terminal;

    private KeyInput(Terminal terminal) => _terminal = terminal;

    /// <summary>Takes the terminal over; null when standard input is none.</summary>
    public static KeyInput? TryOpen() =>
        Libc.IsTerminal(StandardInput) == 1 ? new KeyInput(Terminal.MakeUnbuffered(StandardInput)) : null;

    /// <summary>The next key within a time; zero when none is pressed. Ctrl+C and the end of input are a q.</summary>
    public char Wait(int milliseconds)
    {
        Libc.PollEntry entry = new() { Descriptor = StandardInput, Events = Libc.PollIn };
        if (Libc.Poll(&entry, 1, milliseconds) <= 0)
        {
            return '\0';
        }

        byte key;
        return Libc.Read(StandardInput, &key, 1) == 1 && key != Interrupt ? (char)key : 'q';
    }

    /// <summary>Puts the terminal back.</summary>
    public void Dispose() => _terminal.Dispose();
}
