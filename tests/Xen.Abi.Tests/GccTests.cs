// SPDX-License-Identifier: MIT

using System;
using System.Diagnostics;
using System.IO;
using Xunit;

namespace Xen.Abi.Tests;

/// <summary>A test that wants gcc and Xen's headers; where they are absent it is skipped and says so.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class GccFactAttribute : FactAttribute
{
    /// <summary>Skips the test where there is nothing to compile with or against.</summary>
    public GccFactAttribute()
    {
        if (!File.Exists("/usr/bin/gcc"))
        {
            Skip = "gcc is not installed: only the checked-in layout was compared.";
        }
        else if (!File.Exists("/usr/include/xen/xen.h"))
        {
            Skip = "libxen-dev is not installed: only the checked-in layout was compared.";
        }
    }
}

public sealed class GccTests
{
    [GccFact]
    public void The_checked_in_layout_is_what_the_compiler_makes_of_the_headers()
    {
        string directory = Directory.CreateTempSubdirectory("xen-abi-").FullName;
        try
        {
            string program = Path.Combine(directory, "layout");
            _ = Run("/usr/bin/gcc", "-Wall", "-Wextra", "-Werror", "-o", program, RepositoryFiles.LayoutSource);
            string[] printed = Run(program).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(printed, GoldenLayout.Lines);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true };
        using Process process = Process.Start(start);
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}");
        return output;
    }
}
