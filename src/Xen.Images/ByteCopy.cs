// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

/// <summary>Moves bytes; there is no class library to ask in ring 0.</summary>
internal static unsafe class ByteCopy
{
    /// <summary>Four bits each: the least multiple of the distances 1 to 7 that is at least 8.</summary>
    private const uint WordPeriods = 0xECA8988;

    /// <summary>
    /// Repeats what was written <paramref name="distance"/> bytes ago, <paramref name="length"/> bytes of it, and moves
    /// the output past it. The distance may be less than the length.
    /// </summary>
    /// <param name="output">Where to write.</param>
    /// <param name="distance">At least 1; so many bytes are before the output.</param>
    /// <param name="length">At least 1 and at most <paramref name="room"/>.</param>
    /// <param name="room">Bytes that may be written, should it be quicker to write more than the length.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Repeat(ref byte* output, nuint distance, nuint length, nuint room)
    {
        byte* from = output - distance;
        byte* end = output + length;
        if (room >= length + 8)
        {
            if (distance < 8)
            {
                // A short period: eight single bytes, then a multiple of the period that is a word or more.
                for (int count = 8; count != 0; count--)
                {
                    *output++ = *from++;
                }

                from = output - ((WordPeriods >> ((int)(distance - 1) * 4)) & 0xF);
            }

            while (output < end)
            {
                *(ulong*)output = *(ulong*)from;
                output += 8;
                from += 8;
            }

            output = end;
        }
        else
        {
            do
            {
                *output++ = *from++;
            }
            while (output < end);
        }
    }

    /// <summary>Copies between areas that do not overlap.</summary>
    public static void Forward(byte* target, byte* source, nuint length)
    {
        while (length >= 8)
        {
            *(ulong*)target = *(ulong*)source;
            target += 8;
            source += 8;
            length -= 8;
        }

        while (length != 0)
        {
            *target++ = *source++;
            length--;
        }
    }

    public static void Fill(byte* target, byte value, nuint length)
    {
        ulong pattern = value * 0x0101_0101_0101_0101ul;
        while (length >= 8)
        {
            *(ulong*)target = pattern;
            target += 8;
            length -= 8;
        }

        while (length != 0)
        {
            *target++ = value;
            length--;
        }
    }
}
