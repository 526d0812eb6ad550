// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Linq;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// Many guests of 16 MiB on one machine, and a stock kernel with sixteen virtual CPUs on the machine's four; at length a
/// hundred of them. An instruction is a nanosecond, so that times of creation can be compared.
/// </summary>
public sealed class CrowdTests(CrowdTests.Steps steps) : IClassFixture<CrowdTests.Steps>
{
    private const int Few = 20;
    private const int Many = 100;

    [Fact]
    public void Each_of_many_guests_runs_and_answers_on_its_console() => CheckAnswers(steps, Few);

    [Fact]
    public void Sixteen_virtual_CPUs_of_a_stock_kernel_run_on_four() => ManyVcpus.Check(steps.Output, "sixteen", 16, 9, 2);

    [LongFact]
    public void A_hundred_guests_run_and_answer_and_the_hundredth_is_created_in_at_most_twice_the_time_of_the_first()
    {
        Run run = new($"count={Many}\n{Crowd}", "crowd-100");
        CheckAnswers(run, Many);
        double[] times = [.. run.Lines("created").Select(line => double.Parse(line, CultureInfo.InvariantCulture))];
        Assert.Equal(Many, times.Length);
        Assert.True(times[^1] <= 2 * times[0], $"{times[^1]} us after {times[0]} us");

        // The first finds every cache cold; so those in the middle are compared as well.
        double early = times[1..11].Order().ElementAt(5);
        double late = times[^10..].Order().ElementAt(5);
        Assert.True(late <= 2 * early, $"{late} us after {early} us");
    }

    private static void CheckAnswers(Run run, int count)
    {
        Assert.Equal((count + 1).ToString(CultureInfo.InvariantCulture), run.Line("domains"));
        string[] first = run.Lines("first");
        string[] second = run.Lines("second");
        Assert.Equal(count, first.Length);
        Assert.Equal(count, second.Length);
        for (int guest = 0; guest < count; guest++)
        {
            // Each has been woken since, and has run for it.
            (double turns, _, _, double ran, _) = LoadGuest.Numbers(first[guest]);
            (double laterTurns, _, _, double laterRan, _) = LoadGuest.Numbers(second[guest]);
            Assert.True(laterTurns > turns && laterRan > ran, $"guest {guest}: {first[guest]} then {second[guest]}");
        }
    }

    private const string Crowd = """
        names=$(printf 'm%03d ' $(seq $count))
        for name in $names; do
            printf '%s\n' "name='$name'" "kernel='/boot/load.elf'" memory=16 "extra='i'" >/run/$name.cfg
        done
        for name in $names; do
            start=${EPOCHREALTIME/./}
            xm create -q /run/$name.cfg
            echo created $((${EPOCHREALTIME/./} - start))
        done
        echo domains $(xm list --json | grep -c '"name"')
        xenstore-ls -f /local/domain | sed -n 's,^/local/domain/[0-9]*/console/tty = "\(.*\)",\1,p' >/run/ttys
        answers() {
            local tty
            while read -r tty; do printf x >$tty; done </run/ttys
            wait_for "[ \$(cat /var/log/xen/console/guest-m*.log | grep -c '^i ') = $2 ]"
            for name in $names; do echo $1 $(said $name | tail -n 1); done
        }
        answers first $count
        answers second $((2 * count))

        """;

    /// <summary>All steps of the gate, one after the other.</summary>
    public sealed class Steps() : Run(
        $"count={Few}\n{ManyVcpus.Functions}{Crowd}many_vcpus sixteen 16 9 2", "crowd");

    /// <summary>A machine with four CPUs.</summary>
    public class Run(string script, string purpose) : ScriptRun(
        new MachineOptions
        {
            Loader = LoaderKind.Kernel,
            Cpus = 4,
            InstructionCount = true,
            MemoryMegabytes = 3072,
            KernelArguments = "xt.devices=off",
        },
        script,
        purpose,
        TimeSpan.FromMinutes(15));
}
