// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using System.Threading.Tasks;
using Xt;
using Xt.Host;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>A guest with devices that crashes: its memory is dumped, debuggers read the dump, and it starts over with its devices.</summary>
[Collection(SessionCollection.Name)]
public sealed class CrashTests(SessionPool pool)
{
    private const string Folder = "/var/lib/xen/dump";

    [LongFact]
    public void A_crashed_guest_leaves_a_dump_for_debuggers_and_starts_over_with_its_devices() =>
        pool.Use(HypervisorKind.Ours, dom0 =>
        {
            _ = dom0.Require($"mkdir -p {Folder} && mount -t tmpfs -o size=120m none {Folder}; rm -f /var/log/xen/console/*; cd /tmp; "
                + "dd if=/dev/zero of=crash.img bs=1M count=4; sed 's/^name.*/name = \"crashes\"/; s/^memory.*/memory = 96/; "
                + "s/^on_crash.*/on_crash = \"coredump-restart\"/; s/quiet/quiet sysrq_always_enabled/; s/^vcpus.*/vcpus = 2/' "
                + "/etc/xen/xmexample1 >crash; echo \"disk = ['file:/tmp/crash.img,xvda,w']\" >>crash; "
                + "echo \"vif = ['bridge=brcrash']\" >>crash; xm create -q crash; ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up",
                180);
            GuestConsole guest = new(dom0, "crashes");
            guest.UntilUp();
            Match banner = Regex.Match(guest.Run("grep -w linux_banner /proc/kallsyms"), "(?m)^([0-9a-f]{16}) . linux_banner");
            Assert.True(banner.Success);
            string sum = guest.Run("dd if=/dev/urandom of=/dev/xvda bs=64k count=16 conv=fsync; md5sum /dev/xvda");

            _ = dom0.Require("xm sysrq crashes c");
            guest.UntilUp(2);
            guest.Until("test $(xm block-list crashes | grep -c ' 4 ') = 1 && test $(xm network-list crashes | grep -c ' 4 ') = 1");
            Assert.Contains(Regex.Match(sum, "[0-9a-f]{32}").Value, guest.Run("md5sum /dev/xvda"));
            Assert.Contains("dumped the memory of 'crashes'", dom0.Require("xm log | tail -20"));

            string core = Path.Combine(Directory.CreateTempSubdirectory("xt-core-").FullName, "core");
            try
            {
                Receive(core, port => dom0.Require($"nc 10.0.2.2 {port} <$(ls {Folder}/crashes-*.core)", 300));
                ReadByDebuggers(core, banner.Groups[1].Value);
            }
            finally
            {
                Directory.Delete(Path.GetDirectoryName(core)!, recursive: true);
            }

            _ = dom0.Require($"xm destroy crashes; umount {Folder}; ip link set eth0 down; ip addr flush dev eth0; "
                + "ip link set brcrash down; brctl delbr brcrash; rm /tmp/crash /tmp/crash.img", 60);
        });

    private static void ReadByDebuggers(string core, string banner)
    {
        string sections = HostCommand.Require("readelf", ["--wide", "--sections", core]);
        foreach (string name in new[] { ".note.Xen", ".xen_prstatus", ".xen_shared_info", ".xen_pages", ".xen_p2m" })
        {
            Assert.Matches($@" {Regex.Escape(name)} ", sections);
        }

        // Four notes by the name of Xen. (Those of core files readelf looks for in segments, of which Xen's have none.)
        Assert.Equal(4, Regex.Count(HostCommand.Require("readelf", ["--hex-dump=.note.Xen", core]), " 58656e00"));
        Assert.Contains("CORE (Core file)", HostCommand.Require("readelf", ["--file-header", core]));

        // The first words of the kernel's banner at the address that the guest itself gave.
        _ = HostCommand.Require(Path.Combine(Workspace.Dom0Programs, "xm"), ["dump-gdb", core, core + ".gdb"]);
        string seen = HostCommand.Require("gdb", ["-nx", "-batch", "-core", core + ".gdb", "-ex", "info threads",
            "-ex", $"x/s 0x{banner}", "-ex", "info registers rip rsp"]);
        Assert.True(seen.Contains("\"Linux version 6.1.", StringComparison.Ordinal), $"{banner}: {seen}");
        Assert.Equal(2, Regex.Count(seen, @"(?m)^[* ] +\d+ +LWP \d"));
        Assert.Matches(@"(?m)^rip +0xffffffff8", seen);
    }

    /// <summary>Writes to a file what a program sends to the port that it is given.</summary>
    private static void Receive(string path, Action<int> send)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        Task receiving = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            using FileStream file = File.Create(path);
            await client.GetStream().CopyToAsync(file);
        });
        send(((IPEndPoint)listener.LocalEndpoint).Port);
        receiving.GetAwaiter().GetResult();
    }
}
