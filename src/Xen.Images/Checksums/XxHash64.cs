// SPDX-License-Identifier: MIT
namespace Xen.Images;

using System.Runtime.CompilerServices;

/// <summary>XXH64 with seed 0: four lanes of eight bytes, then the rest in ever smaller pieces. What is hashed may come in pieces
/// too: <see cref="Start"/>, <see cref="Append"/> for each, <see cref="Finish"/>.</summary>
public unsafe struct XxHash64
{
    private const ulong Prime1 = 0x9E3779B185EBCA87;
    private const ulong Prime2 = 0xC2B2AE3D27D4EB4F;
    private const ulong Prime3 = 0x165667B19E3779F9;
    private const ulong Prime4 = 0x85EBCA77C2B2AE63;
    private const ulong Prime5 = 0x27D4EB2F165667C5;
    private const nuint StripeSize = 32;

    private ulong _lane1;
    private ulong _lane2;
    private ulong _lane3;
    private ulong _lane4;
    private ulong _length;

    // The end of what was appended, less than a stripe.
    private fixed byte _rest[(int)StripeSize];

    private readonly nuint RestLength => (nuint)_length % StripeSize;

    /// <summary>The hash of <paramref name="length"/> bytes.</summary>
    public static ulong Compute(byte* data, nuint length)
    {
        XxHash64 hash = default;
        hash.Start();
        hash.Append(data, length);
        return hash.Finish();
    }

    /// <summary>Forgets what was appended.</summary>
    public void Start()
    {
        _lane1 = unchecked(Prime1 + Prime2);
        _lane2 = Prime2;
        _lane3 = 0;
        _lane4 = unchecked(0 - Prime1);
        _length = 0;
    }

    /// <summary>Hashes <paramref name="length"/> more bytes.</summary>
    public void Append(byte* data, nuint length)
    {
        nuint rest = RestLength;
        _length += length;
        if (rest != 0)
        {
            for (; rest < StripeSize && length != 0; rest++, length--)
            {
                _rest[rest] = *data++;
            }

            if (rest < StripeSize)
            {
                return;
            }

            fixed (byte* stripe = _rest)
            {
                Stripes(stripe, StripeSize);
            }
        }

        nuint whole = length - (length % StripeSize);
        Stripes(data, whole);
        for (nuint index = whole; index < length; index++)
        {
            _rest[index - whole] = data[index];
        }
    }

    /// <summary>The hash of all that was appended.</summary>
    public ulong Finish()
    {
        ulong hash = Prime5;
        if (_length >= StripeSize)
        {
            hash = RotateLeft(_lane1, 1) + RotateLeft(_lane2, 7) + RotateLeft(_lane3, 12) + RotateLeft(_lane4, 18);
            hash = Merge(Merge(Merge(Merge(hash, _lane1), _lane2), _lane3), _lane4);
        }

        hash += _length;
        fixed (byte* rest = _rest)
        {
            byte* cursor = rest;
            byte* end = rest + RestLength;
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
        }

        hash = (hash ^ (hash >> 33)) * Prime2;
        hash = (hash ^ (hash >> 29)) * Prime3;
        return hash ^ (hash >> 32);
    }

    private void Stripes(byte* data, nuint length)
    {
        byte* end = data + length;
        ulong lane1 = _lane1;
        ulong lane2 = _lane2;
        ulong lane3 = _lane3;
        ulong lane4 = _lane4;
        for (; data != end; data += StripeSize)
        {
            lane1 = Round(lane1, ((ulong*)data)[0]);
            lane2 = Round(lane2, ((ulong*)data)[1]);
            lane3 = Round(lane3, ((ulong*)data)[2]);
            lane4 = Round(lane4, ((ulong*)data)[3]);
        }

        _lane1 = lane1;
        _lane2 = lane2;
        _lane3 = lane3;
        _lane4 = lane4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Round(ulong lane, ulong input) => RotateLeft(lane + (input * Prime2), 31) * Prime1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Merge(ulong hash, ulong lane) => ((hash ^ Round(0, lane)) * Prime1) + Prime4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong RotateLeft(ulong value, int count) => (value << count) | (value >> (64 - count));
}
