// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Xt.Host;

namespace Xt.Testing;

public enum TestOutcome
{
    Passed,
    Failed,
    Skipped,
}

/// <summary>One test that ran: its name, how it ended, why, and where to read more.</summary>
public sealed record TestRecord(string Name, TestOutcome Outcome, string Reason = "", string Log = "");

/// <summary>Adds up the tests of all tiers, and tells the end of the story.</summary>
public sealed class TestTally
{
    private const int ReasonLines = 12;

    private readonly List<TestRecord> _records = [];

    public int Failed => Count(TestOutcome.Failed);

    public int Total => _records.Count;

    public void Add(TestRecord record)
    {
        lock (_records)
        {
            _records.Add(record);
        }
    }

    public void AddRange(IEnumerable<TestRecord> records)
    {
        foreach (TestRecord record in records)
        {
            Add(record);
        }
    }

    public string LastLine() =>
        $"{Count(TestOutcome.Passed)} passed, {Failed} failed, {Count(TestOutcome.Skipped)} skipped";

    /// <summary>Names what was skipped and what failed, with reasons and logs, and closes with the one line of totals.</summary>
    public void Print()
    {
        foreach (IGrouping<string, TestRecord> group in _records
            .Where(record => record.Outcome == TestOutcome.Skipped)
            .GroupBy(record => FirstLine(record.Reason)))
        {
            string who = group.Count() == 1 ? group.First().Name : $"{group.Count()} tests";
            Console.WriteLine($"SKIPPED {who}: {group.Key}");
        }

        foreach (TestRecord record in _records.Where(record => record.Outcome == TestOutcome.Failed))
        {
            Console.WriteLine(Report.Coloured("31", "FAILED ", Console.IsOutputRedirected) + record.Name);
            foreach (string line in record.Reason.Trim().Split('\n').Take(ReasonLines))
            {
                Console.WriteLine("    " + line.TrimEnd());
            }

            if (record.Log.Length != 0)
            {
                Console.WriteLine("    log: " + record.Log);
            }
        }

        string colour = Failed == 0 ? "32" : "31";
        Console.WriteLine(Report.Coloured(colour, LastLine(), Console.IsOutputRedirected));
    }

    private static string FirstLine(string text) => text.Trim().Split('\n')[0].Trim();

    private int Count(TestOutcome outcome) => _records.Count(record => record.Outcome == outcome);
}
