// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xt.Host;

namespace Xt.Debian;

/// <summary>
/// Debian packages that the machine under test is made of. They are fetched with apt, which checks their signatures,
/// and unpacked below <c>artifacts/cache/debian</c>; nothing is installed on the host. What is there once is used for
/// ever after: a test run does not depend on the network, and figures stay comparable. <c>xt clean --all</c> forgets.
/// </summary>
public static class PackageStore
{
    private static readonly Dictionary<string, string> s_unpacked = [];

    private static string Folder => Directory.CreateDirectory(Path.Combine(Workspace.Cache, "debian")).FullName;

    /// <summary>Makes sure that all these packages are unpacked; one call of apt for all that are missing.</summary>
    public static void Ensure(IEnumerable<string> packages)
    {
        List<string> missing = packages.Where(package => TryFind(package) == null).ToList();
        if (missing.Count == 0)
        {
            return;
        }

        using FileLock held = FileLock.Take("package");
        missing.RemoveAll(package => TryFind(package) != null);
        if (missing.Count == 0)
        {
            return;
        }

        Report.Step($"fetching from Debian: {string.Join(' ', missing)}");
        Download(missing);
        foreach (string package in missing)
        {
            Unpack(package);
        }
    }

    /// <summary>The folder with the unpacked contents of a package that <see cref="Ensure"/> has fetched.</summary>
    public static string Contents(string package) =>
        TryFind(package) ?? throw new XtException($"Debian package {package} was not fetched.");

    /// <summary>The package that the meta package <c>linux-image-amd64</c> stands for today.</summary>
    public static string KernelPackage()
    {
        // The choice is remembered: a new kernel in Debian must not change the machine between two runs.
        string note = Path.Combine(Folder, "kernel-package");
        if (!File.Exists(note))
        {
            RequireLists("linux-image-amd64");
            string depends = HostCommand.Require("apt-cache",
                ["depends", "--important", "--no-recommends", "--no-suggests", "linux-image-amd64"]);
            string kernel = depends.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                .FirstOrDefault(word => word.StartsWith("linux-image-", StringComparison.Ordinal) &&
                    word != "linux-image-amd64")
                ?? throw new XtException("apt-cache does not say which kernel linux-image-amd64 stands for.");
            _ = NewFile.Write(note, draft => File.WriteAllText(draft, kernel));
        }

        return File.ReadAllText(note).Trim();
    }

    private static string? TryFind(string package)
    {
        lock (s_unpacked)
        {
            if (s_unpacked.TryGetValue(package, out string? known))
            {
                return known;
            }

            string? found = Directory.EnumerateDirectories(Folder, package + "_*")
                .Where(path => !path.EndsWith(".new", StringComparison.Ordinal))
                .OrderDescending(StringComparer.Ordinal)
                .FirstOrDefault();
            if (found != null)
            {
                s_unpacked[package] = found;
            }

            return found;
        }
    }

    private static void Download(List<string> packages)
    {
        HostCommand.Outcome outcome = HostCommand.Capture("apt-get", ["download", "-qq", .. packages], Folder);
        if (outcome.Status != 0)
        {
            // Either the lists are absent (a fresh container) or they name versions that have been replaced since.
            RefreshLists();
            _ = HostCommand.Require("apt-get", ["download", "-qq", .. packages], Folder);
        }
    }

    private static void Unpack(string package)
    {
        string archive = Directory.EnumerateFiles(Folder, package + "_*.deb")
            .OrderByDescending(File.GetLastWriteTimeUtc)
            .FirstOrDefault() ?? throw new XtException($"apt-get download left no file for {package}.");
        string place = Path.Combine(Folder, Path.GetFileNameWithoutExtension(archive));
        string draft = place + ".new";
        if (Directory.Exists(draft))
        {
            Directory.Delete(draft, true);
        }

        _ = HostCommand.Require("dpkg-deb", ["--extract", archive, draft]);
        Directory.Move(draft, place);
        File.Delete(archive);
    }

    private static void RequireLists(string package)
    {
        if (HostCommand.Capture("apt-cache", ["show", package]).Status != 0)
        {
            RefreshLists();
        }
    }

    private static void RefreshLists()
    {
        Report.Step("refreshing the package lists (apt-get update)");
        string[] command = Environment.UserName == "root" ? ["apt-get"] : ["sudo", "apt-get"];
        _ = HostCommand.Require(command[0], [.. command[1..], "update", "-qq"]);
    }
}
