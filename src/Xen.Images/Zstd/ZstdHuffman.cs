// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

// Theory. The Huffman code of a block's literals is sent as a weight for each byte value: weight w > 0 means a code of
// (bits + 1 - w) bits, that is 2^(w-1) of the 2^bits entries of the look-up table. The last used value's weight is not
// sent: it is what is missing to a power of two. Codes are handed out from the lowest weight, and within one from the
// lowest value. The weights come as nibbles, or packed by finite state entropy with two states that take turns.

/// <summary>Huffman-coded literals (RFC 8878, 4.2).</summary>
internal static unsafe class ZstdHuffman
{
    public const int BitsLimit = 11;
    public const int SymbolLimit = 256;
    public const int WeightAccuracyLimit = 6;

    private const int WeightLimit = BitsLimit + 1;
    private const int DirectWeights = 128;

    /// <summary>Reads a tree description and builds its table.</summary>
    public static bool ReadTable(ZstdWork* work, ref byte* cursor, byte* end)
    {
        if (cursor == end)
        {
            return false;
        }

        int header = *cursor++;
        nuint available = (nuint)(end - cursor);
        int weightCount;
        if (header >= DirectWeights)
        {
            weightCount = header - DirectWeights + 1;
            nuint size = ((nuint)weightCount + 1) / 2;
            if (size > available)
            {
                return false;
            }

            for (int index = 0; index < weightCount; index++)
            {
                work->Weights[index] = (byte)((index & 1) == 0 ? cursor[index >> 1] >> 4 : cursor[index >> 1] & 0xF);
            }

            cursor += size;
        }
        else
        {
            if ((nuint)header > available || !ReadPackedWeights(work, cursor, cursor + header, out weightCount))
            {
                return false;
            }

            cursor += header;
        }

        return BuildTable(work, weightCount);
    }

    /// <summary>Decodes one stream, which must give exactly so many literals.</summary>
    public static bool DecodeStream(ZstdWork* work, byte* stream, nuint length, byte* output, nuint outputLength)
    {
        if (!BackwardBits.Open(stream, length, out BackwardBits input))
        {
            return false;
        }

        ushort* table = work->HuffmanTable;
        int shift = 64 - work->HuffmanBits;
        byte* cursor = input.Cursor;
        ulong bits = input.Bits;
        int count = input.Count;
        int paddingBits = input.PaddingBits;
        byte* end = output + outputLength;

        // Five codes of at most eleven bits are within one refill.
        while (end - output >= 5)
        {
            BackwardBits.Refill(stream, ref cursor, ref bits, ref count, ref paddingBits);
            *output++ = DecodeSymbol(table, shift, ref bits, ref count);
            *output++ = DecodeSymbol(table, shift, ref bits, ref count);
            *output++ = DecodeSymbol(table, shift, ref bits, ref count);
            *output++ = DecodeSymbol(table, shift, ref bits, ref count);
            *output++ = DecodeSymbol(table, shift, ref bits, ref count);
        }

        BackwardBits.Refill(stream, ref cursor, ref bits, ref count, ref paddingBits);
        while (output < end)
        {
            *output++ = DecodeSymbol(table, shift, ref bits, ref count);
        }

        return cursor == stream && count == paddingBits;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static byte DecodeSymbol(ushort* table, int shift, ref ulong bits, ref int count)
    {
        uint entry = table[bits >> shift];
        int taken = (byte)entry;
        bits <<= taken;
        count -= taken;
        return (byte)(entry >> 8);
    }

    private static bool ReadPackedWeights(ZstdWork* work, byte* start, byte* end, out int weightCount)
    {
        weightCount = 0;
        byte* cursor = start;
        if (!FseTable.ReadDistribution(
            ref cursor,
            end,
            WeightAccuracyLimit,
            WeightLimit,
            work->Counts,
            out int symbolCount,
            out int accuracy))
        {
            return false;
        }

        FseEntry* symbols = (FseEntry*)work->WeightSymbols;
        FseEntry* table = (FseEntry*)work->WeightTable;
        for (int symbol = 0; symbol < WeightLimit; symbol++)
        {
            symbols[symbol].Base = (uint)symbol;
            symbols[symbol].ExtraBits = 0;
        }

        FseTable.Build(table, accuracy, work->Counts, symbolCount, symbols, work->Next);
        if (!BackwardBits.Open(cursor, (nuint)(end - cursor), out BackwardBits input))
        {
            return false;
        }

        nuint state = input.Take(accuracy);
        nuint otherState = input.Take(accuracy);
        if (input.IsPastEnd)
        {
            return false;
        }

        // When a state cannot be renewed for want of bits, the other one gives the last weight.
        while (weightCount < SymbolLimit - 2)
        {
            work->Weights[weightCount++] = (byte)table[state].Base;
            input.Refill();
            nuint renewed = table[state].NextBase + input.Take(table[state].NextBits);
            if (input.IsPastEnd)
            {
                work->Weights[weightCount++] = (byte)table[otherState].Base;
                return true;
            }

            state = otherState;
            otherState = renewed;
        }

        return false;
    }

    private static bool BuildTable(ZstdWork* work, int weightCount)
    {
        byte* weights = work->Weights;
        uint total = 0;
        for (int symbol = 0; symbol < weightCount; symbol++)
        {
            if (weights[symbol] > BitsLimit)
            {
                return false;
            }

            total += weights[symbol] == 0 ? 0 : 1u << (weights[symbol] - 1);
        }

        if (total == 0)
        {
            return false;
        }

        int bits = HighestBit.Of(total) + 1;
        uint missing = (1u << bits) - total;
        int lastWeight = HighestBit.Of(missing) + 1;
        if (bits > BitsLimit || missing != 1u << (lastWeight - 1))
        {
            return false;
        }

        weights[weightCount] = (byte)lastWeight;
        ushort* entry = work->HuffmanTable;
        for (int weight = 1; weight <= bits; weight++)
        {
            for (int symbol = 0; symbol <= weightCount; symbol++)
            {
                if (weights[symbol] != weight)
                {
                    continue;
                }

                ushort value = (ushort)((symbol << 8) | (bits + 1 - weight));
                for (uint repeat = 1u << (weight - 1); repeat != 0; repeat--)
                {
                    *entry++ = value;
                }
            }
        }

        work->HuffmanBits = bits;
        work->HasHuffmanTable = true;
        return true;
    }
}
