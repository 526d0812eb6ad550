// SPDX-License-Identifier: MIT
//
// Debian's xl knows a domain by a file of its own kind beside the store. With it xl saves, enlarges and gives devices to a
// domain of ours as to one of its own. Without it, or where xl is not installed, nothing here misses it.
using System;
using System.Globalization;
using System.IO;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Migration;

namespace Dom0.Toolstack.Domains;

/// <summary>The description of a domain that libxl keeps for itself.</summary>
public static class LibxlRecord
{
    private const string Folder = "/var/lib/xen";
    private const string RunsUnderXen = "/proc/xen/capabilities";

    /// <summary>Describes a domain to libxl, or describes it anew.</summary>
    public static void Write(int domid, DomainConfig config) => Write(Host, domid, config);

    /// <summary>Takes the description back.</summary>
    public static void Remove(int domid) => Remove(Host, domid);

    internal static void Write(string? folder, int domid, DomainConfig config)
    {
        if (folder is null)
        {
            return;
        }

        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture,
            $"userdata-d.{domid}.{config.Uuid:D}.libxl-json"));
        try
        {
            File.WriteAllBytes(path + ".new", SavedConfig.Write(config, "linux"));
            File.Move(path + ".new", path, overwrite: true);
        }
        catch (Exception failure) when (FileFailures.IsOne(failure))
        {
            // The domain is whole without it; what is lost is xl's way to change it.
            FileFailures.TryDelete(path + ".new");
        }
    }

    internal static void Remove(string? folder, int domid)
    {
        if (folder is not null)
        {
            foreach (string path in Directory.EnumerateFiles(folder, string.Create(CultureInfo.InvariantCulture,
                $"userdata-d.{domid}.*.libxl-json")))
            {
                FileFailures.TryDelete(path);
            }
        }
    }

    /// <summary>Elsewhere than in a Domain-0 these domains are none of libxl's.</summary>
    private static string? Host => File.Exists(RunsUnderXen) && Directory.Exists(Folder) ? Folder : null;
}
