// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

// Theory. An LZMA stream is one long number; the decoder narrows an interval (Range) round it (Code), a bit at a time,
// in the proportion that an adaptive 11-bit probability foretells. A packet is a literal, a match (length, distance)
// or a repetition of one of the last four distances; which bits mean what depends on a 12-state grammar.
//
// The decoded bytes are the dictionary: the output buffer holds everything since the dictionary reset, so a match is a
// copy from earlier in the same buffer and no window is kept.
//
// This is the longest loop that Domain-0 waits for, so:
// * everything hot is a local that the compiler can keep in a register; the model is loaded at entry, stored at exit;
// * input is checked once a packet, not once a byte. A packet takes at most 48 steps and each step at most one byte, so
//   a packet that starts far enough from the end cannot pass it. The last packets of a chunk are decoded from a copy
//   that zeroes follow; a decoder that has gone into the zeroes has met a corrupt chunk;
// * output is checked once a packet too: a match says its length before a byte is written.

/// <summary>Decodes the LZMA data of one LZMA2 chunk.</summary>
internal static unsafe class LzmaChunk
{
    /// <summary>Bytes of scratch memory that <see cref="Decode"/> wants for the end of a chunk.</summary>
    public const int TailSize = (2 * PacketLimit) + 16;

    /// <summary>
    /// The longest packet, in range decoder steps: is-match, is-repeat, length choice (2), length (8),
    /// distance slot (6), direct bits (26), align bits (4); and the step that ends the chunk.
    /// </summary>
    private const int PacketLimit = 48 + 1;

    private const int ProbabilityBits = 11;
    private const int AdaptionShift = 5;
    private const uint Top = 1u << 24;
    private const uint InitialBytes = 5;

    /// <summary>
    /// Decodes exactly <paramref name="outputLength"/> bytes from exactly <paramref name="inputLength"/> bytes.
    /// </summary>
    /// <param name="model">Probabilities and distances, updated.</param>
    /// <param name="input">The chunk's compressed bytes.</param>
    /// <param name="inputLength">Their number, as the chunk header says.</param>
    /// <param name="dictionary">Start of the dictionary, at or before <paramref name="output"/>.</param>
    /// <param name="output">Where to write; <paramref name="outputLength"/> bytes are there.</param>
    /// <param name="outputLength">The chunk's unpacked size.</param>
    /// <param name="tail"><see cref="TailSize"/> bytes of scratch memory.</param>
    public static ImageError Decode(
        LzmaModel* model,
        byte* input,
        nuint inputLength,
        byte* dictionary,
        byte* output,
        nuint outputLength,
        byte* tail)
    {
        if (inputLength < InitialBytes || input[0] != 0)
        {
            return ImageError.XzCorruptData;
        }

        uint range = uint.MaxValue;
        uint code = ((uint)input[1] << 24) | ((uint)input[2] << 16) | ((uint)input[3] << 8) | input[4];
        byte* inputEnd = input + inputLength;
        input += InitialBytes;

        // The first byte past which a packet may not start: in the chunk itself, then in its tail.
        byte* packetLimit = inputLength >= InitialBytes + PacketLimit ? inputEnd - PacketLimit + 1 : input;
        byte* tailEnd = null;

        ushort* probabilities = model->Probabilities;
        nuint state = model->State;
        nuint distance0 = model->Distance0;
        nuint distance1 = model->Distance1;
        nuint distance2 = model->Distance2;
        nuint distance3 = model->Distance3;
        nuint positionMask = ((nuint)1 << model->PositionBits) - 1;
        nuint literalMask = LiteralMask(model);
        nuint literalScale = (nuint)6 << model->LiteralContextBits;
        byte* outputEnd = output + outputLength;
        nuint previous = output > dictionary ? output[-1] : (nuint)0;

        while (output < outputEnd)
        {
            if (input >= packetLimit)
            {
                if (tailEnd == null)
                {
                    tailEnd = tail + CopyTail(tail, input, (nuint)(inputEnd - input));
                    input = tail;
                    packetLimit = tailEnd + 1;
                }
                else if (input > tailEnd)
                {
                    return ImageError.XzCorruptData;
                }
            }

            nuint position = (nuint)(output - dictionary);
            nuint positionState = position & positionMask;
            nuint length;

            ushort* isMatch = probabilities + LzmaModel.IsMatch + (state * 16) + positionState;
            if (Bit(isMatch, ref range, ref code, ref input) == 0)
            {
                byte* literal = (byte*)(probabilities + LzmaModel.Literal)
                    + ((((position << 8) + previous) & literalMask) * literalScale);
                nuint symbol = 1;
                if (state < 7)
                {
                    state = state < 4 ? 0 : state - 3;
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                    TreeBit((ushort*)literal, ref symbol, ref range, ref code, ref input);
                }
                else
                {
                    // After a match the byte that did not match (the one at the last distance) is a hint.
                    state = state < 10 ? state - 3 : state - 6;
                    nuint hint = output[-(nint)distance0 - 1];
                    nuint offset = 0x100;
                    do
                    {
                        hint <<= 1;
                        nuint hintBit = hint & offset;
                        ushort* probability = (ushort*)literal + offset + hintBit + symbol;
                        if (Bit(probability, ref range, ref code, ref input) == 0)
                        {
                            symbol <<= 1;
                            offset ^= hintBit;
                        }
                        else
                        {
                            symbol = (symbol << 1) + 1;
                            offset = hintBit;
                        }
                    }
                    while (symbol < 0x100);
                }

                previous = (byte)symbol;
                *output++ = (byte)symbol;
                continue;
            }

            if (Bit(probabilities + LzmaModel.IsRepeat + state, ref range, ref code, ref input) == 0)
            {
                distance3 = distance2;
                distance2 = distance1;
                distance1 = distance0;
                state = state < 7 ? (nuint)7 : 10;
                length = Length(
                    probabilities + LzmaModel.MatchLength, positionState, ref range, ref code, ref input);

                nuint slotSet = length < 4 ? length : 3;
                ushort* slots = probabilities + LzmaModel.DistanceSlot + (slotSet << 6);
                nuint slot = 1;
                TreeBit(slots, ref slot, ref range, ref code, ref input);
                TreeBit(slots, ref slot, ref range, ref code, ref input);
                TreeBit(slots, ref slot, ref range, ref code, ref input);
                TreeBit(slots, ref slot, ref range, ref code, ref input);
                TreeBit(slots, ref slot, ref range, ref code, ref input);
                TreeBit(slots, ref slot, ref range, ref code, ref input);
                slot -= 64;
                distance0 = slot;
                if (slot >= 4)
                {
                    int bits = (int)(slot >> 1) - 1;
                    distance0 = 2 | (slot & 1);
                    ushort* tree;
                    if (slot < 14)
                    {
                        distance0 <<= bits;
                        tree = probabilities + LzmaModel.DistanceSpecial + distance0 - slot - 1;
                    }
                    else
                    {
                        bits -= 4;
                        do
                        {
                            Normalise(ref range, ref code, ref input);
                            range >>= 1;
                            code -= range;
                            uint borrowed = (uint)((int)code >> 31);
                            code += range & borrowed;
                            distance0 = (distance0 << 1) + 1 + (nuint)(nint)(int)borrowed;
                        }
                        while (--bits > 0);
                        distance0 <<= 4;
                        bits = 4;
                        tree = probabilities + LzmaModel.DistanceAlign;
                    }

                    nuint node = 1;
                    nuint weight = 1;
                    do
                    {
                        if (Bit(tree + node, ref range, ref code, ref input) == 0)
                        {
                            node <<= 1;
                        }
                        else
                        {
                            node = (node << 1) + 1;
                            distance0 += weight;
                        }

                        weight <<= 1;
                    }
                    while (--bits > 0);
                }
            }
            else
            {
                if (Bit(probabilities + LzmaModel.IsRepeat0 + state, ref range, ref code, ref input) == 0)
                {
                    ushort* isLong = probabilities + LzmaModel.IsRepeat0Long + (state * 16) + positionState;
                    if (Bit(isLong, ref range, ref code, ref input) == 0)
                    {
                        if (distance0 >= position)
                        {
                            return ImageError.XzDistanceTooFar;
                        }

                        state = state < 7 ? (nuint)9 : 11;
                        previous = output[-(nint)distance0 - 1];
                        *output++ = (byte)previous;
                        continue;
                    }
                }
                else
                {
                    nuint distance;
                    if (Bit(probabilities + LzmaModel.IsRepeat1 + state, ref range, ref code, ref input) == 0)
                    {
                        distance = distance1;
                    }
                    else
                    {
                        if (Bit(probabilities + LzmaModel.IsRepeat2 + state, ref range, ref code, ref input) == 0)
                        {
                            distance = distance2;
                        }
                        else
                        {
                            distance = distance3;
                            distance3 = distance2;
                        }

                        distance2 = distance1;
                    }

                    distance1 = distance0;
                    distance0 = distance;
                }

                state = state < 7 ? (nuint)8 : 11;
                length = Length(
                    probabilities + LzmaModel.RepeatLength, positionState, ref range, ref code, ref input);
            }

            length += 2;
            if (distance0 >= position)
            {
                return ImageError.XzDistanceTooFar;
            }

            nuint room = (nuint)(outputEnd - output);
            if (length > room)
            {
                return ImageError.XzCorruptData;
            }

            byte* from = output - distance0 - 1;
            byte* copyEnd = output + length;
            if (distance0 >= 7 && room >= length + 7)
            {
                // Whole words may run up to seven bytes past the match, still inside the chunk's own output.
                do
                {
                    *(ulong*)output = *(ulong*)from;
                    output += 8;
                    from += 8;
                }
                while (output < copyEnd);
                output = copyEnd;
            }
            else
            {
                do
                {
                    *output++ = *from++;
                }
                while (output < copyEnd);
            }

            previous = output[-1];
        }

        // The encoder's last bytes bring the code to zero, exactly at the end of the chunk.
        Normalise(ref range, ref code, ref input);
        byte* expectedEnd = tailEnd == null ? inputEnd : tailEnd;
        if (input != expectedEnd || code != 0)
        {
            return ImageError.XzCorruptData;
        }

        model->State = (uint)state;
        model->Distance0 = (uint)distance0;
        model->Distance1 = (uint)distance1;
        model->Distance2 = (uint)distance2;
        model->Distance3 = (uint)distance3;
        return ImageError.Ok;
    }

    /// <summary>
    /// Selects, of (position shifted by 8) + previous byte, the low position bits and the high bits of the byte.
    /// What is left, times the scale, is the literal coder's offset in bytes.
    /// </summary>
    private static nuint LiteralMask(LzmaModel* model) =>
        ((nuint)0x100 << model->LiteralPositionBits) - ((nuint)0x100 >> model->LiteralContextBits);

    private static nuint CopyTail(byte* tail, byte* input, nuint length)
    {
        for (nuint index = 0; index < TailSize; index++)
        {
            tail[index] = index < length ? input[index] : (byte)0;
        }

        return length;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Normalise(ref uint range, ref uint code, ref byte* input)
    {
        if (range < Top)
        {
            range <<= 8;
            code = (code << 8) | *input++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Bit(ushort* probability, ref uint range, ref uint code, ref byte* input)
    {
        Normalise(ref range, ref code, ref input);
        uint value = *probability;
        uint bound = (range >> ProbabilityBits) * value;
        if (code < bound)
        {
            range = bound;
            *probability = (ushort)(value + (((1u << ProbabilityBits) - value) >> AdaptionShift));
            return 0;
        }

        range -= bound;
        code -= bound;
        *probability = (ushort)(value - (value >> AdaptionShift));
        return 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TreeBit(ushort* tree, ref nuint symbol, ref uint range, ref uint code, ref byte* input)
    {
        Normalise(ref range, ref code, ref input);
        uint value = tree[symbol];
        uint bound = (range >> ProbabilityBits) * value;
        if (code < bound)
        {
            range = bound;
            tree[symbol] = (ushort)(value + (((1u << ProbabilityBits) - value) >> AdaptionShift));
            symbol <<= 1;
        }
        else
        {
            range -= bound;
            code -= bound;
            tree[symbol] = (ushort)(value - (value >> AdaptionShift));
            symbol = (symbol << 1) + 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Length(
        ushort* coder, nuint positionState, ref uint range, ref uint code, ref byte* input)
    {
        ushort* tree;
        nuint limit;
        nuint bias;
        if (Bit(coder + LzmaModel.LengthChoice, ref range, ref code, ref input) == 0)
        {
            tree = coder + LzmaModel.LengthLow + (positionState * 8);
            limit = 8;
            bias = 8;
        }
        else if (Bit(coder + LzmaModel.LengthChoice2, ref range, ref code, ref input) == 0)
        {
            tree = coder + LzmaModel.LengthMiddle + (positionState * 8);
            limit = 8;
            bias = 0;
        }
        else
        {
            tree = coder + LzmaModel.LengthHigh;
            limit = 256;
            bias = 240;
        }

        nuint symbol = 1;
        do
        {
            TreeBit(tree, ref symbol, ref range, ref code, ref input);
        }
        while (symbol < limit);
        return symbol - bias;
    }
}
