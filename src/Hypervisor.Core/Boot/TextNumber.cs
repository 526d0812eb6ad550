// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Boot;

/// <summary>Reads numbers and sizes out of option values.</summary>
internal static unsafe class TextNumber
{
    internal static int IndexOf(BootText text, byte character)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text.Pointer[i] == character)
            {
                return i;
            }
        }

        return -1;
    }

    internal static bool TryStrip(BootText text, ReadOnlySpan<byte> prefix, out BootText rest)
    {
        rest = text;
        if (text.Length < prefix.Length
            || !new BootText(text.Pointer, prefix.Length).Equals(prefix))
        {
            return false;
        }

        rest = new BootText(text.Pointer + prefix.Length, text.Length - prefix.Length);
        return true;
    }

    /// <summary>Reads a whole text as a number below 2³².</summary>
    internal static bool TryParse(BootText text, uint* value)
    {
        if (!TryParse(text, out ulong number, out int used) || used != text.Length || number > uint.MaxValue)
        {
            return false;
        }

        *value = (uint)number;
        return true;
    }

    /// <summary>Reads a leading number, decimal, <c>0x…</c> or, after a leading zero, octal; false where there is none or it exceeds 64
    /// bits.</summary>
    internal static bool TryParse(BootText text, out ulong value, out int used)
    {
        value = 0;
        used = 0;
        uint radix = 10;
        if (text.Length > 2 && text.Pointer[0] == '0' && (text.Pointer[1] | 0x20) == 'x')
        {
            radix = 16;
            used = 2;
        }
        else if (text.Length > 1 && text.Pointer[0] == '0')
        {
            radix = 8;
        }

        int first = used;
        while (used < text.Length && Digit(text.Pointer[used]) < radix)
        {
            uint digit = Digit(text.Pointer[used]);
            if (value > (ulong.MaxValue - digit) / radix)
            {
                return false;
            }

            value = (value * radix) + digit;
            used++;
        }

        return used > first;
    }

    /// <summary>Reads a size: a number alone counts KiB, the suffixes are B, K, M, G and T; a minus means the
    /// remainder.</summary>
    internal static bool TryParseAmount(BootText text, MemoryAmount* amount)
    {
        bool isRemainder = TryStrip(text, "-"u8, out BootText digits);
        if (!TryParse(digits, out ulong number, out int used) || digits.Length - used > 1)
        {
            return false;
        }

        int shift = 10;
        if (used < digits.Length)
        {
            shift = (digits.Pointer[used] | 0x20) switch
            {
                'b' => 0,
                'k' => 10,
                'm' => 20,
                'g' => 30,
                't' => 40,
                _ => -1,
            };
        }

        if (shift < 0 || number > ulong.MaxValue >> shift)
        {
            return false;
        }

        amount->Bytes = number << shift;
        amount->Percent = 0;
        amount->IsRemainder = isRemainder;
        amount->IsSet = true;
        return true;
    }

    /// <summary>Reads a size, a share of all memory (<c>25%</c>), or the sum of both (<c>1G+25%</c>); a minus in front
    /// means the remainder.</summary>
    internal static bool TryParseShare(BootText text, MemoryAmount* amount)
    {
        if (text.Length == 0 || text.Pointer[text.Length - 1] != '%')
        {
            return TryParseAmount(text, amount);
        }

        bool isRemainder = TryStrip(text, "-"u8, out BootText rest);
        MemoryAmount sum = default;
        int plus = IndexOf(rest, (byte)'+');
        if (plus >= 0 && (!TryParseAmount(new BootText(rest.Pointer, plus), &sum) || sum.IsRemainder))
        {
            return false;
        }

        uint percent = 0;
        BootText share = new(rest.Pointer + plus + 1, rest.Length - plus - 2);
        if (!TryParse(share, &percent) || percent > MemoryAmount.MaxPercent)
        {
            return false;
        }

        amount->Bytes = sum.Bytes;
        amount->Percent = (byte)percent;
        amount->IsRemainder = isRemainder;
        amount->IsSet = true;
        return true;
    }

    private static uint Digit(byte character)
    {
        int lower = character | 0x20;
        return character is >= (byte)'0' and <= (byte)'9' ? (uint)(character - '0')
            : lower is >= 'a' and <= 'f' ? (uint)(lower - 'a' + 10)
            : uint.MaxValue;
    }
}
