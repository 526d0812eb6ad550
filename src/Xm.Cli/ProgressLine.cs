// SPDX-License-Identifier: MIT
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using Dom0.Toolstack;

namespace Xm.Cli;

/// <summary>
/// One line that is written over and over while something takes long, and is gone afterwards. Only a terminal gets it.
/// </summary>
internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private readonly TextWriter _errors;
    private readonly bool _isTerminal;
    private readonly long _start = Stopwatch.GetTimestamp();
    private TimeSpan _shown = -s_interval;
    private string _step = "";
    private int _width;

    /// <summary>Writes to <paramref name="errors"/>, if a person sees that.</summary>
    public ProgressLine(TextWriter errors, bool isTerminal)
    {
        _errors = errors;
        _isTerminal = isTerminal;
    }

    /// <summary>How long it has taken so far.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>
    /// Shows a text, unless the last one is too young: within a step there may be thousands, of which some are seen. The
    /// first of a step, and what <paramref name="isLast"/>, are always shown.
    /// </summary>
    public void Show(string step, Func<string> text, bool isLast)
    {
        TimeSpan elapsed = Elapsed;
        if (!_isTerminal || (step == _step && !isLast && elapsed - _shown < s_interval))
        {
            return;
        }

        _step = step;
        _shown = elapsed;
        Write(text());
    }

    /// <summary>Shows the step of something that is called <paramref name="what"/>.</summary>
    public void Show(string what, StepProgress progress) => Show(progress.Step,
        () => progress.Total <= 0
            ? $"{what}: {progress.Step}"
            : string.Create(CultureInfo.InvariantCulture,
                $"{what}: {progress.Step}, {100 * progress.Done / progress.Total,3} %"),
        progress.Total > 0 && progress.Done >= progress.Total);

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

    /// <inheritdoc/>
    public void Dispose() => Clear();

    private void Write(string line)
    {
        _errors.Write($"\r{line.PadRight(_width)}");
        _errors.Flush();
        _width = line.Length;
    }
}
