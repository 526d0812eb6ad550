// SPDX-License-Identifier: MIT
//
// A transfer takes seconds to minutes, during which somebody may lose patience. Ctrl+C and the like do not kill the
// command at once: it stops at the next batch of pages and puts things back as they were.
using System;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Toolstack.Migration;

namespace Xm.Cli;

/// <summary>Shows how far a transfer has come, and takes the signals of whoever sees it.</summary>
internal sealed class TransferDisplay : IDisposable
{
    private const int PageBytes = 4096;

    private readonly ProgressLine _line;
    private readonly string _what;
    private readonly CancellationTokenSource _interruption = new();
    private readonly PosixSignalRegistration[] _signals;

    public TransferDisplay(ProgressLine line, string what)
    {
        _line = line;
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
        _line.Show(_what, Text, progress.Done >= progress.Total);

        string Text()
        {
            double done = (double)progress.Done * PageBytes / 1e6;
            double total = (double)progress.Total * PageBytes / 1e6;
            double rate = done / Math.Max(_line.Elapsed.TotalSeconds, 0.001);
            int percent = (int)(100 * done / Math.Max(total, 1e-6));
            return string.Create(CultureInfo.InvariantCulture,
                $"{_what}: {percent,3} % of {total:F0} MB, {rate:F1} MB/s");
        }
    }

    /// <summary>Clears the line.</summary>
    public void Clear() => _line.Clear();

    public void Dispose()
    {
        Clear();
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }

        _interruption.Dispose();
    }

    private void Interrupt(PosixSignalContext context)
    {
        context.Cancel = true;
        _interruption.Cancel();
    }
}
