// SPDX-License-Identifier: MIT
//
// A transfer takes seconds to minutes, during which somebody may lose patience. Ctrl+C and the like do not kill the
// command at once: it stops at the next batch of pages and puts things back as they were.
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Toolstack.Migration;

namespace Xm.Cli;

/// <summary>Shows how far a transfer has come, if somebody sits at a terminal, and takes their signals.</summary>
internal sealed class TransferDisplay : IDisposable
{
    private const int PageBytes = 4096;

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private readonly TextWriter _errors;
    private readonly string _what;
    private readonly CancellationTokenSource _interruption = new();
    private readonly PosixSignalRegistration[] _signals;
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private readonly long _start = Stopwatch.GetTimestamp();
    private TimeSpan _shown = -s_interval;
    private int _width;

    public TransferDisplay(TextWriter errors, string what)
    {
        _errors = errors;
        _what = what;
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt),
        ];
    }

    /// <summary>Somebody wants the command to stop.</summary>
    public CancellationToken Interruption => _interruption.Token;

    /// <summary>Shows the state of the transfer, not too often.</summary>
    public void Show(TransferProgress progress)
    {
        TimeSpan elapsed = Stopwatch.GetElapsedTime(_start);
        if (!_isTerminal || (elapsed - _shown < s_interval && progress.Done < progress.Total))
        {
            return;
        }

        _shown = elapsed;
        double done = (double)progress.Done * PageBytes / 1e6;
        double total = (double)progress.Total * PageBytes / 1e6;
        double rate = done / Math.Max(elapsed.TotalSeconds, 0.001);
        int percent = (int)(100 * done / Math.Max(total, 1e-6));
        Write(string.Create(CultureInfo.InvariantCulture,
            $"{_what}: {percent,3} % of {total:F0} MB, {rate:F1} MB/s"));
    }

    /// <summary>Clears the line.</summary>
    public void Clear()
    {
        if (_width > 0)
        {
            Write("");
            _errors.Write('\r');
            _width = 0;
        }
    }

    public void Dispose()
    {
        Clear();
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }

        _interruption.Dispose();
    }

    private void Write(string line)
    {
        _errors.Write($"\r{line.PadRight(_width)}");
        _width = line.Length;
    }

    private void Interrupt(PosixSignalContext context)
    {
        context.Cancel = true;
        _interruption.Cancel();
    }
}
