// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using Xt.Host;
using Xt.Image;
using Xt.Machine;

namespace Xt.Bench;

/// <summary>
/// What a guest's disk and network cost (devices.c), and how fast the guest is saved and restored: xm with our daemon on our
/// hypervisor, Debian's xl with Debian's daemons on Debian's Xen. The disk is memory of Domain-0 and the other end of the network
/// a program there, so that nothing is waited for but work.
/// </summary>
public static class DeviceRows
{
    private const string Done = "DEVICES ARE MEASURED";
    private const string Saved = "SAVING IS MEASURED";

    private const string Guest = $"""
        #!/bin/sh
        modprobe -a xen-blkfront xen-netfront
        until [ -b /dev/xvda ] && [ -d /sys/class/net/eth0 ]; do usleep 10000; done
        ip addr add 10.97.0.2/24 dev eth0
        ip link set eth0 up
        /devices use 10.97.0.1 /dev/xvda && echo {Done}
        exec sleep 1000000

        """;

    private const int Dom0Megabytes = 768;

    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(15);

    /// <summary>Adds the rows of one system.</summary>
    public static void Measure(BenchTable table, string system, MachineOptions machine)
    {
        string program = BenchRuns.Program("devices");
        string ramdisk = Path.Combine(Workspace.Cache, "bench-devices-ramdisk.cpio");
        SystemTree tree = new([]);
        tree.File("devices", program, true);
        tree.Text("bench", Guest, true);
        _ = NewFile.Write(ramdisk, draft =>
        {
            using FileStream stream = File.Create(draft);
            tree.Write(stream);
        });

        bool isOurs = machine.Hypervisor == HypervisorKind.Ours;
        string script = $$"""
            tool={{(isOurs ? "xm" : "xl")}}
            modprobe brd rd_nr=1 rd_size=32768
            mkdir -p /mnt/saved && mount -t tmpfs -o size=200m none /mnt/saved
            brctl addbr brbench; ip addr add 10.97.0.1/24 dev brbench; ip link set brbench up
            cat /boot/guest-ramdisk /boot/bench-ramdisk >/tmp/ramdisk
            sed 's,/boot/guest-ramdisk,/tmp/ramdisk,' /etc/xen/xmexample1 >/tmp/bench.cfg
            # Without an invariant TSC Xen would emulate it for guests, and what is measured would be that.
            echo 'tsc_mode = "native"' >>/tmp/bench.cfg
            echo "disk = ['phy:/dev/ram0,xvda,w']" >>/tmp/bench.cfg
            echo "vif = ['bridge=brbench']" >>/tmp/bench.cfg
            /usr/sbin/devices serve & server=$!
            : >/tmp/said
            mkfifo /tmp/keys; sleep 1000000 >/tmp/keys &
            fail() { echo "failed: $*"; tail -20 /tmp/said; exit 1; }
            $tool create -q /tmp/bench.cfg || fail create
            $tool console ExampleDomain </tmp/keys >/tmp/said 2>&1 & console=$!
            until grep -q '{{Done}}' /tmp/said; do
                kill -0 $console 2>/dev/null || fail console
                sleep 0.2
            done
            wait $server || fail server
            grep -o 'BENCH .*' /tmp/said
            kill $console
            # Bytes of the file in a microsecond are as many millions in a second; kept in tenths, the best of all rounds.
            declare -A best
            speed() {
                local name=$1 start took tenths; shift
                start=${EPOCHREALTIME/./}
                "$@" >/dev/null 2>/tmp/errors || fail "$* $(cat /tmp/errors)"
                took=$(( ${EPOCHREALTIME/./} - start ))
                tenths=$(( $(stat -c %s /mnt/saved/file) * 10 / took ))
                [ $tenths -gt "${best[$name]:-0}" ] && best[$name]=$tenths
            }
            for round in 1 2; do
                speed 'save and run on' $tool save -c ExampleDomain /mnt/saved/file
                # Two files of a whole guest would be too much for Domain-0's memory.
                rm /mnt/saved/file
                speed 'save' $tool save ExampleDomain /mnt/saved/file
                speed 'restore' $tool restore /mnt/saved/file
                rm /mnt/saved/file
            done
            for name in 'save and run on' 'save' 'restore'; do
                tenths=${best[$name]}; echo "BENCH $(( tenths / 10 )).$(( tenths % 10 )) $name, MB/s"
            done
            $tool destroy ExampleDomain
            echo '{{Saved}}'
            """;
        MachineOptions options = machine with { Dom0MemoryMegabytes = Dom0Megabytes };
        options = isOurs ? options : options with { KernelArguments = $"{machine.KernelArguments} xt.xend=off".Trim() };
        Dictionary<string, string> programs = new() { ["usr/sbin/devices"] = program, ["boot/bench-ramdisk"] = ramdisk };
        BatchResult result = BatchRun.Execute(options, script, s_timeout, $"bench-devices-{system}", null, programs);
        if (result.Outcome != BatchOutcome.Completed || !result.OutputText.Contains(Saved, StringComparison.Ordinal))
        {
            throw new XtException(
                $"The devices on {system} did not end well: {result.Reason}\n{result.OutputText}{result.Tail}",
                $"The whole serial log: {result.Log}");
        }

        BenchRuns.AddLines(table, system, result.OutputText, string.Empty);
    }
}
