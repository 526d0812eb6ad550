// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;

namespace Image.Tests;

/// <summary>What Linux complains about in its log, in a form that can be compared between two machines of the same kind.</summary>
internal static partial class KernelLog
{
    private const int Warning = 4;

    /// <summary>
    /// Lines of level warning and above, and those of any level whose words tell of trouble, with numbers of any kind made
    /// equal.
    /// </summary>
    /// <param name="log">As <c>dmesg -r</c> prints it.</param>
    public static IReadOnlySet<string> Complaints(string log) => Line().Matches(log)
        .Where(line => (int.Parse(line.Groups[1].Value) & 7) <= Warning || Trouble().IsMatch(line.Groups[2].Value))
        .Select(line => Number().Replace(line.Groups[2].Value.Trim(), "#"))
        .ToHashSet();

    [GeneratedRegex(@"^<(\d+)>\[ *\d+\.\d+\] ([^\n]*)$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"WARNING:|BUG:|Oops|Call Trace|lockup|\bstall|fail|error|firmware bug|unstable|timed out|refused",
        RegexOptions.IgnoreCase)]
    private static partial Regex Trouble();

    [GeneratedRegex(@"\b(0x)?[0-9a-fA-F]*[0-9][0-9a-fA-F]*\b")]
    private static partial Regex Number();
}
