// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.IO;

namespace ImageCheck;

/// <summary>What is wrong, one sentence for each offence.</summary>
public sealed class Findings
{
    private const int MaxPrinted = 40;

    private readonly List<string> _messages = [];

    public IReadOnlyList<string> Messages => _messages;

    public bool AreNone => _messages.Count == 0;

    public void Add(string message) => _messages.Add(message);

    public void Print(TextWriter writer)
    {
        for (int index = 0; index < _messages.Count && index < MaxPrinted; index++)
        {
            writer.WriteLine($"error: image check: {_messages[index]}");
        }

        if (_messages.Count > MaxPrinted)
        {
            writer.WriteLine($"error: image check: and {_messages.Count - MaxPrinted} more");
        }
    }
}
