// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Xt.Debian;
using Xt.Host;

namespace Xt.Image;

/// <summary>
/// A root file system in the making: paths and what stands there. Programs bring the shared libraries that they need,
/// found in the unpacked Debian packages, so that the image does not depend on what the host has installed.
/// </summary>
public sealed class SystemTree
{
    private const string LibraryFolder = "usr/lib/x86_64-linux-gnu";

    private static readonly string[] s_libraryFolders = [LibraryFolder, "lib/x86_64-linux-gnu", "lib64", "usr/lib64"];

    private readonly SortedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);
    private readonly List<string> _packages;

    public SystemTree(IEnumerable<string> packages) => _packages = [.. packages];

    public void Folder(string path)
    {
        if (path.Length == 0 || _entries.ContainsKey(path))
        {
            return;
        }

        Parents(path);
        _entries[path] = new Entry(EntryKind.Folder, 0, null, null, null, 0, 0);
    }

    public void Text(string path, string text, bool executable = false) =>
        Add(path, new Entry(EntryKind.Bytes, executable ? 0x1ed : 0x1a4, null, Encoding.UTF8.GetBytes(text), null, 0, 0));

    public void File(string path, string source, bool executable = false) =>
        Add(path, new Entry(EntryKind.File, executable ? 0x1ed : 0x1a4, source, null, null, 0, 0));

    public void Link(string path, string target) =>
        Add(path, new Entry(EntryKind.Link, 0, null, null, target, 0, 0));

    public void CharacterDevice(string path, int major, int minor) =>
        Add(path, new Entry(EntryKind.Device, 0, null, null, null, major, minor));

    public bool Has(string path) => _entries.ContainsKey(path);

    /// <summary>A program or a library of the host, and everything that it needs to start.</summary>
    public void Program(string path, string source)
    {
        File(path, source, true);
        ElfObject? elf = ElfObject.TryRead(source);
        foreach (string library in elf?.NeededLibraries() ?? [])
        {
            Library(library, source);
        }
    }

    public void Library(string name, string wantedBy)
    {
        // The dynamic linker's path is part of the ABI; everything else is found through its default folders.
        string place = name.StartsWith("ld-linux", StringComparison.Ordinal)
            ? "usr/lib64/" + name
            : $"{LibraryFolder}/{name}";
        if (!Has(place))
        {
            Program(place, FindLibrary(name) ?? throw new XtException(
                $"No package in the list brings {name}, which {Path.GetFileName(wantedBy)} needs.",
                "Add the package to Dom0Packages in tools/Xt/Image/Dom0Image.cs."));
        }
    }

    /// <summary>The file at this path in whichever package has it.</summary>
    public string InPackages(string path)
    {
        foreach (string package in _packages)
        {
            string candidate = Path.Combine(PackageStore.Contents(package), path);
            if (System.IO.File.Exists(candidate))
            {
                return candidate;
            }
        }

        throw new XtException($"None of the fetched Debian packages holds {path}.");
    }

    public string Key(string purpose)
    {
        using ContentKey key = new();
        _ = key.Add(purpose);
        foreach ((string path, Entry entry) in _entries)
        {
            _ = key.Add($"{path}|{entry.Kind}|{entry.Mode}|{entry.Target}|{entry.Major}|{entry.Minor}");
            _ = entry.Source != null ? key.AddFile(entry.Source) : key.Add(entry.Content ?? []);
        }

        return key.Finish();
    }

    public void Write(Stream stream)
    {
        CpioWriter archive = new(stream);
        foreach ((string path, Entry entry) in _entries)
        {
            switch (entry.Kind)
            {
                case EntryKind.Folder:
                    archive.Folder(path);
                    break;
                case EntryKind.File:
                    archive.File(path, entry.Mode, System.IO.File.ReadAllBytes(entry.Source!));
                    break;
                case EntryKind.Bytes:
                    archive.File(path, entry.Mode, entry.Content);
                    break;
                case EntryKind.Link:
                    archive.Link(path, entry.Target!);
                    break;
                case EntryKind.Device:
                    archive.CharacterDevice(path, entry.Major, entry.Minor);
                    break;
            }
        }

        archive.Finish();
    }

    private string? FindLibrary(string name)
    {
        foreach (string package in _packages)
        {
            foreach (string folder in s_libraryFolders)
            {
                string candidate = Path.Combine(PackageStore.Contents(package), folder, name);
                if (System.IO.File.Exists(candidate))
                {
                    // The image holds the file under the name that programs ask for; versioned names are of no use.
                    return System.IO.File.ResolveLinkTarget(candidate, true)?.FullName ?? candidate;
                }
            }
        }

        return null;
    }

    private void Add(string path, Entry entry)
    {
        Parents(path);
        _entries[path] = entry;
    }

    private void Parents(string path)
    {
        int slash = path.LastIndexOf('/');
        if (slash > 0)
        {
            Folder(path[..slash]);
        }
    }

    private enum EntryKind
    {
        Folder,
        File,
        Bytes,
        Link,
        Device,
    }

    private sealed record Entry(
        EntryKind Kind, int Mode, string? Source, byte[]? Content, string? Target, int Major, int Minor);
}
