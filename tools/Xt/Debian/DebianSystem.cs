// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Xt.Host;
using Xt.Image;

namespace Xt.Debian;

/// <summary>
/// A disk with a whole Debian 12 on it, made of Debian's packages by mmdebstrap and kept in the cache: a boot sector, GRUB for BIOS
/// behind it, a partition for UEFI, and the root file system. Our own package is installed there as an administrator would;
/// what changes from build to build is replaced for each run (<see cref="DebianDisk"/>).
/// </summary>
/// <remarks>No step needs more than an ordinary user: mmdebstrap has namespaces, and the disk is written as a file.</remarks>
public static class DebianSystem
{
    /// <summary>Where the root file system begins.</summary>
    public const long RootOffset = 32L << 20;

    private const string Suite = "bookworm";
    private const string RootId = "7c1f8a52-6d0e-4b7c-9a53-0d2b1f6e4c17";
    private const string MachineId = "5f1c6ab0a1b84b6f8d3c1d9ce1e0c4d7";
    private const string Source = "Disk/";
    private const int SectorSize = 512;
    private const int CodeOfBootSector = 440;
    private const int PartitionTable = 446;
    private const int PartitionEntry = 16;
    private const long EfiOffset = 1L << 20;
    private const long EfiSize = 16L << 20;
    private const long RootSize = 2000L << 20;
    private const byte EfiType = 0xEF;
    private const byte LinuxType = 0x83;

    /// <summary>On top of what Debian calls important.</summary>
    private static readonly string[] s_packages =
    [
        "systemd-sysv", "dbus", "initramfs-tools", "grub-pc-bin", "grub-efi-amd64-bin", "grub2-common", "xen-utils-4.17",
        "xenstore-utils", "bridge-utils", "util-linux-extra",
    ];

    /// <summary>The disk as it comes out of the packages; made when there is none, or when its description changed.</summary>
    public static string Disk()
    {
        string path = Path.Combine(Workspace.Cache, $"debian-{Key()}.img");
        if (File.Exists(path))
        {
            return path;
        }

        using FileLock held = FileLock.Take("debian");
        if (File.Exists(path))
        {
            return path;
        }

        foreach (string old in Directory.EnumerateFiles(Workspace.Cache, "debian-*.img"))
        {
            File.Delete(old);
        }

        string folder = Directory.CreateDirectory(Path.Combine(Workspace.Cache, $"debian.{Environment.ProcessId}.new")).FullName;
        try
        {
            Report.Step("making a Debian 12 of its packages; this takes some minutes, once");
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
        _ = key.Add(string.Join(' ', s_packages)).Add(PackageStore.KernelPackage());
        foreach (string name in Resources.Below(Source))
        {
            _ = key.Add(name).Add(Resources.Text(name));
        }

        foreach (string file in XenPackage.ControlFiles())
        {
            _ = key.Add(File.ReadAllText(file));
        }

        foreach (XenPackage.Entry entry in XenPackage.Entries())
        {
            _ = key.Add($"{entry.Path}|{entry.IsExecutable}|{entry.Target}");
        }

        return key.Finish();
    }

    /// <summary>The root file system as an archive.</summary>
    private static string Install(string folder)
    {
        string tree = Path.Combine(folder, "files");
        const string Files = Source + "files/";
        foreach (string name in Resources.Below(Files))
        {
            string file = Path.Combine(tree, name[Files.Length..]);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, Resources.Text(name));
        }

        string root = Directory.CreateDirectory(Path.Combine(tree, "root")).FullName;
        File.Copy(XenPackage.Make(), Path.Combine(root, "xen-csharp.deb"));
        File.WriteAllText(Path.Combine(root, "setup"), Resources.Text(Source + "setup"));
        string own = Path.Combine(folder, "files.tar");
        _ = HostCommand.Require("tar",
            ["--create", "--file", own, "--owner=0", "--group=0", "--mode=u=rwX,go=rX", "--sort=name", "--directory", tree, "."]);

        string archive = Path.Combine(folder, "root.tar");
        _ = HostCommand.Require("env",
        [
            "SOURCE_DATE_EPOCH=" + XenPackage.FixedTime, "mmdebstrap", "--quiet", "--variant=important",
            "--include=" + string.Join(',', s_packages.Append(PackageStore.KernelPackage())),
            "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-include=/usr/share/doc/*/copyright", "--dpkgopt=path-exclude=/usr/share/locale/*",
            $"--customize-hook=tar-in {own} /",
            $"--customize-hook=chroot \"$1\" sh /root/setup {RootId}", "--customize-hook=rm \"$1/root/setup\"",
            Suite, archive,
        ]);
        return archive;
    }

    private static void Assemble(string folder, string archive, string disk)
    {
        string tree = Directory.CreateDirectory(Path.Combine(folder, "root")).FullName;
        using (FileStream stream = File.Create(disk))
        {
            stream.SetLength(RootOffset + RootSize);
        }

        // Owners and device nodes of the archive are the user's own to give only in fakeroot's eyes.
        string script = Path.Combine(folder, "assemble");
        File.WriteAllText(script, string.Create(CultureInfo.InvariantCulture,
            $"""
            set -eu
            tar --extract --file '{archive}' --numeric-owner --directory '{tree}'
            echo {MachineId} >'{tree}/etc/machine-id'
            echo 'UUID={RootId} / ext4 errors=remount-ro 0 1' >'{tree}/etc/fstab'
            touch --date=@{XenPackage.FixedTime} '{tree}/etc/machine-id' '{tree}/etc/fstab' '{tree}/etc'
            E2FSPROGS_FAKE_TIME={XenPackage.FixedTime} mke2fs -q -F -t ext4 -L debian -U {RootId} -m 1 \
                -O ^metadata_csum_seed,^orphan_file -E hash_seed={RootId},root_owner=0:0,offset={RootOffset} \
                -d '{tree}' '{disk}' {RootSize >> 10}k
            """));
        _ = HostCommand.Require("fakeroot", ["sh", script]);
        AddLoaders(Path.Combine(tree, "boot/grub"), Path.Combine(folder, "efi.img"), disk);
    }

    private static void AddLoaders(string grub, string efi, string disk)
    {
        byte[] sector = new byte[SectorSize];
        byte[] code = File.ReadAllBytes(Path.Combine(grub, "i386-pc/boot.img"));
        // Its own sector says where the rest is: right behind, which is where GRUB looks unless told otherwise.
        code.AsSpan(0, CodeOfBootSector).CopyTo(sector);
        AddPartition(sector, 0, EfiType, EfiOffset, EfiSize, false);
        AddPartition(sector, 1, LinuxType, RootOffset, RootSize, true);
        sector[SectorSize - 2] = 0x55;
        sector[SectorSize - 1] = 0xAA;
        byte[] core = File.ReadAllBytes(Path.Combine(grub, "i386-pc/core.img"));
        if (SectorSize + core.Length > EfiOffset)
        {
            throw new XtException($"GRUB's program for BIOS has {core.Length} bytes, too many for the place before the partitions.");
        }

        using (FileStream empty = File.Create(efi))
        {
            empty.SetLength(EfiSize);
        }

        _ = HostCommand.Require("mformat", ["-i", efi, "-N", "0", "::"]);
        _ = HostCommand.Require("mmd", ["-i", efi, "::/EFI", "::/EFI/BOOT"]);
        _ = HostCommand.Require("mcopy", ["-i", efi, Path.Combine(grub, "x86_64-efi/core.efi"), "::/EFI/BOOT/BOOTX64.EFI"]);

        using FileStream stream = File.OpenWrite(disk);
        stream.Write(sector);
        stream.Write(core);
        stream.Position = EfiOffset;
        using FileStream source = File.OpenRead(efi);
        source.CopyTo(stream);
    }

    private static void AddPartition(byte[] sector, int number, byte type, long offset, long size, bool isActive)
    {
        Span<byte> entry = sector.AsSpan(PartitionTable + (number * PartitionEntry), PartitionEntry);
        entry[0] = isActive ? (byte)0x80 : (byte)0;
        // Cylinders, heads and sectors are beyond their range; only the numbers of sectors count.
        entry[1..4].Fill(0xFF);
        entry[4] = type;
        entry[5..8].Fill(0xFF);
        _ = BitConverter.TryWriteBytes(entry[8..], (uint)(offset / SectorSize));
        _ = BitConverter.TryWriteBytes(entry[12..], (uint)(size / SectorSize));
    }
}
