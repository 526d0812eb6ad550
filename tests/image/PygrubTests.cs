// SPDX-License-Identifier: MIT
using System;
using Xt.Debian;
using Xt.Image;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// Debian's own pygrub, of the package xen-utils-4.17, in a whole Debian as Domain-0: a guest boots the kernel of its own
/// disk, and what disks can hold that deceive or are broken ends in a sentence.
/// </summary>
public sealed class PygrubTests
{
    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(1000);

    /// <summary>The guest's own disk gets what Debian's packages of a kernel and of GRUB would put there.</summary>
    private const string PrepareGuest =
        """
        disk=$(readlink -f /dev/disk/by-label/guest)
        mount $disk /mnt
        mkdir -p /mnt/boot/grub
        cp -L /vmlinuz /initrd.img /mnt/boot/
        cat >/mnt/boot/grub/grub.cfg <<'END'
        set default="1"
        set timeout=5
        menuentry 'Another' --class debian {
                linux   /boot/absent root=/dev/xvda ro
        }
        menuentry 'Debian of the guest' --class debian {
                insmod ext2
                linux   /boot/vmlinuz root=/dev/xvda ro console=hvc0 quiet chosen.by=pygrub
                initrd  /boot/initrd.img
        }
        END
        umount /mnt
        printf '%s\n' 'name = "own"' 'memory = 384' 'bootloader = "pygrub"' 'extra = "said.by=configuration"' \
            "disk = ['phy:$disk,xvda,w']" >/root/own
        """;

    /// <summary>While the guest is created, what the kernel says of the process of that name.</summary>
    private const string CreateAndLook =
        """
        xm create -q /root/own & create=$!
        until loader=$(pgrep -x pygrub); do kill -0 $create || exit 1; sleep 0.05; done
        grep -E '^(Uid|Gid|Groups|CapEff|CapBnd|NoNewPrivs):' /proc/$loader/status
        grep -E 'address space|cpu time|processes' /proc/$loader/limits
        for space in net ipc uts pid; do
            [ "$(readlink /proc/$loader/ns/$space)" != "$(readlink /proc/self/ns/$space)" ] && echo "own $space"
        done
        wait $create
        """;

    /// <summary>Images of the tests: a tree made by the given commands in $tree, as a file system of 320 MiB in $image.</summary>
    private const string Refuse =
        """
        image=/root/hostile.img; tree=/root/tree
        rm -rf $tree $image; mkdir -p $tree/boot/grub
        grub() { printf '%s\n' 'menuentry "It" {' "linux $1" "$2" '}' >$tree/boot/grub/grub.cfg; }
        make() { mke2fs -q -F -t ext4 -d $tree $image 320M; }
        COMMANDS
        printf '%s\n' 'name = "hostile"' 'memory = 64' 'bootloader = "pygrub"' "disk = ['file:$image,xvda,w']" >/root/hostile
        xm create -q /root/hostile 2>&1
        echo status $?
        xm domid hostile 2>&1
        ls /var/lib/xen/boot; losetup -a | grep hostile; true
        """;

    [LongFact]
    public void A_guest_boots_from_its_own_disk_and_disks_that_deceive_are_refused()
    {
        MachineOptions machine = new()
        {
            Disk = DebianDisk.Name,
            MemoryMegabytes = 3072,
            Dom0MemoryMegabytes = 1024,
            Drives = [$"file={DebianGuest.Disk()},if=virtio,format=raw,snapshot=on"],
        };
        using Dom0Session debian = Dom0Session.Boot(machine, "pygrub", s_boot);
        _ = debian.Run("systemctl is-system-running --wait", 300);
        Assert.Contains("xen-utils-4.17", debian.Require("dpkg -S /usr/lib/xen-4.17/bin/pygrub"));
        _ = debian.Require(PrepareGuest, 240);
        Boots(debian);

        // Nothing on the disk, or nothing that could be a file system.
        RefusesTo(debian, "truncate -s 64M $image", "pygrub ended with status 1 and said: RuntimeError: Unable to find partition");
        RefusesTo(debian, "head -c 16M /dev/urandom >$image", "pygrub ended with status 1 and said: RuntimeError: ");
        RefusesTo(debian, "make", "pygrub ended with status 1 and said: RuntimeError: Unable to find partition");

        // A file system of which parts are noise: whatever of it is read, it ends in a sentence.
        foreach (int block in new[] { 1, 2, 40, 300 })
        {
            RefusesTo(debian, $"echo x >$tree/boot/k; grub /boot/k; make; dd if=/dev/urandom of=$image bs=4k seek={block} count=30 "
                + "conv=notrunc status=none", "");
        }

        // A configuration that leads nowhere, to what is no kernel, to more than is taken, or that is one itself.
        RefusesTo(debian, "grub /boot/absent; make", "ended with status 1 and said: Error opening /boot/absent in guest");
        RefusesTo(debian, "grub /etc/../../../../../etc/shadow; make", "ended with status 1 and said: Error opening /etc/..");
        RefusesTo(debian, "seq 100000 >$tree/boot/k; grub /boot/k; make", "the kernel that pygrub found: it is neither an ELF file");
        RefusesTo(debian, "truncate -s 300M $tree/boot/k; grub /boot/k; make",
            "ended with status 1 and said: Error writing temporary copy of kernel");
        RefusesTo(debian, "cp -L /vmlinuz $tree/boot/k; dd if=/dev/urandom of=$tree/boot/k bs=1k seek=3000 count=100 conv=notrunc status=none; "
            + "grub /boot/k; make", "cannot load the kernel that pygrub found: ");
        RefusesTo(debian, "head -c 8M /dev/zero | tr '\\0' '{' >$tree/boot/grub/grub.cfg; make", "bootloader: ");
        RefusesTo(debian, "cp -L /vmlinuz $tree/boot/k; grub \"/boot/k $(seq -s x 2000)\"; make", "kernel's command line has ");

        // And after all that the next one is served.
        _ = debian.Require("xm create -q -p /root/own; xm destroy own", 300);
        Assert.Equal("0\n", debian.Require("systemctl show -p NRestarts --value xend"));
    }

    private static void Boots(Dom0Session debian)
    {
        GuestConsole guest = new(debian, "own");
        _ = debian.Require($"rm -f {guest.Log}");
        string loader = debian.Require(CreateAndLook, 300);
        Assert.Matches(@"(?m)^Uid:\s+(19\d{8})\s+\1\s+\1\s+\1$", loader);
        Assert.Matches(@"(?m)^Gid:\s+(19\d{8})\s+\1\s+\1\s+\1$", loader);
        Assert.Matches(@"(?m)^Groups:\s*$", loader);
        Assert.Matches(@"(?m)^CapEff:\s+0{16}$", loader);
        Assert.Matches(@"(?m)^CapBnd:\s+0{16}$", loader);
        Assert.Matches(@"(?m)^NoNewPrivs:\s+1$", loader);
        Assert.Matches(@"(?m)^Max address space\s+1073741824\s", loader);
        Assert.Matches(@"(?m)^Max cpu time\s+100\s", loader);
        Assert.Matches(@"(?m)^Max processes\s+16\s", loader);
        Assert.Contains("own net\nown ipc\nown uts\nown pid\n", loader);

        guest.Until($"grep -q 'GUEST IS UP' {guest.Log}", 600);
        Assert.Contains("GUEST IS UP: Debian 12", debian.Require($"cat {guest.Log}"));
        string line = guest.Run("cat /proc/cmdline");
        Assert.Matches("root=/dev/xvda ro console=hvc0 quiet chosen.by=pygrub said.by=configuration", line);
        _ = debian.Require("xm destroy own; test -z \"$(ls /var/lib/xen/boot)\"");
    }

    private static void RefusesTo(Dom0Session debian, string commands, string sentence)
    {
        string said = debian.Require(Refuse.Replace("COMMANDS", commands, StringComparison.Ordinal), 300);
        Assert.Matches("(?m)^Error: (bootloader|kernel): ", said);
        Assert.Contains(sentence, said);
        Assert.EndsWith("status 1\nError: the domain 'hostile' does not exist\n  See 'xm list' for those that do.\n", said);
    }
}
