// SPDX-License-Identifier: MIT
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Xt.Host;
using Xt.Image;
using Xt.Machine;

namespace Xt.Testing;

/// <summary>
/// Boots Debian's kernel as Domain-0 on machines of many kinds, up to its user space and down to power off: loaders,
/// chip sets, processors, numbers of CPUs, sizes of memory. What QEMU's emulation cannot show is listed as skipped.
/// </summary>
public static partial class BootTests
{
    /// <summary>For sixteen CPUs on two cores beside another machine.</summary>
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(240);

    private static readonly TimeSpan s_powerOff = TimeSpan.FromSeconds(20);

    /// <summary>QEMU's name of a CPU feature that users have, and that a whole-system test would like to see.</summary>
    private static readonly string[] s_features = ["x2apic", "tsc-deadline", "pcid", "invpcid", "xsavec", "smap"];

    public static void Run(TestTally tally, string? filter, bool full, int jobs)
    {
        List<BootCase> cases =
        [
            .. BootCase.All(full)
                .Where(one => filter == null || one.Name.Contains(filter, StringComparison.OrdinalIgnoreCase))
                // The slowest first, so that no core waits for the last one alone.
                .OrderByDescending(one => one.Cpus)
                .ThenBy(one => one.Name, StringComparer.Ordinal),
        ];
        if (cases.Count == 0)
        {
            return;
        }

        string ramdisk = Dom0Image.BootRamdisk();
        ParallelOptions places = new() { MaxDegreeOfParallelism = jobs };
        _ = Parallel.ForEach(Partitioner.Create(cases, loadBalance: true), places, one =>
        {
            Stopwatch watch = Stopwatch.StartNew();
            TestRecord record = RunOne(one, ramdisk);
            Console.WriteLine($"  {record.Outcome,-7} {one.Name} [{watch.Elapsed.TotalSeconds:0.0} s]");
            tally.Add(record);
        });
        tally.AddRange(Lacking(filter));
    }

    /// <summary>What is wrong with a finished boot, sentence by sentence.</summary>
    public static IEnumerable<string> Faults(BootCase machine, string console)
    {
        if (SerialLine.DeathIn(console) is string death)
        {
            return [death];
        }

        if (BootReport.In(console) is not BootReport report)
        {
            return ["Domain-0 did not reach its user space."];
        }

        List<string> faults = [.. report.Faults(machine)];
        Match cpus = CpuLine().Match(console);
        if (machine.Cpus > 1 && (!cpus.Success || cpus.Groups[1].Value != $"{machine.Cpus}"))
        {
            faults.Add($"The hypervisor runs {(cpus.Success ? cpus.Groups[1].Value : "no line tells how many")} CPUs.");
        }

        Match memory = MemoryLine().Match(console);
        if (!memory.Success || int.Parse(memory.Groups[1].Value) < machine.MemoryMegabytes * 9 / 10)
        {
            faults.Add($"The hypervisor finds {(memory.Success ? memory.Groups[1].Value : "?")} MiB of memory.");
        }

        return faults;
    }

    private static TestRecord RunOne(BootCase machine, string ramdisk)
    {
        MachineOptions options = machine.Options() with { Initrd = ramdisk };
        using SerialLine line = SerialLine.Boot(options, BootFiles.Gather(options), machine.Name.Replace('/', '-'));
        _ = line.WaitUntil(
            text => BootReport.In(text) != null || SerialLine.DeathIn(text) != null, DateTime.UtcNow + s_limit);
        bool isOff = line.WaitUntil(_ => line.IsOver, DateTime.UtcNow + s_powerOff) || line.IsOver;

        List<string> faults = [.. Faults(machine, line.Text)];
        if (faults.Count == 0 && !isOff)
        {
            faults.Add("The machine does not power off.");
        }

        return faults.Count == 0
            ? new TestRecord(machine.Name, TestOutcome.Passed)
            : new TestRecord(machine.Name, TestOutcome.Failed,
                $"{string.Join(' ', faults)}\n{line.QemuErrors.Trim()}\n{line.Tail(8)}".Trim(), line.Log);
    }

    /// <summary>The features that this QEMU does not emulate: nothing was shown of them.</summary>
    private static IEnumerable<TestRecord> Lacking(string? filter)
    {
        foreach (string feature in s_features)
        {
            string name = $"boot/{feature}";
            if (filter != null && !name.Contains(filter, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            string reason = feature == "smap"
                ? "QEMU's emulation of IRET in ring 3 with SMAP faults in every paravirtual kernel"
                : $"QEMU's emulation has no {feature}; its logic is tested on the host";
            if (feature == "smap" || !IsEmulated(feature))
            {
                yield return new TestRecord(name, TestOutcome.Skipped, reason);
            }
        }
    }

    private static bool IsEmulated(string feature) => HostCommand.Capture("sh",
        ["-c", $"echo quit | {QemuCommand.Program} -accel tcg -machine q35 -cpu max,enforce,+{feature} -display none "
            + "-nodefaults -S -monitor stdio"]).Status == 0;

    [GeneratedRegex(@"\(XEN\) CPUs: (\d+) of \d+ run")]
    private static partial Regex CpuLine();

    [GeneratedRegex(@"\(XEN\) memory: (\d+) MiB of RAM")]
    private static partial Regex MemoryLine();
}
