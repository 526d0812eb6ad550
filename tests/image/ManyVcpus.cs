// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Image.Tests;

/// <summary>
/// A stock kernel with more virtual CPUs than there are CPUs: all come up and run programs, some are taken away and come
/// back, all move to one CPU. A shell function for scripts that have <see cref="LoadGuest.Functions"/>, and what it must
/// have printed.
/// </summary>
internal static class ManyVcpus
{
    /// <summary>
    /// <c>many_vcpus NAME COUNT FEWER CPU</c> creates the guest NAME with COUNT virtual CPUs, leaves it FEWER for a while, and
    /// pins it to a CPU in the end.
    /// </summary>
    /// <remarks>What is typed is echoed, so what is looked for is a sum that the guest has to do.</remarks>
    public const string Functions = """
        online() { xm vcpu-list $1 | grep -c "^$1 .* [-r][b-]- "; }
        work_on_all() {
            type_to $1 "(for file in /sys/devices/system/cpu/cpu[0-9]*; do
                taskset \$(printf %x \$((1 << \${file##*cpu}))) awk '{
                    for (i = 0; i < 20000; i++) n += i
                    print \"ran on\", 1000 + \$39 }' /proc/self/stat 2>/dev/null &
                done; wait); echo $2 ends \$((500 + 1)) \$(awk '/^cpu / { print \$9 }' /proc/stat)"
            wait_for "said $1 | grep '^$2 ends 501'"
            echo $1 has $(online $1) and ran on $(said $1 | awk -v step="$2" '
                /^ran on 1[0-9]+$/ { cpus = cpus " " ($3 - 1000) }
                / ends 501 / { if ($1 == step) print cpus; cpus = "" }' | tr ' ' '\n' | sort -n)
            echo $1 stolen $(said $1 | sed -n "s/^$2 ends 501 //p")
        }
        many_vcpus() {
            local name=$1 count=$2 fewer=$3 cpu=$4
            sed "s/^name.*/name = \"$name\"/; s/^vcpus.*/vcpus = $count/" /etc/xen/xmexample1 >/run/$name.cfg
            xm create -q /run/$name.cfg
            xenstore-read /local/domain/$(xm domid $name)/console/tty >/run/$name.tty
            wait_for "said $name | grep 'GUEST IS UP'"
            work_on_all $name all
            xm vcpu-set $name $fewer
            wait_for "[ \$(online $name) = $fewer ]"
            work_on_all $name fewer
            xm vcpu-set $name $count
            wait_for "type_to $name 'for file in /sys/devices/system/cpu/cpu*/online; do echo 1 >\$file; done 2>/dev/null'
                sleep 1; [ \$(online $name) = $count ]"
            xm vcpu-pin $name all $cpu
            work_on_all $name again
            echo $name runs on $(xm vcpu-list --json $name | awk -F'[":, ]+' '/"cpu":/ { print $3 }')
        }

        """;

    /// <summary>Judges what the function printed.</summary>
    public static void Check(string output, string name, int count, int fewer, int cpu)
    {
        Assert.Equal([Runs(count), Runs(fewer), Runs(count)], Lines(output, $"{name} has"));
        Assert.Equal([string.Join(' ', Enumerable.Repeat(cpu, count))], Lines(output, $"{name} runs on"));

        // All on one CPU, each waits for the others, and Linux is told so.
        double[] stolen = [.. Lines(output, $"{name} stolen").Select(line => double.Parse(line, CultureInfo.InvariantCulture))];
        Assert.True(stolen[^1] > stolen[^2], string.Join(' ', stolen));
    }

    private static string Runs(int count) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} and ran on {string.Join(' ', Enumerable.Range(0, count))}");

    private static string[] Lines(string output, string label) =>
        [.. Regex.Matches(output, $@"(?m)^{Regex.Escape(label)} (.*)$").Select(match => match.Groups[1].Value.Trim())];
}
