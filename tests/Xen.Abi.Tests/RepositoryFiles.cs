// SPDX-License-Identifier: MIT

using System;
using System.IO;

namespace Xen.Abi.Tests;

/// <summary>Files of the work tree, found from where the tests run.</summary>
internal static class RepositoryFiles
{
    public static string LayoutSource => Path.Combine(Root(), "tools", "AbiGolden", "layout.c");

    public static string Golden(string name) => Path.Combine(Root(), "tests", "Xen.Abi.Tests", "golden", name);

    private static string Root()
    {
        DirectoryInfo directory = new(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "Xen.sln")))
        {
            directory = directory.Parent
                ?? throw new InvalidOperationException("Xen.sln is nowhere above the tests.");
        }
        return directory.FullName;
    }
}
