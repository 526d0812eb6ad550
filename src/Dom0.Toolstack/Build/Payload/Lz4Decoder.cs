// SPDX-License-Identifier: MIT
//
// The legacy frame of LZ4, as Linux packs kernels: a magic number, then blocks, each with its packed size in front; a
// block unpacks to at most 8 MiB and refers to nothing before itself. A sequence is a token (two lengths of four bits),
// literals, and a match of at least four bytes; the last one ends with its literals.
using System;
using System.Buffers.Binary;
using System.IO;

namespace Dom0.Toolstack.Build.Payload;

/// <summary>Unpacks LZ4.</summary>
internal static class Lz4Decoder
{
    private const uint Magic = 0x184c2102;
    private const int BlockLimit = 8 << 20;
    private const int MinimumMatch = 4;

    /// <summary>Unpacks all blocks.</summary>
    public static void Decode(ReadOnlySpan<byte> input, OutputBuffer output)
    {
        if (Word(ref input) != Magic)
        {
            throw new InvalidDataException("it does not begin as LZ4's legacy frame does");
        }

        while (input.Length > 0)
        {
            uint size = Word(ref input);
            if (size == Magic)
            {
                // Another file behind the first.
                continue;
            }

            if (size == 0 || size > (uint)input.Length)
            {
                throw new InvalidDataException($"a block of {size} bytes is announced and {input.Length} are left");
            }

            DecodeBlock(input[..(int)size], output);
            input = input[(int)size..];
        }
    }

    private static void DecodeBlock(ReadOnlySpan<byte> block, OutputBuffer output)
    {
        int start = output.Length;
        while (true)
        {
            byte token = Byte(ref block);
            int literals = Length(token >> 4, ref block);
            if (literals > block.Length)
            {
                throw new InvalidDataException("a block ends inside its literals");
            }

            output.Add(block[..literals]);
            block = block[literals..];
            if (block.Length == 0)
            {
                break;
            }

            int distance = Byte(ref block) | (Byte(ref block) << 8);
            output.Repeat(distance, Length(token & 15, ref block) + MinimumMatch, start);
            if (output.Length - start > BlockLimit)
            {
                throw new InvalidDataException("a block unpacks to more than 8 MiB");
            }
        }
    }

    private static int Length(int start, ref ReadOnlySpan<byte> block)
    {
        int length = start;
        if (start == 15)
        {
            byte more;
            do
            {
                more = Byte(ref block);
                length += more;
            }
            while (more == 255 && length <= BlockLimit);
        }

        return length;
    }

    private static byte Byte(ref ReadOnlySpan<byte> input)
    {
        if (input.Length == 0)
        {
            throw new InvalidDataException("it ends too early");
        }

        byte value = input[0];
        input = input[1..];
        return value;
    }

    private static uint Word(ref ReadOnlySpan<byte> input)
    {
        if (input.Length < sizeof(uint))
        {
            throw new InvalidDataException("it ends too early");
        }

        uint value = BinaryPrimitives.ReadUInt32LittleEndian(input);
        input = input[sizeof(uint)..];
        return value;
    }
}
