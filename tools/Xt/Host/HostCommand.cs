// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;

namespace Xt.Host;

/// <summary>Runs a program of the host to its end.</summary>
public static class HostCommand
{
    public readonly record struct Outcome(int Status, string Output, string Errors);

    /// <summary>Runs the program and collects what it prints.</summary>
    public static Outcome Capture(string program, IEnumerable<string> arguments, string? folder = null)
    {
        using Process process = Start(program, arguments, folder, true);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Outcome(process.ExitCode, output, errors.Result);
    }

    /// <summary>Runs the program and insists on success; the error tells what it said.</summary>
    public static string Require(string program, IEnumerable<string> arguments, string? folder = null)
    {
        Outcome outcome = Capture(program, arguments, folder);
        if (outcome.Status != 0)
        {
            string said = (outcome.Errors + outcome.Output).Trim();
            throw new XtException($"{program} {string.Join(' ', arguments)} failed with status {outcome.Status}:\n{said}");
        }

        return outcome.Output;
    }

    /// <summary>Runs the program on our own terminal and returns its status.</summary>
    public static int Attached(string program, IEnumerable<string> arguments, string? folder = null)
    {
        using Process process = Start(program, arguments, folder, false);
        process.WaitForExit();
        return process.ExitCode;
    }

    private static Process Start(string program, IEnumerable<string> arguments, string? folder, bool captured)
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = folder ?? Workspace.Root,
            RedirectStandardOutput = captured,
            RedirectStandardError = captured,
            RedirectStandardInput = captured,
        };
        try
        {
            Process process = Process.Start(start)!;
            if (captured)
            {
                process.StandardInput.Close();
            }

            return process;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            throw new XtException($"{program} could not be started: {error.Message}",
                "tools/xt installs what it needs; start the driver through it.");
        }
    }
}
