// SPDX-License-Identifier: MIT
using System.Globalization;
using System.IO;
using System.Linq;

namespace Dom0.Toolstack.Domains;

/// <summary>
/// How little memory Domain-0 can do with: what its kernel and programs use at this moment, and a reserve. With less it
/// would kill programs, and the toolstack among them.
/// </summary>
public static class Dom0Floor
{
    /// <summary>The reserve.</summary>
    public const ulong ReserveKib = 64 * 1024;

    /// <summary>
    /// The floor in KiB for a Domain-0 that has so much memory, by Linux's <c>/proc/meminfo</c>; null when that does not say.
    /// </summary>
    public static ulong? Read(ulong memoryKib, string meminfo = "/proc/meminfo")
    {
        if (!File.Exists(meminfo))
        {
            return null;
        }

        string[] lines = File.ReadAllLines(meminfo);
        return Number(lines, "MemAvailable:") is { } available
            ? memoryKib - System.Math.Min(available, memoryKib) + ReserveKib
            : null;
    }

    private static ulong? Number(string[] lines, string name) =>
        lines.FirstOrDefault(line => line.StartsWith(name, System.StringComparison.Ordinal)) is { } line
        && ulong.TryParse(line[name.Length..].Replace("kB", "", System.StringComparison.Ordinal).Trim(), NumberStyles.None,
            CultureInfo.InvariantCulture, out ulong number)
            ? number
            : null;
}
