// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Xt.Host;
using Xt.Machine;

namespace Xt.Testing;

/// <summary>
/// Boots each micro guest as the only domain and reads its verdict from the console: a line that begins with SUCCESS,
/// SKIP, ERROR (the test is broken) or FAILURE (the hypervisor is). The worst that is seen counts, and a guest that
/// says nothing has crashed.
/// </summary>
public static partial class MicroGuestTests
{
    private const string Crash = "CRASH";
    private const int DefaultTimeout = 60;
    private const int ShownLines = 8;

    /// <summary>Later is worse.</summary>
    private static readonly string[] s_verdicts = ["SUCCESS", "SKIP", "ERROR", "FAILURE"];

    /// <summary>How long a guest that gave its verdict may still spoil it.</summary>
    private static readonly TimeSpan s_afterVerdict = TimeSpan.FromSeconds(0.4);

    public static void Run(TestTally tally, HypervisorKind hypervisor, string? filter, bool withLong, int jobs)
    {
        if (!Directory.Exists(Workspace.MicroGuests))
        {
            return;
        }

        List<MicroGuest> guests =
        [
            .. Directory.EnumerateFiles(Workspace.MicroGuests, "*.elf")
                .Order(StringComparer.Ordinal)
                .Select(MicroGuest.Read)
                .Where(guest => filter == null || guest.Name.Contains(filter, StringComparison.OrdinalIgnoreCase))
                .Where(guest => withLong || !guest.IsLong),
        ];
        _ = Parallel.ForEach(guests, new ParallelOptions { MaxDegreeOfParallelism = jobs }, guest =>
        {
            Stopwatch watch = Stopwatch.StartNew();
            TestRecord record = RunOne(guest, hypervisor);
            Console.WriteLine($"  {record.Outcome,-7} {guest.Name} [{watch.Elapsed.TotalSeconds:0.0} s]");
            tally.Add(record);
        });
    }

    /// <summary>The worst verdict on the console, and what stands behind it on its line.</summary>
    public static (string Verdict, string Reason) VerdictIn(string console)
    {
        int worst = -1;
        string reason = string.Empty;
        foreach (Match match in Verdict().Matches(console))
        {
            int severity = Array.IndexOf(s_verdicts, match.Groups[1].Value);
            if (severity > worst)
            {
                worst = severity;
                reason = match.Groups[2].Value.Trim();
            }
        }

        return (worst < 0 ? Crash : s_verdicts[worst], reason);
    }

    private static TestRecord RunOne(MicroGuest guest, HypervisorKind hypervisor)
    {
        string name = "guests/" + guest.Name;
        MachineOptions options = new()
        {
            Hypervisor = hypervisor,
            Loader = LoaderKind.Kernel,
            Module = guest.Image,
            IsModulePrivileged = guest.IsPrivileged,
            KernelArguments = guest.Text("cmdline", string.Empty),
            HypervisorArguments = guest.Text("append", string.Empty),
            CpuModel = guest.Text("cpu", new MachineOptions().CpuModel),
            InstructionCount = guest.CountsInstructions,
            Cpus = guest.Number("smp", 1),
            MemoryMegabytes = guest.Number("memory", 512),
            Dom0MemoryMegabytes = Math.Min(guest.Number("memory", 512) / 2, 128),
        };
        using SerialLine line = SerialLine.Boot(options, BootFiles.Gather(options), "guest-" + guest.Name);
        DateTime deadline = DateTime.UtcNow.AddSeconds(guest.Number("timeout", DefaultTimeout));
        bool isOver = line.WaitUntil(
            text => VerdictIn(text).Verdict != Crash || SerialLine.DeathIn(text) != null || DomainEnd().IsMatch(text),
            deadline) || line.IsOver;
        _ = line.WaitUntil(_ => false, DateTime.UtcNow + s_afterVerdict);

        (string verdict, string reason) = VerdictIn(line.Text);
        if (SerialLine.DeathIn(line.Text) is string death)
        {
            (verdict, reason) = (Crash, death);
        }
        else if (verdict == Crash)
        {
            reason = isOver ? "The machine stopped without a verdict." : "No verdict in time.";
        }

        string wanted = guest.Text("console", string.Empty);
        if (verdict == guest.Expect && !line.Text.Contains(wanted, StringComparison.Ordinal))
        {
            return new TestRecord(name, TestOutcome.Failed, $"The console never says: {wanted}", line.Log);
        }

        if (verdict == guest.Expect)
        {
            return new TestRecord(name, TestOutcome.Passed);
        }

        return verdict == "SKIP"
            ? new TestRecord(name, TestOutcome.Skipped, reason, line.Log)
            : new TestRecord(name, TestOutcome.Failed,
                $"{verdict} {reason} (expected {guest.Expect})\n{line.Tail(ShownLines)}", line.Log);
    }

    // Not the machine's death: only the guest is gone.
    [GeneratedRegex(@"\bDomain \d+ crashed\b")]
    private static partial Regex DomainEnd();

    [GeneratedRegex(@"^(?:\([^)\n]*\) )?(?:Test result: )?(SUCCESS|SKIP|ERROR|FAILURE)\b[:.]?([^\n]*)$",
        RegexOptions.Multiline)]
    private static partial Regex Verdict();
}
