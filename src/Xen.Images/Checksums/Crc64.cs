// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>CRC-64 of ECMA-182 (reflected polynomial C96C5795D7870F42h), four bytes at a step.</summary>
internal static unsafe class Crc64
{
    public const int TableEntries = 4 * 256;

    private const ulong Polynomial = 0xC96C5795D7870F42;

    public static void BuildTables(ulong* tables)
    {
        for (uint value = 0; value < 256; value++)
        {
            ulong crc = value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (Polynomial & (0 - (crc & 1)));
            }

            tables[value] = crc;
        }

        for (uint index = 256; index < TableEntries; index++)
        {
            ulong crc = tables[index - 256];
            tables[index] = (crc >> 8) ^ tables[(byte)crc];
        }
    }

    public static ulong Compute(ulong* tables, byte* data, nuint length)
    {
        ulong crc = ulong.MaxValue;
        byte* end = data + length;
        byte* wideEnd = data + (length & ~(nuint)3);
        while (data < wideEnd)
        {
            uint word = *(uint*)data ^ (uint)crc;
            crc = (crc >> 32) ^ (tables + (nuint)(byte)word)[3 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[2 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[256];
            word >>= 8;
            crc ^= tables[(nuint)word];
            data += 4;
        }

        while (data < end)
        {
            crc = (crc >> 8) ^ tables[(byte)crc ^ *data];
            data++;
        }

        return ~crc;
    }
}
