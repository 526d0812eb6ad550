// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// One run of a machine whose Domain-0 carries out a script, with <see cref="LoadGuest"/> at hand; the tests of a class
/// then judge what it printed: lines that begin with a label.
/// </summary>
public abstract class ScriptRun
{
    protected ScriptRun(MachineOptions options, string script, string purpose, TimeSpan timeout)
    {
        BatchResult result = BatchRun.Execute(
            options, $"set -e\n{LoadGuest.Functions}{script}\necho the script is done", timeout, purpose, null,
            LoadGuest.Programs);
        Assert.True(
            result.Outcome == BatchOutcome.Completed && result.Status == 0,
            $"{result.Outcome} {result.Status} {result.Reason}\n{result.OutputText}\n{result.Tail}");
        Output = result.OutputText;
    }

    public string Output { get; }

    /// <summary>What stands behind a label on the only line that begins with it.</summary>
    public string Line(string label) => Assert.Single(Lines(label));

    /// <summary>What stands behind a label on all lines that begin with it.</summary>
    public string[] Lines(string label) =>
        [.. Regex.Matches(Output, $@"(?m)^{Regex.Escape(label)} (.*)$").Select(match => match.Groups[1].Value)];
}
