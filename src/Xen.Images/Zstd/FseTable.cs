// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// Finite state entropy (RFC 8878, 4.1): reading a distribution, and laying out the states for it.
/// </summary>
internal static unsafe class FseTable
{
    /// <summary>More symbols than any of the alphabets has.</summary>
    public const int SymbolLimit = 64;

    private const short LessThanOne = -1;
    private const int LowestAccuracy = 5;

    /// <summary>
    /// Reads the probabilities of the symbols, in units of 1 / 2^accuracy; -1 stands for less than one unit.
    /// </summary>
    /// <param name="cursor">First byte; moved past the last.</param>
    /// <param name="end">End of the readable bytes.</param>
    /// <param name="accuracyLimit">The most the alphabet may have.</param>
    /// <param name="symbolLimit">Symbols in the alphabet.</param>
    /// <param name="counts">The probabilities, <see cref="SymbolLimit"/> entries.</param>
    /// <param name="symbolCount">How many symbols have been named.</param>
    /// <param name="accuracy">The distribution's accuracy.</param>
    public static bool ReadDistribution(
        ref byte* cursor,
        byte* end,
        int accuracyLimit,
        int symbolLimit,
        short* counts,
        out int symbolCount,
        out int accuracy)
    {
        nuint position = 0;
        accuracy = (int)Peek(cursor, end, position, 4) + LowestAccuracy;
        position += 4;
        symbolCount = 0;
        if (accuracy > accuracyLimit)
        {
            return false;
        }

        int remaining = 1 << accuracy;
        while (remaining > 0)
        {
            if (symbolCount == symbolLimit)
            {
                return false;
            }

            // One of remaining + 2 values. The lowest ones need a bit less than the others.
            int bits = HighestBit.Of((uint)remaining + 1) + 1;
            uint half = 1u << (bits - 1);
            uint shortCount = (half << 1) - (uint)remaining - 2;
            uint value = Peek(cursor, end, position, bits);
            if ((value & (half - 1)) < shortCount)
            {
                value &= half - 1;
                bits--;
            }
            else if (value >= half)
            {
                value -= shortCount;
            }

            position += (nuint)bits;
            int probability = (int)value - 1;
            counts[symbolCount++] = (short)probability;
            remaining -= probability < 0 ? 1 : probability;

            // After a zero: how many more there are, two bits at a time, 3 meaning that another two follow.
            uint zeroes = probability == 0 ? 3u : 0;
            while (zeroes == 3)
            {
                zeroes = Peek(cursor, end, position, 2);
                position += 2;
                if (zeroes > (uint)(symbolLimit - symbolCount))
                {
                    return false;
                }

                for (uint zero = 0; zero < zeroes; zero++)
                {
                    counts[symbolCount++] = 0;
                }
            }
        }

        nuint size = (position + 7) >> 3;
        if (size > (nuint)(end - cursor))
        {
            return false;
        }

        cursor += size;
        return true;
    }

    /// <summary>Lays out the states of a distribution whose probabilities add up.</summary>
    /// <param name="table">2^accuracy entries.</param>
    /// <param name="accuracy">The distribution's accuracy.</param>
    /// <param name="counts">The probabilities.</param>
    /// <param name="symbolCount">How many symbols they are for.</param>
    /// <param name="symbols">Base and extra bits of each symbol.</param>
    /// <param name="next">Scratch, <see cref="SymbolLimit"/> entries.</param>
    public static void Build(
        FseEntry* table, int accuracy, short* counts, int symbolCount, FseEntry* symbols, ushort* next)
    {
        uint size = 1u << accuracy;
        uint mask = size - 1;

        // Symbols of less than one unit have a state each, from the end of the table down.
        uint high = mask;
        for (int symbol = 0; symbol < symbolCount; symbol++)
        {
            next[symbol] = (ushort)counts[symbol];
            if (counts[symbol] == LessThanOne)
            {
                next[symbol] = 1;
                table[high--].Base = (uint)symbol;
            }
        }

        // The others are strewn over the rest in steps that visit every place once.
        uint step = (size >> 1) + (size >> 3) + 3;
        uint place = 0;
        for (int symbol = 0; symbol < symbolCount; symbol++)
        {
            for (int count = counts[symbol]; count > 0; count--)
            {
                table[place].Base = (uint)symbol;
                do
                {
                    place = (place + step) & mask;
                }
                while (place > high);
            }
        }

        for (uint state = 0; state < size; state++)
        {
            uint symbol = table[state].Base;
            uint number = next[symbol]++;
            int bits = accuracy - HighestBit.Of(number);
            table[state].NextBits = (byte)bits;
            table[state].NextBase = (ushort)((number << bits) - size);
            table[state].Base = symbols[symbol].Base;
            table[state].ExtraBits = symbols[symbol].ExtraBits;
        }
    }

    /// <summary>The decoder of a code that always gives the same symbol.</summary>
    public static void BuildSingle(FseEntry* table, FseEntry* symbol)
    {
        table->NextBase = 0;
        table->NextBits = 0;
        table->ExtraBits = symbol->ExtraBits;
        table->Base = symbol->Base;
    }

    /// <summary>Up to 16 bits from a bit position on, zeroes after the end.</summary>
    private static uint Peek(byte* cursor, byte* end, nuint position, int bits)
    {
        nuint index = position >> 3;
        nuint available = (nuint)(end - cursor);
        uint word = 0;
        for (int number = 0; number < 3; number++, index++)
        {
            word |= index < available ? (uint)cursor[index] << (number * 8) : 0;
        }

        return (word >> (int)(position & 7)) & ((1u << bits) - 1);
    }
}
