// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using Xt.Host;
using Xt.Image;

namespace Xt.Debian;

/// <summary>
/// The disk of a guest: an ext4 file system, without partitions, with a small Debian 12 whose systemd ends in a shell on the
/// console. Made of Debian's packages by mmdebstrap and kept in the cache; no step needs more than an ordinary user. The
/// kernel, and the RAM disk that mounts it, are Domain-0's.
/// </summary>
public static class DebianGuest
{
    private const string Suite = "bookworm";
    private const string Source = "DebianGuest/";
    private const string FileSystemId = "2b1d7e38-54c0-4b0b-8f6a-6f9a3c5a90d1";
    private const string MachineId = "c1b0f3a29d6e4c7f8a5b4e3d2c1b0a99";
    private const int Megabytes = 512;

    /// <summary>On top of what Debian cannot do without. There is no udev: the RAM disk has loaded the drivers.</summary>
    private static readonly string[] s_packages = ["systemd-sysv", "iproute2", "iputils-ping", "netcat-openbsd"];

    /// <summary>The file; made when there is none, or when its description changed. Nobody may write to it.</summary>
    public static string Disk()
    {
        string path = Path.Combine(Workspace.Cache, $"guest-debian-{Key()}.img");
        if (File.Exists(path))
        {
            return path;
        }

        using FileLock held = FileLock.Take("debian-guest");
        if (File.Exists(path))
        {
            return path;
        }

        foreach (string old in Directory.EnumerateFiles(Workspace.Cache, "guest-debian-*.img"))
        {
            File.Delete(old);
        }

        string folder = Directory.CreateDirectory(
            Path.Combine(Workspace.Cache, $"guest-debian.{Environment.ProcessId}.new")).FullName;
        try
        {
            Report.Step("making a small Debian 12 for guests of its packages; this takes some minutes, once");
            string archive = Install(folder);
            return NewFile.Write(path, draft => Assemble(folder, archive, draft));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

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

    /// <summary>The root file system as an archive.</summary>
    private static string Install(string folder)
    {
        string tree = Path.Combine(folder, "files");
        foreach (string name in Resources.Below(Source))
        {
            string file = Path.Combine(tree, name[Source.Length..]);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, Resources.Text(name));
        }

        string own = Path.Combine(folder, "files.tar");
        _ = HostCommand.Require("tar",
            ["--create", "--file", own, "--owner=0", "--group=0", "--mode=u=rwX,go=rX", "--sort=name", "--directory", tree, "."]);
        string archive = Path.Combine(folder, "root.tar");
        _ = HostCommand.Require("env",
        [
            "SOURCE_DATE_EPOCH=" + XenPackage.FixedTime, "mmdebstrap", "--quiet", "--variant=minbase",
            "--include=" + string.Join(',', s_packages),
            "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-include=/usr/share/doc/*/copyright", "--dpkgopt=path-exclude=/usr/share/locale/*",
            $"--customize-hook=tar-in {own} /",
            "--customize-hook=chroot \"$1\" systemctl --quiet enable console-shell.service",
            // Without udev the terminal's own service would wait for its device in vain; timers would only disturb.
            "--customize-hook=chroot \"$1\" systemctl --quiet mask serial-getty@hvc0.service getty@tty1.service "
                + "apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer",
            "--customize-hook=rm -rf \"$1/var/lib/apt/lists\" \"$1/var/cache/apt\"",
            Suite, archive,
        ]);
        return archive;
    }

    private static void Assemble(string folder, string archive, string disk)
    {
        string tree = Directory.CreateDirectory(Path.Combine(folder, "root")).FullName;
        using (FileStream stream = File.Create(disk))
        {
            stream.SetLength((long)Megabytes << 20);
        }

        // Owners and device nodes of the archive are the user's own to give only in fakeroot's eyes.
        string script = Path.Combine(folder, "assemble");
        File.WriteAllText(script, string.Create(CultureInfo.InvariantCulture,
            $"""
            set -eu
            tar --extract --file '{archive}' --numeric-owner --directory '{tree}'
            echo {MachineId} >'{tree}/etc/machine-id'
            touch --date=@{XenPackage.FixedTime} '{tree}/etc/machine-id' '{tree}/etc'
            E2FSPROGS_FAKE_TIME={XenPackage.FixedTime} mke2fs -q -F -t ext4 -L guest -U {FileSystemId} -m 1 \
                -O ^metadata_csum_seed,^orphan_file -E hash_seed={FileSystemId},root_owner=0:0 \
                -d '{tree}' '{disk}' {Megabytes}M
            """));
        _ = HostCommand.Require("fakeroot", ["sh", script]);
    }
}
