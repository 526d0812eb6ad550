// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// CRC-32 of IEEE 802.3 (reflected polynomial EDB88320h), eight bytes at a step. The tables live in the caller's
/// work memory: ring 0 has no static constructors to fill them.
/// </summary>
internal static unsafe class Crc32
{
    public const int TableEntries = 8 * 256;

    private const uint Polynomial = 0xEDB88320;

    public static void BuildTables(uint* tables)
    {
        for (uint value = 0; value < 256; value++)
        {
            uint crc = value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (Polynomial & (0 - (crc & 1)));
            }

            tables[value] = crc;
        }

        // Slice n holds the effect of a byte that n further zero bytes follow.
        for (uint index = 256; index < TableEntries; index++)
        {
            uint crc = tables[index - 256];
            tables[index] = (crc >> 8) ^ tables[(byte)crc];
        }
    }

    public static uint Compute(uint* tables, byte* data, nuint length) => Update(tables, 0, data, length);

    /// <summary>Continues a checksum over further bytes; start with 0.</summary>
    public static uint Update(uint* tables, uint checksum, byte* data, nuint length)
    {
        uint crc = ~checksum;
        byte* end = data + length;
        byte* wideEnd = data + (length & ~(nuint)7);
        while (data < wideEnd)
        {
            ulong word = *(ulong*)data ^ crc;
            crc = (tables + (nuint)(byte)word)[7 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[6 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[5 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[4 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[3 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[2 * 256];
            word >>= 8;
            crc ^= (tables + (nuint)(byte)word)[256];
            word >>= 8;
            crc ^= tables[(nuint)word];
            data += 8;
        }

        while (data < end)
        {
            crc = (crc >> 8) ^ tables[(byte)crc ^ *data];
            data++;
        }

        return ~crc;
    }
}
