// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading;
using Xt;
using Xt.Build;
using Xt.Host;
using Xt.Image;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// Every register that user mode has stays what it was, in Domain-0 and two guests at once (state/check.c), while NMIs strike,
/// devices and timers interrupt, and all vCPUs are moved from CPU to CPU.
/// </summary>
public sealed class StateTests : IDisposable
{
    private const int GuestVcpus = 2;

    private const int HitsPerSecond = 5;
    private const int FewestPins = 12;
    private const int FewestNmis = 5;

    /// <summary>Guests check without end, and say how it went after so many seconds each time.</summary>
    private const int GuestSeconds = 4;

    private static readonly string[] s_kinds =
        ["general", "flags", "base", "selector", "x87", "mxcsr", "xmm", "ymm", "debug"];

    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan s_betweenNmis = TimeSpan.FromMilliseconds(300);

    private readonly Monitor _monitor = new();
    private readonly KernelFiles _files = new();

    public void Dispose()
    {
        _monitor.Dispose();
        _files.Dispose();
    }

    [LongFact]
    public void Registers_keep_their_values_in_three_domains_at_once() => Check(8);

    [LongFact]
    public void Registers_keep_their_values_for_half_a_minute() => Check(30);

    /// <summary>A switch that leaves vector registers as they are is noticed, where two vCPUs share a CPU.</summary>
    [LongFact]
    public void A_hypervisor_that_does_not_restore_registers_is_found_out()
    {
        MachineOptions machine = Machine(1) with
        {
            HypervisorImage = _files.ChangedHypervisor("_ExtendedState__Restore", [0xC3]),
        };
        using Dom0Session dom0 = Boot(machine);
        try
        {
            StartGuests(dom0);
            (_, string said) = dom0.Run("/check 8 3", 120);
            said += dom0.Run("sleep 20; cat /var/log/xen/console/guest-state?.log", 120).Output;

            // The checker's own library uses vector registers too, and may be struck before the checker can tell.
            Assert.Matches("STATE MISMATCH|Fatal glibc error|Segmentation fault|Aborted", said);
        }
        catch (XtException)
        {
            // The tools are programs too, and lose their registers as well: Linux says how they ended.
            Assert.Matches("segfault|traps: |STATE MISMATCH|Kernel panic", dom0.ConsoleText);
        }
    }

    private MachineOptions Machine(int cpus) => new()
    {
        Loader = LoaderKind.Kernel,
        Cpus = cpus,
        QemuArguments = _monitor.Arguments,
    };

    private void Check(int seconds)
    {
        using Dom0Session dom0 = Boot(Machine(2));

        // What would not be found need not be looked for.
        foreach (string kind in s_kinds)
        {
            (int status, string said) = dom0.Run($"/check 0 1 {kind}");
            Assert.Equal(1, status);
            Assert.Contains($"STATE MISMATCH {kind}:", said);
        }

        StartGuests(dom0);
        string whole;
        using (new Timer(_ => _monitor.InjectNmi(), null, s_betweenNmis, s_betweenNmis))
        {
            whole = dom0.Require(Rounds(seconds), 900);
        }

        Assert.True(Figure(whole, "rounds") > Figure(whole, "hits") && Figure(whole, "moves") > 0, whole);
        for (int guest = 1; guest <= 2; guest++)
        {
            string log = $"/var/log/xen/console/guest-state{guest}.log";
            string said = dom0.Require($"before=$(grep -c 'STATE OK' {log}); "
                + $"for i in $(seq 60); do test $(grep -c 'STATE OK' {log}) -gt $before && break; sleep 1; done; "
                + $"grep STATE {log}; test $(grep -c 'STATE OK' {log}) -gt $before", 120);
            Assert.Matches(@"(?m)^STATE OK rounds=\d+ hits=\d+ moves=\d+ vectors=ymm", said);
            Assert.DoesNotContain("MISMATCH", said);
        }
    }

    /// <summary>
    /// The check in Domain-0, and beside it all vCPUs in turn go from one CPU to the other and back: again until enough has
    /// happened, however slow the machine is.
    /// </summary>
    private static string Rounds(int seconds) =>
        $$"""
        nmis() { awk '/NMI:/ { n = 0; for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i; print n }' /proc/interrupts; }
        figure() { sed -n "s/^STATE OK .*$1=\([0-9]*\).* vectors=ymm$/\1/p" /tmp/state; }
        before=$(nmis) struck=0 pins=0 rounds=0 hits=0 moves=0
        until [ $hits -ge {{seconds * HitsPerSecond}} ] && [ $pins -ge {{FewestPins}} ] && [ $struck -ge {{FewestNmis}} ]; do
            /check {{seconds}} 4 >/tmp/state &
            while kill -0 $! 2>/dev/null; do
                for domain in 0 state1 state2; do
                    xm vcpu-pin $domain all $((pins / 3 % 2)) || exit 1
                    pins=$((pins + 1))
                done
            done
            wait $! && [ "$(figure rounds)" ] || { cat /tmp/state; exit 1; }
            rounds=$((rounds + $(figure rounds))) hits=$((hits + $(figure hits))) moves=$((moves + $(figure moves)))
            struck=$(($(nmis) - before))
        done
        for domain in 0 state1 state2; do xm vcpu-pin $domain all all; done
        echo rounds=$rounds hits=$hits moves=$moves pins=$pins nmis=$struck
        """;

    private static int Figure(string text, string name) =>
        int.Parse(Regex.Match(text, $@"\b{name}=(\d+)").Groups[1].Value);

    private static void StartGuests(Dom0Session dom0)
    {
        _ = dom0.Require("cat /boot/guest-ramdisk /boot/state-ramdisk >/tmp/ramdisk; rm -f /var/log/xen/console/*");
        for (int guest = 1; guest <= 2; guest++)
        {
            _ = dom0.Require($"xm create -q /etc/xen/xmexample1 name=state{guest} ramdisk=/tmp/ramdisk "
                + $"vcpus={GuestVcpus} extra='console=hvc0 quiet'", 120);
        }

        _ = dom0.Require("for i in $(seq 120); do test $(cat /var/log/xen/console/guest-state?.log | grep -c 'STATE BEGIN') = 2 "
            + "&& exit 0; sleep 1; done; exit 1", 240);
    }

    private static Dom0Session Boot(MachineOptions machine)
    {
        string source = Workspace.InSources("tests", "image", "state", "check.c");
        string program = Path.Combine(Workspace.Cache, "state-check");
        if (SourceAge.IsStale(program, [source]))
        {
            _ = NewFile.Write(program, draft => HostCommand.Require("gcc",
            [
                "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-fno-stack-protector", "-fcf-protection=none", "-s",
                "-o", draft, source,
            ]));
        }

        // The guest's first process runs what has this name.
        SystemTree tree = new([]);
        tree.File("check", program, true);
        tree.Text("bench",
            $"#!/bin/sh\necho STATE BEGIN\nwhile /check {GuestSeconds} 3; do :; done\nwhile :; do sleep 60; done\n", true);
        string ramdisk = Path.Combine(Workspace.Cache, "state-ramdisk.cpio");
        _ = NewFile.Write(ramdisk, draft =>
        {
            using FileStream stream = File.Create(draft);
            tree.Write(stream);
        });
        Dictionary<string, string> programs = new() { ["check"] = program, ["boot/state-ramdisk"] = ramdisk };
        return Dom0Session.Boot(machine, "state", s_boot, programs: programs);
    }
}
