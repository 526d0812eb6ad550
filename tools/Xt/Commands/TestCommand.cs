// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Xt.Build;
using Xt.Host;
using Xt.Machine;
using Xt.Testing;

namespace Xt.Commands;

/// <summary><c>xt test</c>: every tier in turn, one line of totals at the end.</summary>
public static class TestCommand
{
    private const string Host = "host";
    private const string Guests = "guests";
    private const string Boot = "boot";
    private const string Image = "image";

    public static Command Create()
    {
        Option<bool> withLong = new("--long") { Description = "also what takes too long for every day" };
        Option<string?> filter = new("--filter") { Description = "only tests whose name contains this text" };
        Option<string[]> only = new("--only") { Description = "only this tier: host, guests, boot or image; may be repeated" };
        _ = only.AcceptOnlyFromAmong(Host, Guests, Boot, Image);
        Option<int> jobs = new("--jobs")
        {
            Description = "machines that run at once",
            DefaultValueFactory = _ => Math.Max(1, Environment.ProcessorCount),
        };
        Option<string> hypervisor = new("--hypervisor")
        {
            Description = "for the micro guests: ours, or Debian's xen to see what it says to the same guest",
            DefaultValueFactory = _ => "ours",
        };
        _ = hypervisor.AcceptOnlyFromAmong("ours", "xen");
        Option<bool> noBuild = new("--no-build") { Description = "test what is in artifacts/ as it is" };
        Command command = new("test",
            "Run all tests: host (the logic as ordinary libraries), guests (micro guests in tests/guests, each one\n"
            + "promise of the interface), boot (Domain-0 up and down on machines of many kinds), image (whole systems\n"
            + "booted in QEMU). The last line says how many passed, failed and were skipped; the exit status is 0 only\n"
            + "when none failed.\n\n"
            + "  xt test                        the gate, as in continuous integration\n"
            + "  xt test --only host --filter Xz\n"
            + "  xt test --only guests --filter event\n"
            + "  xt test --long                 everything")
        {
            withLong,
            filter,
            only,
            jobs,
            hypervisor,
            noBuild,
        };
        command.SetAction(result =>
        {
            string[] chosen = result.GetValue(only) is { Length: > 0 } some ? some : [Host, Guests, Boot, Image];
            HypervisorKind kind = Enum.Parse<HypervisorKind>(result.GetRequiredValue(hypervisor), true);
            TestTally tally = new();
            string? wanted = result.GetValue(filter);
            if (chosen.Contains(Host))
            {
                Tier("host tests", () => tally.AddRange(
                    XunitTests.Run(Workspace.InSources("Xen.sln"), "host-tests", wanted, ["-m:2"], false)));
            }

            bool isBuilt = chosen is [Host] || result.GetValue(noBuild) || Build(tally, chosen, kind);
            if (isBuilt && chosen.Contains(Guests))
            {
                Tier("micro guests", () => MicroGuestTests.Run(
                    tally, kind, wanted, result.GetValue(withLong), result.GetRequiredValue(jobs)));
            }

            if (isBuilt && chosen.Contains(Boot))
            {
                Tier("boot matrix", () => BootTests.Run(
                    tally, wanted, result.GetValue(withLong), result.GetRequiredValue(jobs)));
            }

            if (isBuilt && chosen.Contains(Image))
            {
                Tier("whole systems", () => tally.AddRange(ImageTests(
                    wanted, result.GetValue(withLong), result.GetRequiredValue(jobs))));
            }

            if (tally.Total == 0)
            {
                tally.Add(new TestRecord("xt test", TestOutcome.Failed, "No test has a name like that, or none ran."));
            }

            tally.Print();
            return tally.Failed == 0 ? 0 : 1;
        });
        return command;
    }

    private static void Tier(string name, Action run)
    {
        Report.Step(name);
        Stopwatch watch = Stopwatch.StartNew();
        run();
        Report.Step($"{name}: {watch.Elapsed.TotalSeconds:0} s");
    }

    /// <summary>A build that fails is a failed test; the tiers that need its product do not run then.</summary>
    private static bool Build(TestTally tally, string[] chosen, HypervisorKind kind)
    {
        try
        {
            if (kind == HypervisorKind.Ours)
            {
                Products.BuildHypervisor();
            }

            if (chosen.Contains(Guests) || chosen.Contains(Image))
            {
                Products.BuildMicroGuests();
            }

            if (chosen.Contains(Image))
            {
                Products.BuildPrograms();
            }

            return true;
        }
        catch (XtException error)
        {
            tally.Add(new TestRecord("build", TestOutcome.Failed, $"{error.Message}\n{error.Remedy}"));
            return false;
        }
    }

    private static List<TestRecord> ImageTests(string? filter, bool withLong, int jobs)
    {
        string project = Directory.EnumerateFiles(Workspace.InSources("tests", "image"), "*.csproj").Single();
        Dictionary<string, string> environment = new() { ["XT_LONG"] = withLong ? "yes" : "no" };
        return XunitTests.Run(project, "image-tests", filter,
            ["-p:RunImageTests=true", "--", $"xUnit.MaxParallelThreads={jobs}"], true, environment);
    }
}
