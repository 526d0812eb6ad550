// SPDX-License-Identifier: MIT
using System;
using System.Globalization;

namespace Dom0.Toolstack.Domains;

/// <summary>Amounts of memory as commands and configurations write them: MiB, or with a suffix.</summary>
public static class MemorySize
{
    private const ulong MaximumKiB = 1UL << 36;

    /// <summary>
    /// Reads <c>256</c>, <c>256M</c>, <c>1G</c>, <c>4096K</c>, each with an optional <c>B</c> or <c>iB</c>, as KiB.
    /// </summary>
    public static bool TryParse(string text, out ulong kiB)
    {
        kiB = 0;
        string number = text.Trim();
        int digits = 0;
        while (digits < number.Length && char.IsAsciiDigit(number[digits]))
        {
            digits++;
        }

        ulong unit = number[digits..].Trim().ToUpperInvariant() switch
        {
            "" or "M" or "MB" or "MIB" => 1024,
            "K" or "KB" or "KIB" => 1,
            "G" or "GB" or "GIB" => 1024 * 1024,
            "T" or "TB" or "TIB" => 1024UL * 1024 * 1024,
            _ => 0,
        };
        if (unit == 0 || !ulong.TryParse(number.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture,
            out ulong amount) || amount > MaximumKiB / unit)
        {
            return false;
        }

        kiB = amount * unit;
        return true;
    }
}
