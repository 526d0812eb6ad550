// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Globalization;
using Xt.Host;
using Xt.Image;

namespace Xt.Debian;

/// <summary>
/// The disk of a guest: an ext4 file system, without partitions, with a small Debian 12 whose systemd ends in a shell on the
/// console. The kernel, and the RAM disk that mounts it, are Domain-0's.
/// </summary>
public static class DebianGuest
{
    private const string Source = "DebianGuest/";
    private const string FileSystemId = "2b1d7e38-54c0-4b0b-8f6a-6f9a3c5a90d1";
    private const string MachineId = "c1b0f3a29d6e4c7f8a5b4e3d2c1b0a99";
    private const int Megabytes = 512;

    /// <summary>On top of what Debian cannot do without. There is no udev: the RAM disk has loaded the drivers.</summary>
    private static readonly string[] s_packages = ["systemd-sysv", "iproute2", "iputils-ping", "netcat-openbsd"];

    /// <summary>The file; made when there is none, or when its description changed. Nobody may write to it.</summary>
    public static string Disk() => KeptDisk.Get("guest-debian", Key(), "a small Debian 12 for guests", Make);

    private static string Key()
    {
        using ContentKey key = new();
        _ = key.Add(string.Join(' ', s_packages)).Add(Megabytes.ToString(CultureInfo.InvariantCulture));
        foreach (string name in Resources.Below(Source))
        {
            _ = key.Add(name).Add(Resources.Text(name));
        }

        return key.Finish();
    }

    private static void Make(string folder, string disk)
    {
        RootFileSystem root = new()
        {
            Folder = folder,
            Variant = "minbase",
            Packages = s_packages,
            Commands =
            [
                "chroot \"$1\" systemctl --quiet enable console-shell.service",
                // Without udev the terminal's own service would wait for its device in vain; timers would only disturb.
                "chroot \"$1\" systemctl --quiet mask serial-getty@hvc0.service getty@tty1.service "
                    + "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer",
                "rm -rf \"$1/var/lib/apt/lists\" \"$1/var/cache/apt\"",
            ],
            Lines = new Dictionary<string, string> { ["machine-id"] = MachineId },
            Label = "guest",
            Id = FileSystemId,
        };
        root.AddResources(Source);
        root.Write(disk, 0, (long)Megabytes << 20);
    }
}
