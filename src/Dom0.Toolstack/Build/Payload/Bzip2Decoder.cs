// SPDX-License-Identifier: MIT
//
// A .bz2 file: blocks of up to 900,000 bytes, each sorted (Burrows and Wheeler), moved to front, run-length coded and
// Huffman coded with up to six tables; a checksum for each block and one for all. Bits come highest first.
using System;
using System.IO;

namespace Dom0.Toolstack.Build.Payload;

/// <summary>Unpacks bzip2.</summary>
internal static class Bzip2Decoder
{
    private const ulong BlockMagic = 0x314159265359;
    private const ulong EndMagic = 0x177245385090;
    private const int GroupSize = 50;
    private const int LongestCode = 20;
    private const int BlockUnit = 100_000;

    private static readonly uint[] s_checksums = MakeChecksums();

    /// <summary>Unpacks one file, or several behind each other.</summary>
    public static void Decode(ReadOnlySpan<byte> input, OutputBuffer output)
    {
        BitReader bits = new(input);
        while (bits.HasBytes)
        {
            Require(bits.Take(24) == 0x425a68, "it does not begin as bzip2 does");
            uint level = bits.Take(8) - '0';
            Require(level is >= 1 and <= 9, "it announces blocks of an impossible size");
            DecodeStream(ref bits, BlockUnit * (int)level, output);
            bits.Align();
        }
    }

    private static void DecodeStream(ref BitReader bits, int limit, OutputBuffer output)
    {
        uint whole = 0;
        int[] block = new int[limit];
        while (true)
        {
            ulong magic = ((ulong)bits.Take(24) << 24) | bits.Take(24);
            uint announced = (bits.Take(16) << 16) | bits.Take(16);
            if (magic == EndMagic)
            {
                Require(announced == whole, "its checksum is wrong");
                return;
            }

            Require(magic == BlockMagic, "a block does not begin as blocks do");
            uint found = DecodeBlock(ref bits, block, output);
            Require(found == announced, "a block's checksum is wrong");
            whole = ((whole << 1) | (whole >> 31)) ^ found;
        }
    }

    private static uint DecodeBlock(ref BitReader bits, int[] block, OutputBuffer output)
    {
        Require(bits.Take(1) == 0, "a block is randomised, as no program has made it for decades");
        int origin = (int)bits.Take(24);
        byte[] symbols = ReadSymbols(ref bits);
        int alphabet = symbols.Length + 2;
        int tableCount = (int)bits.Take(3);
        int selectorCount = (int)bits.Take(15);
        Require(tableCount is >= 2 and <= 6 && selectorCount > 0, "a block has an impossible number of tables");
        byte[] selectors = ReadSelectors(ref bits, tableCount, selectorCount);
        HuffmanTable[] tables = new HuffmanTable[tableCount];
        for (int table = 0; table < tableCount; table++)
        {
            tables[table] = HuffmanTable.Read(ref bits, alphabet);
        }

        int length = ReadData(ref bits, symbols, selectors, tables, block);
        Require(origin < length, "a block's origin lies outside of it");
        return Unsort(block.AsSpan(0, length), origin, output);
    }

    /// <summary>Which bytes occur: a map of sixteen ranges, and a map for each that has any.</summary>
    private static byte[] ReadSymbols(ref BitReader bits)
    {
        uint ranges = bits.Take(16);
        byte[] symbols = new byte[256];
        int count = 0;
        for (int range = 0; range < 16; range++)
        {
            if ((ranges >> (15 - range) & 1) == 0)
            {
                continue;
            }

            uint used = bits.Take(16);
            for (int index = 0; index < 16; index++)
            {
                if ((used >> (15 - index) & 1) != 0)
                {
                    symbols[count++] = (byte)((range * 16) + index);
                }
            }
        }

        Require(count > 0, "a block has no symbols");
        return symbols[..count];
    }

    private static byte[] ReadSelectors(ref BitReader bits, int tableCount, int count)
    {
        byte[] order = [0, 1, 2, 3, 4, 5];
        byte[] selectors = new byte[count];
        for (int index = 0; index < count; index++)
        {
            int place = 0;
            while (bits.Take(1) != 0)
            {
                place++;
                Require(place < tableCount, "a selector names a table that does not exist");
            }

            selectors[index] = ToFront(order, place);
        }

        return selectors;
    }

    private static int ReadData(
        ref BitReader bits, byte[] symbols, byte[] selectors, HuffmanTable[] tables, int[] block)
    {
        byte[] order = [.. symbols];
        int end = symbols.Length + 1;
        int length = 0;
        int run = 0;
        int weight = 1;
        for (int position = 0; ; position++)
        {
            Require(position / GroupSize < selectors.Length, "a block has more data than selectors");
            int symbol = tables[selectors[position / GroupSize]].Decode(ref bits);
            if (symbol <= 1)
            {
                // Digits 1 and 2 of a number to the base of two: how often the first byte comes again.
                Require(weight <= block.Length, "a run is longer than a block");
                run += weight << symbol;
                weight <<= 1;
                continue;
            }

            Require(run <= block.Length - length, "a block is longer than announced");
            block.AsSpan(length, run).Fill(order[0]);
            length += run;
            run = 0;
            weight = 1;
            if (symbol == end)
            {
                return length;
            }

            Require(length < block.Length, "a block is longer than announced");
            block[length++] = ToFront(order, symbol - 1);
        }
    }

    private static byte ToFront(byte[] order, int place)
    {
        byte value = order[place];
        order.AsSpan(0, place).CopyTo(order.AsSpan(1));
        order[0] = value;
        return value;
    }

    /// <summary>Undoes the sorting, and the runs of four to 259 equal bytes that went before it.</summary>
    private static uint Unsort(Span<int> block, int origin, OutputBuffer output)
    {
        Span<int> starts = stackalloc int[256];
        starts.Clear();
        foreach (int value in block)
        {
            starts[value & 0xff]++;
        }

        int sum = 0;
        for (int value = 0; value < 256; value++)
        {
            (starts[value], sum) = (sum, sum + starts[value]);
        }

        // The upper bits of each element: where the next byte stands.
        for (int index = 0; index < block.Length; index++)
        {
            block[starts[block[index] & 0xff]++] |= index << 8;
        }

        uint checksum = uint.MaxValue;
        int next = block[origin] >> 8;
        int previous = -1;
        int equal = 0;
        for (int count = 0; count < block.Length; count++)
        {
            int entry = block[next];
            byte value = (byte)entry;
            next = entry >> 8;
            if (equal == 4)
            {
                output.AddRun((byte)previous, value);
                for (int index = 0; index < value; index++)
                {
                    checksum = Update(checksum, (byte)previous);
                }

                equal = 0;
                previous = -1;
                continue;
            }

            equal = value == previous ? equal + 1 : 1;
            previous = value;
            output.Add(value);
            checksum = Update(checksum, value);
        }

        return ~checksum;
    }

    private static uint Update(uint checksum, byte value) => (checksum << 8) ^ s_checksums[(checksum >> 24) ^ value];

    private static uint[] MakeChecksums()
    {
        uint[] table = new uint[256];
        for (uint index = 0; index < 256; index++)
        {
            uint value = index << 24;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 0x8000_0000) != 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
            }

            table[index] = value;
        }

        return table;
    }

    private static void Require(bool holds, string complaint)
    {
        if (!holds)
        {
            throw new InvalidDataException(complaint);
        }
    }

    /// <summary>A canonical Huffman code.</summary>
    private sealed class HuffmanTable
    {
        private readonly int[] _limits = new int[LongestCode + 2];
        private readonly int[] _offsets = new int[LongestCode + 2];
        private readonly ushort[] _symbols;

        private HuffmanTable(ReadOnlySpan<byte> lengths)
        {
            _symbols = new ushort[lengths.Length];
            int code = 0;
            int count = 0;
            for (int length = 1; length <= LongestCode; length++)
            {
                _offsets[length] = count - code;
                for (int symbol = 0; symbol < lengths.Length; symbol++)
                {
                    if (lengths[symbol] == length)
                    {
                        _symbols[count++] = (ushort)symbol;
                        code++;
                    }
                }

                Require(code <= 1 << length, "a table has more codes than bits allow");
                _limits[length] = code;
                code <<= 1;
            }
        }

        public static HuffmanTable Read(ref BitReader bits, int alphabet)
        {
            byte[] lengths = new byte[alphabet];
            int length = (int)bits.Take(5);
            for (int symbol = 0; symbol < alphabet; symbol++)
            {
                while (bits.Take(1) != 0)
                {
                    length += bits.Take(1) == 0 ? 1 : -1;
                    Require(length is >= 1 and <= LongestCode, "a code has an impossible length");
                }

                Require(length is >= 1 and <= LongestCode, "a code has an impossible length");
                lengths[symbol] = (byte)length;
            }

            return new HuffmanTable(lengths);
        }

        public int Decode(ref BitReader bits)
        {
            int code = 0;
            for (int length = 1; length <= LongestCode; length++)
            {
                code = (code << 1) | (int)bits.Take(1);
                if (code < _limits[length])
                {
                    int index = code + _offsets[length];
                    Require(index >= 0, "a code means nothing");
                    return _symbols[index];
                }
            }

            throw new InvalidDataException("a code means nothing");
        }
    }

    /// <summary>Takes bits from bytes, highest first.</summary>
    private ref struct BitReader(ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;
        private int _at;
        private ulong _held;
        private int _count;

        /// <summary>Is at least one whole byte left?</summary>
        public readonly bool HasBytes => _count >= 8 || _at < _bytes.Length;

        public uint Take(int count)
        {
            while (_count < count)
            {
                Require(_at < _bytes.Length, "it ends too early");
                _held = (_held << 8) | _bytes[_at++];
                _count += 8;
            }

            _count -= count;
            return (uint)(_held >> _count) & (uint)((1UL << count) - 1);
        }

        /// <summary>Goes on at the next whole byte.</summary>
        public void Align() => _count -= _count % 8;
    }
}
