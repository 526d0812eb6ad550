// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

/// <summary>
/// The bits of a deflate stream, least significant bit of each byte first. After the last byte come zero bits, counted
/// in <see cref="PaddingBits"/>: whoever has taken some of those has met a truncated file.
/// </summary>
internal unsafe struct DeflateInput
{
    private const int PaddingLimit = 128;

    public byte* Cursor;
    public byte* End;
    public ulong Bits;
    public int Count;
    public int PaddingBits;

    /// <summary>Makes at least 56 bits available.</summary>
    /// <remarks>
    /// The quick way reads a word, counts as many whole bytes of it as fit, and leaves what it read beyond those in the
    /// bits above the count, where the next refill puts the same again.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Refill(ref byte* cursor, byte* end, ref ulong bits, ref int count, ref int paddingBits)
    {
        if (end - cursor >= sizeof(ulong))
        {
            bits |= *(ulong*)cursor << count;
            cursor += (63 - count) >> 3;
            count |= 56;
        }
        else
        {
            RefillAtEnd(ref cursor, end, ref bits, ref count, ref paddingBits);
        }
    }

    public void Refill() => Refill(ref Cursor, End, ref Bits, ref Count, ref PaddingBits);

    /// <summary>Takes up to 32 bits that <see cref="Refill()"/> has made available.</summary>
    public uint Take(int count)
    {
        uint value = (uint)(Bits & ((1ul << count) - 1));
        Bits >>= count;
        Count -= count;
        return value;
    }

    /// <summary>True if bits beyond the end of the file have been taken.</summary>
    public readonly bool IsPastEnd => Count < PaddingBits;

    /// <summary>Drops the rest of the current byte and gives back the whole bytes behind it.</summary>
    public void AlignToByte()
    {
        Cursor -= (Count - PaddingBits) >> 3;
        Bits = 0;
        Count = 0;
        PaddingBits = 0;
    }

    private static void RefillAtEnd(ref byte* cursor, byte* end, ref ulong bits, ref int count, ref int paddingBits)
    {
        while (count < 56)
        {
            if (cursor < end)
            {
                // The place may hold this very byte already, from a word read before.
                bits |= (ulong)*cursor++ << count;
            }
            else
            {
                // Beyond a refill's worth the number does not matter, and it must not wrap.
                paddingBits += paddingBits < PaddingLimit ? 8 : 0;
            }

            count += 8;
        }
    }
}
