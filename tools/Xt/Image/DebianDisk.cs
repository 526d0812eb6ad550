// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Xt.Debian;
using Xt.Host;
using Xt.Machine;

namespace Xt.Image;

/// <summary>
/// The Debian disk for one run: a copy of the cached one, with the files of our package as they were built last, the words of
/// the command lines, and the far end of a test session. What a machine writes to it is gone with the machine.
/// </summary>
public static class DebianDisk
{
    /// <summary>The one disk there is to choose.</summary>
    public const string Name = "debian";

    private const int KeptDisks = 2;
    private const int Executable = 0x81ED;
    private const int Plain = 0x81A4;

    /// <summary>Younger disks may be about to be opened by a driver that runs beside this one.</summary>
    private static readonly TimeSpan s_sureToBeOpened = TimeSpan.FromMinutes(10);

    public static string Make(MachineOptions options, BootFiles files)
    {
        string origin = DebianSystem.Disk();
        List<XenPackage.Entry> entries = [.. XenPackage.Entries().Where(entry => entry.Target == null)];
        if (options.Hypervisor == HypervisorKind.Xen || options.HypervisorImage != null)
        {
            _ = entries.RemoveAll(entry => entry.Path == "boot/xen.gz");
            entries.Add(new("boot/xen.gz", false, files.Hypervisor, null));
        }

        entries.Add(Text("var/lib/dpkg/info/xen-csharp.md5sums", XenPackage.Sums()));
        entries.Add(Text("boot/grub/settings.cfg", Settings(options, files)));
        entries.Add(Text("usr/lib/xt/agent", Resources.Text("Dom0/usr/lib/xt/agent")) with { IsExecutable = true });
        entries.Add(Text("etc/xt/token", Dom0Session.Token + "\n"));

        string path;
        using (ContentKey key = new())
        {
            _ = key.AddFile(origin);
            foreach (XenPackage.Entry entry in entries)
            {
                _ = key.Add($"{entry.Path}|{entry.IsExecutable}");
                _ = entry.Source != null ? key.AddFile(entry.Source) : key.Add(entry.Content);
            }

            path = Path.Combine(Workspace.Isos, $"debian-{key.Finish()}.img");
        }

        if (File.Exists(path))
        {
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            return path;
        }

        Prune();
        return NewFile.Write(path, draft =>
        {
            _ = HostCommand.Require("cp", ["--reflink=auto", "--sparse=always", origin, draft]);
            Replace(draft, entries);
        });
    }

    private static XenPackage.Entry Text(string path, string text) => new(path, false, null, Encoding.UTF8.GetBytes(text));

    private static string Settings(MachineOptions options, BootFiles files)
    {
        StringBuilder text = new("# Written by tools/xt.\n");
        _ = text.Append(files.Hypervisor == null ? "set default=bare\n" : string.Empty);
        _ = text.Append($"set hypervisor_arguments={BootIso.Quoted(files.HypervisorArguments)}\n");
        _ = text.Append($"set kernel_arguments={BootIso.Quoted(files.KernelArguments)}\n");
        if (options.Screen != null && (options.Screen, options.Loader) != (MachineOptions.TextScreen, LoaderKind.Efi))
        {
            _ = text.Append($"set screen={BootIso.Quoted(options.Screen)}\n");
        }

        return text.ToString();
    }

    /// <summary>Writes files into the root file system without mounting it.</summary>
    private static void Replace(string disk, List<XenPackage.Entry> entries)
    {
        string folder = Directory.CreateTempSubdirectory("xt-disk-").FullName;
        try
        {
            StringBuilder commands = new();
            HashSet<string> folders = [];
            foreach (XenPackage.Entry entry in entries)
            {
                string source = entry.Source ?? Path.Combine(folder, entry.Path.Replace('/', '_'));
                if (entry.Content != null)
                {
                    File.WriteAllBytes(source, entry.Content);
                }

                string place = "/" + Path.GetDirectoryName(entry.Path);
                string name = Path.GetFileName(entry.Path);
                _ = folders.Add(place);
                _ = commands.Append(CultureInfo.InvariantCulture,
                    $"cd {place}\nrm {name}\nwrite \"{source}\" {name}\nsif {name} mode 0{Convert.ToString(
                        entry.IsExecutable ? Executable : Plain, 8)}\n");
            }

            string script = Path.Combine(folder, "commands");
            string made = string.Concat(new[] { "/usr/lib/xt", "/etc/xt" }.Select(place => $"mkdir {place}\n"));
            File.WriteAllText(script, made + commands);
            string said = HostCommand.Capture(
                "debugfs", ["-w", "-f", script, $"{disk}?offset={DebianSystem.RootOffset}"]) is { Status: 0 } outcome
                ? outcome.Errors
                : throw new XtException("debugfs cannot write to the disk image.");

            // It goes on after an error. A file that is not there to be removed is none.
            string[] errors =
            [
                .. said.Split('\n').Skip(1).Where(line => line.Length != 0
                    && !line.Contains("File not found by ext2_lookup", StringComparison.Ordinal)),
            ];
            if (errors.Length != 0)
            {
                throw new XtException($"debugfs, writing to the disk image: {string.Join(' ', errors)}");
            }
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static void Prune()
    {
        foreach (FileInfo old in new DirectoryInfo(Workspace.Isos).EnumerateFiles("debian-*.img")
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .Skip(KeptDisks)
            .Where(file => file.LastWriteTimeUtc < DateTime.UtcNow - s_sureToBeOpened))
        {
            old.Delete();
        }
    }
}
