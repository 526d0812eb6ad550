// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Disks and network interfaces of real guests.</summary>
[Collection(SessionCollection.Name)]
public sealed class DeviceTests(SessionPool pool)
{
    private const string Log = "/var/log/xen/console/guest-dev.log";

    /// <summary>Waits in Domain-0 until a command succeeds.</summary>
    private static void Until(Dom0Session dom0, string condition) => _ = dom0.Require(
        $"for i in $(seq 200); do {condition} >/dev/null 2>&1 && exit 0; sleep 1; done; "
            + $"xm block-list dev; xm network-list dev; tail -20 {Log}; dmesg | tail; exit 1", 400);

    /// <summary>Types a line on the guest's console and waits until the guest has done it.</summary>
    private static string InGuest(Dom0Session dom0, string line, int number)
    {
        _ = dom0.Require("printf '%s\\n' '" + line + "; echo $((" + $"{number} + 1000)) is done' "
            + ">$(xenstore-read /local/domain/$(xm domid dev)/console/tty)");
        Until(dom0, $"grep -q '^{number + 1000} is done' {Log}");
        return dom0.Require($"cat {Log}");
    }

    [Theory]
    [Hypervisors]
    public void A_guest_uses_disks_and_a_network_and_gives_all_of_it_back(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require($"rm -f {Log}; cd /tmp; for d in a b c d; do dd if=/dev/zero of=$d.img bs=1M count=4; done; "
                + "sed 's/^name.*/name = \"dev\"/' /etc/xen/xmexample1 >dev; echo \"disk = ['file:/tmp/a.img,xvda,w', "
                + "'format=raw, vdev=sdb, access=ro, target=/tmp/b.img', 'file:/tmp/d.img,hdd,w']; vif = ['bridge=brtest']\" "
                + "| tr ';' '\\n' >>dev; "
                + "losetup -a >loops");
            _ = dom0.Require("xm create -q /tmp/dev", 180);
            Until(dom0, $"grep -q 'GUEST IS UP' {Log}");
            Until(dom0, "test $(xm block-list dev | grep -c ' 4 ') = 3");
            Until(dom0, "xm network-list dev | grep -q ' 4 '");

            // What the guest wrote and flushed is in the file; what is read only it cannot write. Linux calls all disks xvd.
            string said = InGuest(dom0, "dd if=/dev/urandom of=/dev/xvda bs=64k count=16; sync; "
                + "head -c 1048576 /dev/xvda | md5sum; echo >/dev/xvdb || echo refused", 1);
            string sum = dom0.Require("head -c 1048576 /tmp/a.img | md5sum").Trim();
            Assert.Contains(sum, said);
            Assert.Contains("refused", said);

            // What the guest discards the file does not take room for any more.
            Assert.NotEqual("0", dom0.Require("du -k /tmp/d.img | cut -f1").Trim());
            said = InGuest(dom0, "blkdiscard /dev/xvdd && echo it is discarded", 3);
            Assert.Matches("(?m)^it is discarded", said);
            Assert.Equal("0", dom0.Require("du -k /tmp/d.img | cut -f1").Trim());
            Assert.Equal("1\n", dom0.Require("cat /sys/bus/xen-backend/devices/vbd-$(xm domid dev)-5696/statistics/ds_req"));

            _ = dom0.Require("ip addr add 10.99.0.1/24 dev brtest");
            said = InGuest(dom0,
                "ip addr add 10.99.0.2/24 dev eth0; ip link set eth0 up; ping -c 2 -w 20 10.99.0.1", 2);
            Assert.Contains("2 packets received", said);
            Assert.Contains("0% packet loss", dom0.Require("ping -c 2 -w 20 10.99.0.2", 60));

            (int status, string refusal) = dom0.Run("xm block-attach dev file:/tmp/a.img xvdc w");
            Assert.NotEqual(0, status);
            Assert.Contains("('dev') as xvda", refusal);
            Assert.Contains("/dev/vdc is mounted in Domain-0 at /mnt/used", dom0.Run("modprobe -a crc32c_generic ext4; "
                + "mkdir -p /mnt/used; mount -t ext4 /dev/vdc /mnt/used; xm block-attach dev phy:/dev/vdc xvdc r; umount /mnt/used").Output);

            // Debian's tools give it a disk and an interface and take them back, as ours do.
            _ = dom0.Require("xl block-attach dev format=raw,vdev=xvdc,access=rw,target=/tmp/c.img && "
                + "xl network-attach dev mac=00:16:3e:00:00:08 bridge=brtest", 60);
            Until(dom0, "test $(xm block-list dev | grep -c ' 4 ') = 4");
            Until(dom0, "test $(xl network-list dev | grep -c '00:16:3e:00:00:08 .* 4 ') = 1");
            _ = dom0.Require("xl block-detach dev xvdc && xl network-detach dev 00:16:3e:00:00:08", 60);
            Until(dom0, "test $(xm block-list dev | grep -c 51744) = 0 && test $(xm network-list dev | grep -c :08) = 0");
            for (int round = 0; round < 3; round++)
            {
                Assert.DoesNotContain("Warning", dom0.Require("xm block-attach dev file:/tmp/c.img xvdc w 2>&1", 60));
                Assert.Matches(@"(?m)^51744 +0 +51744 +4 +\d+ +\d+ ", dom0.Require("xm block-list dev"));
                Assert.DoesNotContain("Warning", dom0.Require("xm network-attach dev mac=00:16:3e:00:00:09 2>&1", 60));
                Assert.Matches(@"(?m)^1 +0 +00:16:3e:00:00:09 +1 +4 ", dom0.Require("xm network-list dev"));
                _ = dom0.Require("xm block-detach dev xvdc && xm network-detach dev 00:16:3e:00:00:09", 120);
                Assert.DoesNotContain("51744", dom0.Require("xm block-list dev"));
            }

            // It starts over with what it had.
            _ = dom0.Require("xm block-attach dev file:/tmp/c.img xvdc r; xm reboot dev", 60);
            Until(dom0, $"test $(grep -c 'GUEST IS UP' {Log}) = 2");
            Until(dom0, "test $(xm block-list dev | grep -c ' 4 ') = 4");

            _ = dom0.Require("xm destroy dev", 60);
            Until(dom0, "test \"$(losetup -a)\" = \"$(cat /tmp/loops)\"");
            Assert.Equal("", dom0.Require("xenstore-ls /local/domain/0/backend | grep v[bi] | grep frontend; true").Trim());
            Until(dom0, "! ls /sys/class/net | grep -q vif");
            Until(dom0, "! ls /sys/bus/xen-backend/devices | grep -q v");

            // A domain whose back ends kept a page would stay as a dying one.
            Assert.DoesNotContain("dev", dom0.Require("xm list; xl list"));
            _ = dom0.Require("ip link set brtest down; ip link delete brtest; rm /tmp/?.img /tmp/dev /tmp/loops");
        });

    [LongFact]
    public void What_a_domain_had_comes_back_when_its_back_end_wakes_that_hung_at_its_end() =>
        pool.Use(HypervisorKind.Ours, dom0 =>
        {
            const string Free = "sleep 1; xm info --json | grep free_memory";
            _ = dom0.Require("modprobe -a crc32c_generic ext4; mkdir -p /mnt/frozen; mount -t ext4 /dev/vdc /mnt/frozen || exit 1; "
                + "dd if=/dev/zero of=/mnt/frozen/disk bs=1M count=8; sync; rm -f /var/log/xen/console/*; "
                + "sed 's/^name.*/name = \"frozen\"/' /etc/xen/xmexample1 >/tmp/frozen; "
                + "echo \"disk = ['file:/mnt/frozen/disk,xvda,w']\" >>/tmp/frozen");
            string before = dom0.Require(Free);
            _ = dom0.Require("xm create -q /tmp/frozen", 180);
            GuestConsole guest = new(dom0, "frozen");
            guest.UntilUp();
            guest.Until("test $(xm block-list frozen | grep -c ' 4 ') = 1");
            int id = int.Parse(dom0.Require("xm domid frozen"));

            // What the guest writes from now on hangs in Domain-0, with the guest's pages mapped.
            _ = dom0.Require("fsfreeze --freeze /mnt/frozen");
            _ = guest.Run("(dd if=/dev/urandom of=/dev/xvda bs=64k count=64 conv=fsync >/dev/null 2>&1 &); sleep 2");

            // Linux's back end may say that it has ended all the same; the domain stays as long as its pages are mapped.
            string destroyed = dom0.Require("xm destroy frozen 2>&1; xm list; xm log | tail -5", 120);
            Assert.Matches($@"(?m) {id} +\d+ +\d+ +[rbpsc-]{{5}}d ", destroyed);

            // Nobody else is kept from anything, and all of it comes back.
            _ = dom0.Require("xm create -q -p /etc/xen/xmexample1 && xm destroy ExampleDomain", 120);
            _ = dom0.Require("fsfreeze --unfreeze /mnt/frozen");
            guest.Until($"! xl list | awk '{{ print $2 }}' | grep -qx {id}");
            guest.Until("! losetup -a | grep -q frozen");
            Assert.Equal(before, dom0.Require(Free));
            _ = dom0.Require("umount /mnt/frozen; rm /tmp/frozen");
        });
}
