// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using Dom0.Toolstack.Build;

namespace Dom0.Toolstack.Tests.Build;

/// <summary>A guest's memory in an array, under machine frames that are guest frames shuffled.</summary>
internal sealed class FakeGuestFrames : IGuestFrames
{
    private readonly byte[] _bytes;

    public FakeGuestFrames(ulong frames)
    {
        FrameCount = frames;
        _bytes = new byte[frames * 4096];
        Array.Fill(_bytes, (byte)0xcc);
    }

    public ulong FrameCount { get; }

    public ulong MachineFrame(ulong guestFrame) => (guestFrame ^ 5) + 0x100000;

    public static ulong GuestFrame(ulong machineFrame) => (machineFrame - 0x100000) ^ 5;

    public void Write(ulong guestAddress, ReadOnlySpan<byte> data) =>
        data.CopyTo(Bytes(guestAddress, (ulong)data.Length));

    public void Clear(ulong guestAddress, ulong length) => Bytes(guestAddress, length).Clear();

    public Span<byte> Bytes(ulong guestAddress, ulong length) => _bytes.AsSpan((int)guestAddress, (int)length);

    public ulong Word(ulong guestAddress) => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(guestAddress, 8));

    /// <summary>The leaf entry for a virtual address, or 0, found through the tables as a CPU does.</summary>
    public ulong Leaf(ulong topFrame, ulong address)
    {
        ulong frame = topFrame;
        for (int level = 4; level >= 1; level--)
        {
            ulong entry = Word((frame << 12) + ((ulong)PageTableArea.EntryIndex(level, address) * 8));
            if ((entry & 1) == 0 || level == 1)
            {
                return entry;
            }

            frame = GuestFrame(entry >> 12);
        }

        return 0;
    }
}
