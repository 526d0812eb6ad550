// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// A guest of two virtual CPUs that works without a pause: it writes chance to its disk and reads it back, counts in a file
/// that it holds open, and sends back what comes by a connection that Domain-0 holds open.
/// </summary>
internal sealed class GuestWork
{
    public const string Name = "works";

    private const string Disk = "/tmp/works.img";
    private const string Bridge = "brworks";
    private const string Echoed = "/tmp/works.echoed";
    private const int Port = 7000;
    private const int ClockTolerance = 3;

    // What was written is forgotten before it is read: it has to come from the disk. Linux's freezer cuts a read of chance short
    // when it suspends, hence the full blocks.
    private const string Work = """
        exec 7>>/journal
        n=0
        while :; do
            dd if=/dev/urandom of=/chance bs=64k count=4 iflag=fullblock
            dd if=/chance of=/dev/xvda bs=64k conv=fsync
            echo 1 >/proc/sys/vm/drop_caches
            dd if=/dev/xvda of=/read bs=64k count=4
            said=$(cmp /chance /read 2>&1) || echo "wrong after $n: $said" >>/wrong
            n=$((n + 1))
            echo $n >&7
            usleep 50000
        done 2>/dev/null
        """;

    private readonly Dom0Session _dom0;
    private readonly GuestConsole _console;
    private int _count;
    private int _line;

    private GuestWork(Dom0Session dom0)
    {
        _dom0 = dom0;
        _console = new GuestConsole(dom0, Name);
    }

    /// <summary>Creates the guest by xm or xl and sets it to work.</summary>
    public static GuestWork Start(Dom0Session dom0, string tool)
    {
        GuestWork work = new(dom0);
        _ = dom0.Require($"rm -f {work._console.Log} {Echoed} /tmp/works.stop; dd if=/dev/zero of={Disk} bs=1M count=4; "
            + $"sed 's/^name.*/name = \"{Name}\"/' /etc/xen/xmexample1 >/tmp/works; "
            + $"brctl addbr {Bridge}; ip addr add 10.98.0.1/24 dev {Bridge}; ip link set {Bridge} up; "
            + "echo 'vcpus = 2' >>/tmp/works; "
            + $"echo \"disk = ['format=raw, vdev=xvda, access=rw, target={Disk}']\" >>/tmp/works; "
            + $"echo \"vif = ['mac=00:16:3e:00:00:98, bridge={Bridge}']\" >>/tmp/works; {tool} create /tmp/works", 180);
        work._console.UntilUp();
        string text = Convert.ToBase64String(Encoding.ASCII.GetBytes(Work));
        for (int start = 0; start < text.Length; start += 500)
        {
            _ = work._console.Run($"echo {text.Substring(start, Math.Min(500, text.Length - start))} >>/work.txt");
        }

        _ = work._console.Run($"base64 -d /work.txt >/work; ip addr add 10.98.0.2/24 dev eth0; ip link set eth0 up; "
            + $"(sh /work </dev/null &); (nc -l -p {Port} -e cat </dev/null >/dev/null 2>&1 &)");
        _ = dom0.Require($"mkfifo /tmp/works.in; (nc 10.98.0.2 {Port} </tmp/works.in >{Echoed} 2>&1 &); "
            + "(exec 3>/tmp/works.in; n=0; until [ -e /tmp/works.stop ]; do n=$((n+1)); echo line $n >&3; sleep 1; done; "
            + "rm /tmp/works.in) >/dev/null 2>&1 &");
        work.RequireProgress();
        return work;
    }

    /// <summary>Everything goes on: nothing was lost, both CPUs are there and the clock is right.</summary>
    public void RequireProgress()
    {
        _console.Until($"test $(grep -c '^line ' {Echoed}) -gt {_line}");
        string[] lines = _dom0.Require($"cat {Echoed}").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (int index = 0; index < lines.Length; index++)
        {
            Assert.Equal($"line {index + 1}", lines[index]);
        }

        _line = lines.Length;
        int before = _count;
        for (int attempt = 0; attempt < 20 && _count <= before; attempt++)
        {
            long earliest = Now();
            string said = _console.Run(
                "echo count=$(tail -n 1 /journal 2>/dev/null || echo 0) cpus=$(nproc) time=$(date +%s) wrong=$(cat /wrong 2>/dev/null) end");
            Match match = Regex.Match(said, @"(?m)^count=(\d+) cpus=(\d+) time=(\d+) wrong=(.*) end$");
            Assert.True(match.Success, said);
            Assert.Equal("2", match.Groups[2].Value);
            Assert.Equal("", match.Groups[4].Value);
            Assert.InRange(long.Parse(match.Groups[3].Value, CultureInfo.InvariantCulture),
                earliest - ClockTolerance, Now() + ClockTolerance);
            _count = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        }

        Assert.True(_count > before, $"the guest has counted to {before} and no further");
    }

    private long Now() => long.Parse(_dom0.Require("date +%s"), CultureInfo.InvariantCulture);

    /// <summary>Ends guest and connection; nothing of them stays.</summary>
    public void End(string tool)
    {
        _ = _dom0.Require($"touch /tmp/works.stop; {tool} destroy {Name}", 60);
        _console.Until($"! losetup -a | grep -q {Disk}");
        _ = _dom0.Require($"ip link set {Bridge} down; brctl delbr {Bridge}; rm -f {Disk} {Echoed} /tmp/works; "
            + "killall nc; test -z \"$(ls /run/xend/transfers)\"");
    }
}
