// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Linq;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>What the schedulers do with guests that compute all the time: slow where all of it is emulated.</summary>
public sealed class SchedulerLoadTests
{
    private const int Changes = 20;

    private static readonly MachineOptions s_machine = new()
    {
        Loader = LoaderKind.Kernel,
        Cpus = 2,
        KernelArguments = "xt.devices=off",
    };

    [LongFact]
    public void A_CPU_is_taken_out_of_use_and_no_virtual_CPU_is_lost()
    {
        Run run = new(CpuScript, "cpu-offline");
        foreach (string policy in new[] { "credit", "sedf", "bvt" })
        {
            Assert.Equal(["0", "0", "0", "0", "0"], run.Lines($"{policy} without CPU 1"));
            AssertGrow(run.Lines($"{policy} turns of s1"));
            AssertGrow(run.Lines($"{policy} turns of s2"));
            AssertGrow(run.Lines($"{policy} turns of s3"));
        }
    }

    [LongFact]
    public void The_scheduler_changes_under_load_with_devices_and_saves_going_on()
    {
        Run run = new(ChangeScript, "scheduler-changes");
        string[] pauses = run.Lines("change");
        Assert.Equal(Changes, pauses.Length);
        Assert.All(pauses, line =>
        {
            Match match = Regex.Match(line, @"^(\w+) to (\w+): (\d+) vCPUs, pause [\d.]+ us$");
            Assert.True(match.Success, line);
            Assert.NotEqual(match.Groups[1].Value, match.Groups[2].Value);
        });
        Assert.Contains(" 0% packet loss", run.Line("ping"));
        Assert.InRange(int.Parse(run.Line("saves"), CultureInfo.InvariantCulture), 2, 1000);
        foreach (string label in new[] { "counter", "ticks", "disk", "saved" })
        {
            AssertGrow(run.Lines(label));
        }

        Assert.Equal("", run.Line("wrong"));
        Assert.Equal("8 and ran on 0 1 2 3 4 5 6 7", run.Line("dev has"));
    }

    /// <summary>Numbers, each larger than the one before.</summary>
    private static void AssertGrow(string[] lines)
    {
        double[] numbers = [.. lines.Select(double.Parse)];
        Assert.True(numbers.Length > 1, $"{numbers.Length} numbers");
        for (int index = 1; index < numbers.Length; index++)
        {
            Assert.True(numbers[index] > numbers[index - 1], string.Join(' ', lines));
        }
    }

    private sealed class Run(string script, string purpose) : ScriptRun(s_machine, script, purpose, TimeSpan.FromMinutes(30));

    private const string CpuScript = """
        set +e
        for name in s1 s2 s3; do make $name s; done
        ask_all() { for name in s1 s2 s3; do turns $name "$policy turns of $name"; done; }
        for policy in sedf bvt credit; do
            xm sched-set $policy
            ask_all
            xen-hptool cpu-offline 1
            sleep 0.5
            xm vcpu-list --json | awk -F'[":, ]+' -v label="$policy without CPU 1" '/"cpu":/ { print label, $3 }'
            ask_all
            xen-hptool cpu-online 1
            ask_all
        done
        set -e
        """;

    private const string ChangeScript = ManyVcpus.Functions + """
        set +e
        # A stock kernel with devices and another that is saved, beside guests that compute and that tick.
        dd if=/dev/zero of=/tmp/disk bs=1M count=4 2>/dev/null
        sed 's/^name.*/name = "dev"/; s/^vcpus.*/vcpus = 8/' /etc/xen/xmexample1 >/run/dev.cfg
        echo "disk = ['file:/tmp/disk,xvda,w']" >>/run/dev.cfg
        echo "vif = ['bridge=br0']" >>/run/dev.cfg
        sed 's/^name.*/name = "saver"/; s/^memory.*/memory = 96/' /etc/xen/xmexample1 >/run/saver.cfg
        xm create -q /run/dev.cfg; xm create -q /run/saver.cfg
        for name in dev saver; do xenstore-read /local/domain/$(xm domid $name)/console/tty >/run/$name.tty; done
        wait_for "said dev | grep 'GUEST IS UP'"
        wait_for "said saver | grep 'GUEST IS UP'"
        ip addr add 10.99.0.1/24 dev br0
        type_to dev 'ip addr add 10.99.0.2/24 dev eth0; ip link set eth0 up'
        type_to dev 'n=0; while :; do dd if=/dev/urandom of=/chance bs=64k count=4; dd if=/chance of=/dev/xvda bs=64k conv=fsync
            echo 1 >/proc/sys/vm/drop_caches; dd if=/dev/xvda of=/read bs=64k count=4; cmp /chance /read || echo wr""ong
            n=$((n + 1)); echo disk $n; done 2>/dev/null &'
        type_to saver 'n=0; while :; do n=$((n + 1)); echo saved $n; sleep 0.2; done &'
        wait_for "said dev | grep '^disk [0-9]' && said saver | grep '^saved [0-9]'"
        wait_for "ping -c 1 -w 5 10.99.0.2"
        make s1 s
        make t1 t
        mkdir -p /mnt/save && mount -t tmpfs -o size=150m none /mnt/save
        ping -q -i 0.5 10.99.0.2 >/run/ping &
        ping=$!
        (until [ -e /run/enough ]; do xm save -c saver /mnt/save/file || exit; rm /mnt/save/file; echo; done >/run/saves) &
        saves=$!
        look() { turns s1 counter; turns t1 ticks; text dev disk; text saver saved; }
        for change in $(seq 20); do
            [ $((change % 4)) = 1 ] && look
            case $((change % 3)) in 0) next=credit ;; 1) next=sedf ;; 2) next=bvt ;; esac
            echo change $(xm sched-set $next 2>&1)
            sleep 2
        done
        : >/run/enough
        wait $saves
        sleep 2
        look
        kill -INT $ping
        wait $ping
        echo ping $(grep loss /run/ping)
        echo saves $(wc -l </run/saves)
        echo "wrong $(said dev | grep '^wrong')"
        work_on_all dev end
        set -e
        """;
}
