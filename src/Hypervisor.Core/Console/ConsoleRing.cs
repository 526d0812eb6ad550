// SPDX-License-Identifier: MIT
// The tail of the hypervisor's log, for XEN_SYSCTL_readconsole. Producer and consumer are running 32-bit indices that
// wrap by themselves; a byte's place is its index modulo the size. When the ring is full the oldest text goes. A reader
// that follows incrementally keeps an index of its own; should its text be gone meanwhile, it goes on with the oldest
// there is.

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Console;

/// <summary>Last <see cref="Size"/> bytes of the log.</summary>
/// <remarks>Locking: none of its own; <see cref="ConsoleLog"/> serialises.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ConsoleRing
{
    public const uint Size = 32 * 1024;

    private fixed byte _bytes[(int)Size];
    private uint _producer;
    private uint _consumer;

    /// <summary>Bytes that a reader from the beginning gets.</summary>
    public readonly uint Available => _producer - _consumer;

    public void Append(byte* text, int length)
    {
        for (int i = 0; i < length; i++)
        {
            _bytes[_producer & (Size - 1)] = text[i];
            _producer++;
        }

        if (_producer - _consumer > Size)
        {
            _consumer = _producer - Size;
        }
    }

    /// <summary>Copies what there is from <paramref name="index"/> on and moves the index past it.</summary>
    /// <param name="index">The caller's place; taken as "from the beginning" when no such text exists.</param>
    /// <param name="target">Receives the text.</param>
    /// <param name="capacity">Room there.</param>
    /// <returns>Bytes copied.</returns>
    public readonly uint Read(ref uint index, byte* target, uint capacity)
    {
        index = Clamp(index);
        uint count = _producer - index;
        count = count < capacity ? count : capacity;
        for (uint i = 0; i < count; i++)
        {
            target[i] = _bytes[(index + i) & (Size - 1)];
        }

        index += count;
        return count;
    }

    /// <summary>Where a reader from the beginning starts.</summary>
    public readonly uint Beginning => _consumer;

    /// <summary>Forgets everything before <paramref name="index"/>, which a reader has reached.</summary>
    public void Clear(uint index)
    {
        if (index - _consumer <= _producer - _consumer)
        {
            _consumer = index;
        }
    }

    /// <summary>An index inside the text kept: a stale or invented one becomes the beginning.</summary>
    private readonly uint Clamp(uint index) => index - _consumer <= _producer - _consumer ? index : _consumer;
}
