// SPDX-License-Identifier: MIT
using System.CommandLine;
using System.IO;
using Xt.Build;
using Xt.Debian;
using Xt.Host;
using Xt.Image;
using Xt.Machine;

namespace Xt.Commands;

/// <summary><c>xt build</c> and <c>xt iso</c>: the products, without booting them.</summary>
public static class BuildCommand
{
    public static Command Create()
    {
        Argument<string> what = new("what")
        {
            Description = "all, hypervisor (artifacts/xen), programs (artifacts/dom0), or package: all of it for Debian's dpkg",
            DefaultValueFactory = _ => "all",
        };
        _ = what.AcceptOnlyFromAmong("all", "hypervisor", "programs", "package");
        Option<bool> force = new("--force") { Description = "build even what has not changed" };
        Command command = new("build",
            "Build the hypervisor and the programs of Domain-0 into artifacts/; what has not changed is not built again.")
        {
            what,
            force,
        };
        command.SetAction(result =>
        {
            string chosen = result.GetRequiredValue(what);
            if (chosen != "programs")
            {
                Products.BuildHypervisor(result.GetValue(force));
            }

            if (chosen != "hypervisor")
            {
                Products.BuildPrograms(result.GetValue(force));
            }

            if (chosen == "package")
            {
                System.Console.WriteLine(XenPackage.Make());
            }

            return 0;
        });
        return command;
    }

    public static Command CreateIso()
    {
        MachineSwitches switches = new();
        Option<string?> output = new("--output", "-o") { Description = "copy the image to this file" };
        Command command = new("iso",
            "Make the ISO image that `xt run` boots, and print its path. It starts from a CD or a USB stick (BIOS), or\n"
            + "with --loader efi also by UEFI. With --disk debian it is the disk instead. Its name is a hash of its contents; equal contents give equal bytes.")
        {
            output,
        };
        switches.AddTo(command);
        command.SetAction(result =>
        {
            MachineOptions options = switches.Read(result);
            switches.Prepare(result, options);
            BootFiles files = BootFiles.Gather(options);
            string iso = options.Disk != null ? DebianDisk.Make(options, files) : BootIso.Make(options, files);
            if (result.GetValue(output) is string copy)
            {
                File.Copy(iso, copy, true);
                iso = copy;
            }

            System.Console.WriteLine(iso);
            return 0;
        });
        return command;
    }

    public static Command CreateClean()
    {
        Option<bool> all = new("--all") { Description = "also the Debian packages and everything else in artifacts/" };
        Command command = new("clean", "Remove what was built. The fetched Debian packages stay, unless --all.") { all };
        command.SetAction(result =>
        {
            foreach (FileSystemInfo entry in new DirectoryInfo(Workspace.Artifacts).EnumerateFileSystemInfos())
            {
                if (entry.Name == "cache" && !result.GetValue(all))
                {
                    continue;
                }

                if (entry is DirectoryInfo folder)
                {
                    folder.Delete(true);
                }
                else
                {
                    entry.Delete();
                }
            }

            foreach (string stamp in Directory.EnumerateFiles(Workspace.Cache, "published-*"))
            {
                File.Delete(stamp);
            }

            Report.Step("artifacts/ is clean");
            return 0;
        });
        return command;
    }
}
