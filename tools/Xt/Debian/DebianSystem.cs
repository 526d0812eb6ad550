// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xt.Host;
using Xt.Image;

namespace Xt.Debian;

/// <summary>
/// A disk with a whole Debian 12 on it: a boot sector, GRUB for BIOS behind it, a partition for UEFI, and the root file system.
/// Our own package is installed there as an administrator would; what changes from build to build is replaced for each run
/// (<see cref="DebianDisk"/>).
/// </summary>
public static class DebianSystem
{
    /// <summary>Where the root file system begins.</summary>
    public const long RootOffset = 32L << 20;

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
    public static string Disk() => KeptDisk.Get("debian", Key(), "a Debian 12", Make);

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

    private static void Make(string folder, string disk)
    {
        RootFileSystem root = new()
        {
            Folder = folder,
            Variant = "important",
            Packages = s_packages.Append(PackageStore.KernelPackage()),
            Commands = [$"chroot \"$1\" sh /root/setup {RootId}", "rm \"$1/root/setup\""],
            Lines = new Dictionary<string, string>
            {
                ["machine-id"] = MachineId,
                ["fstab"] = $"UUID={RootId} / ext4 errors=remount-ro 0 1",
            },
            Label = "debian",
            Id = RootId,
        };
        root.AddResources(Source + "files/");
        string home = Directory.CreateDirectory(Path.Combine(root.OwnFiles, "root")).FullName;
        File.Copy(XenPackage.Make(), Path.Combine(home, "xen-csharp.deb"));
        File.WriteAllText(Path.Combine(home, "setup"), Resources.Text(Source + "setup"));
        root.Write(disk, RootOffset, RootSize);
        AddLoaders(Path.Combine(root.Tree, "boot/grub"), Path.Combine(folder, "efi.img"), disk);
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
