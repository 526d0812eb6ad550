// SPDX-License-Identifier: MIT
//
// RATE[@INTERVAL]: a number with KB/s, MB/s, GB/s (bytes) or Kb/s, Mb/s, Gb/s (bits), all of them powers of ten, and an
// interval in us, ms or s. The back end gives out the interval's bytes at its beginning.
using System;
using System.Globalization;

namespace Dom0.Toolstack.Devices;

/// <summary>How much a guest may send: bytes in each interval of microseconds.</summary>
public readonly record struct TransferRate(ulong Bytes, uint Microseconds)
{
    private const uint DefaultMicroseconds = 50_000;
    private const ulong MaximumNumber = 1_000_000_000_000;

    /// <summary>As the back end reads it.</summary>
    public string Node => string.Create(CultureInfo.InvariantCulture, $"{Bytes},{Microseconds}");

    /// <summary>As a configuration asks for it.</summary>
    public string Text
    {
        get
        {
            // Rounded up to a bit: reading it rounds the bytes down to those that they were.
            UInt128 bits = (((UInt128)Bytes * 8_000_000) + Microseconds - 1) / Microseconds;
            return string.Create(CultureInfo.InvariantCulture, $"{bits}b/s@{Microseconds}us");
        }
    }

    /// <summary>Reads what the back end reads.</summary>
    public static bool TryReadNode(string? node, out TransferRate rate)
    {
        string[] parts = (node ?? "").Split(',');
        rate = default;
        if (parts.Length != 2
            || !uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint bytes)
            || !uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint interval)
            || bytes == 0 || interval == 0)
        {
            return false;
        }

        rate = new TransferRate(bytes, interval);
        return true;
    }

    /// <summary>Reads <c>10Mb/s</c> or <c>250KB/s@20ms</c>.</summary>
    public static bool TryParse(string text, out TransferRate rate)
    {
        rate = default;
        string[] parts = text.Split('@');
        uint interval = DefaultMicroseconds;
        if (parts.Length > 2 || (parts.Length == 2 && !TryInterval(parts[1], out interval)))
        {
            return false;
        }

        if (!TrySplit(parts[0], out ulong number, out string unit) || !unit.EndsWith("/s", StringComparison.Ordinal))
        {
            return false;
        }

        ulong bits = unit[..^2] switch
        {
            "b" => 1,
            "B" => 8,
            "Kb" => 1_000,
            "KB" => 8_000,
            "Mb" => 1_000_000,
            "MB" => 8_000_000,
            "Gb" => 1_000_000_000,
            "GB" => 8_000_000_000,
            _ => 0,
        };
        UInt128 bytes = (UInt128)number * bits * interval / 8 / 1_000_000;
        rate = new TransferRate((ulong)UInt128.Min(bytes, ulong.MaxValue), interval);
        return bits > 0 && bytes > 0 && bytes <= uint.MaxValue;
    }

    private static bool TryInterval(string text, out uint microseconds)
    {
        microseconds = 0;
        if (!TrySplit(text, out ulong number, out string unit))
        {
            return false;
        }

        ulong factor = unit switch { "us" => 1, "ms" => 1_000, "s" => 1_000_000, _ => 0 };
        ulong interval = number * factor;
        microseconds = (uint)Math.Min(interval, uint.MaxValue);
        return interval is > 0 and <= 1_000_000_000;
    }

    private static bool TrySplit(string text, out ulong number, out string unit)
    {
        int digits = 0;
        while (digits < text.Length && char.IsAsciiDigit(text[digits]))
        {
            digits++;
        }

        unit = text[digits..];
        return ulong.TryParse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture, out number)
            && number <= MaximumNumber;
    }
}
