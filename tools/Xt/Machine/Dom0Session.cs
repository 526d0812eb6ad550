// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Threading;

namespace Xt.Machine;

/// <summary>
/// A machine whose Domain-0 takes one command after the other: what whole-system tests talk to. Where the commands'
/// output is enough, <see cref="Run"/> brings it. A program that wants a terminal (a guest's console) is started with
/// <see cref="Start"/>, typed to, watched with <see cref="WaitFor"/>, and ended with <see cref="Finish"/>.
/// </summary>
public sealed class Dom0Session : IDisposable
{
    /// <summary>Begins the lines that the far end says to us.</summary>
    public const string Token = "xt-session";
    private const int PieceLength = 60;
    private const int Attempts = 4;
    private const int ShownLines = 8;

    private static readonly TimeSpan s_pieceTimeout = TimeSpan.FromSeconds(10);

    private readonly SerialLine _line;
    private int _seen;

    private Dom0Session(SerialLine line) => _line = line;

    public string Log => _line.Log;

    public string ConsoleText => _line.Text;

    /// <summary>Boots the machine and waits until Domain-0 is ready for commands.</summary>
    /// <param name="options">The machine.</param>
    /// <param name="purpose">Names the log.</param>
    /// <param name="timeout">How long it may take.</param>
    /// <param name="watcher">Is told what the console says.</param>
    /// <param name="programs">More files for the system in memory: their path there, and which file of the host they are.</param>
    public static Dom0Session Boot(
        MachineOptions options, string purpose, TimeSpan timeout, Action<string>? watcher = null,
        IReadOnlyDictionary<string, string>? programs = null)
    {
        Dictionary<string, string> overlay = new() { ["etc/xt/token"] = Token + "\n", ["etc/xt/agent"] = "\n" };
        DateTime deadline = DateTime.UtcNow + timeout;
        Dom0Session session = new(SerialLine.Boot(options, BootFiles.Gather(options, overlay, programs), purpose, watcher));
        try
        {
            if (options.Disk != null)
            {
                session.WaitFor("debian login: ", deadline - DateTime.UtcNow);
                session.LogIn(deadline - DateTime.UtcNow);
                return session;
            }

            session.WaitFor($"@{Token} ready", deadline - DateTime.UtcNow);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Runs the commands with bash and returns their status and what they printed on both streams.</summary>
    public (int Status, string Output) Run(string commands, double timeoutSeconds = 60)
    {
        Send(commands);
        int start = _line.Text.Length;
        _line.Type("run\n");
        DateTime deadline = DateTime.UtcNow.AddSeconds(timeoutSeconds);
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            (int Status, byte[] Output)? answer = null;
            bool isDamaged = false;
            int from = start;
            Await(
                text =>
                {
                    answer = ConsoleAnswer.Decode(text[from..], Token, out isDamaged);
                    return answer != null || isDamaged;
                },
                deadline,
                commands);
            if (answer != null)
            {
                _seen = _line.Text.Length;
                return (answer.Value.Status, Encoding.UTF8.GetString(answer.Value.Output));
            }

            start = _line.Text.Length;
            _line.Type("again\n");
        }

        throw Failure($"the console garbled the output of: {commands}");
    }

    /// <summary>Runs the commands and insists on status 0; returns what they printed.</summary>
    public string Require(string commands, double timeoutSeconds = 60)
    {
        (int status, string output) = Run(commands, timeoutSeconds);
        return status == 0 ? output : throw Failure($"status {status} from: {commands}\n{output}");
    }

    /// <summary>Starts the commands on the console itself.</summary>
    public void Start(string commands)
    {
        Send(commands);
        _seen = _line.Text.Length;
        _line.Type("shell\n");
    }

    /// <summary>
    /// Behind the prompt of a Debian on a disk, does what a user would: root has no password there. Then its console takes
    /// commands as that of the system in memory does.
    /// </summary>
    public void LogIn(TimeSpan timeout)
    {
        DateTime deadline = DateTime.UtcNow + timeout;
        Type("root\n");
        WaitFor("root@debian:~#", deadline - DateTime.UtcNow);
        Type("exec /usr/lib/xt/agent\n");
        WaitFor($"@{Token} ready", deadline - DateTime.UtcNow);
    }

    /// <summary>Waits until the machine is off; false when it is not in time.</summary>
    public bool WaitForEnd(TimeSpan timeout) => _line.WaitUntil(_ => _line.IsOver, DateTime.UtcNow + timeout) || _line.IsOver;

    public void Type(string text) => _line.Type(text);

    /// <summary>Waits for a text beyond what was waited for before.</summary>
    public void WaitFor(string expected, TimeSpan timeout)
    {
        int from = _seen;
        Await(
            text => text.IndexOf(expected, from, StringComparison.Ordinal) >= 0,
            DateTime.UtcNow + timeout,
            $"\"{expected}\" on the console");
        _seen = _line.Text.IndexOf(expected, _seen, StringComparison.Ordinal) + expected.Length;
    }

    /// <summary>Waits until the commands given to <see cref="Start"/> end, and returns their status.</summary>
    public int Finish(double timeoutSeconds = 60)
    {
        WaitFor($"@{Token} done ", TimeSpan.FromSeconds(timeoutSeconds));
        _ = _line.WaitUntil(text => text.IndexOf('\n', _seen) > 0, SoonAfterNow());
        string rest = _line.Text[_seen..];
        return int.Parse(rest[..rest.IndexOf('\n')].Trim(), CultureInfo.InvariantCulture);
    }

    public void Dispose() => _line.Dispose();

    private static DateTime SoonAfterNow() => DateTime.UtcNow.AddSeconds(2);

    private void Send(string commands)
    {
        string encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(commands + "\n"));
        for (int start = 0, number = 1000; start < encoded.Length; start += PieceLength, number++)
        {
            string piece = encoded.Substring(start, Math.Min(PieceLength, encoded.Length - start));
            SendPiece(number, piece);
        }
    }

    private void SendPiece(int number, string piece)
    {
        string receipt = $"@{Token} got {number} {piece.Length}";
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            int start = _line.Text.Length;
            _line.Type($"p {number} {piece}\n");
            bool isThere = _line.WaitUntil(
                text => text.IndexOf(receipt, start, StringComparison.Ordinal) >= 0 || SerialLine.DeathIn(text) != null,
                DateTime.UtcNow + s_pieceTimeout);
            if (isThere && _line.Text.IndexOf(receipt, start, StringComparison.Ordinal) >= 0)
            {
                return;
            }

            // Half a line may be standing there: end it, and let the agent shrug at it.
            _line.Type("\n");
            Thread.Sleep(100);
        }

        throw Failure("Domain-0 does not take commands any more");
    }

    private void Await(Func<string, bool> isThere, DateTime deadline, string what)
    {
        _ = _line.WaitUntil(text => isThere(text) || SerialLine.DeathIn(text) != null, deadline);
        if (!isThere(_line.Text))
        {
            // Registers and call chain may still be on their way.
            _ = _line.WaitUntil(_ => false, DateTime.UtcNow.AddSeconds(1));
            throw Failure(SerialLine.DeathIn(_line.Text) is string death
                ? $"the machine died ({death}) before: {what}"
                : _line.IsOver ? $"the machine stopped before: {what}" : $"time is up, waiting for: {what}");
        }
    }

    private XtException Failure(string text) =>
        new($"{text}\nThe whole serial log: {_line.Log}\n{_line.Tail(ShownLines)}");
}
