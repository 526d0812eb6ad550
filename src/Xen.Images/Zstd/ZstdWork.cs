// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// How the caller's work memory is divided while a zstd file is unpacked. All but the literals and the scratch lasts
/// from block to block of a frame.
/// </summary>
internal unsafe struct ZstdWork
{
    /// <summary>The most that a block unpacks to, whatever the window.</summary>
    public const int BlockLimit = 128 * 1024;

    public ulong Offset1;
    public ulong Offset2;
    public ulong Offset3;

    public bool HasHuffmanTable;
    public int HuffmanBits;
    public fixed ushort HuffmanTable[1 << ZstdHuffman.BitsLimit];

    public ZstdCode LiteralLengths;
    public ZstdCode Offsets;
    public ZstdCode MatchLengths;

    public fixed ulong WeightSymbols[FseTable.SymbolLimit];
    public fixed ulong WeightTable[1 << ZstdHuffman.WeightAccuracyLimit];
    public fixed byte Weights[ZstdHuffman.SymbolLimit];
    public fixed short Counts[FseTable.SymbolLimit];
    public fixed ushort Next[FseTable.SymbolLimit];
    public fixed byte Literals[BlockLimit];
}
