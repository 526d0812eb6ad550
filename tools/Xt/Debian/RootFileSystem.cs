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
/// A root file system of Debian 12, made of its packages by mmdebstrap and of files of our own, and written into a disk image
/// as ext4. No step needs more than an ordinary user: mmdebstrap has namespaces, owners and device nodes are fakeroot's, and
/// the image is written as a file. Equal packages and files give equal bytes.
/// </summary>
internal sealed record RootFileSystem
{
    private const string Suite = "bookworm";

    /// <summary>Where the archive, the tree and the script are put.</summary>
    public required string Folder { get; init; }

    /// <summary>Which packages mmdebstrap takes by itself.</summary>
    public required string Variant { get; init; }

    /// <summary>Packages on top of them.</summary>
    public required IEnumerable<string> Packages { get; init; }

    /// <summary>Commands of the host's shell on the finished tree, which is $1.</summary>
    public required IEnumerable<string> Commands { get; init; }

    /// <summary>Files of /etc that are written last, with a line each.</summary>
    public required IReadOnlyDictionary<string, string> Lines { get; init; }

    /// <summary>The file system's name.</summary>
    public required string Label { get; init; }

    /// <summary>The file system's UUID.</summary>
    public required string Id { get; init; }

    /// <summary>Files that are put into the root file system, before the commands: a folder as it is there.</summary>
    public string OwnFiles => Path.Combine(Folder, "files");

    /// <summary>The unpacked root file system, once it was written.</summary>
    public string Tree => Path.Combine(Folder, "root");

    /// <summary>Puts all files of the driver below a name among the own files.</summary>
    public void AddResources(string source)
    {
        foreach (string name in Resources.Below(source))
        {
            string file = Path.Combine(OwnFiles, name[source.Length..]);
            _ = Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, Resources.Text(name));
        }
    }

    /// <summary>Makes it and writes it to <paramref name="disk"/>, of <paramref name="size"/> bytes from there on.</summary>
    public void Write(string disk, long offset, long size)
    {
        string archive = Install();
        _ = Directory.CreateDirectory(Tree);
        using (FileStream stream = File.Create(disk))
        {
            stream.SetLength(offset + size);
        }

        StringBuilder lines = new();
        foreach ((string name, string line) in Lines)
        {
            _ = lines.Append(CultureInfo.InvariantCulture, $"echo '{line}' >'{Tree}/etc/{name}'\n");
        }

        string changed = string.Join(' ', Lines.Keys.Select(name => $"'{Tree}/etc/{name}'"));
        string script = Path.Combine(Folder, "assemble");
        File.WriteAllText(script, string.Create(CultureInfo.InvariantCulture,
            $"""
            set -eu
            tar --extract --file '{archive}' --numeric-owner --directory '{Tree}'
            {lines}
            touch --date=@{XenPackage.FixedTime} {changed} '{Tree}/etc'
            E2FSPROGS_FAKE_TIME={XenPackage.FixedTime} mke2fs -q -F -t ext4 -L {Label} -U {Id} -m 1 \
                -O ^metadata_csum_seed,^orphan_file -E hash_seed={Id},root_owner=0:0,offset={offset} \
                -d '{Tree}' '{disk}' {size >> 10}k
            """));
        _ = HostCommand.Require("fakeroot", ["sh", script]);
    }

    /// <summary>The root file system as an archive.</summary>
    private string Install()
    {
        string own = Path.Combine(Folder, "files.tar");
        _ = HostCommand.Require("tar",
        [
            "--create", "--file", own, "--owner=0", "--group=0", "--mode=u=rwX,go=rX", "--sort=name", "--directory", OwnFiles, ".",
        ]);
        string archive = Path.Combine(Folder, "root.tar");
        _ = HostCommand.Require("env",
        [
            "SOURCE_DATE_EPOCH=" + XenPackage.FixedTime, "mmdebstrap", "--quiet", "--variant=" + Variant,
            "--include=" + string.Join(',', Packages),
            "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-include=/usr/share/doc/*/copyright", "--dpkgopt=path-exclude=/usr/share/locale/*",
            $"--customize-hook=tar-in {own} /", .. Commands.Select(command => "--customize-hook=" + command),
            Suite, archive,
        ]);
        return archive;
    }
}
