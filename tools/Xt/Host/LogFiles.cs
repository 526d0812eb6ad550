// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;

namespace Xt.Host;

/// <summary>Log files below <c>artifacts/logs</c>: the newest hundreds are kept.</summary>
public static class LogFiles
{
    private const int Kept = 300;

    private static int s_number;

    public static string New(string purpose)
    {
        foreach (FileInfo old in new DirectoryInfo(Workspace.Logs).EnumerateFiles("*.log")
            .OrderByDescending(file => file.LastWriteTimeUtc)
            .Skip(Kept))
        {
            old.Delete();
        }

        string time = DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string name = string.Concat(purpose.Select(c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '-'));
        int number = Interlocked.Increment(ref s_number);
        return Path.Combine(Workspace.Logs, $"{time}-{Environment.ProcessId}-{number}-{name}.log");
    }
}
