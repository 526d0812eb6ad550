// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using Xt.Debian;
using Xt.Host;

namespace Xt.Image;

/// <summary>
/// The system of Domain-0: Debian's stock kernel, and a RAM disk with busybox, Debian's Xen tools, the kernel modules of
/// a domain with devices, a guest to start, and this repository's own programs.
/// </summary>
/// <remarks>
/// The RAM disk is not compressed: unpacking it in an emulated CPU would take longer than reading it. It consists of
/// two archives, one behind the other: the large one made of Debian's packages hardly ever changes and is cached, the
/// small one holds our own programs and the commands of a batch run.
/// </remarks>
public static class Dom0Image
{
    private static readonly string[] s_dom0Packages =
    [
        "xen-utils-4.17", "xen-utils-common", "xenstore-utils", "libxencall1", "libxenevtchn1",
        "libxenforeignmemory1", "libxengnttab1", "libxenmisc4.17", "libxenstore4", "libxentoollog1",
        "libxentoolcore1", "libxendevicemodel1", "libxenhypfs1", "libyajl2", "libuuid1", "libc6", "libgcc-s1",
        "libstdc++6", "zlib1g", "liblzma5", "libzstd1", "libbz2-1.0", "libncurses6", "libtinfo6", "bash",
        "busybox-static", "util-linux", "mount", "libsmartcols1", "coreutils", "libselinux1", "libpcre2-8-0", "libcap-ng0",
    ];

    private static readonly string[] s_xenPrograms =
    [
        "xl", "xenstored", "xenconsoled", "xenconsole", "xen-init-dom0", "libxl-save-helper", "xentop", "xenpm",
        "lsevtchn", "xen-hptool", "xentrace", "xenlockprof", "xen-diag",
    ];

    private static readonly string[] s_dom0Modules =
    [
        "xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xenfs", "xen-blkback", "xen-netback", "loop",
        "bridge", "tun", "virtio_pci", "virtio_blk", "virtio_net", "virtio_scsi", "virtio_console", "ahci", "sd_mod",
        "sr_mod", "isofs", "e1000", "e1000e", "ext4", "crc32c_generic", "vfat", "nls_cp437", "nls_ascii", "veth",
        "8139cp", "8139too", "nvme", "ata_piix", "efivarfs", "brd",
    ];

    private static readonly string[] s_guestModules =
        ["xen-blkfront", "xen-netfront", "ext4", "crc32c_generic"];

    /// <summary>Debian's stock kernel, as GRUB loads it.</summary>
    public static string Kernel()
    {
        string package = PackageStore.KernelPackage();
        PackageStore.Ensure([package]);
        return Directory.EnumerateFiles(Path.Combine(PackageStore.Contents(package), "boot"), "vmlinuz-*").Single();
    }

    /// <summary>The large, cached archive.</summary>
    public static string Base()
    {
        string kernelPackage = PackageStore.KernelPackage();
        List<string> packages = [.. s_dom0Packages, kernelPackage];
        PackageStore.Ensure(packages);

        SystemTree tree = new(packages);
        AddSkeleton(tree);
        AddBusybox(tree);
        AddXenTools(tree);
        foreach (string program in new[]
        {
            "usr/bin/flock", "bin/bash", "sbin/losetup", "usr/bin/stat", "usr/bin/unshare", "usr/bin/prlimit",
            "usr/bin/setpriv",
        })
        {
            tree.Program(program.StartsWith("usr", StringComparison.Ordinal) ? program : "usr/" + program,
                tree.InPackages(program));
        }

        // Opened by the C library, not linked: without it a thread that is cancelled aborts its program.
        tree.Library("libgcc_s.so.1", "the C library");
        // What the Native AOT programs of this repository may link.
        tree.Library("libm.so.6", "a C# program");
        tree.Library("libstdc++.so.6", "a C# program");
        tree.Library("libdl.so.2", "a C# program");
        tree.Library("libpthread.so.0", "a C# program");
        tree.Library("librt.so.1", "a C# program");
        tree.Library("libz.so.1", "a C# program");

        KernelModules modules = new(PackageStore.Contents(kernelPackage));
        Array.ForEach(s_dom0Modules, modules.Want);
        modules.AddTo(tree);

        tree.File("boot/vmlinuz", Kernel());
        tree.File("boot/guest-ramdisk", GuestRamdisk(packages));
        AddResources(tree, "Dom0/");
        return Cached(tree, "dom0");
    }

    /// <summary>The same, packed by gzip: takes less of a machine's memory, and longer to boot.</summary>
    public static string PackedBase()
    {
        string plain = Base();
        string packed = plain + ".gz";
        return File.Exists(packed) ? packed : NewFile.Write(packed, draft =>
        {
            using FileStream source = File.OpenRead(plain);
            using GZipStream target = new(File.Create(draft), CompressionLevel.Optimal);
            source.CopyTo(target);
        });
    }

    /// <summary>The small archive: our own programs, and files that this run alone needs.</summary>
    /// <param name="texts">Path in Domain-0, and what the file says.</param>
    /// <param name="programs">Path in Domain-0, and the file of the host that is put there.</param>
    public static byte[] Overlay(
        IReadOnlyDictionary<string, string> texts, IReadOnlyDictionary<string, string>? programs = null)
    {
        SystemTree tree = new([.. s_dom0Packages]);
        if (Directory.Exists(Workspace.Dom0Programs))
        {
            foreach (string file in Directory.EnumerateFiles(Workspace.Dom0Programs).Order(StringComparer.Ordinal))
            {
                if (IsProgram(file))
                {
                    tree.File($"usr/sbin/{Path.GetFileName(file)}", file, true);
                }
            }
        }

        foreach ((string path, string text) in texts)
        {
            tree.Text(path, text);
        }

        foreach ((string path, string file) in programs ?? new Dictionary<string, string>())
        {
            tree.File(path, file, true);
        }

        using MemoryStream stream = new();
        tree.Write(stream);
        return stream.ToArray();
    }

    /// <summary>Debug symbols lie beside the programs; in memory they would only take room.</summary>
    public static bool IsProgram(string file) =>
        Path.GetExtension(file) is not ".dbg" and not ".debug" and not ".so" && ElfObject.TryRead(file) != null;

    /// <summary>A RAM disk that only tells how Domain-0 came up (Boot/init): the quickest way to its user space.</summary>
    public static string BootRamdisk()
    {
        List<string> packages = ["busybox-static"];
        PackageStore.Ensure(packages);
        SystemTree tree = new(packages);
        AddSkeleton(tree);
        AddBusybox(tree);
        AddResources(tree, "Boot/");
        return Cached(tree, "boot");
    }

    private static string GuestRamdisk(List<string> packages)
    {
        SystemTree tree = new(packages);
        AddSkeleton(tree);
        AddBusybox(tree);
        KernelModules modules = new(PackageStore.Contents(PackageStore.KernelPackage()));
        Array.ForEach(s_guestModules, modules.Want);
        modules.AddTo(tree);
        AddResources(tree, "Guest/");
        return Cached(tree, "guest");
    }

    private static string Cached(SystemTree tree, string name)
    {
        string path = Path.Combine(Workspace.Cache, $"{name}-{tree.Key(name)}.cpio");
        if (!File.Exists(path))
        {
            Report.Step($"making the RAM disk \"{name}\"");
            foreach (string old in Directory.EnumerateFiles(Workspace.Cache, $"{name}-*.cpio*"))
            {
                if (File.GetLastAccessTimeUtc(old) < DateTime.UtcNow.AddHours(-2))
                {
                    File.Delete(old);
                }
            }

            _ = NewFile.Write(path, draft =>
            {
                using FileStream stream = File.Create(draft);
                tree.Write(stream);
            });
        }

        return path;
    }

    private static void AddSkeleton(SystemTree tree)
    {
        foreach (string folder in new[]
        {
            "dev", "proc", "sys", "run/lock", "run/xen", "tmp", "root", "mnt", "var/log/xen/console", "var/lib/xen",
            "var/lib/xenstored", "var/lib/xl", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc/xen/auto", "boot",
        })
        {
            tree.Folder(folder);
        }

        foreach (string folder in new[] { "bin", "sbin", "lib", "lib64" })
        {
            tree.Link(folder, "usr/" + folder);
        }

        tree.Link("var/run", "/run");
        tree.Link("var/lock", "/run/lock");
        // Linux opens this before anything is mounted.
        tree.CharacterDevice("dev/console", 5, 1);
        tree.Text("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
        tree.Text("etc/group", "root:x:0:\n");
    }

    private static void AddBusybox(SystemTree tree)
    {
        string busybox = tree.InPackages("bin/busybox");
        tree.File("usr/bin/busybox", busybox, true);
        foreach (string applet in HostCommand.Require(busybox, ["--list"])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (applet != "busybox")
            {
                tree.Link($"usr/bin/{applet}", "busybox");
            }
        }

        // Where Linux itself looks for them when the toolstack asks a guest to end.
        foreach (string applet in new[] { "poweroff", "reboot", "halt" })
        {
            tree.Link($"usr/sbin/{applet}", "../bin/busybox");
        }
    }

    private static void AddXenTools(SystemTree tree)
    {
        foreach (string program in s_xenPrograms)
        {
            string path = $"usr/lib/xen-4.17/bin/{program}";
            tree.Program(path, tree.InPackages(path));
            tree.Link($"usr/sbin/{program}", "../lib/xen-4.17/bin/" + program);
        }

        // One program that looks at the name it was called by.
        tree.Program("usr/bin/xenstore", tree.InPackages("usr/bin/xenstore"));
        foreach (string name in new[] { "chmod", "exists", "list", "ls", "read", "rm", "watch", "write" })
        {
            tree.Link($"usr/bin/xenstore-{name}", "xenstore");
        }

        foreach (string package in new[] { "xen-utils-common", "xen-utils-4.17" })
        {
            string scripts = Path.Combine(PackageStore.Contents(package), "etc/xen");
            if (!Directory.Exists(scripts))
            {
                continue;
            }

            foreach (string file in Directory.EnumerateFiles(scripts, "*", SearchOption.AllDirectories))
            {
                string name = Path.GetRelativePath(scripts, file);
                if (name == "xl.conf" || name.StartsWith("scripts/", StringComparison.Ordinal))
                {
                    tree.File("etc/xen/" + name, file, name != "xl.conf");
                }
            }
        }
    }

    private static void AddResources(SystemTree tree, string folder)
    {
        foreach (string name in Resources.Below(folder))
        {
            string text = Resources.Text(name);
            tree.Text(name[folder.Length..], text, text.StartsWith("#!", StringComparison.Ordinal));
        }
    }
}
