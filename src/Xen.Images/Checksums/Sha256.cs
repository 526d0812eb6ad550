// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>SHA-256 (FIPS 180-4) over one contiguous run of bytes.</summary>
public static unsafe class Sha256
{
    public const int DigestSize = 32;
    public const int WorkEntries = 64 + 64 + 8 + 16;

    // Both tables as the standard prints them: four bytes a word, most significant first.
    private static System.ReadOnlySpan<byte> RoundConstants =>
    [
        0x42, 0x8A, 0x2F, 0x98, 0x71, 0x37, 0x44, 0x91, 0xB5, 0xC0, 0xFB, 0xCF, 0xE9, 0xB5, 0xDB, 0xA5,
        0x39, 0x56, 0xC2, 0x5B, 0x59, 0xF1, 0x11, 0xF1, 0x92, 0x3F, 0x82, 0xA4, 0xAB, 0x1C, 0x5E, 0xD5,
        0xD8, 0x07, 0xAA, 0x98, 0x12, 0x83, 0x5B, 0x01, 0x24, 0x31, 0x85, 0xBE, 0x55, 0x0C, 0x7D, 0xC3,
        0x72, 0xBE, 0x5D, 0x74, 0x80, 0xDE, 0xB1, 0xFE, 0x9B, 0xDC, 0x06, 0xA7, 0xC1, 0x9B, 0xF1, 0x74,
        0xE4, 0x9B, 0x69, 0xC1, 0xEF, 0xBE, 0x47, 0x86, 0x0F, 0xC1, 0x9D, 0xC6, 0x24, 0x0C, 0xA1, 0xCC,
        0x2D, 0xE9, 0x2C, 0x6F, 0x4A, 0x74, 0x84, 0xAA, 0x5C, 0xB0, 0xA9, 0xDC, 0x76, 0xF9, 0x88, 0xDA,
        0x98, 0x3E, 0x51, 0x52, 0xA8, 0x31, 0xC6, 0x6D, 0xB0, 0x03, 0x27, 0xC8, 0xBF, 0x59, 0x7F, 0xC7,
        0xC6, 0xE0, 0x0B, 0xF3, 0xD5, 0xA7, 0x91, 0x47, 0x06, 0xCA, 0x63, 0x51, 0x14, 0x29, 0x29, 0x67,
        0x27, 0xB7, 0x0A, 0x85, 0x2E, 0x1B, 0x21, 0x38, 0x4D, 0x2C, 0x6D, 0xFC, 0x53, 0x38, 0x0D, 0x13,
        0x65, 0x0A, 0x73, 0x54, 0x76, 0x6A, 0x0A, 0xBB, 0x81, 0xC2, 0xC9, 0x2E, 0x92, 0x72, 0x2C, 0x85,
        0xA2, 0xBF, 0xE8, 0xA1, 0xA8, 0x1A, 0x66, 0x4B, 0xC2, 0x4B, 0x8B, 0x70, 0xC7, 0x6C, 0x51, 0xA3,
        0xD1, 0x92, 0xE8, 0x19, 0xD6, 0x99, 0x06, 0x24, 0xF4, 0x0E, 0x35, 0x85, 0x10, 0x6A, 0xA0, 0x70,
        0x19, 0xA4, 0xC1, 0x16, 0x1E, 0x37, 0x6C, 0x08, 0x27, 0x48, 0x77, 0x4C, 0x34, 0xB0, 0xBC, 0xB5,
        0x39, 0x1C, 0x0C, 0xB3, 0x4E, 0xD8, 0xAA, 0x4A, 0x5B, 0x9C, 0xCA, 0x4F, 0x68, 0x2E, 0x6F, 0xF3,
        0x74, 0x8F, 0x82, 0xEE, 0x78, 0xA5, 0x63, 0x6F, 0x84, 0xC8, 0x78, 0x14, 0x8C, 0xC7, 0x02, 0x08,
        0x90, 0xBE, 0xFF, 0xFA, 0xA4, 0x50, 0x6C, 0xEB, 0xBE, 0xF9, 0xA3, 0xF7, 0xC6, 0x71, 0x78, 0xF2,
    ];

    private static System.ReadOnlySpan<byte> InitialState =>
    [
        0x6A, 0x09, 0xE6, 0x67, 0xBB, 0x67, 0xAE, 0x85, 0x3C, 0x6E, 0xF3, 0x72, 0xA5, 0x4F, 0xF5, 0x3A,
        0x51, 0x0E, 0x52, 0x7F, 0x9B, 0x05, 0x68, 0x8C, 0x1F, 0x83, 0xD9, 0xAB, 0x5B, 0xE0, 0xCD, 0x19,
    ];

    /// <summary>Writes the 32-byte digest; <paramref name="work"/> has <see cref="WorkEntries"/> entries.</summary>
    public static void Compute(byte* data, nuint length, uint* work, byte* digest)
    {
        uint* constants = work;
        uint* schedule = work + 64;
        uint* state = work + 128;
        for (int index = 0; index < 64; index++)
        {
            constants[index] = BigEndian(RoundConstants, index * 4);
        }

        for (int index = 0; index < 8; index++)
        {
            state[index] = BigEndian(InitialState, index * 4);
        }

        byte* cursor = data;
        nuint remaining = length;
        while (remaining >= 64)
        {
            AddBlock(state, constants, schedule, cursor);
            cursor += 64;
            remaining -= 64;
        }

        byte* last = (byte*)(work + 136);
        for (nuint index = 0; index < 64; index++)
        {
            last[index] = index < remaining ? cursor[index] : index == remaining ? (byte)0x80 : (byte)0;
        }

        if (remaining >= 56)
        {
            AddBlock(state, constants, schedule, last);
            for (int index = 0; index < 56; index++)
            {
                last[index] = 0;
            }
        }

        ulong bits = (ulong)length * 8;
        for (int index = 0; index < 8; index++)
        {
            last[56 + index] = (byte)(bits >> (56 - (index * 8)));
        }

        AddBlock(state, constants, schedule, last);
        for (int index = 0; index < DigestSize; index++)
        {
            digest[index] = (byte)(state[index >> 2] >> (24 - ((index & 3) * 8)));
        }
    }

    public static bool AreEqual(byte* left, byte* right)
    {
        uint difference = 0;
        for (int index = 0; index < DigestSize; index++)
        {
            difference |= (uint)(left[index] ^ right[index]);
        }

        return difference == 0;
    }

    private static uint BigEndian(System.ReadOnlySpan<byte> table, int offset) =>
        ((uint)table[offset] << 24) | ((uint)table[offset + 1] << 16)
        | ((uint)table[offset + 2] << 8) | table[offset + 3];

    private static uint RotateRight(uint value, int count) => (value >> count) | (value << (32 - count));

    private static void AddBlock(uint* state, uint* constants, uint* schedule, byte* block)
    {
        for (int index = 0; index < 16; index++)
        {
            byte* word = block + (index * 4);
            schedule[index] = ((uint)word[0] << 24) | ((uint)word[1] << 16) | ((uint)word[2] << 8) | word[3];
        }

        for (int index = 16; index < 64; index++)
        {
            uint before15 = schedule[index - 15];
            uint before2 = schedule[index - 2];
            uint sigma0 = RotateRight(before15, 7) ^ RotateRight(before15, 18) ^ (before15 >> 3);
            uint sigma1 = RotateRight(before2, 17) ^ RotateRight(before2, 19) ^ (before2 >> 10);
            schedule[index] = schedule[index - 16] + sigma0 + schedule[index - 7] + sigma1;
        }

        uint a = state[0], b = state[1], c = state[2], d = state[3];
        uint e = state[4], f = state[5], g = state[6], h = state[7];
        for (int index = 0; index < 64; index++)
        {
            uint sum1 = RotateRight(e, 6) ^ RotateRight(e, 11) ^ RotateRight(e, 25);
            uint choice = (e & f) ^ (~e & g);
            uint first = h + sum1 + choice + constants[index] + schedule[index];
            uint sum0 = RotateRight(a, 2) ^ RotateRight(a, 13) ^ RotateRight(a, 22);
            uint majority = (a & b) ^ (a & c) ^ (b & c);
            h = g;
            g = f;
            f = e;
            e = d + first;
            d = c;
            c = b;
            b = a;
            a = first + sum0 + majority;
        }

        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}
