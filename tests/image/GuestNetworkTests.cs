// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Guests with disks and networks side by side: a Debian on its own file system and two that move data.</summary>
[Collection(SessionCollection.Name)]
public sealed class GuestNetworkTests(SessionPool pool)
{
    private const string Bridge = "xenbr0";
    private const int DiskMegabytes = 256;

    /// <summary>Fitted to the time that an emulated machine under load takes for it.</summary>
    private const int NetworkMegabytes = 64;

    /// <summary>For that much by an emulated machine, on a busy host.</summary>
    private const int Patience = 1500;

    [LongFact]
    public void Three_guests_with_disks_and_networks_reach_each_other_and_the_world() =>
        pool.Use(HypervisorKind.Ours, dom0 =>
        {
            Join(dom0);
            GuestConsole debian = Create(dom0, "debian", 192, "extra = 'console=hvc0 quiet root=/dev/xvda ro'",
                "disk = ['phy:/dev/vda,xvda,w']", "vif = ['']");
            GuestConsole reader = Create(dom0, "reader", 96, "disk = ['phy:/dev/vdb,xvda,r', 'phy:/dev/vdc,xvdb,w']",
                "vif = ['']", "nics = 2");
            GuestConsole slow = Create(dom0, "slow", 96, "disk = ['phy:/dev/vdb,xvda,r']",
                "vif = ['script=vif-bridge, vifname=slow.0, ip=10.0.2.23, rate=4Mb/s@10ms']");
            debian.UntilUp();
            reader.UntilUp();
            slow.UntilUp();

            // Guests, their devices and their consoles do not depend on any process of Domain-0.
            _ = dom0.Require("for role in store backends domains; do kill -9 $(cat /run/xend/$role.pid); done");
            Interruption.Settle(dom0);
            reader.Until("test $(xm network-list reader | grep -c ' 4 ') = 2");
            Assert.Contains("GUEST IS UP: Debian 12", dom0.Require($"cat {debian.Log}"));
            Assert.Contains("/dev/xvda", dom0.Require($"cat {debian.Log}"));
            foreach ((GuestConsole guest, int host) in new[] { (debian, 21), (reader, 22), (slow, 23) })
            {
                Assert.Matches("(?m)^moved in$", guest.Run($"ip addr add 10.0.2.{host}/24 dev eth0; ip link set eth0 up; echo moved in"));
            }

            // To Domain-0, to another guest, and to a program on the machine outside.
            Assert.Contains(" 0% packet loss", debian.Run("ping -c 2 -w 20 10.0.2.15"));
            Assert.Contains(" 0% packet loss", debian.Run("ping -c 2 -w 20 10.0.2.22"));
            Assert.Contains(" 0% packet loss", reader.Run("ping -c 2 -w 20 10.0.2.23"));
            Assert.Contains("greetings from outside", Greeted(port => debian.Run($"nc -w 10 10.0.2.2 {port} </dev/null")));

            // The file system is the guest's to write, and is written when it says so.
            Assert.Matches("(?m)^kept\next4\nsystemd$", debian.Run("mount -o remount,rw /; echo kept >/kept; sync; "
                + "echo 3 >/proc/sys/vm/drop_caches; cat /kept; findmnt -no FSTYPE /; cat /proc/1/comm"));
            Assert.Contains("4 ", dom0.Require("xm network-list slow | tail -1"));
            Assert.Contains("slow.0", dom0.Require($"ls /sys/class/net/{Bridge}/brif"));
            Assert.Contains("10.0.2.23", dom0.Require("xm network-list --json slow"));
            Copy(dom0, reader, 16, 16);

            // Four megabits in a second: two megabytes take four seconds, whatever the machine does meanwhile.
            Listen(dom0);
            slow.Run("head -c 2000000 /dev/xvda | nc 10.0.2.15 7001");
            string times = dom0.Require("while [ ! -s /tmp/end ]; do sleep 0.1; done; cat /tmp/begin /tmp/end", 60);
            Match match = Regex.Match(times, @"^([\d.]+) .*\n([\d.]+) ");
            double took = Seconds(match.Groups[2].Value) - Seconds(match.Groups[1].Value);
            Assert.InRange(took, 3.0, 40.0);

            string top = dom0.Require("xm top -b -i 1");
            Match line = Regex.Match(top, @"(?m)^slow +\S+ .* 1 +(\d+) +(\d+) +1 +\d+ +(\d+) +\d+ +(\d+) +\d+$");
            Assert.True(line.Success, top);
            Assert.InRange(int.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture), 1900, 2600);
            Assert.InRange(int.Parse(line.Groups[4].Value, CultureInfo.InvariantCulture), 2_000_000 / 512, int.MaxValue);
            Leave(dom0, "debian", "reader", "slow");
        });

    [LongFact]
    public void A_quarter_of_a_gigabyte_goes_over_the_disk_and_a_quarter_of_it_over_the_network_under_load() => pool.Use(HypervisorKind.Ours, dom0 =>
    {
        Join(dom0);
        GuestConsole reader = Create(dom0, "reader", 128, "disk = ['phy:/dev/vdb,xvda,r', 'phy:/dev/vdc,xvdb,w']", "vif = ['']");
        GuestConsole load = Create(dom0, "load", 96, "disk = ['phy:/dev/vda,xvda,w']", "vif = ['']");
        reader.UntilUp();
        load.UntilUp();
        _ = load.Run("(while :; do dd if=/dev/xvda of=/dev/null bs=1M count=64; done 2>/dev/null &)");
        _ = reader.Run("ip addr add 10.0.2.22/24 dev eth0; ip link set eth0 up");
        Copy(dom0, reader, DiskMegabytes, NetworkMegabytes);
        Leave(dom0, "reader", "load");
    });

    /// <summary>
    /// The guest sends the beginning of one disk to Domain-0, and copies a beginning to the other disk while processes are
    /// killed; the sums have to be those of the disk as Domain-0 reads it.
    /// </summary>
    private static void Copy(Dom0Session dom0, GuestConsole reader, int copied, int sent)
    {
        string Beginning(string disk, int megabytes) => $"dd if={disk} bs=1M count={megabytes} 2>/dev/null";
        string SumOf(string disk, int megabytes) => Sum(dom0.Require($"{Beginning(disk, megabytes)} | md5sum", 600));
        string sum = SumOf("/dev/vdb", sent);
        Listen(dom0);
        _ = reader.Run($"{Beginning("/dev/xvda", sent)} | nc 10.0.2.15 7001", Patience);
        Assert.Equal(sum, Sum(dom0.Require("while [ ! -s /tmp/end ]; do sleep 0.1; done; cat /tmp/sum", 600)));

        sum = SumOf("/dev/vdb", copied);
        reader.Begin($"dd if=/dev/xvda of=/dev/xvdb bs=1M count={copied} conv=fsync");
        _ = dom0.Require("for role in store backends domains; do sleep 1; kill -9 $(cat /run/xend/$role.pid); done");
        Interruption.Settle(dom0);
        _ = reader.End(Patience);
        Assert.Equal(sum, Sum(reader.Run($"echo 3 >/proc/sys/vm/drop_caches; {Beginning("/dev/xvdb", copied)} | md5sum", Patience)));
        _ = dom0.Require("blockdev --flushbufs /dev/vdc");
        Assert.Equal(sum, SumOf("/dev/vdc", copied));

        // How it was done: by requests of more than eleven pages, with pages that stay granted.
        string nodes = dom0.Require("xenstore-ls -f /local/domain/0/backend/vbd/$(xm domid reader); "
            + "xenstore-ls -f /local/domain/$(xm domid reader)/device/vbd");
        Assert.Matches(@"/feature-max-indirect-segments = ""[1-9]", nodes);
        Assert.Matches(@"backend/\S+/feature-persistent = ""1""", nodes);
        Assert.Matches(@"device/\S+/feature-persistent = ""1""", nodes);
        Assert.Matches(@"/feature-flush-cache = ""1""", nodes);
        string counted = dom0.Require("d=/sys/bus/xen-backend/devices/vbd-$(xm domid reader)-51728/statistics; "
            + "echo $(cat $d/f_req) $(cat $d/wr_req) $(cat $d/wr_sect)");
        ulong[] counters = Array.ConvertAll(counted.Trim().Split(' '), ulong.Parse);
        Assert.True(counters[0] > 0, "no flush reached the back end");
        Assert.Equal((ulong)copied * 2048, counters[2]);
        Assert.True(counters[2] / counters[1] > 88, $"{counters[2] / counters[1]} sectors in a request: eleven pages are 88");
    }

    /// <summary>
    /// Domain-0 takes one connection, and notes its sum, its beginning and its end. Its nc must not come to an end of its own input: it would
    /// say so, and the other one would go.
    /// </summary>
    private static void Listen(Dom0Session dom0) => _ = dom0.Require(
        "rm -f /tmp/begin /tmp/end; [ -p /tmp/open ] || mkfifo /tmp/open; (nc -l -p 7001 <>/tmp/open | (dd bs=1 count=1 of=/tmp/first; cat /proc/uptime >/tmp/begin; "
            + "(cat /tmp/first; cat) | md5sum >/tmp/sum; cat /proc/uptime >/tmp/end) >/dev/null 2>&1 &) ; sleep 0.3");

    private static string Sum(string text) => Regex.Match(text, @"(?m)^([0-9a-f]{32})  -").Groups[1].Value is { Length: 32 } sum
        ? sum
        : throw new FormatException($"no sum in: {text}");

    private static double Seconds(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>What a guest says when it connects to a program of the host, which greets it.</summary>
    private static string Greeted(Func<int, string> connect)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task greeting = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("greetings from outside\n"));
        });
        string said = connect(((IPEndPoint)listener.LocalEndpoint).Port);
        Assert.True(greeting.IsCompletedSuccessfully);
        return said;
    }

    /// <summary>Domain-0's card joins the bridge that guests join when nobody names another.</summary>
    private static void Join(Dom0Session dom0) => _ = dom0.Require(
        $"brctl addbr {Bridge}; brctl addif {Bridge} eth0; ip link set eth0 up; ip addr add 10.0.2.15/24 dev {Bridge}; "
            + $"ip link set {Bridge} up; rm -f /var/log/xen/console/*");

    private static GuestConsole Create(Dom0Session dom0, string name, int megabytes, params string[] lines)
    {
        _ = dom0.Require($"cd /tmp; cp /etc/xen/xmexample1 net.cfg; cat >>net.cfg <<'X'\nname = '{name}'\nmemory = {megabytes}\n"
            + $"{string.Join('\n', lines)}\nX\nxm create -q net.cfg; s=$?; rm net.cfg; exit $s", 180);
        return new GuestConsole(dom0, name);
    }

    private static void Leave(Dom0Session dom0, params string[] guests)
    {
        foreach (string guest in guests)
        {
            _ = dom0.Require($"xm destroy {guest}", 60);
        }

        _ = dom0.Require($"brctl delif {Bridge} eth0; ip link set {Bridge} down; brctl delbr {Bridge}; ip link set eth0 down; "
            + "rm -f /tmp/open /tmp/sum /tmp/begin /tmp/end /tmp/first; ! ls /sys/class/net | grep -q 'vif\\|slow'");
    }
}
