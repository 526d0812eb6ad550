// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

/// <summary>
/// The bit streams of zstd (RFC 8878, 4.1), written forward and read backward: the first bit to read is below the
/// highest set bit of the last byte. The bits to come stand at the top of <see cref="Bits"/>. Before the first byte
/// there are zero bits, counted in <see cref="PaddingBits"/>.
/// </summary>
internal unsafe struct BackwardBits
{
    private const int PaddingLimit = 128;

    public byte* Start;
    public byte* Cursor;
    public ulong Bits;
    public int Count;
    public int PaddingBits;

    /// <summary>Opens a stream; false if it is empty or its last byte has no bit set.</summary>
    public static bool Open(byte* start, nuint length, out BackwardBits stream)
    {
        stream = default;
        if (length == 0 || start[length - 1] == 0)
        {
            return false;
        }

        stream.Start = start;
        stream.Cursor = start + length;
        stream.Refill();
        stream.Skip(8 - HighestBit.Of(start[length - 1]));
        return true;
    }

    /// <summary>Makes at least 56 bits available; how, see <see cref="DeflateInput.Refill()"/>, of which it is the
    /// mirror image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Refill(byte* start, ref byte* cursor, ref ulong bits, ref int count, ref int paddingBits)
    {
        if (cursor - start >= sizeof(ulong))
        {
            bits |= *((ulong*)cursor - 1) >> count;
            cursor -= (63 - count) >> 3;
            count |= 56;
        }
        else
        {
            RefillAtStart(start, ref cursor, ref bits, ref count, ref paddingBits);
        }
    }

    /// <summary>Takes up to 56 bits, which are there; none are zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nuint Take(int taken, ref ulong bits, ref int count)
    {
        nuint value = (nuint)((bits >> 1) >> (63 - taken));
        bits <<= taken;
        count -= taken;
        return value;
    }

    public void Refill() => Refill(Start, ref Cursor, ref Bits, ref Count, ref PaddingBits);

    public nuint Take(int taken) => Take(taken, ref Bits, ref Count);

    /// <summary>True if every bit has been taken and none beyond.</summary>
    public readonly bool IsAtEnd => Cursor == Start && Count == PaddingBits;

    public readonly bool IsPastEnd => Count < PaddingBits;

    private void Skip(int count)
    {
        Bits <<= count;
        Count -= count;
    }

    private static void RefillAtStart(
        byte* start, ref byte* cursor, ref ulong bits, ref int count, ref int paddingBits)
    {
        while (count < 56)
        {
            if (cursor > start)
            {
                bits |= (ulong)*--cursor << (56 - count);
            }
            else
            {
                paddingBits += paddingBits < PaddingLimit ? 8 : 0;
            }

            count += 8;
        }
    }
}
