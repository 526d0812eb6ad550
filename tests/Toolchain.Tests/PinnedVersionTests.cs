// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Toolchain.Tests;

/// <summary>What the build downloads is named by version and content.</summary>
public sealed class PinnedVersionTests
{
    private static readonly string[] s_folders = ["src", "tools", "tests"];

    [Fact]
    public void Every_project_with_packages_has_a_lock_file_with_their_hashes()
    {
        List<string> faults = [];
        foreach (string project in Projects())
        {
            string[] packages =
            [
                .. XDocument.Load(project).Descendants()
                    .Where(element => element.Name.LocalName == "PackageReference")
                    .Select(element => element.Attribute("Include")!.Value),
            ];
            string lockFile = Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json");
            HashSet<string> locked = File.Exists(lockFile) ? Locked(lockFile) : [];
            faults.AddRange(packages.Where(package => !locked.Contains(package))
                .Select(package => $"{Path.GetFileName(project)}: {package}"));
        }

        Assert.Empty(faults);
    }

    [Fact]
    public void The_check_of_the_compiler_names_the_version_that_is_used()
    {
        string version = Regex.Match(
            RepositoryFiles.Text("Directory.Packages.props"), "<ILCompilerVersion>(.*)</ILCompilerVersion>").Groups[1].Value;
        Assert.NotEmpty(version);
        string[] lines = RepositoryFiles.Text("tools", "ILCompiler", "ILCompiler.sha512").Trim().Split('\n');
        Assert.Contains(lines, line => line.EndsWith($"ilcompiler.{version}.nupkg", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.EndsWith("  tools/ilc", StringComparison.Ordinal));
        Assert.All(lines, line => Assert.Matches("^[0-9a-f]{128}  [A-Za-z0-9_./-]+$", line));
    }

    [Fact]
    public void No_package_version_floats()
    {
        XDocument versions = XDocument.Parse(RepositoryFiles.Text("Directory.Packages.props"));
        Assert.All(
            versions.Descendants().Where(element => element.Name.LocalName == "PackageVersion"),
            element => Assert.Matches("^[0-9]+(\\.[0-9]+)+$", element.Attribute("Version")!.Value));
    }

    private static IEnumerable<string> Projects() =>
        s_folders.SelectMany(folder => Directory.EnumerateDirectories(RepositoryFiles.Path(folder)))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj"));

    private static HashSet<string> Locked(string lockFile)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(lockFile));
        return
        [
            .. document.RootElement.GetProperty("dependencies").EnumerateObject()
                .SelectMany(framework => framework.Value.EnumerateObject())
                .Where(package => package.Value.TryGetProperty("contentHash", out JsonElement hash)
                    && hash.GetString()!.Length != 0)
                .Select(package => package.Name),
        ];
    }
}
