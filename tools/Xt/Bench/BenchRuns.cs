// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text.RegularExpressions;
using Xt.Host;
using Xt.Image;
using Xt.Machine;
using Xt.Testing;

namespace Xt.Bench;

/// <summary>
/// Runs one thing to be measured on one hypervisor, and reads the lines <c>BENCH figure operation</c> that it prints.
/// </summary>
public static partial class BenchRuns
{
    private static readonly TimeSpan s_linuxTimeout = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_guestTimeout = TimeSpan.FromMinutes(10);

    /// <summary>The micro guest tests/guests/bench: the cost of single hypercalls and traps.</summary>
    public static void MicroGuest(BenchTable table, string system, MachineOptions machine, string guestName)
    {
        MicroGuest guest = Testing.MicroGuest.Read(Path.Combine(Workspace.MicroGuests, guestName + ".elf"));
        MachineOptions options = machine with
        {
            Loader = LoaderKind.Kernel,
            Module = guest.Image,
            IsModulePrivileged = guest.IsPrivileged,
            KernelArguments = guest.Text("cmdline", string.Empty),
            HypervisorArguments =
                $"{machine.HypervisorArguments} {guest.Text("append", string.Empty)}".Trim(),
            MemoryMegabytes = guest.Number("memory", 512),
            Dom0MemoryMegabytes = 128,
        };
        using SerialLine line = SerialLine.Boot(options, BootFiles.Gather(options), $"bench-{system}");
        bool isDone = line.WaitUntil(
            text => MicroGuestTests.VerdictIn(text).Verdict != "CRASH" || SerialLine.DeathIn(text) != null,
            DateTime.UtcNow + s_guestTimeout);
        if (!isDone || SerialLine.DeathIn(line.Text) != null || MicroGuestTests.VerdictIn(line.Text).Verdict != "SUCCESS")
        {
            throw new XtException($"{guestName} on {system} did not end well:\n{line.Tail()}",
                $"The whole serial log: {line.Log}");
        }

        AddLines(table, system, line.Text, string.Empty);
    }

    /// <summary>Everyday operations of Linux, in Domain-0 and in a guest.</summary>
    public static void Linux(BenchTable table, string system, MachineOptions machine, bool withGuest)
    {
        string loops = Program("loops");
        string ramdisk = Path.Combine(Workspace.Cache, "bench-ramdisk.cpio");
        SystemTree tree = new([]);
        tree.File("bench", loops, true);
        _ = NewFile.Write(ramdisk, draft =>
        {
            using FileStream stream = File.Create(draft);
            tree.Write(stream);
        });

        const string InDom0 = "/bench; echo BENCH END\n";
        // Without an invariant TSC Xen would emulate it for guests, and what is measured would be that.
        const string InGuest =
            """
            cat /boot/guest-ramdisk /boot/bench-ramdisk >/tmp/ramdisk
            sed 's,/boot/guest-ramdisk,/tmp/ramdisk,' /etc/xen/xmexample1 >/tmp/bench.cfg
            echo 'tsc_mode = "native"' >>/tmp/bench.cfg
            xl create -q /tmp/bench.cfg && timeout 600 xl console ExampleDomain
            """;
        Dictionary<string, string> programs = new() { ["bench"] = loops, ["boot/bench-ramdisk"] = ramdisk };
        BatchResult result = BatchRun.Execute(
            machine, InDom0 + (withGuest ? InGuest : string.Empty), s_linuxTimeout, $"bench-{system}", null, programs);
        string text = result.OutputText;
        int end = text.IndexOf("BENCH END", StringComparison.Ordinal);
        if (result.Outcome != BatchOutcome.Completed || end < 0)
        {
            throw new XtException($"The loops in Domain-0 on {system} did not end well: {result.Reason}\n{text}{result.Tail}",
                $"The whole serial log: {result.Log}");
        }

        AddLines(table, system, text[..end], "Dom0: ");
        AddLines(table, system, text[end..], "guest: ");
        if (withGuest && text.IndexOf("BENCH END", end + 1, StringComparison.Ordinal) < 0)
        {
            throw new XtException($"The loops in a guest on {system} did not end well:\n{text[end..]}",
                $"The whole serial log: {result.Log}");
        }
    }

    /// <summary>
    /// What users wait for: xm with our daemon on our hypervisor, and Debian's xl with Debian's daemons on Debian's Xen.
    /// The clock counts instructions, so a figure is what the machine did until the command was done, waiting included.
    /// </summary>
    public static void Toolstack(BenchTable table, string system, MachineOptions machine)
    {
        bool isOurs = machine.Hypervisor == HypervisorKind.Ours;
        string script = $$"""
            tool={{(isOurs ? "xm" : "xl")}}
            config=/etc/xen/xmexample1
            declare -A best; names=()
            # Runs a command and keeps the least time of its name, in nanoseconds, which are instructions.
            measure() {
                local name=$1 start took; shift
                start=${EPOCHREALTIME/./}
                "$@" >/dev/null || { echo "failed: $*"; exit 1; }
                took=$(( (${EPOCHREALTIME/./} - start) * 1000 ))
                [ -n "${best[$name]}" ] || names+=("$name")
                [ -n "${best[$name]}" ] && [ ${best[$name]} -le $took ] || best[$name]=$took
            }
            up() {
                $tool create -q $config || return 1
                $tool console ExampleDomain </tmp/keys >/tmp/said & console=$!
                until grep -q 'GUEST IS UP' /tmp/said; do sleep 0.05; done
            }
            build() { measure "create -p returns, $1" $tool create -q -p $config; measure destroy $tool destroy ExampleDomain; }
            start() {
                : >/tmp/said
                measure "create until the first line of user space, $1" up
                kill $console; $tool destroy ExampleDomain
            }
            mkfifo /tmp/keys; sleep 10000 >/tmp/keys &
            for round in 1 2 3 4 5; do measure list $tool list; done
            cold='kernel not cached' warm='kernel as cached as it gets'
            for round in 1 2; do rm -rf /var/cache/xen/kernels; build "$cold"; done
            rm -rf /var/cache/xen/kernels; start "$cold"
            if [ $tool = xm ]; then
                for round in 1 2; do build "$warm"; done
                start "$warm"
            else
                # It keeps no kernels.
                for row in 'create -p returns' 'create until the first line of user space'; do
                    best["$row, $warm"]=${best["$row, $cold"]}; names+=("$row, $warm")
                done
            fi
            for name in "${names[@]}"; do echo "BENCH ${best[$name]} $name"; done
            echo BENCH END
            """;
        MachineOptions options = isOurs
            ? machine
            : machine with { KernelArguments = $"{machine.KernelArguments} xt.xend=off".Trim() };
        BatchResult result = BatchRun.Execute(options, script, s_linuxTimeout, $"bench-tools-{system}");
        if (result.Outcome != BatchOutcome.Completed
            || !result.OutputText.Contains("BENCH END", StringComparison.Ordinal))
        {
            throw new XtException(
                $"The toolstack on {system} did not end well: {result.Reason}\n{result.OutputText}{result.Tail}",
                $"The whole serial log: {result.Log}");
        }

        AddLines(table, system, result.OutputText, "toolstack: ");
    }

    internal static void AddLines(BenchTable table, string system, string text, string prefix)
    {
        foreach (Match match in Line().Matches(text))
        {
            table.Add(system, prefix + match.Groups[2].Value.Trim(),
                double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));
        }
    }

    /// <summary>A program of this folder, compiled so that it runs wherever there is Linux.</summary>
    internal static string Program(string name)
    {
        string source = Workspace.InSources("tools", "Xt", "Bench", name + ".c");
        string program = Path.Combine(Workspace.Cache, "bench-" + name);
        if (Build.SourceAge.IsStale(program, [source]))
        {
            _ = NewFile.Write(program, draft => HostCommand.Require("gcc",
                ["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-pthread", "-s", "-o", draft, source]));
        }

        return program;
    }

    [GeneratedRegex(@"^(?:\([^)\n]*\) )?BENCH ([0-9.]+) ([^\r\n]+)", RegexOptions.Multiline)]
    private static partial Regex Line();
}
