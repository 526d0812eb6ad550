// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xt.Host;

namespace Xt.Testing;

/// <summary>Runs xunit projects by <c>dotnet test</c> and reads the results from its report files.</summary>
public static partial class XunitTests
{
    /// <summary>
    /// Runs the tests of a solution or project. A target that does not build, or whose test host dies, is itself a
    /// failed test: nothing that did not run may look like nothing that failed.
    /// </summary>
    public static List<TestRecord> Run(
        string target, string tier, string? filter, IEnumerable<string> more, bool showEach,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        string results = Directory.CreateTempSubdirectory("xt-tests-").FullName;
        string log = LogFiles.New(tier);
        try
        {
            List<string> arguments =
            [
                "test", target, "--nologo", "-nodeReuse:false", "--results-directory", results,
                "--logger", "trx", "--logger", "console;verbosity=" + (showEach ? "normal" : "minimal"),
            ];
            if (filter != null)
            {
                arguments.AddRange(["--filter", $"FullyQualifiedName~{filter}"]);
            }

            // Last, because settings of the test runner come behind a "--" that ends the options.
            arguments.AddRange(more);

            int status = Stream(arguments, log, environment);
            List<TestRecord> records =
                [.. Directory.EnumerateFiles(results, "*.trx").SelectMany(file => Read(file, log))];
            if (status != 0 && records.All(record => record.Outcome != TestOutcome.Failed))
            {
                string[] lines = File.ReadAllLines(log);
                string[] errors = [.. lines.Where(line => Complaint().IsMatch(line)).Distinct()];
                records.Add(new TestRecord($"{tier}: dotnet test {Path.GetFileName(target)}", TestOutcome.Failed,
                    string.Join('\n', errors.Length != 0 ? errors : lines.TakeLast(12)), log));
            }

            return records;
        }
        finally
        {
            Directory.Delete(results, true);
        }
    }

    private static int Stream(
        List<string> arguments, string log, IReadOnlyDictionary<string, string>? environment)
    {
        ProcessStartInfo start = new("dotnet", arguments)
        {
            WorkingDirectory = Workspace.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        using StreamWriter writer = new(log);
        using Process process = new() { StartInfo = start };
        void Take(object sender, DataReceivedEventArgs line)
        {
            if (line.Data == null)
            {
                return;
            }

            lock (writer)
            {
                writer.WriteLine(line.Data);
                if (Progress().IsMatch(line.Data))
                {
                    Console.WriteLine("  " + line.Data.Trim());
                }
            }
        }

        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        _ = process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return process.ExitCode;
    }

    private static IEnumerable<TestRecord> Read(string file, string log)
    {
        foreach (XElement result in XDocument.Load(file).Descendants()
            .Where(element => element.Name.LocalName == "UnitTestResult"))
        {
            TestOutcome outcome = result.Attribute("outcome")?.Value switch
            {
                "Passed" => TestOutcome.Passed,
                "NotExecuted" => TestOutcome.Skipped,
                _ => TestOutcome.Failed,
            };
            string reason = string.Join('\n', result.Descendants()
                .Where(element => element.Name.LocalName is "Message" or "StackTrace")
                .Select(element => element.Value));
            if (reason.Length == 0)
            {
                reason = string.Join('\n', result.Descendants()
                    .Where(element => element.Name.LocalName == "StdOut")
                    .Select(element => element.Value));
            }

            yield return new TestRecord(result.Attribute("testName")?.Value ?? "?", outcome, reason, log);
        }
    }

    [GeneratedRegex(@"^\s*(Passed|Failed)!? ")]
    private static partial Regex Progress();

    [GeneratedRegex(@"\berror\b|^The active test run was aborted|Test host process crashed")]
    private static partial Regex Complaint();
}
