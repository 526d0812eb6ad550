// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Diagnostics;
using System.IO;
using System.Text.RegularExpressions;

/// <summary>
/// Debian's own kernel, the one that Domain-0 runs: fetched once with apt and kept in <c>artifacts/cache/debian</c>.
/// </summary>
internal static class DebianKernel
{
    private const string MetaPackage = "linux-image-amd64";

    private static readonly Lazy<string> s_path = new(Find);

    /// <summary>The kernel file, or null where it cannot be had.</summary>
    public static string Path => s_path.Value;

    private static string Find()
    {
        try
        {
            string folder = System.IO.Path.Combine(RepositoryRoot(), "artifacts", "cache", "debian");
            _ = Directory.CreateDirectory(folder);
            return FindKernel(folder) ?? Fetch(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException
            or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static string FindKernel(string folder)
    {
        string boot = System.IO.Path.Combine(folder, "boot");
        string[] kernels = Directory.Exists(boot) ? Directory.GetFiles(boot, "vmlinuz-6.1.0-*-amd64") : [];
        Array.Sort(kernels, StringComparer.Ordinal);
        return kernels.Length == 0 ? null : kernels[^1];
    }

    private static string Fetch(string folder)
    {
        Match name = Regex.Match(Run(folder, "apt-cache", "depends", MetaPackage), @"linux-image-6\.1\.0-\d+-amd64");
        if (!name.Success)
        {
            return null;
        }

        _ = Run(folder, "apt-get", "download", name.Value);
        string[] packages = Directory.GetFiles(folder, name.Value + "_*.deb");
        if (packages.Length == 0)
        {
            return null;
        }

        // The kernel alone: the package unpacks to 400 MB of modules.
        _ = Run(
            folder, "sh", "-c", $"dpkg-deb --fsys-tarfile '{packages[^1]}' | tar -x --wildcards './boot/vmlinuz-*'");
        return FindKernel(folder);
    }

    private static string Run(string folder, string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start);
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }

    private static string RepositoryRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(System.IO.Path.Combine(folder, "Xen.sln")))
        {
            folder = System.IO.Path.GetDirectoryName(folder)
                ?? throw new InvalidOperationException("the repository's root is not above the tests");
        }

        return folder;
    }
}
