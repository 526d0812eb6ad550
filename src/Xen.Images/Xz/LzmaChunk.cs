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

    /// <summary>
    /// A 0 moves a probability p up by (2048 - p) / 32, rounded down; that is p - ((p - 2017) >> 5), two steps less.
    /// </summary>
    private const int ZeroAdaptionBias = (1 << ProbabilityBits) - (1 << AdaptionShift) + 1;
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

        byte* inputEnd = input + inputLength;
        byte* outputEnd = output + outputLength;
        model->Range = uint.MaxValue;
        model->Code = ((uint)input[1] << 24) | ((uint)input[2] << 16) | ((uint)input[3] << 8) | input[4];
        model->Input = input + InitialBytes;
        model->Output = output;
        if (inputLength >= InitialBytes + PacketLimit)
        {
            ImageError error = DecodePackets(model, dictionary, outputEnd, inputEnd - PacketLimit);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        // The rest of the chunk is at most PacketLimit bytes; a packet may start at its very end and take no more.
        byte* tailEnd = tail + CopyTail(tail, model->Input, (nuint)(inputEnd - model->Input));
        model->Input = tail;
        if (model->Output < outputEnd)
        {
            ImageError error = DecodePackets(model, dictionary, outputEnd, tailEnd);
            if (error != ImageError.Ok)
            {
                return error;
            }
        }

        // The encoder's last bytes bring the code to zero, exactly at the end of the chunk.
        Normalise(ref model->Range, ref model->Code, ref model->Input);
        return model->Output == outputEnd && model->Input == tailEnd && model->Code == 0
            ? ImageError.Ok
            : ImageError.XzCorruptData;
    }

    /// <summary>
    /// Decodes packets until the output ends or the input has passed <paramref name="lastStart"/>, the last place
    /// where a packet may begin.
    /// </summary>
    private static ImageError DecodePackets(LzmaModel* model, byte* dictionary, byte* outputEnd, byte* lastStart)
    {
        byte* input = model->Input;
        byte* output = model->Output;
        uint range = model->Range;
        uint code = model->Code;
        ushort* probabilities = model->Probabilities;
        nuint state = model->State;
        nuint distance0 = model->Distance0;
        nuint distance1 = model->Distance1;
        nuint distance2 = model->Distance2;
        nuint distance3 = model->Distance3;
        nuint positionMask = ((nuint)1 << model->PositionBits) - 1;
        nuint literalMask = LiteralMask(model);
        nuint literalScale = (nuint)6 << model->LiteralContextBits;
        nuint previous = output > dictionary ? output[-1] : (nuint)0;

        while (output < outputEnd && input <= lastStart)
        {
            nuint position = (nuint)(output - dictionary);
            nuint positionState = position & positionMask;
            nuint length;

            nuint statePosition = (state << 4) + positionState;
            if (!Bit(probabilities + LzmaModel.IsMatch, statePosition, ref range, ref code, ref input))
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
                        nuint node = offset + hintBit + symbol;
                        if (Bit((ushort*)literal, node, ref range, ref code, ref input))
                        {
                            symbol = (symbol << 1) + 1;
                            offset = hintBit;
                        }
                        else
                        {
                            symbol <<= 1;
                            offset ^= hintBit;
                        }
                    }
                    while (symbol < 0x100);
                }

                previous = (byte)symbol;
                *output++ = (byte)symbol;
                continue;
            }

            if (!Bit(probabilities + LzmaModel.IsRepeat, state, ref range, ref code, ref input))
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
                            long less = (long)code - range;
                            long borrowed = less >> 63;
                            code = (uint)less + (range & (uint)borrowed);
                            distance0 = (distance0 << 1) + 1 + (nuint)(ulong)borrowed;
                        }
                        while (--bits != 0);
                        distance0 <<= 4;
                        bits = 4;
                        tree = probabilities + LzmaModel.DistanceAlign;
                    }

                    nuint node = 1;
                    nuint weight = 1;
                    do
                    {
                        if (Bit(tree, node, ref range, ref code, ref input))
                        {
                            node = (node << 1) + 1;
                            distance0 += weight;
                        }
                        else
                        {
                            node <<= 1;
                        }

                        weight <<= 1;
                    }
                    while (--bits != 0);
                }
            }
            else
            {
                if (!Bit(probabilities + LzmaModel.IsRepeat0, state, ref range, ref code, ref input))
                {
                    ushort* isLong = probabilities + LzmaModel.IsRepeat0Long;
                    if (!Bit(isLong, statePosition, ref range, ref code, ref input))
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
                    if (!Bit(probabilities + LzmaModel.IsRepeat1, state, ref range, ref code, ref input))
                    {
                        distance = distance1;
                    }
                    else
                    {
                        if (!Bit(probabilities + LzmaModel.IsRepeat2, state, ref range, ref code, ref input))
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

            ByteCopy.Repeat(ref output, distance0 + 1, length, room);
            previous = output[-1];
        }

        model->Input = input;
        model->Output = output;
        model->Range = range;
        model->Code = code;
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

    /// <summary>True: the bit is 1. The probability is that of 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Bit(
        ushort* probabilities, nuint index, ref uint range, ref uint code, ref byte* input)
    {
        Normalise(ref range, ref code, ref input);
        int value = probabilities[index];
        uint bound = (range >> ProbabilityBits) * (uint)value;
        if (code < bound)
        {
            range = bound;
            probabilities[index] = (ushort)(value - ((value - ZeroAdaptionBias) >> AdaptionShift));
            return false;
        }

        range -= bound;
        code -= bound;
        probabilities[index] = (ushort)(value - (value >> AdaptionShift));
        return true;
    }

    /// <summary>One step down a tree whose node n has the children 2n and 2n + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TreeBit(ushort* tree, ref nuint node, ref uint range, ref uint code, ref byte* input)
    {
        if (Bit(tree, node, ref range, ref code, ref input))
        {
            node = (node << 1) + 1;
        }
        else
        {
            node <<= 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nuint Length(
        ushort* coder, nuint positionState, ref uint range, ref uint code, ref byte* input)
    {
        ushort* tree;
        nuint limit;
        nuint bias;
        if (!Bit(coder, LzmaModel.LengthChoice, ref range, ref code, ref input))
        {
            tree = coder + LzmaModel.LengthLow + (positionState * 8);
            limit = 8;
            bias = 8;
        }
        else if (!Bit(coder, LzmaModel.LengthChoice2, ref range, ref code, ref input))
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

        nuint node = 1;
        TreeBit(tree, ref node, ref range, ref code, ref input);
        TreeBit(tree, ref node, ref range, ref code, ref input);
        do
        {
            TreeBit(tree, ref node, ref range, ref code, ref input);
        }
        while (node < limit);
        return node - bias;
    }
}
