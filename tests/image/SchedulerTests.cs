// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// The three schedulers of the running machine: Debian's tools and ours under each, parameters, and a stock kernel with more
/// virtual CPUs than there are CPUs. One run; the machine starts under sedf.
/// </summary>
public sealed class SchedulerTests(SchedulerTests.Steps steps) : IClassFixture<SchedulerTests.Steps>
{
    public static TheoryData<string> Policies => ["sedf", "bvt", "credit"];

    [Fact]
    public void The_machine_starts_with_the_scheduler_that_the_command_line_names() =>
        Assert.Equal("sedf", steps.Line("first"));

    [Theory]
    [MemberData(nameof(Policies))]
    public void Debians_tools_work_under_each_scheduler(string policy)
    {
        Assert.Equal(policy, steps.Line($"{policy} in force"));
        Assert.Matches(@"^i \d+ 0 0 \d+ \d+$", steps.Line($"{policy} answer"));
        Assert.Matches(@"^x +\d+ +333 +40$", steps.Line($"{policy} xl sched-credit"));
        Assert.Equal("credit", steps.Line($"{policy} xl info").Split(' ').Last());
        Assert.Matches("^Pool-0 +2 +credit +y +3$", steps.Line($"{policy} xl cpupool-list"));
        Assert.Matches(@"^x +\d+ +0 +\d +-b- +\d", steps.Line($"{policy} xl vcpu-list"));
    }

    [Theory]
    [MemberData(nameof(Policies))]
    public void Parameters_are_kept_whichever_scheduler_is_in_force(string policy)
    {
        Assert.Matches(@"^keep +\d+ +300 +50$", steps.Line($"{policy} kept credit"));
        Assert.Matches(@"^keep +\d+ +20 +2.5 +5 +1 +77$", steps.Line($"{policy} kept sedf"));
        Assert.Matches(@"^keep +\d+ +7 +1 +30 +40 +50$", steps.Line($"{policy} kept bvt"));
    }

    [Fact]
    public void All_domains_are_shown_and_set_at_once()
    {
        Assert.Equal(["Domain-0 900", "keep 900"], steps.Lines("all credit"));
        Assert.Equal(["Domain-0 200", "keep 200"], steps.Lines("all sedf"));
        Assert.Equal(["Domain-0 12", "keep 12"], steps.Lines("all bvt"));
    }

    [Fact]
    public void What_would_overbook_a_CPU_is_refused_and_changes_nothing()
    {
        Assert.Contains("overbooked", steps.Line("too much"));
        Assert.Matches(@"^keep +\d+ +20 +2.5 +5 +1 +200$", steps.Line("after too much"));
        Assert.Contains("reservations", steps.Line("no change"));
        Assert.Equal("credit", steps.Line("after no change"));
    }

    [Fact]
    public void A_stock_kernel_has_eight_virtual_CPUs_on_two() => ManyVcpus.Check(steps.Output, "dev", 8, 3, 1);

    /// <summary>All steps, one after the other.</summary>
    public sealed class Steps() : ScriptRun(
        new MachineOptions
        {
            Loader = LoaderKind.Kernel,
            Cpus = 2,
            Scheduler = "sedf",
            MemoryMegabytes = 2048,
            KernelArguments = "xt.devices=off",
        },
        ManyVcpus.Functions + Script,
        "schedulers",
        TimeSpan.FromMinutes(15))
    {
        private const string Script = """
            set +e
            echo first $(xm sched-set)

            make keep i
            xm sched-credit -d keep -w 300 -c 50
            xm sched-sedf -d keep -p 20 -s 2.5 -l 5 -e 1 -w 77
            xm sched-bvt keep 7 1 30 40 50
            for policy in bvt credit sedf; do
                xm sched-set $policy >/dev/null
                echo $policy in force $(xm sched-set)
                tool=xl make x i
                echo $policy answer $(ask x)
                xl sched-credit -d x -w 333 -c 40
                echo $policy xl sched-credit $(xl sched-credit -d x | grep x)
                echo $policy xl info $(xl info | grep xen_scheduler)
                echo $policy xl cpupool-list $(xl cpupool-list | grep Pool)
                echo $policy xl vcpu-list $(xl vcpu-list x | grep x)
                for kind in credit sedf bvt; do echo $policy kept $kind $(xm sched-$kind keep | grep keep); done
                xl destroy x
            done

            echo too much $(xm sched-sedf -d keep -p 10 -s 9.9 2>&1)
            xm sched-credit --all -w 900; xm sched-sedf --all -w 200; xm sched-bvt --all -m 12
            both() { xm sched-$1 --json | awk -F'[":, ]+' -v l="all $1" -v k="\"$2\"" '/"name"/ { n = $3 } index($0, k) { print l, n, $3 }'; }
            both credit weight; both sedf weight; both bvt advance
            echo after too much $(xm sched-sedf keep | grep keep)
            xm sched-set credit >/dev/null
            xm sched-sedf -d keep -p 10 -s 9.9
            echo no change $(xm sched-set sedf 2>&1)
            echo after no change $(xm sched-set)
            xm destroy keep
            for kind in credit:-w:256 sedf:-w:256 bvt:-m:10; do xm sched-${kind%%:*} --all $(echo ${kind#*:} | tr : ' '); done

            many_vcpus dev 8 3 1
            set -e
            """;
    }
}
