// SPDX-License-Identifier: MIT
// The tail of the hypervisor's log, for XEN_SYSCTL_readconsole. Producer and consumer are running 32-bit indices that
// wrap by themselves; a byte's place is its index modulo the size. When the ring is full the oldest text goes. A reader
// that follows incrementally keeps an index of its own; should its text be gone meanwhile, it goes on with the oldest
// there is.

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Console;

/// <summary>The last bytes of the log: <see cref="FirstSize"/>, or as many as <see cref="Move"/> was given.</summary>
/// <remarks>Locking: none of its own; <see cref="ConsoleLog"/> serialises.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ConsoleRing
{
    public const uint FirstSize = 32 * 1024;

    private fixed byte _first[(int)FirstSize];
    private uint _producer;
    private uint _consumer;
    private byte* _moved;
    private uint _size;

    /// <summary>Bytes that a reader from the beginning gets.</summary>
    public readonly uint Available => _producer - _consumer;

    /// <summary>Bytes kept.</summary>
    public readonly uint Size => _moved == null ? FirstSize : _size;

    public void Append(byte* text, int length)
    {
        uint size = Size;
        fixed (byte* first = _first)
        {
            byte* bytes = _moved == null ? first : _moved;
            for (int i = 0; i < length; i++)
            {
                bytes[_producer & (size - 1)] = text[i];
                _producer++;
            }
        }

        if (_producer - _consumer > size)
        {
            _consumer = _producer - size;
        }
    }

    /// <summary>Goes on in another place, with the text so far as far as it fits there.</summary>
    /// <param name="bytes">The place, for good.</param>
    /// <param name="size">Its size, a power of two.</param>
    public void Move(byte* bytes, uint size)
    {
        Check.That((size & (size - 1)) == 0, "size of the log ring"u8);
        if (_producer - _consumer > size)
        {
            _consumer = _producer - size;
        }

        for (uint index = _consumer; index != _producer; index++)
        {
            bytes[index & (size - 1)] = ByteAt(index);
        }

        _moved = bytes;
        _size = size;
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
            target[i] = ByteAt(index + i);
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

    private readonly byte ByteAt(uint index) =>
        _moved == null ? _first[index & (FirstSize - 1)] : _moved[index & (_size - 1)];

    /// <summary>An index inside the text kept: a stale or invented one becomes the beginning.</summary>
    private readonly uint Clamp(uint index) => index - _consumer <= _producer - _consumer ? index : _consumer;
}
