// SPDX-License-Identifier: MIT
using System;
using System.IO;

namespace Toolchain.Tests;

/// <summary>Files of the work tree, found from where the tests run.</summary>
internal static class RepositoryFiles
{
    private static readonly string s_root = FindRoot();

    public static string Path(params string[] parts) => System.IO.Path.Combine([s_root, .. parts]);

    public static string Text(params string[] parts) => File.ReadAllText(Path(parts));

    private static string FindRoot()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory != null && !File.Exists(System.IO.Path.Combine(directory.FullName, "Xen.sln")))
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new InvalidOperationException("Xen.sln is nowhere above the tests.");
    }
}
