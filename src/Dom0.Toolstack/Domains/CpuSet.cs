// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;

namespace Dom0.Toolstack.Domains;

/// <summary>A set of physical CPUs, written as in <c>0-3,5,^1</c>.</summary>
[JsonConverter(typeof(CpuSetConverter))]
public sealed class CpuSet : IEquatable<CpuSet>
{
    /// <summary>One more than the highest CPU number that is taken for meant.</summary>
    public const int Limit = 4096;

    private readonly ulong[] _words = new ulong[Limit / 64];

    private CpuSet()
    {
    }

    /// <summary>Every CPU there may be.</summary>
    public static CpuSet All { get; } = FromRange(0, Limit - 1);

    /// <summary>True when no CPU is in the set.</summary>
    public bool IsEmpty => !_words.AsSpan().ContainsAnyExcept(0UL);

    /// <summary>The CPUs from <paramref name="first"/> to <paramref name="last"/>, both included.</summary>
    public static CpuSet FromRange(int first, int last)
    {
        CpuSet set = new();
        for (int cpu = first; cpu <= last; cpu++)
        {
            set.Put(cpu, true);
        }

        return set;
    }

    /// <summary>The CPUs whose bits are set; bit 0 of byte 0 is CPU 0.</summary>
    public static CpuSet FromBitmap(ReadOnlySpan<byte> bitmap)
    {
        CpuSet set = new();
        for (int cpu = 0; cpu < Math.Min(bitmap.Length * 8, Limit); cpu++)
        {
            set.Put(cpu, (bitmap[cpu / 8] >> (cpu % 8) & 1) != 0);
        }

        return set;
    }

    /// <summary>
    /// Reads <c>all</c>, or a list of numbers and ranges of which those after <c>^</c> are left out again.
    /// </summary>
    /// <exception cref="FormatException">The text is no such list; the message says which part of it.</exception>
    public static CpuSet Parse(string text)
    {
        if (text.Trim() is "all" or "any" or "-" or "")
        {
            return All;
        }

        CpuSet set = new();
        string[] parts = text.Split(',');
        foreach (string part in parts)
        {
            string trimmed = part.Trim();
            bool isExcluded = trimmed.StartsWith('^');
            string range = isExcluded ? trimmed[1..] : trimmed;
            if (range == "all")
            {
                Array.Fill(set._words, isExcluded ? 0 : ulong.MaxValue);
                continue;
            }

            int dash = range.IndexOf('-');
            int first = ParseCpu(dash < 0 ? range : range[..dash], trimmed);
            int last = dash < 0 ? first : ParseCpu(range[(dash + 1)..], trimmed);
            if (last < first)
            {
                throw new FormatException($"the range '{trimmed}' ends before it begins");
            }

            if (isExcluded && parts.Length == 1)
            {
                Array.Fill(set._words, ulong.MaxValue);
            }

            for (int cpu = first; cpu <= last; cpu++)
            {
                set.Put(cpu, !isExcluded);
            }
        }

        return set;
    }

    private static int ParseCpu(string text, string part) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int cpu) && cpu < Limit
            ? cpu
            : throw new FormatException($"'{part}' is neither a CPU number nor a range of them");

    /// <summary>Is <paramref name="cpu"/> in the set?</summary>
    public bool Contains(int cpu) => cpu is >= 0 and < Limit && (_words[cpu / 64] >> (cpu % 64) & 1) != 0;

    /// <summary>The CPUs of both sets.</summary>
    public CpuSet Intersect(CpuSet other)
    {
        CpuSet both = new();
        for (int word = 0; word < _words.Length; word++)
        {
            both._words[word] = _words[word] & other._words[word];
        }

        return both;
    }

    /// <summary>Writes the set as a bitmap of <paramref name="bitmap"/>'s size; higher CPUs are dropped.</summary>
    public void CopyTo(Span<byte> bitmap)
    {
        bitmap.Clear();
        for (int cpu = 0; cpu < Math.Min(bitmap.Length * 8, Limit); cpu++)
        {
            if (Contains(cpu))
            {
                bitmap[cpu / 8] |= (byte)(1 << (cpu % 8));
            }
        }
    }

    /// <summary>
    /// The list as <c>xm vcpu-list</c> prints it, on a machine with <paramref name="cpuCount"/> CPUs.
    /// </summary>
    public string Describe(int cpuCount)
    {
        bool hasAll = true;
        for (int cpu = 0; cpu < cpuCount; cpu++)
        {
            hasAll &= Contains(cpu);
        }

        return hasAll && cpuCount > 0 ? "any cpu" : ToString() is { Length: > 0 } list ? list : "no cpus";
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        StringBuilder text = new();
        for (int cpu = 0; cpu < Limit; cpu++)
        {
            if (!Contains(cpu))
            {
                continue;
            }

            int last = cpu;
            while (Contains(last + 1))
            {
                last++;
            }

            _ = text.Append(text.Length > 0 ? "," : "").Append(cpu);
            if (last > cpu)
            {
                _ = text.Append('-').Append(last);
            }

            cpu = last;
        }

        return text.ToString();
    }

    /// <inheritdoc/>
    public bool Equals(CpuSet? other) => other is not null && _words.AsSpan().SequenceEqual(other._words);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CpuSet);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        HashCode hash = default;
        foreach (ulong word in _words)
        {
            hash.Add(word);
        }

        return hash.ToHashCode();
    }

    private void Put(int cpu, bool isMember)
    {
        ulong bit = 1UL << (cpu % 64);
        _words[cpu / 64] = isMember ? _words[cpu / 64] | bit : _words[cpu / 64] & ~bit;
    }
}
