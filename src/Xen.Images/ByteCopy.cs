// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>Copies bytes between areas that do not overlap; there is no class library to ask in ring 0.</summary>
internal static unsafe class ByteCopy
{
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
