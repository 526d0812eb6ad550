// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Console;

/// <summary>A terminal in raw mode, put back when disposed. Anything that is no terminal is left alone.</summary>
internal sealed unsafe class Terminal : IDisposable
{
    private const uint SignalKeys = 1;
    private const uint Lines = 2;
    private const uint Echo = 8;

    private readonly int _descriptor;
    private Libc.TerminalSettings _saved;
    private bool _isRaw;

    private Terminal(int descriptor) => _descriptor = descriptor;

    /// <summary>Makes the terminal behind <paramref name="descriptor"/> pass every byte through.</summary>
    public static Terminal MakeRaw(int descriptor) => Change(descriptor, settings => Libc.MakeRaw(settings));

    /// <summary>Makes the terminal give single keys, without showing them; output stays as it is.</summary>
    public static Terminal MakeUnbuffered(int descriptor) =>
        Change(descriptor, settings => settings->LocalFlags &= ~(SignalKeys | Lines | Echo));

    private delegate void Adjustment(Libc.TerminalSettings* settings);

    private static Terminal Change(int descriptor, Adjustment adjust)
    {
        Terminal terminal = new(descriptor);
        fixed (Libc.TerminalSettings* saved = &terminal._saved)
        {
            if (Libc.IsTerminal(descriptor) == 1 && Libc.GetTerminal(descriptor, saved) == 0)
            {
                Libc.TerminalSettings raw = *saved;
                adjust(&raw);
                terminal._isRaw = Libc.SetTerminal(descriptor, Libc.TerminalSetNow, &raw) == 0;
            }
        }

        return terminal;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isRaw)
        {
            fixed (Libc.TerminalSettings* saved = &_saved)
            {
                _ = Libc.SetTerminal(_descriptor, Libc.TerminalSetNow, saved);
            }

            _isRaw = false;
        }
    }
}
