// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Console;

/// <summary>Typed bytes that Domain-0 has not read yet; when it is full, further ones are lost.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct InputRing
{
    public const uint Size = 1024;

    private fixed byte _bytes[(int)Size];
    private uint _producer;
    private uint _consumer;

    public readonly uint Count => _producer - _consumer;

    public bool TryPut(byte value)
    {
        if (Count == Size)
        {
            return false;
        }

        _bytes[_producer++ & (Size - 1)] = value;
        return true;
    }

    /// <summary>Copies waiting bytes without taking them.</summary>
    public readonly uint Peek(byte* target, uint capacity)
    {
        uint count = Count < capacity ? Count : capacity;
        for (uint i = 0; i < count; i++)
        {
            target[i] = _bytes[(_consumer + i) & (Size - 1)];
        }

        return count;
    }

    /// <summary>Drops the first <paramref name="count"/> bytes, which <see cref="Peek"/> has shown.</summary>
    public void Take(uint count)
    {
        Check.That(count <= Count, "bytes taken from the input ring"u8);
        _consumer += count;
    }
}
