// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Xt.Host;
using Xt.Image;

namespace Xt.Machine;

/// <summary>The command line of QEMU for a machine.</summary>
public static class QemuCommand
{
    public const string Program = "qemu-system-x86_64";

    private const int MostThreads = 2;

    private const string EfiCode = "/usr/share/OVMF/OVMF_CODE.fd";

    /// <summary>Arguments for this machine; the serial line is QEMU's own standard input and output.</summary>
    public static List<string> Arguments(MachineOptions options, BootFiles files, string serialLog, bool interactive)
    {
        List<string> line =
        [
            "-machine", $"{options.Machine},memory-backend=ram", "-accel", Accelerator(options), "-cpu", options.CpuModel,
            "-smp", options.Cpus.ToString(CultureInfo.InvariantCulture),
            "-m", options.MemoryMegabytes.ToString(CultureInfo.InvariantCulture),
            // Machines may be larger than the host: what they do not touch costs nothing.
            "-object", string.Create(
                CultureInfo.InvariantCulture, $"memory-backend-ram,id=ram,size={options.MemoryMegabytes}M,reserve=off"),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            // On a terminal Ctrl+A is QEMU's, and Ctrl+C goes to the machine.
            "-chardev", $"stdio,id=serial0,logfile={Escaped(serialLog)}" +
                (interactive ? ",mux=on,signal=off" : ",signal=off"),
            "-serial", "chardev:serial0",
        ];
        if (interactive)
        {
            line.AddRange(["-mon", "chardev=serial0,mode=readline"]);
        }

        if (options.Screen != null)
        {
            line.AddRange(["-device", "VGA"]);
        }

        if (options.InstructionCount)
        {
            line.AddRange(["-icount", "shift=0,sleep=off"]);
        }

        if (options.Gdb)
        {
            line.AddRange(["-s", "-S"]);
        }

        if (options.QemuLog != null)
        {
            line.AddRange(["-d", "int,cpu_reset", "-D", Path.GetFullPath(options.QemuLog)]);
        }

        AddBoot(line, options, files);
        foreach (string drive in options.Drives)
        {
            string format = Path.GetExtension(drive) == ".qcow2" ? "qcow2" : "raw";
            line.AddRange(["-drive", drive.Contains('=', StringComparison.Ordinal)
                ? drive
                : $"file={Escaped(Path.GetFullPath(drive))},if=virtio,format={format}"]);
        }

        line.AddRange(options.QemuArguments);
        return line;
    }

    private static void AddBoot(List<string> line, MachineOptions options, BootFiles files)
    {
        if (options.Loader != LoaderKind.Kernel)
        {
            if (options.Loader == LoaderKind.Efi)
            {
                line.AddRange(["-drive", $"if=pflash,format=raw,readonly=on,file={EfiCode}"]);
            }

            if (options.Disk != null)
            {
                line.AddRange(["-drive",
                    $"if=none,id=system,format=raw,snapshot=on,file={Escaped(DebianDisk.Make(options, files))}",
                    "-device", "virtio-blk-pci,drive=system,bootindex=0"]);
                return;
            }

            line.AddRange(["-cdrom", BootIso.Make(options, files)]);
            return;
        }

        string? initrd = files.HasInitrd ? CachedInitrd(files) : null;
        if (files.Hypervisor == null)
        {
            line.AddRange(["-kernel", files.Kernel!, "-append", files.KernelArguments]);
            if (initrd != null)
            {
                line.AddRange(["-initrd", initrd]);
            }

            return;
        }

        line.AddRange(["-kernel", files.Hypervisor, "-append", files.HypervisorArguments]);
        if (files.Kernel != null)
        {
            // QEMU separates modules by commas, and takes a doubled one for itself.
            string modules = Escaped($"{files.Kernel} {files.KernelArguments}".TrimEnd());
            line.AddRange(["-initrd", initrd == null ? modules : $"{modules},{Escaped(initrd)}"]);
        }
    }

    private static string CachedInitrd(BootFiles files)
    {
        if (files.InitrdOverlay.Length == 0)
        {
            return files.InitrdBase!;
        }

        // One file whose name never changes would be pulled from under a machine that is being loaded beside us.
        string path = Path.Combine(Workspace.Isos, $"initrd-{files.Key()}");
        foreach (string old in Directory.EnumerateFiles(Workspace.Isos, "initrd-*")
            .Where(old => old != path && File.GetLastWriteTimeUtc(old) < DateTime.UtcNow.AddMinutes(-10)))
        {
            File.Delete(old);
        }

        return File.Exists(path) ? path : files.WriteInitrd(path);
    }

    /// <summary>
    /// One thread takes turns for the CPUs where there are many. With a thread for each, QEMU 7.2 may translate an instruction
    /// just as another CPU overwrites it, and go on with the old one: a kernel that patches its code then meets the same
    /// breakpoint for ever. The more threads share a core of the host, the more often.
    /// </summary>
    private static string Accelerator(MachineOptions options) =>
        options.Accelerator == "tcg" && options.Cpus > MostThreads ? "tcg,thread=single" : options.Accelerator;

    private static string Escaped(string text) => text.Replace(",", ",,", StringComparison.Ordinal);
}
