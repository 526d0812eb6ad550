// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Boot;

/// <summary>Bytes of a string that the loader passed, without a terminator.</summary>
public unsafe struct BootText
{
    public byte* Pointer;
    public int Length;

    public BootText(byte* pointer, int length)
    {
        Pointer = pointer;
        Length = length;
    }

    public readonly ReadOnlySpan<byte> Span => new(Pointer, Length);

    public readonly bool Equals(ReadOnlySpan<byte> other) => other.Length == Length && StartsWith(other);

    public readonly bool StartsWith(ReadOnlySpan<byte> other)
    {
        if (other.Length > Length)
        {
            return false;
        }

        for (int i = 0; i < other.Length; i++)
        {
            if (Pointer[i] != other[i])
            {
                return false;
            }
        }

        return true;
    }
}
