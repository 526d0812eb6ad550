// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Xt.Host;
using Xt.Machine;

namespace Xt.Image;

/// <summary>
/// Makes an ISO image that GRUB boots: from CD and from a USB stick by BIOS, and, where asked for, by UEFI. The name
/// says the contents (a hash), so an image that exists need not be made again; the same contents give the same bytes.
/// </summary>
public static class BootIso
{
    private const int KeptImages = 6;

    /// <summary>Any time does, if only it is always the same.</summary>
    private const string FixedDate = "2005120500000000";

    /// <summary>Younger images may be about to be opened by a driver that runs beside this one.</summary>
    private static readonly TimeSpan s_sureToBeOpened = TimeSpan.FromMinutes(10);

    private static readonly string[] s_modules =
    [
        "iso9660", "multiboot", "multiboot2", "linux", "normal", "configfile", "serial", "terminal", "echo", "test",
        "search", "gzio", "part_msdos", "part_gpt", "reboot", "halt", "sleep",
    ];

    public static string Make(MachineOptions options, BootFiles files)
    {
        bool byEfi = options.Loader == LoaderKind.Efi;
        string template = File.ReadAllText(Workspace.InSources("grub", "grub.cfg"));
        string settings = Settings(options, files);
        string path;
        using (ContentKey key = new())
        {
            string name = key.Add(template).Add(settings).Add(files.Key()).Add(byEfi ? "efi" : "bios").Finish();
            path = Path.Combine(Workspace.Isos, $"{options.Hypervisor.ToString().ToLowerInvariant()}-{name}.iso");
        }

        if (File.Exists(path))
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            return path;
        }

        Prune();
        string folder = Directory.CreateTempSubdirectory("xt-iso-").FullName;
        try
        {
            string grub = Directory.CreateDirectory(Path.Combine(folder, "boot/grub")).FullName;
            File.WriteAllText(Path.Combine(grub, "grub.cfg"), template);
            File.WriteAllText(Path.Combine(grub, "settings.cfg"), settings);
            File.Copy(Core("i386-pc-eltorito", "biosdisk", "vbe"), Path.Combine(grub, "bios.img"));
            List<string> arguments =
            [
                "-as", "mkisofs", "-quiet", "-rational-rock", "-volid", "XEN",
                "-b", "boot/grub/bios.img", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
                "--grub2-boot-info", "--grub2-mbr", "/usr/lib/grub/i386-pc/boot_hybrid.img",
                "--protective-msdos-label",
            ];
            if (byEfi)
            {
                EfiPartition(Path.Combine(grub, "efi.img"));
                arguments.AddRange(["-eltorito-alt-boot", "-e", "boot/grub/efi.img", "-no-emul-boot"]);
            }

            arguments.AddRange([$"--modification-date={FixedDate}", "--set_all_file_dates", FixedDate]);
            Place(files, folder);
            _ = NewFile.Write(path, draft =>
                HostCommand.Require("xorriso", [.. arguments, "-o", draft, folder]));
        }
        finally
        {
            Directory.Delete(folder, true);
        }

        return path;
    }

    private static void Place(BootFiles files, string folder)
    {
        string boot = Path.Combine(folder, "boot");
        if (files.Hypervisor != null)
        {
            File.Copy(files.Hypervisor, Path.Combine(boot, "xen"));
        }

        if (files.Kernel != null)
        {
            File.Copy(files.Kernel, Path.Combine(boot, files.HasInitrd ? "vmlinuz" : "module"));
        }

        if (files.HasInitrd)
        {
            _ = files.WriteInitrd(Path.Combine(boot, "initrd"));
        }
    }

    private static string Settings(MachineOptions options, BootFiles files)
    {
        bool isFirst = options.Loader == LoaderKind.GrubMultiboot1;
        string entry = files switch
        {
            { Hypervisor: null } => "bare",
            { Kernel: null } => "alone",
            { HasInitrd: true } => isFirst ? "grub-mb1" : "grub-mb2",
            _ => isFirst ? "module-mb1" : "module-mb2",
        };
        StringBuilder text = new("# Written by tools/xt.\n");
        _ = text.Append($"set default={entry}\n");
        _ = text.Append($"set hypervisor_arguments={Quoted(files.HypervisorArguments)}\n");
        _ = text.Append($"set kernel_arguments={Quoted(files.KernelArguments)}\n");
        // EFI has no text mode to ask for.
        if (options.Screen != null && (options.Screen, options.Loader) != (MachineOptions.TextScreen, LoaderKind.Efi))
        {
            _ = text.Append($"set screen={Quoted(options.Screen)}\n");
        }

        return text.ToString();
    }

    /// <summary>One word in GRUB's language.</summary>
    public static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>GRUB's program for one firmware, with its modules inside; made once.</summary>
    private static string Core(string format, params string[] more)
    {
        string[] modules = [.. s_modules, .. more];
        using ContentKey key = new();
        string path = Path.Combine(
            Workspace.Cache, $"grub-{format}-{key.Add(string.Join(' ', modules)).Finish()}.img");
        if (!File.Exists(path))
        {
            _ = NewFile.Write(path, draft => HostCommand.Require("grub-mkimage",
                ["-O", format, "-p", "/boot/grub", "-o", draft, .. modules]));
        }

        return path;
    }

    private static void EfiPartition(string path)
    {
        string program = Core("x86_64-efi", "efi_gop", "part_gpt", "fat", "search_fs_file");
        using (FileStream disk = File.Create(path))
        {
            disk.SetLength(4 << 20);
        }

        _ = HostCommand.Require("mformat", ["-i", path, "-N", "0", "::"]);
        _ = HostCommand.Require("mmd", ["-i", path, "::/EFI", "::/EFI/BOOT"]);
        _ = HostCommand.Require("mcopy", ["-i", path, program, "::/EFI/BOOT/BOOTX64.EFI"]);
    }

    private static void Prune()
    {
        foreach (FileInfo old in new DirectoryInfo(Workspace.Isos).EnumerateFiles("*.iso")
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .Skip(KeptImages)
            .Where(file => file.LastWriteTimeUtc < DateTime.UtcNow - s_sureToBeOpened))
        {
            old.Delete();
        }
    }
}
