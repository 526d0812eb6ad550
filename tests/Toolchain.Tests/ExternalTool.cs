// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Threading.Tasks;

namespace Toolchain.Tests;

/// <summary>Runs the programs that the build runs.</summary>
internal static class ExternalTool
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    /// <summary>Exit status and everything that was printed.</summary>
    public static (int Status, string Output) Run(string program, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(true);
            throw new TimeoutException($"{program} does not end");
        }

        return (process.ExitCode, output.Result + errors.Result);
    }

    /// <summary>The same, for a program that must succeed.</summary>
    public static void Demand(string program, params string[] arguments)
    {
        (int status, string output) = Run(program, arguments);
        if (status != 0)
        {
            throw new InvalidOperationException($"{program} exited with {status}: {output}");
        }
    }
}
