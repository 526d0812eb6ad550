// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Xt.Host;

namespace Xt.Debian;

/// <summary>Disk images that take minutes to make: each is kept in the cache under the key of what it is made of.</summary>
internal static class KeptDisk
{
    /// <summary>
    /// The image of that name and key; made when there is none, in place of those of other keys. Nobody may write to it.
    /// </summary>
    /// <param name="name">Begins the file's name.</param>
    /// <param name="key">What it is made of, as a word.</param>
    /// <param name="what">What is said to be made.</param>
    /// <param name="make">Makes it: a folder for what is wanted on the way, and the file.</param>
    public static string Get(string name, string key, string what, Action<string, string> make)
    {
        string path = Path.Combine(Workspace.Cache, $"{name}-{key}.img");
        if (File.Exists(path))
        {
            return path;
        }

        using FileLock held = FileLock.Take(name);
        if (File.Exists(path))
        {
            return path;
        }

        foreach (string old in Directory.EnumerateFiles(Workspace.Cache, $"{name}-*.img"))
        {
            File.Delete(old);
        }

        string folder = Directory.CreateDirectory(Path.Combine(Workspace.Cache, $"{name}.{Environment.ProcessId}.new")).FullName;
        try
        {
            Report.Step($"making {what} of its packages; this takes some minutes, once");
            return NewFile.Write(path, draft => make(folder, draft));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }
}
