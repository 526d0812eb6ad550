// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

/// <summary>
/// The sequences section of a compressed block (RFC 8878, 3.1.1.3.2) and what it says to do: so many literals, then so
/// many bytes from so far back, again and again.
/// </summary>
internal static unsafe class ZstdSequences
{
    // What a refill gives, less what the three states take at most (9, 9 and 8 bits).
    private const int ExtraBitsInOneRefill = 56 - 26;

    /// <summary>Reads the number of sequences and the tables for them.</summary>
    public static ImageError ReadTables(ZstdWork* work, ref byte* cursor, byte* end, out uint count)
    {
        count = 0;
        nuint available = (nuint)(end - cursor);
        if (available == 0)
        {
            return ImageError.ZstdBadSequences;
        }

        uint first = *cursor;
        nuint size = first < 128 ? (nuint)1 : first < 255 ? (nuint)2 : 3;
        if (size > available)
        {
            return ImageError.ZstdBadSequences;
        }

        count = size switch
        {
            1 => first,
            2 => ((first - 128) << 8) + cursor[1],
            _ => *(ushort*)(cursor + 1) + 0x7F00u,
        };
        cursor += size;
        if (count == 0)
        {
            return cursor == end ? ImageError.Ok : ImageError.ZstdBadSequences;
        }

        if (cursor == end || (*cursor & 3) != 0)
        {
            return ImageError.ZstdBadSequences;
        }

        int modes = *cursor++;
        return ZstdCode.Select(work, &work->LiteralLengths, modes >> 6, ref cursor, end)
            && ZstdCode.Select(work, &work->Offsets, (modes >> 4) & 3, ref cursor, end)
            && ZstdCode.Select(work, &work->MatchLengths, (modes >> 2) & 3, ref cursor, end)
            ? ImageError.Ok
            : ImageError.ZstdBadSequences;
    }

    /// <summary>Decodes the sequences and carries them out.</summary>
    /// <param name="work">Work memory with the tables and the last offsets.</param>
    /// <param name="count">How many sequences, at least one.</param>
    /// <param name="stream">Their bits.</param>
    /// <param name="length">Bytes of them.</param>
    /// <param name="literals">The block's literals; moved past those used.</param>
    /// <param name="literalsEnd">Their end.</param>
    /// <param name="frame">Where the frame's output begins: no match reaches back further.</param>
    /// <param name="target">Where to write; moved past what was written.</param>
    /// <param name="outputEnd">End of what the block may write.</param>
    public static ImageError Run(
        ZstdWork* work,
        uint count,
        byte* stream,
        nuint length,
        ref byte* literals,
        byte* literalsEnd,
        byte* frame,
        ref byte* target,
        byte* outputEnd)
    {
        if (!BackwardBits.Open(stream, length, out BackwardBits input))
        {
            return ImageError.ZstdBadSequences;
        }

        FseEntry* literalLengths = ZstdCode.Table(&work->LiteralLengths);
        FseEntry* offsets = ZstdCode.Table(&work->Offsets);
        FseEntry* matchLengths = ZstdCode.Table(&work->MatchLengths);
        FseEntry* literalState = literalLengths + input.Take(work->LiteralLengths.Accuracy);
        FseEntry* offsetState = offsets + input.Take(work->Offsets.Accuracy);
        FseEntry* matchState = matchLengths + input.Take(work->MatchLengths.Accuracy);

        byte* cursor = input.Cursor;
        ulong bits = input.Bits;
        int bitCount = input.Count;
        int paddingBits = input.PaddingBits;
        byte* literal = literals;
        byte* output = target;
        nuint offset1 = (nuint)work->Offset1;
        nuint offset2 = (nuint)work->Offset2;
        nuint offset3 = (nuint)work->Offset3;

        while (true)
        {
            BackwardBits.Refill(stream, ref cursor, ref bits, ref bitCount, ref paddingBits);
            int offsetBits = offsetState->ExtraBits;
            int matchBits = matchState->ExtraBits;
            int literalBits = literalState->ExtraBits;
            bool isLong = offsetBits + matchBits + literalBits > ExtraBitsInOneRefill;
            nuint offset = offsetState->Base + BackwardBits.Take(offsetBits, ref bits, ref bitCount);
            if (isLong)
            {
                BackwardBits.Refill(stream, ref cursor, ref bits, ref bitCount, ref paddingBits);
            }

            nuint matchLength = matchState->Base + BackwardBits.Take(matchBits, ref bits, ref bitCount);
            nuint literalLength = literalState->Base + BackwardBits.Take(literalBits, ref bits, ref bitCount);
            if (offset > 3)
            {
                offset -= 3;
                offset3 = offset2;
                offset2 = offset1;
                offset1 = offset;
            }
            else
            {
                // 1 to 3: one of the last offsets. Without literals the last one itself would make no sense: one on.
                nuint choice = offset - (literalLength != 0 ? (nuint)1 : 0);
                if (choice == 0)
                {
                    offset = offset1;
                }
                else
                {
                    offset = choice == 1 ? offset2 : choice == 2 ? offset3 : offset1 - 1;
                    offset3 = choice == 1 ? offset3 : offset2;
                    offset2 = offset1;
                    offset1 = offset;
                }
            }

            nuint room = (nuint)(outputEnd - output);
            nuint literalsLeft = (nuint)(literalsEnd - literal);
            if (literalLength > literalsLeft)
            {
                return ImageError.ZstdBadSequences;
            }

            if (literalLength + matchLength > room)
            {
                return ImageError.OutputTooSmall;
            }

            CopyLiterals(ref output, ref literal, literalLength, room, literalsLeft);
            room -= literalLength;
            if (offset - 1 >= (nuint)(output - frame))
            {
                return ImageError.ZstdOffsetTooFar;
            }

            ByteCopy.Repeat(ref output, offset, matchLength, room);
            if (--count == 0)
            {
                break;
            }

            if (isLong)
            {
                BackwardBits.Refill(stream, ref cursor, ref bits, ref bitCount, ref paddingBits);
            }

            literalState = literalLengths + literalState->NextBase
                + BackwardBits.Take(literalState->NextBits, ref bits, ref bitCount);
            matchState = matchLengths + matchState->NextBase
                + BackwardBits.Take(matchState->NextBits, ref bits, ref bitCount);
            offsetState = offsets + offsetState->NextBase
                + BackwardBits.Take(offsetState->NextBits, ref bits, ref bitCount);
        }

        if (cursor != stream || bitCount != paddingBits)
        {
            return ImageError.ZstdBadSequences;
        }

        work->Offset1 = offset1;
        work->Offset2 = offset2;
        work->Offset3 = offset3;
        literals = literal;
        target = output;
        return ImageError.Ok;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void CopyLiterals(
        ref byte* output, ref byte* literal, nuint length, nuint room, nuint literalsLeft)
    {
        byte* end = output + length;
        if (room >= length + 8 && literalsLeft >= length + 8)
        {
            byte* next = literal + length;
            while (output < end)
            {
                *(ulong*)output = *(ulong*)literal;
                output += 8;
                literal += 8;
            }

            output = end;
            literal = next;
        }
        else
        {
            while (output < end)
            {
                *output++ = *literal++;
            }
        }
    }
}
