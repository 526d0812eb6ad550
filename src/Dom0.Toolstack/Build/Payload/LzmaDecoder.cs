// SPDX-License-Identifier: MIT
//
// A .lzma file: thirteen bytes of header (properties, dictionary size, unpacked size or all ones), then one LZMA stream
// that may end with a marker. The same coder as inside XZ, where src/Xen.Images has it for ring 0 and for speed; chunks
// of known sizes are what that one decodes, and here is one stream of unknown size.
using System;
using System.Buffers.Binary;
using System.IO;

namespace Dom0.Toolstack.Build.Payload;

/// <summary>Unpacks LZMA files.</summary>
internal sealed class LzmaDecoder
{
    private const int HeaderSize = 13;
    private const int States = 12;
    private const int PositionStates = 16;
    private const ushort Even = 1024;
    private const uint Top = 1u << 24;

    private readonly OutputBuffer _output;
    private readonly ushort[] _isMatch = Fresh(States * PositionStates);
    private readonly ushort[] _isRepeat = Fresh(States);
    private readonly ushort[] _isRepeat0 = Fresh(States);
    private readonly ushort[] _isRepeat1 = Fresh(States);
    private readonly ushort[] _isRepeat2 = Fresh(States);
    private readonly ushort[] _isRepeat0Long = Fresh(States * PositionStates);
    private readonly ushort[] _slots = Fresh(4 * 64);
    private readonly ushort[] _special = Fresh(128);
    private readonly ushort[] _align = Fresh(16);
    private readonly LengthCoder _matchLength = new();
    private readonly LengthCoder _repeatLength = new();
    private uint _range = uint.MaxValue;
    private uint _code;
    private int _at;

    /// <summary>Writes to <paramref name="output"/>.</summary>
    public LzmaDecoder(OutputBuffer output) => _output = output;

    private sealed class LengthCoder
    {
        public ushort[] Choice { get; } = Fresh(2);

        public ushort[] Low { get; } = Fresh(PositionStates * 8);

        public ushort[] Middle { get; } = Fresh(PositionStates * 8);

        public ushort[] High { get; } = Fresh(256);
    }

    /// <summary>Unpacks a whole file.</summary>
    public void Decode(ReadOnlySpan<byte> input)
    {
        if (input.Length < HeaderSize + 5 || input[0] >= 9 * 5 * 5 || input[HeaderSize] != 0)
        {
            throw new InvalidDataException("its header is not that of an LZMA file");
        }

        int literalContext = input[0] % 9;
        int literalPosition = input[0] / 9 % 5;
        int positionBits = input[0] / 45;
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(input[5..]);
        ushort[] literals = Fresh(0x300 << (literalContext + literalPosition));
        _code = BinaryPrimitives.ReadUInt32BigEndian(input[(HeaderSize + 1)..]);
        _at = HeaderSize + 5;
        int state = 0;
        uint distance0 = 0;
        uint distance1 = 0;
        uint distance2 = 0;
        uint distance3 = 0;
        while (size == ulong.MaxValue || (ulong)_output.Length < size)
        {
            int positionState = _output.Length & ((1 << positionBits) - 1);
            int statePosition = (state << 4) + positionState;
            if (!Bit(input, _isMatch, statePosition))
            {
                int context = ((_output.Length & ((1 << literalPosition) - 1)) << literalContext)
                    + (_output.Last >> (8 - literalContext));
                Literal(input, literals, context * 0x300, state >= 7 ? distance0 : null);
                state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
                continue;
            }

            int length;
            if (!Bit(input, _isRepeat, state))
            {
                (distance3, distance2, distance1) = (distance2, distance1, distance0);
                length = Length(input, _matchLength, positionState);
                distance0 = Distance(input, length);
                state = state < 7 ? 7 : 10;
                if (distance0 == uint.MaxValue)
                {
                    // The marker of the end.
                    return;
                }
            }
            else
            {
                if (!Bit(input, _isRepeat0, state))
                {
                    if (!Bit(input, _isRepeat0Long, statePosition))
                    {
                        state = state < 7 ? 9 : 11;
                        _output.Repeat(distance0 + 1L, 1);
                        continue;
                    }
                }
                else
                {
                    uint distance = distance1;
                    if (Bit(input, _isRepeat1, state))
                    {
                        distance = distance2;
                        if (Bit(input, _isRepeat2, state))
                        {
                            distance = distance3;
                            distance3 = distance2;
                        }

                        distance2 = distance1;
                    }

                    distance1 = distance0;
                    distance0 = distance;
                }

                length = Length(input, _repeatLength, positionState);
                state = state < 7 ? 8 : 11;
            }

            _output.Repeat(distance0 + 1L, length + 2);
        }
    }

    private static ushort[] Fresh(int count)
    {
        ushort[] probabilities = new ushort[count];
        Array.Fill(probabilities, Even);
        return probabilities;
    }

    /// <summary>A byte by its tree; after a match the byte at the last distance says which of two trees.</summary>
    private void Literal(ReadOnlySpan<byte> input, ushort[] literals, int offset, uint? distance)
    {
        int symbol = 1;
        if (distance is { } back)
        {
            if (back >= (uint)_output.Length)
            {
                throw new InvalidDataException("a match points to before the start of the data");
            }

            int hint = _output.Back((int)back + 1);
            while (symbol < 0x100)
            {
                int hintBit = (hint >> 7) & 1;
                hint <<= 1;
                int bit = Bit(input, literals, offset + ((1 + hintBit) << 8) + symbol) ? 1 : 0;
                symbol = (symbol << 1) | bit;
                if (bit != hintBit)
                {
                    break;
                }
            }
        }

        while (symbol < 0x100)
        {
            symbol = (symbol << 1) | (Bit(input, literals, offset + symbol) ? 1 : 0);
        }

        _output.Add((byte)symbol);
    }

    private int Length(ReadOnlySpan<byte> input, LengthCoder coder, int positionState) =>
        !Bit(input, coder.Choice, 0) ? Tree(input, coder.Low, positionState * 8, 3)
        : !Bit(input, coder.Choice, 1) ? 8 + Tree(input, coder.Middle, positionState * 8, 3)
        : 16 + Tree(input, coder.High, 0, 8);

    private uint Distance(ReadOnlySpan<byte> input, int length)
    {
        int slot = Tree(input, _slots, Math.Min(length, 3) * 64, 6);
        if (slot < 4)
        {
            return (uint)slot;
        }

        int bits = (slot >> 1) - 1;
        uint distance = (2 | ((uint)slot & 1)) << bits;
        if (slot < 14)
        {
            return distance + Reverse(input, _special, (int)distance - slot, bits);
        }

        for (int bit = bits - 1; bit >= 4; bit--)
        {
            Normalise(input);
            _range >>= 1;
            if (_code >= _range)
            {
                _code -= _range;
                distance |= 1u << bit;
            }
        }

        return distance + Reverse(input, _align, 0, 4);
    }

    private int Tree(ReadOnlySpan<byte> input, ushort[] probabilities, int offset, int bits)
    {
        int node = 1;
        for (int bit = 0; bit < bits; bit++)
        {
            node = (node << 1) | (Bit(input, probabilities, offset + node) ? 1 : 0);
        }

        return node - (1 << bits);
    }

    private uint Reverse(ReadOnlySpan<byte> input, ushort[] probabilities, int offset, int bits)
    {
        int node = 1;
        uint value = 0;
        for (int bit = 0; bit < bits; bit++)
        {
            int set = Bit(input, probabilities, offset + node) ? 1 : 0;
            node = (node << 1) | set;
            value |= (uint)set << bit;
        }

        return value;
    }

    private bool Bit(ReadOnlySpan<byte> input, ushort[] probabilities, int index)
    {
        Normalise(input);
        int value = probabilities[index];
        uint bound = (_range >> 11) * (uint)value;
        if (_code < bound)
        {
            _range = bound;
            probabilities[index] = (ushort)(value + ((2048 - value) >> 5));
            return false;
        }

        _range -= bound;
        _code -= bound;
        probabilities[index] = (ushort)(value - (value >> 5));
        return true;
    }

    private void Normalise(ReadOnlySpan<byte> input)
    {
        if (_range < Top)
        {
            if (_at >= input.Length)
            {
                throw new InvalidDataException("it ends too early");
            }

            _range <<= 8;
            _code = (_code << 8) | input[_at++];
        }
    }
}
