// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

/// <summary>
/// Deflate (RFC 1951): a run of blocks, each stored, or coded with fixed codes, or with codes that it describes. The
/// output buffer is the window.
/// </summary>
internal static unsafe class DeflateStream
{
    /// <summary>Room for the code lengths of both codes, with what a last repetition may run over.</summary>
    public const int LengthsCapacity = 320;

    private const int BlockStored = 0;
    private const int BlockFixed = 1;
    private const int BlockDynamic = 2;
    private const int LiteralSymbolLimit = 286;
    private const int DistanceSymbolLimit = 30;
    private const int PrecodeSymbols = 19;
    private const int EndOfBlock = 256;

    /// <summary>The order in which the code lengths of the precode are sent.</summary>
    private static System.ReadOnlySpan<byte> PrecodeOrder =>
        [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>Decodes up to the end of the last block.</summary>
    /// <param name="work">Work memory.</param>
    /// <param name="cursor">First byte; on success moved past the last.</param>
    /// <param name="end">End of the readable bytes.</param>
    /// <param name="output">Where to write; on success moved past the last byte written.</param>
    /// <param name="outputEnd">End of the writable bytes.</param>
    public static ImageError Decode(
        GzipWork* work, ref byte* cursor, byte* end, ref byte* output, byte* outputEnd)
    {
        work->Input = default;
        work->Input.Cursor = cursor;
        work->Input.End = end;
        DeflateInput* input = &work->Input;
        byte* window = output;
        byte* target = output;
        bool isLast;
        do
        {
            input->Refill();
            isLast = input->Take(1) != 0;
            uint kind = input->Take(2);
            ImageError error = kind switch
            {
                BlockStored => CopyStored(input, ref target, outputEnd),
                BlockFixed => BuildFixedTables(work),
                BlockDynamic => ReadTables(work),
                _ => ImageError.DeflateBadBlock,
            };

            if (error == ImageError.Ok && kind != BlockStored)
            {
                error = DecodeSymbols(work, window, ref target, outputEnd);
            }

            // Whatever is wrong with data made of padding, the fault is that the file ends.
            if (input->IsPastEnd)
            {
                return ImageError.Truncated;
            }

            if (error != ImageError.Ok)
            {
                return error;
            }
        }
        while (!isLast);

        input->AlignToByte();
        cursor = input->Cursor;
        output = target;
        return ImageError.Ok;
    }

    private static ImageError CopyStored(DeflateInput* input, ref byte* output, byte* outputEnd)
    {
        if (input->IsPastEnd)
        {
            return ImageError.Truncated;
        }

        input->AlignToByte();
        byte* header = input->Cursor;
        nuint available = (nuint)(input->End - header);
        if (available < 4)
        {
            return ImageError.Truncated;
        }

        nuint length = *(ushort*)header;
        if (*(ushort*)(header + 2) != (ushort)~length)
        {
            return ImageError.DeflateBadBlock;
        }

        if (length > available - 4)
        {
            return ImageError.Truncated;
        }

        if (length > (nuint)(outputEnd - output))
        {
            return ImageError.OutputTooSmall;
        }

        ByteCopy.Forward(output, header + 4, length);
        output += length;
        input->Cursor = header + 4 + length;
        return ImageError.Ok;
    }

    private static ImageError BuildFixedTables(GzipWork* work)
    {
        byte* lengths = work->Lengths;
        for (int symbol = 0; symbol < DeflateTable.SymbolLimit; symbol++)
        {
            lengths[symbol] = symbol switch
            {
                < 144 => 8,
                < 256 => 9,
                < 280 => 7,
                _ => 8,
            };
        }

        // The two symbols beyond the last distance have codes, which makes the code complete, but no meaning.
        byte* distanceLengths = lengths + DeflateTable.SymbolLimit;
        for (int symbol = 0; symbol < DistanceSymbolLimit + 2; symbol++)
        {
            distanceLengths[symbol] = 5;
        }

        return BuildTables(work, DeflateTable.SymbolLimit, DistanceSymbolLimit + 2);
    }

    private static ImageError ReadTables(GzipWork* work)
    {
        DeflateInput* input = &work->Input;
        int literalCount = (int)input->Take(5) + 257;
        int distanceCount = (int)input->Take(5) + 1;
        int precodeCount = (int)input->Take(4) + 4;
        if (literalCount > LiteralSymbolLimit || distanceCount > DistanceSymbolLimit)
        {
            return ImageError.DeflateBadCode;
        }

        byte* lengths = work->Lengths;
        for (int index = 0; index < PrecodeSymbols; index++)
        {
            lengths[index] = 0;
        }

        for (int index = 0; index < precodeCount; index++)
        {
            input->Refill();
            lengths[PrecodeOrder[index]] = (byte)input->Take(3);
        }

        ImageError error = DeflateTable.Build(
            work->DistanceTable,
            DeflateTable.DistanceEntries,
            DeflateTable.PrecodePrimaryBits,
            DeflateCode.Precode,
            lengths,
            PrecodeSymbols,
            work->Sorted);
        if (error != ImageError.Ok)
        {
            return error;
        }

        error = ReadLengths(input, work->DistanceTable, lengths, literalCount + distanceCount);
        if (error != ImageError.Ok)
        {
            return error;
        }

        return lengths[EndOfBlock] == 0
            ? ImageError.DeflateBadCode
            : BuildTables(work, literalCount, distanceCount);
    }

    private static ImageError ReadLengths(DeflateInput* input, uint* precode, byte* lengths, int total)
    {
        int done = 0;
        while (done < total)
        {
            input->Refill();
            uint entry = precode[input->Bits & ((1 << DeflateTable.PrecodePrimaryBits) - 1)];
            _ = input->Take((int)(entry & DeflateTable.LengthMask));
            uint symbol = entry >> DeflateTable.ValueShift;
            if (symbol < 16)
            {
                lengths[done++] = (byte)symbol;
                continue;
            }

            if (symbol == 16 && done == 0)
            {
                return ImageError.DeflateBadCode;
            }

            byte value = symbol == 16 ? lengths[done - 1] : (byte)0;
            int count = symbol switch
            {
                16 => (int)input->Take(2) + 3,
                17 => (int)input->Take(3) + 3,
                _ => (int)input->Take(7) + 11,
            };
            if (count > total - done)
            {
                return ImageError.DeflateBadCode;
            }

            for (; count != 0; count--)
            {
                lengths[done++] = value;
            }
        }

        return ImageError.Ok;
    }

    private static ImageError BuildTables(GzipWork* work, int literalCount, int distanceCount)
    {
        ImageError error = DeflateTable.Build(
            work->LiteralTable,
            DeflateTable.LiteralEntries,
            DeflateTable.LiteralPrimaryBits,
            DeflateCode.LiteralOrLength,
            work->Lengths,
            literalCount,
            work->Sorted);
        return error != ImageError.Ok
            ? error
            : DeflateTable.Build(
                work->DistanceTable,
                DeflateTable.DistanceEntries,
                DeflateTable.DistancePrimaryBits,
                DeflateCode.Distance,
                work->Lengths + literalCount,
                distanceCount,
                work->Sorted);
    }

    private static ImageError DecodeSymbols(GzipWork* work, byte* window, ref byte* target, byte* outputEnd)
    {
        uint* literals = work->LiteralTable;
        uint* distances = work->DistanceTable;
        byte* cursor = work->Input.Cursor;
        byte* end = work->Input.End;
        ulong bits = work->Input.Bits;
        int count = work->Input.Count;
        int paddingBits = work->Input.PaddingBits;
        byte* output = target;
        ImageError error;

        while (true)
        {
            // 56 bits are enough for the longest symbol: length 15 and 5 more, distance 15 and 13 more.
            DeflateInput.Refill(ref cursor, end, ref bits, ref count, ref paddingBits);
            uint entry = Look(literals, DeflateTable.LiteralPrimaryBits, ref bits, ref count);
            if ((entry & DeflateTable.KindLiteral) != 0)
            {
                if (output == outputEnd)
                {
                    error = ImageError.OutputTooSmall;
                    break;
                }

                *output++ = (byte)(entry >> DeflateTable.ValueShift);

                // At least 41 bits are left: enough for a second literal.
                uint second = literals[bits & ((1 << DeflateTable.LiteralPrimaryBits) - 1)];
                if ((second & DeflateTable.KindLiteral) == 0 || output == outputEnd)
                {
                    continue;
                }

                int taken = (int)(second & DeflateTable.LengthMask);
                bits >>= taken;
                count -= taken;
                *output++ = (byte)(second >> DeflateTable.ValueShift);
                continue;
            }

            if ((entry & (DeflateTable.KindEnd | DeflateTable.KindInvalid)) != 0)
            {
                error = (entry & DeflateTable.KindEnd) != 0 ? ImageError.Ok : ImageError.DeflateCorruptData;
                break;
            }

            nuint length = Value(entry, ref bits, ref count);
            entry = Look(distances, DeflateTable.DistancePrimaryBits, ref bits, ref count);
            if ((entry & DeflateTable.KindInvalid) != 0)
            {
                error = ImageError.DeflateCorruptData;
                break;
            }

            nuint distance = Value(entry, ref bits, ref count);
            if (distance > (nuint)(output - window))
            {
                error = ImageError.DeflateDistanceTooFar;
                break;
            }

            nuint room = (nuint)(outputEnd - output);
            if (length > room)
            {
                error = ImageError.OutputTooSmall;
                break;
            }

            ByteCopy.Repeat(ref output, distance, length, room);
        }

        work->Input.Cursor = cursor;
        work->Input.Bits = bits;
        work->Input.Count = count;
        work->Input.PaddingBits = paddingBits;
        target = output;
        return error;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Look(uint* table, int primaryBits, ref ulong bits, ref int count)
    {
        uint entry = table[bits & ((1ul << primaryBits) - 1)];
        int taken = (int)(entry & DeflateTable.LengthMask);
        bits >>= taken;
        count -= taken;
        if ((entry & DeflateTable.KindSecondary) == 0)
        {
            return entry;
        }

        int indexBits = (int)((entry >> DeflateTable.ExtraShift) & DeflateTable.ExtraMask);
        entry = table[(entry >> DeflateTable.ValueShift) + (bits & ((1ul << indexBits) - 1))];
        taken = (int)(entry & DeflateTable.LengthMask);
        bits >>= taken;
        count -= taken;
        return entry;
    }

    /// <summary>The base of a length or distance, and its extra bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Value(uint entry, ref ulong bits, ref int count)
    {
        int extra = (int)((entry >> DeflateTable.ExtraShift) & DeflateTable.ExtraMask);
        nuint value = (entry >> DeflateTable.ValueShift) + (nuint)(bits & ((1ul << extra) - 1));
        bits >>= extra;
        count -= extra;
        return value;
    }
}
