// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Xunit;

namespace Hypervisor.Tests;

/// <summary>The machine exists twice, and only one of the two is compiled into a build: both must offer the
/// same.</summary>
public partial class SeamTests
{
    [Fact]
    public void The_fake_machine_has_every_member_of_the_real_one() =>
        Assert.Empty(Members("X64").Except(Members("Fake")));

    [Fact]
    public void The_fake_machine_has_no_member_that_the_real_one_lacks() =>
        Assert.Empty(Members("Fake").Except(Members("X64")));

    [Fact]
    public void The_comparison_sees_what_it_should()
    {
        SortedSet<string> members = Members("X64");
        Assert.Contains("ulong ReadTsc()", members);
        Assert.Contains("CpuInfo* Cpu", members);
        Assert.True(members.Count > 60);
    }

    private static SortedSet<string> Members(string folder)
    {
        SortedSet<string> members = new(StringComparer.Ordinal);
        string path = Path.Combine(RepositoryRoot(), "src", "Hypervisor.Machine", folder);
        foreach (string file in Directory.GetFiles(path, "Machine.*.cs"))
        {
            foreach (Match match in Declaration().Matches(File.ReadAllText(file)))
            {
                string member = Spaces().Replace(match.Groups["member"].Value.Trim(), " ");
                _ = members.Add(member.Replace("( ", "(", StringComparison.Ordinal));
            }
        }

        return members;
    }

    private static string RepositoryRoot()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Xen.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory;
    }

    [GeneratedRegex(
        @"^    public static (?:extern )?(?:unsafe )?(?<member>[^{=;]*?(?:\([^)]*\))?)\s*(?:=>|\{|;|$)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
