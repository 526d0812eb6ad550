// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Xml.Linq;

namespace Xt.Build;

/// <summary>
/// Says whether something made is older than what it is made of. The build programs know it too, but asking them takes
/// seconds, and most runs change nothing.
/// </summary>
public static class SourceAge
{
    private static readonly string[] s_generatedFolders = ["bin", "obj", "artifacts"];

    /// <summary>True when the product is absent or a source is newer.</summary>
    public static bool IsStale(string product, IEnumerable<string> sources)
    {
        if (!File.Exists(product))
        {
            return true;
        }

        DateTime made = File.GetLastWriteTimeUtc(product);
        return sources.SelectMany(Files).Any(file => File.GetLastWriteTimeUtc(file) > made);
    }

    /// <summary>The folder of a project, those of the projects it refers to, and the build files they share.</summary>
    public static IReadOnlyCollection<string> OfProject(string project)
    {
        HashSet<string> folders = [.. SharedFiles()];
        AddProject(Path.GetFullPath(project), folders);
        return folders;
    }

    public static IEnumerable<string> SharedFiles() =>
        Directory.EnumerateFiles(Workspace.Root, "Directory.*").Append(Workspace.InSources("global.json"));

    private static void AddProject(string project, HashSet<string> folders)
    {
        string folder = Path.GetDirectoryName(project)!;
        if (!File.Exists(project) || !folders.Add(folder))
        {
            return;
        }

        foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
        {
            string? path = reference.Attribute("Include")?.Value;
            if (path != null)
            {
                AddProject(Path.GetFullPath(Path.Combine(folder, path.Replace('\\', '/'))), folders);
            }
        }
    }

    private static IEnumerable<string> Files(string path)
    {
        if (File.Exists(path))
        {
            return [path];
        }

        return Directory.Exists(path)
            ? Directory.EnumerateFiles(path)
                .Concat(Directory.EnumerateDirectories(path)
                    .Where(folder => !s_generatedFolders.Contains(Path.GetFileName(folder)))
                    .SelectMany(Files))
            : [];
    }
}
