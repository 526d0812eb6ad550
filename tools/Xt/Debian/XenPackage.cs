// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text;
using Xt.Host;

namespace Xt.Debian;

/// <summary>
/// The Debian package of this repository: the image for GRUB, the programs of Domain-0 with their manual and completion,
/// the systemd units, rules for udev, and the script by which update-grub finds the image. Made of what was built; equal contents give equal bytes.
/// </summary>
public static class XenPackage
{
    /// <summary>Any time does, if only it is always the same.</summary>
    public const string FixedTime = "1133740800";

    private const string Name = "xen-csharp";

    private static readonly string[] s_scripts = ["postinst", "prerm", "postrm"];

    /// <summary>A file that the package installs: a file of the host, or bytes; or a link.</summary>
    public sealed record Entry(string Path, bool IsExecutable, string? Source, byte[]? Content, string? Target = null)
    {
        public byte[] Bytes() => Content ?? File.ReadAllBytes(Source!);
    }

    /// <summary>Makes the package in <c>artifacts</c>.</summary>
    public static string Make()
    {
        string folder = Directory.CreateTempSubdirectory("xt-package-").FullName;
        try
        {
            List<string> programs = [];
            foreach (Entry entry in Entries())
            {
                string path = Path.Combine(folder, entry.Path);
                _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                if (entry.Target != null)
                {
                    _ = File.CreateSymbolicLink(path, entry.Target);
                    continue;
                }

                File.WriteAllBytes(path, entry.Bytes());
                if (entry.IsExecutable)
                {
                    programs.Add(path);
                }
            }

            foreach (string place in new[] { "etc/xen/auto", "var/log/xen/console" })
            {
                _ = Directory.CreateDirectory(Path.Combine(folder, place));
            }

            AddControl(Path.Combine(folder, "DEBIAN"), programs);
            _ = HostCommand.Require("chmod", ["u+x", .. programs]);
            _ = HostCommand.Require("chmod", ["-R", "u=rwX,go=rX", folder]);
            return NewFile.Write(Path.Combine(Workspace.Artifacts, Name + ".deb"), draft =>
                _ = HostCommand.Require("env",
                [
                    "SOURCE_DATE_EPOCH=" + FixedTime, "dpkg-deb", "--root-owner-group", "-Zxz", "--build", folder, draft,
                ]));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>What is in the package; it changes with the repository, but for its list and its control files, rarely.</summary>
    public static IReadOnlyList<Entry> Entries()
    {
        List<Entry> entries =
        [
            new("boot/xen.gz", false, Workspace.Hypervisor + ".gz", null),
            new("etc/grub.d/20_xen", true, Workspace.InSources("grub", "20_xen"), null),
            new($"usr/share/doc/{Name}/copyright", false, Workspace.InSources("LICENSE"), null),
            new($"usr/share/doc/{Name}/examples/xmexample1", false,
                Workspace.InSources("tools", "Xt", "Dom0", "etc", "xen", "xmexample1"), null),
            // They stand in for the init scripts of Debian's tools.
            new("lib/systemd/system/xen.service", false, null, null, "xend.service"),
            new("lib/systemd/system/xendomains.service", false, null, null, "xend-domains.service"),
        ];
        foreach (string unit in Directory.EnumerateFiles(Workspace.InSources("packaging", "systemd")))
        {
            entries.Add(new("lib/systemd/system/" + Path.GetFileName(unit), false, unit, null));
        }

        foreach (string rules in Directory.EnumerateFiles(Workspace.InSources("packaging", "udev")))
        {
            entries.Add(new("lib/udev/rules.d/" + Path.GetFileName(rules), false, rules, null));
        }

        foreach (string program in new[] { "xend", "xm" })
        {
            string file = Path.Combine(Workspace.Dom0Programs, program);
            if (!File.Exists(file))
            {
                throw new XtException($"There is no artifacts/dom0/{program} yet.", "Build it: tools/xt build");
            }

            entries.Add(new("usr/sbin/" + program, true, file, null));
        }

        string xm = Path.Combine(Workspace.Dom0Programs, "xm");
        entries.Add(new("usr/share/man/man1/xm.1.gz", false, null, Packed(HostCommand.Require(xm, ["help", "--manual"]))));
        foreach (string page in new[] { "xend.8", "xm.cfg.5" })
        {
            entries.Add(new($"usr/share/man/man{page[^1]}/{page}.gz", false, null,
                Packed(File.ReadAllText(Workspace.InSources("docs", "man", page)))));
        }

        entries.Add(new("usr/share/bash-completion/completions/xm", false, null,
            Encoding.UTF8.GetBytes(HostCommand.Require(xm, ["help", "--completion"]))));
        return [.. entries.OrderBy(entry => entry.Path, StringComparer.Ordinal)];
    }

    /// <summary>What dpkg keeps to find out which files were changed.</summary>
    public static string Sums() => string.Concat(Entries()
        .Where(entry => entry.Target == null && !IsConfiguration(entry.Path))
        .Select(entry => string.Create(CultureInfo.InvariantCulture,
            $"{Convert.ToHexStringLower(System.Security.Cryptography.MD5.HashData(entry.Bytes()))}  {entry.Path}\n")));

    /// <summary>Control files: dpkg's knowledge of the package, and the scripts that it runs.</summary>
    public static IEnumerable<string> ControlFiles() =>
        new[] { "control", "conffiles" }.Concat(s_scripts).Select(name => Workspace.InSources("packaging", "debian", name));

    private static bool IsConfiguration(string path) => path.StartsWith("etc/", StringComparison.Ordinal);

    private static void AddControl(string folder, List<string> programs)
    {
        _ = Directory.CreateDirectory(folder);
        foreach (string file in ControlFiles())
        {
            string place = Path.Combine(folder, Path.GetFileName(file));
            File.Copy(file, place);
            if (s_scripts.Contains(Path.GetFileName(file)))
            {
                programs.Add(place);
            }
        }

        File.WriteAllText(Path.Combine(folder, "md5sums"), Sums());
    }

    private static byte[] Packed(string text)
    {
        using MemoryStream packed = new();
        using (GZipStream stream = new(packed, CompressionLevel.SmallestSize))
        {
            stream.Write(Encoding.UTF8.GetBytes(text));
        }

        return packed.ToArray();
    }
}
