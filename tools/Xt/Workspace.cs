// SPDX-License-Identifier: MIT
using System;
using System.IO;

namespace Xt;

/// <summary>Where things are: the sources above, everything made below <c>artifacts</c>.</summary>
public static class Workspace
{
    public static string Root { get; } = FindRoot();

    public static string Artifacts => Path.Combine(Root, "artifacts");

    public static string Cache => MakeFolder("cache");

    public static string Logs => MakeFolder("logs");

    public static string Isos => MakeFolder("iso");

    /// <summary>Programs of this repository for Domain-0, put into its /usr/sbin.</summary>
    public static string Dom0Programs => Path.Combine(Artifacts, "dom0");

    public static string Hypervisor => Path.Combine(Artifacts, "xen");

    public static string MicroGuests => Path.Combine(Artifacts, "guests");

    public static string InSources(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string MakeFolder(string name) =>
        Directory.CreateDirectory(Path.Combine(Artifacts, name)).FullName;

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder != null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "global.json")) &&
                Directory.Exists(Path.Combine(folder.FullName, "tools")))
            {
                return folder.FullName;
            }
        }

        throw new XtException("The driver was started outside of its repository.", "Start it as tools/xt.");
    }
}
