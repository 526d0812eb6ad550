// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xt.Image;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// A whole Debian 12 as Domain-0, booted by its own GRUB from its own disk, and the devices of a machine that has one of
/// everything: Debian's stock drivers, found by udev, do their work.
/// </summary>
public sealed class DebianTests : IDisposable
{
    private const string Typed = "/tmp/typed";

    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(900);

    private readonly DeviceBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [LongFact]
    public void By_BIOS_every_device_works_and_the_power_button_ends_it()
    {
        MachineOptions machine = Machine("pc") with { Screen = MachineOptions.TextScreen };
        using Dom0Session debian = Dom0Session.Boot(machine, "debian-bios", s_boot);
        IsSound(debian, 1);
        _bench.DisksKeepWhatIsWritten(debian, "ata_piix", "ahci", "virtio_blk", "nvme");
        _bench.NetworksCarry(debian, "e1000", "e1000e", "virtio_net");
        LogsInOnTheScreen(debian);
        KeepsTime(debian);
        PackageWorks(debian);

        _bench.Monitor.PressPower();
        PowersOff(debian);
    }

    [LongFact]
    public void By_UEFI_every_device_works_and_it_starts_over()
    {
        MachineOptions machine = Machine("q35") with { Loader = LoaderKind.Efi, Screen = "1024x768x32", Cpus = 2 };
        // A reset is one, and not the end of QEMU.
        machine = machine with { QemuArguments = [.. machine.QemuArguments, "-action", "reboot=reset"] };
        using Dom0Session debian = Dom0Session.Boot(machine, "debian-efi", s_boot);
        IsSound(debian, 2);
        _bench.DisksKeepWhatIsWritten(debian, "ahci", "virtio_blk", "nvme");
        _bench.NetworksCarry(debian, "e1000", "e1000e", "virtio_net");
        LogsInOnTheScreen(debian);
        FirmwareTests.VariablesAreReadOnly(debian);
        CpusGoAndCome(debian);
        PackageWorks(debian);

        // By the menu that Debian's own update-grub writes, with our script.
        string menu = debian.Require("echo 'GRUB_CMDLINE_XEN=\"com1=115200,8n1 console=com1 dom0_mem=1G\"' >>/etc/default/grub; "
            + "echo 'GRUB_CMDLINE_LINUX=\"console=hvc0\"' >>/etc/default/grub; echo 'GRUB_DISABLE_OS_PROBER=true' >>/etc/default/grub; "
            + "echo 'GRUB_DEFAULT=xen-csharp-xen.gz-'$(uname -r)-usual >>/etc/default/grub; update-grub 2>&1", 300);
        Assert.Contains("Found hypervisor /boot/xen.gz", menu);

        // systemd gives a device a minute and a half to appear, and would have nobody log in there.
        _ = debian.Require("mkdir -p /etc/systemd/system/dev-hvc0.device.d; "
            + "printf '[Unit]\nJobRunningTimeoutSec=900\n' >/etc/systemd/system/dev-hvc0.device.d/patience.conf");
        debian.Start("reboot");
        debian.WaitFor("debian login: ", s_boot);
        debian.LogIn(s_boot);
        Assert.Contains("dom0_mem=1G", debian.Require("xm dmesg | grep -i 'command line'"));
        Assert.Equal("", debian.Require("for i in $(seq 120); do systemctl is-active -q xend && break; sleep 1; done; "
            + "systemctl is-active -q xend || echo xend does not run", 300));
        debian.Start("poweroff");
        PowersOff(debian);
    }

    /// <summary>One of everything. What Domain-0 gets of so much memory lies beyond the reach of devices with 32 address lines.</summary>
    private MachineOptions Machine(string board) => new()
    {
        Disk = DebianDisk.Name,
        Machine = board,
        MemoryMegabytes = 8192,
        Dom0MemoryMegabytes = 1024,
        QemuArguments = _bench.Arguments(board),
    };

    /// <summary>All of systemd's units are well, xend's among them, and the tools see Domain-0.</summary>
    private static void IsSound(Dom0Session debian, int cpus)
    {
        // Everything that is to be started at boot has been, or has failed.
        _ = debian.Run("systemctl is-system-running --wait", 300);
        Assert.Equal("", debian.Require("systemctl --failed --no-legend --plain"));
        Assert.Equal("active\nactive\nactive\n", debian.Require("systemctl is-active xend xend-domains proc-xen.mount"));
        string status = debian.Require("systemctl status xend");
        Assert.Contains("/usr/sbin/xend store", status);
        Assert.Contains("/usr/sbin/xend domains", status);
        Assert.Matches($@"(?m)^Domain-0 +0 +1024 +{cpus} +r-----", debian.Require("xm list"));
        Assert.Matches($@"(?m)^Domain-0 +0 +1024 +{cpus} +r-----", debian.Require("xl list"));
        Assert.Equal("", debian.Require("dpkg -V xen-csharp"));
    }

    /// <summary>
    /// What tty1 shows is on the screen, and a user at the keyboard, which is a USB one, logs in there.
    /// </summary>
    private void LogsInOnTheScreen(Dom0Session debian)
    {
        _ = debian.Require("for i in $(seq 60); do grep -q 'login:' /dev/vcs1 && exit 0; sleep 1; done; exit 1", 120);
        ScreenPicture.ShowsTheSameAs(debian, _bench.Monitor);

        Assert.Contains("USB Keyboard", debian.Require("cat /sys/class/input/input*/name"));
        string keyboard = debian.Require("ls /dev/input/by-id/usb-*-event-kbd").Trim();
        _ = debian.Require($"timeout 200 cat {keyboard} >/tmp/events & disown");
        _bench.Monitor.Type("root\n");
        _ = debian.Require("for i in $(seq 60); do grep -q 'root@debian' /dev/vcs1 && exit 0; sleep 1; done; exit 1", 120);
        _bench.Monitor.Type($"touch {Typed}\n");
        _ = debian.Require($"for i in $(seq 60); do test -e {Typed} && exit 0; sleep 1; done; exit 1", 120);

        // 24 bytes an event, at least four a key: it and a report, down and up.
        int size = int.Parse(debian.Require("stat -c %s /tmp/events").Trim(), CultureInfo.InvariantCulture);
        Assert.True(size >= 24 * 4 * Typed.Length, $"evdev brought {size} bytes of events");
    }

    /// <summary>The clock that runs while the machine is off can be read and set.</summary>
    private static void KeepsTime(Dom0Session debian)
    {
        string[] read = debian.Require(
            "date -u +%s; date -u -d \"$(hwclock --utc --get | cut -d. -f1)Z\" +%s").Split('\n');
        Assert.InRange(Math.Abs(long.Parse(read[0]) - long.Parse(read[1])), 0, 30);
        _ = debian.Require("hwclock --utc --set --date '2031-02-03 04:05:06'");
        Assert.StartsWith("2031-02-03 04:05:", debian.Require("hwclock --utc --get"));
        Assert.DoesNotContain("2031", debian.Require("date"));
        _ = debian.Require("hwclock --utc --systohc");
        Assert.DoesNotContain("2031", debian.Require("hwclock --utc --get"));
    }

    /// <summary>A guest of Debian's own kernel is made and ended by the daemon that systemd started.</summary>
    private static void PackageWorks(Dom0Session debian)
    {
        _ = debian.Require("sed 's,^kernel.*,kernel = \"/vmlinuz\",; s,^ramdisk.*,,' "
            + "/usr/share/doc/xen-csharp/examples/xmexample1 >/root/guest; xm create -q -p /root/guest", 120);
        Assert.Matches(@"(?m)^ExampleDomain +1 +128 +1 +--p---", debian.Require("xm list"));
        _ = debian.Require("xm destroy ExampleDomain");
        Assert.DoesNotContain("Example", debian.Require("xm list"));
    }

    /// <summary>Linux takes a vCPU out of use at the tools' word, and udev puts it back in.</summary>
    private static void CpusGoAndCome(Dom0Session debian)
    {
        foreach ((int count, string online) in new[] { (1, "0"), (2, "0-1") })
        {
            _ = debian.Require($"xm vcpu-set 0 {count}; "
                + $"for i in $(seq 60); do [ $(cat /sys/devices/system/cpu/online) = {online} ] && exit 0; sleep 1; done; exit 1", 120);
            Assert.Matches($@"(?m)^Domain-0 +0 +1024 +{count} +r-----", debian.Require("xm list"));
        }
    }

    private static void PowersOff(Dom0Session debian)
    {
        Assert.True(debian.WaitForEnd(TimeSpan.FromSeconds(180)), "The machine does not power off.");
        Assert.Contains("reboot: Power down", debian.ConsoleText, StringComparison.Ordinal);
        Assert.Contains("Stopped", Regex.Match(debian.ConsoleText, ".*xend\\.service.*Stopped.*|.*Stopped.*xend\\.service.*").Value);
    }
}
