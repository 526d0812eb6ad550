// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;

namespace Xt.Machine;

public enum BatchOutcome
{
    /// <summary>The commands ran to their end; the status is theirs.</summary>
    Completed,
    TimedOut,

    /// <summary>The hypervisor or Domain-0's kernel died, or the machine was reset.</summary>
    Died,
}

public sealed record BatchResult(
    BatchOutcome Outcome, int Status, byte[] Output, string Reason, string Tail, string Log)
{
    public string OutputText => Encoding.UTF8.GetString(Output);
}

/// <summary>
/// Boots a machine, lets Domain-0 run commands, and brings back their output and their status.
/// </summary>
/// <remarks>
/// The commands travel in the RAM disk, the output over the serial line: a hypervisor that can print is enough, it need
/// not read, nor have any device work. The other half of the protocol, and why it is as it is, stands in
/// tools/Xt/Dom0/usr/lib/xt/batch.
/// </remarks>
public static class BatchRun
{
    public static BatchResult Execute(
        MachineOptions options,
        string commands,
        TimeSpan timeout,
        string purpose,
        Action<string>? watcher = null,
        IReadOnlyDictionary<string, string>? programs = null)
    {
        string token = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(commands)))[..10];
        Dictionary<string, string> overlay = new()
        {
            ["etc/xt/token"] = token + "\n",
            ["etc/xt/batch"] = commands + "\n",
        };
        BootFiles files = BootFiles.Gather(options, overlay, programs);
        DateTime deadline = DateTime.UtcNow + timeout;
        using SerialLine line = SerialLine.Boot(options, files, purpose, watcher);
        (int Status, byte[] Output)? answer = null;
        string? death = null;
        _ = line.WaitUntil(
            text =>
            {
                answer = ConsoleAnswer.Decode(text, token);
                death = answer == null ? SerialLine.DeathIn(text) : null;
                return answer != null || death != null;
            },
            deadline);

        if (answer != null)
        {
            return new BatchResult(
                BatchOutcome.Completed, answer.Value.Status, answer.Value.Output, string.Empty, string.Empty, line.Log);
        }

        if (death != null)
        {
            // The reason is out; registers and call chain are still on their way.
            _ = line.WaitUntil(_ => false, DateTime.UtcNow.AddSeconds(1.5));
            return new BatchResult(
                BatchOutcome.Died, 0, [], SerialLine.DeathIn(line.Text) ?? death, line.Tail(), line.Log);
        }

        if (line.IsOver)
        {
            string reason = line.QemuErrors.Trim().Length != 0
                ? "QEMU stopped: " + line.QemuErrors.Trim()
                : "The machine was reset or powered off before the commands were done.";
            return new BatchResult(BatchOutcome.Died, 0, [], reason, line.Tail(), line.Log);
        }

        return new BatchResult(BatchOutcome.TimedOut, 0, [],
            $"Not done after {timeout.TotalSeconds:0} seconds.", line.Tail(), line.Log);
    }
}
