// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

/// <summary>XXH64 with seed 0: four lanes of eight bytes, then the rest in ever smaller pieces.</summary>
public static unsafe class XxHash64
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;
    private const nuint StripeSize = 32;

    /// <summary>The hash of <paramref name="length"/> bytes.</summary>
    public static ulong Compute(byte* data, nuint length)
    {
        byte* cursor = data;
        byte* end = data + length;
        ulong hash = Prime5;
        if (length >= StripeSize)
        {
            ulong lane1 = unchecked(Prime1 + Prime2);
            ulong lane2 = Prime2;
            ulong lane3 = 0;
            ulong lane4 = unchecked(0 - Prime1);
            do
            {
                lane1 = Round(lane1, ((ulong*)cursor)[0]);
                lane2 = Round(lane2, ((ulong*)cursor)[1]);
                lane3 = Round(lane3, ((ulong*)cursor)[2]);
                lane4 = Round(lane4, ((ulong*)cursor)[3]);
                cursor += StripeSize;
            }
            while ((nuint)(end - cursor) >= StripeSize);

            hash = RotateLeft(lane1, 1) + RotateLeft(lane2, 7) + RotateLeft(lane3, 12) + RotateLeft(lane4, 18);
            hash = Merge(Merge(Merge(Merge(hash, lane1), lane2), lane3), lane4);
        }

        hash += length;
        while (end - cursor >= sizeof(ulong))
        {
            hash = (RotateLeft(hash ^ Round(0, *(ulong*)cursor), 27) * Prime1) + Prime4;
            cursor += sizeof(ulong);
        }

        if (end - cursor >= sizeof(uint))
        {
            hash = (RotateLeft(hash ^ (*(uint*)cursor * Prime1), 23) * Prime2) + Prime3;
            cursor += sizeof(uint);
        }

        while (cursor < end)
        {
            hash = RotateLeft(hash ^ (*cursor++ * Prime5), 11) * Prime1;
        }

        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Round(ulong lane, ulong input) => RotateLeft(lane + (input * Prime2), 31) * Prime1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Merge(ulong hash, ulong lane) => ((hash ^ Round(0, lane)) * Prime1) + Prime4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong RotateLeft(ulong value, int count) => (value << count) | (value >> (64 - count));
}
