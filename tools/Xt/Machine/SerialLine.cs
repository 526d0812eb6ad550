// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using Xt.Host;

namespace Xt.Machine;

/// <summary>
/// A machine that runs, seen through its serial line: what it printed so far, waiting for something to appear, and
/// typing. Dispose it and it is gone.
/// </summary>
public sealed partial class SerialLine : IDisposable
{
    private const int TailLines = 40;
    private const int TypedAtOnce = 16;

    private readonly Process _process;
    private readonly StringBuilder _text = new();
    private readonly object _lock = new();
    private readonly Action<string>? _watcher;
    private bool _isOver;

    private SerialLine(Process process, string log, Action<string>? watcher)
    {
        _process = process;
        Log = log;
        _watcher = watcher;
        new Thread(Read) { IsBackground = true, Name = "serial line" }.Start();
        new Thread(ReadErrors) { IsBackground = true, Name = "QEMU's messages" }.Start();
    }

    /// <summary>File with everything that came over the line.</summary>
    public string Log { get; }

    public string Text
    {
        get
        {
            lock (_lock)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>True when the machine stopped by itself.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock)
            {
                return _isOver;
            }
        }
    }

    public string QemuErrors { get; private set; } = string.Empty;

    /// <summary>Boots the machine. The log file is named after the purpose.</summary>
    public static SerialLine Boot(
        MachineOptions options, BootFiles files, string purpose, Action<string>? watcher = null)
    {
        string log = LogFiles.New(purpose);
        List<string> arguments = QemuCommand.Arguments(options, files, log, false);
        ProcessStartInfo start = new(QemuCommand.Program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return new SerialLine(Process.Start(start)!, log, watcher);
    }

    /// <summary>Waits until the text beyond a position satisfies the test, the machine stops, or time is up.</summary>
    public bool WaitUntil(Func<string, bool> test, DateTime deadline)
    {
        int seen = -1;
        while (true)
        {
            string text;
            lock (_lock)
            {
                while (_text.Length == seen && !_isOver)
                {
                    TimeSpan left = deadline - DateTime.UtcNow;
                    if (left <= TimeSpan.Zero || !Monitor.Wait(_lock, left))
                    {
                        break;
                    }
                }

                text = _text.ToString();
                seen = text.Length;
            }

            if (test(text))
            {
                return true;
            }

            if (DateTime.UtcNow >= deadline || (IsOver && Text.Length == seen))
            {
                return false;
            }
        }
    }

    /// <summary>
    /// Types. In small portions with a breath between them: a hypervisor's receive buffers are small, and what does not
    /// fit is lost.
    /// </summary>
    public void Type(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Stream input = _process.StandardInput.BaseStream;
        try
        {
            for (int i = 0; i < bytes.Length; i += TypedAtOnce)
            {
                input.Write(bytes, i, Math.Min(TypedAtOnce, bytes.Length - i));
                input.Flush();
                Thread.Sleep(10);
            }
        }
        catch (IOException)
        {
            // The machine is gone; whoever waits for an answer will hear about it.
        }
    }

    /// <summary>The last lines of the console.</summary>
    public string Tail(int count = TailLines)
    {
        string[] lines = Text.Replace("\r", string.Empty, StringComparison.Ordinal).TrimEnd('\n').Split('\n');
        return string.Join('\n', lines.TakeLast(count));
    }

    /// <summary>The sentence in which something below the commands says that it died, if there is one.</summary>
    public static string? DeathIn(string text)
    {
        Match match = Death().Match(text);
        return match.Success ? Spaces().Replace(match.Value.Trim(), " ") : null;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.WaitForExit();
        _process.Dispose();
    }

    // A headline that ends in a colon has its reason on the next line.
    [GeneratedRegex(
        @"[^\n]*(\bPanic on CPU \d+|\(XEN\) PANIC|\(XEN\) cannot start|FATAL TRAP|Kernel panic - not syncing|"
        + @"Domain 0 crashed|Hardware Dom0 crashed)[^\n]*?(:\s*\n[^\n]*|\n|$)")]
    private static partial Regex Death();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    private void Read()
    {
        Decoder decoder = Encoding.Latin1.GetDecoder();
        byte[] bytes = new byte[8192];
        char[] chars = new char[8192];
        Stream output = _process.StandardOutput.BaseStream;
        while (true)
        {
            int count = 0;
            try
            {
                count = output.Read(bytes);
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
            {
                // Killed under our hands: the same as the end.
            }

            lock (_lock)
            {
                if (count == 0)
                {
                    _isOver = true;
                    Monitor.PulseAll(_lock);
                    return;
                }

                int length = decoder.GetChars(bytes, 0, count, chars, 0);
                _ = _text.Append(chars, 0, length);
                Monitor.PulseAll(_lock);
                _watcher?.Invoke(new string(chars, 0, length));
            }
        }
    }

    private void ReadErrors()
    {
        try
        {
            QemuErrors = _process.StandardError.ReadToEnd();
        }
        catch (Exception error) when (error is IOException or ObjectDisposedException or InvalidOperationException)
        {
            QemuErrors = string.Empty;
        }
    }
}
