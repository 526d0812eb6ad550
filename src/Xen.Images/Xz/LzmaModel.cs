// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// What an LZMA decoder remembers from one run of packets to the next: the two positions, the interval, the adaptive
/// probabilities, the state of the packet grammar and the four latest distances. Positions and interval are set anew
/// for each LZMA2 chunk.
/// </summary>
internal unsafe struct LzmaModel
{
    /// <summary>Positions in <see cref="Probabilities"/>, in entries.</summary>
    public const int IsMatch = 0;
    public const int IsRepeat = IsMatch + (StateCount * PositionStates);
    public const int IsRepeat0 = IsRepeat + StateCount;
    public const int IsRepeat1 = IsRepeat0 + StateCount;
    public const int IsRepeat2 = IsRepeat1 + StateCount;
    public const int IsRepeat0Long = IsRepeat2 + StateCount;
    public const int DistanceSlot = IsRepeat0Long + (StateCount * PositionStates);
    public const int DistanceSpecial = DistanceSlot + (4 * 64);
    public const int DistanceAlign = DistanceSpecial + 128;
    public const int MatchLength = DistanceAlign + 16;
    public const int RepeatLength = MatchLength + LengthSize;
    public const int Literal = RepeatLength + LengthSize;
    public const int ProbabilityCount = Literal + (LiteralSize << LiteralBitsLimit);

    /// <summary>Positions inside a length coder, in entries.</summary>
    public const int LengthChoice = 0;
    public const int LengthChoice2 = 1;
    public const int LengthLow = 2;
    public const int LengthMiddle = LengthLow + (8 * PositionStates);
    public const int LengthHigh = LengthMiddle + (8 * PositionStates);
    public const int LengthSize = LengthHigh + 256;

    public const int StateCount = 12;
    public const int PositionStates = 16;
    public const int LiteralSize = 0x300;

    /// <summary>LZMA2 allows at most this many bits of literal context and literal position together.</summary>
    public const int LiteralBitsLimit = 4;

    private const ulong FourEvenProbabilities = 0x0400_0400_0400_0400;

    public byte* Input;
    public byte* Output;
    public uint Range;
    public uint Code;
    public uint Distance0;
    public uint Distance1;
    public uint Distance2;
    public uint Distance3;
    public uint State;
    public int LiteralContextBits;
    public int LiteralPositionBits;
    public int PositionBits;
    public fixed ushort Probabilities[ProbabilityCount];

    /// <summary>Takes the packed property byte (lc + 9 (lp + 5 pb)); false if it is not one LZMA2 allows.</summary>
    public static bool SetProperties(LzmaModel* model, byte properties)
    {
        if (properties >= 9 * 5 * 5)
        {
            return false;
        }

        model->LiteralContextBits = properties % 9;
        model->LiteralPositionBits = properties / 9 % 5;
        model->PositionBits = properties / 45;
        return model->LiteralContextBits + model->LiteralPositionBits <= LiteralBitsLimit;
    }

    public static void Reset(LzmaModel* model)
    {
        model->Distance0 = 0;
        model->Distance1 = 0;
        model->Distance2 = 0;
        model->Distance3 = 0;
        model->State = 0;

        // Whole words: the count is a multiple of four, whatever the literal bits.
        int count = Literal + (LiteralSize << (model->LiteralContextBits + model->LiteralPositionBits));
        ulong* words = (ulong*)model->Probabilities;
        for (int index = 0; index < count / 4; index++)
        {
            words[index] = FourEvenProbabilities;
        }
    }
}
