// SPDX-License-Identifier: MIT
namespace Xen.Images;

// Theory. A deflate code is canonical: the code lengths say all. The decoder looks up the next PrimaryBits bits; a
// code no longer than that fills every entry whose low bits are the code, a longer one is found in a secondary table
// for its first bits. Codes arrive with their most significant bit first in a stream whose bytes are read from the
// least significant bit on, so the index is the code reversed.
//
// An entry has everything the decoder needs:
//   bits 0-3    bits to take from the stream (code, or the primary part of it, or the rest of it)
//   bits 4-7    extra bits of a length or distance; index bits of a secondary table
//   bits 8-11   kind
//   bits 16-31  literal byte; base of the length or distance; position of a secondary table
//
// Size: a secondary table of 2^k entries serves at least k + 1 codes and k is at most 15 - PrimaryBits, so 288 codes
// cannot need more than 288 * 16 / 5 entries beyond the primary table. The builder checks nevertheless.

/// <summary>Look-up tables for the three codes of a deflate block.</summary>
internal static unsafe class DeflateTable
{
    public const int CodeBitsLimit = 15;
    public const int SymbolLimit = 288;
    public const int LiteralPrimaryBits = 11;
    public const int DistancePrimaryBits = 9;
    public const int PrecodePrimaryBits = 7;
    public const int LiteralEntries = (1 << LiteralPrimaryBits) + 1024;
    public const int DistanceEntries = (1 << DistancePrimaryBits) + 1024;

    public const uint LengthMask = 0xF;
    public const int ExtraShift = 4;
    public const uint ExtraMask = 0xF;
    public const int ValueShift = 16;
    public const uint KindLiteral = 0x100;
    public const uint KindSecondary = 0x200;
    public const uint KindEnd = 0x400;
    public const uint KindInvalid = 0x800;

    private const int EndOfBlock = 256;
    private const int LastLengthSymbol = 285;
    private const int DistanceSymbols = 30;

    /// <summary>Builds the table of one code.</summary>
    /// <param name="table">Where to, <paramref name="capacity"/> entries.</param>
    /// <param name="capacity">Entries there.</param>
    /// <param name="primaryBits">Index bits of the primary table.</param>
    /// <param name="code">Which of the three codes.</param>
    /// <param name="lengths">Code length of each symbol, at most 15; 0 for none.</param>
    /// <param name="symbolCount">Symbols, at most <see cref="SymbolLimit"/>.</param>
    /// <param name="sorted">Scratch for <see cref="SymbolLimit"/> symbols.</param>
    public static ImageError Build(
        uint* table,
        int capacity,
        int primaryBits,
        DeflateCode code,
        byte* lengths,
        int symbolCount,
        ushort* sorted)
    {
        int usedCount = Sort(lengths, symbolCount, sorted, out int available);
        if (available < 0)
        {
            return ImageError.DeflateBadCode;
        }

        // Incomplete codes are refused, but for two that encoders do write: no distances, and a single one-bit code.
        if (available > 0)
        {
            bool isSingle = usedCount == 1 && lengths[sorted[0]] == 1;
            bool isNone = usedCount == 0;
            if (code == DeflateCode.Precode || !(isSingle || isNone))
            {
                return ImageError.DeflateBadCode;
            }

            for (int index = 0; index < 1 << primaryBits; index++)
            {
                table[index] = KindInvalid | 1;
            }
        }

        int next = 1 << primaryBits;
        uint value = 0;
        for (int position = 0; position < usedCount; position++)
        {
            int length = lengths[sorted[position]];
            uint entry = Entry(code, sorted[position]);
            if (length <= primaryBits)
            {
                for (uint index = Reverse(value, length); index < 1u << primaryBits; index += 1u << length)
                {
                    table[index] = entry | (uint)length;
                }
            }
            else
            {
                uint prefix = value >> (length - primaryBits);
                uint primary = Reverse(prefix, primaryBits);
                bool isFirst = (value & ((1u << (length - primaryBits)) - 1)) == 0;
                if (isFirst)
                {
                    int bits = SecondaryBits(lengths, sorted, position, usedCount, value, primaryBits);
                    if (next + (1 << bits) > capacity)
                    {
                        return ImageError.DeflateBadCode;
                    }

                    table[primary] = ((uint)next << ValueShift) | KindSecondary
                        | ((uint)bits << ExtraShift) | (uint)primaryBits;
                    next += 1 << bits;
                }

                uint link = table[primary];
                uint* secondary = table + (link >> ValueShift);
                uint size = 1u << (int)((link >> ExtraShift) & ExtraMask);
                int rest = length - primaryBits;
                for (uint index = Reverse(value, length) >> primaryBits; index < size; index += 1u << rest)
                {
                    secondary[index] = entry | (uint)rest;
                }
            }

            if (position + 1 < usedCount)
            {
                value = (value + 1) << (lengths[sorted[position + 1]] - length);
            }
        }

        return ImageError.Ok;
    }

    /// <summary>Orders the symbols in use by code length, then by value: the order of their codes.</summary>
    /// <param name="available">Code space left over, negative if the lengths want more than there is.</param>
    private static int Sort(byte* lengths, int symbolCount, ushort* sorted, out int available)
    {
        int usedCount = 0;
        available = 1;
        for (int length = 1; length <= CodeBitsLimit; length++)
        {
            available <<= 1;
            for (int symbol = 0; symbol < symbolCount; symbol++)
            {
                if (lengths[symbol] == length)
                {
                    sorted[usedCount++] = (ushort)symbol;
                    available--;
                }
            }

            if (available < 0)
            {
                return 0;
            }
        }

        return usedCount;
    }

    /// <summary>
    /// The index bits that the secondary table starting with the code at <paramref name="position"/> needs: those of
    /// the longest code with the same beginning, which is the last in order.
    /// </summary>
    private static int SecondaryBits(
        byte* lengths, ushort* sorted, int position, int usedCount, uint value, int primaryBits)
    {
        int length = lengths[sorted[position]];
        int longest = length;
        uint prefix = value >> (length - primaryBits);
        while (value >> (length - primaryBits) == prefix)
        {
            longest = length;
            position++;
            if (position == usedCount)
            {
                break;
            }

            int nextLength = lengths[sorted[position]];
            value = (value + 1) << (nextLength - length);
            length = nextLength;
        }

        return longest - primaryBits;
    }

    private static uint Reverse(uint value, int bits)
    {
        uint reversed = 0;
        for (int bit = 0; bit < bits; bit++)
        {
            reversed = (reversed << 1) | ((value >> bit) & 1);
        }

        return reversed;
    }

    /// <summary>The entry of a symbol but for the bits to take; RFC 1951, 3.2.5.</summary>
    private static uint Entry(DeflateCode code, int symbol)
    {
        switch (code)
        {
            case DeflateCode.Precode:
                return Pack(KindLiteral, 0, symbol);
            case DeflateCode.Distance when symbol >= DistanceSymbols:
                return KindInvalid;
            case DeflateCode.Distance when symbol < 4:
                return Pack(0, 0, symbol + 1);
            case DeflateCode.Distance:
                int distanceExtra = (symbol >> 1) - 1;
                return Pack(0, distanceExtra, ((2 | (symbol & 1)) << distanceExtra) + 1);
        }

        if (symbol < EndOfBlock)
        {
            return Pack(KindLiteral, 0, symbol);
        }

        // Lengths: eight of 3 to 10 without extra bits, then four for each number of extra bits, and 258.
        int order = symbol - EndOfBlock - 1;
        int lengthExtra = order < 8 ? 0 : (order >> 2) - 1;
        return symbol switch
        {
            EndOfBlock => KindEnd,
            LastLengthSymbol => Pack(0, 0, 258),
            > LastLengthSymbol => KindInvalid,
            _ when order < 8 => Pack(0, 0, order + 3),
            _ => Pack(0, lengthExtra, ((4 | (order & 3)) << lengthExtra) + 3),
        };
    }

    private static uint Pack(uint kind, int extraBits, int value) =>
        ((uint)value << ValueShift) | kind | ((uint)extraBits << ExtraShift);
}
