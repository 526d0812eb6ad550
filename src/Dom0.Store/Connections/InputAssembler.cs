// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using Xen.Abi;

namespace Dom0.Store.Connections;

/// <summary>The head of a message.</summary>
public readonly record struct MessageHeader(XsdSockMsgType Type, uint Request, uint Transaction, uint Length)
{
    /// <summary>Size of <c>struct xsd_sockmsg</c>.</summary>
    public const int Size = 16;

    /// <summary>Reads a head.</summary>
    public static MessageHeader Read(ReadOnlySpan<byte> bytes) => new(
        (XsdSockMsgType)BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]));

    /// <summary>Makes a message with this head; its length is the body's.</summary>
    public byte[] Message(ReadOnlySpan<byte> body)
    {
        byte[] bytes = new byte[Size + body.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Type);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Request);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Transaction);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), (uint)body.Length);
        body.CopyTo(bytes.AsSpan(Size));
        return bytes;
    }
}

/// <summary>
/// Puts a message together from the pieces that arrive; never holds more than one, and never takes a byte of the next.
/// </summary>
public sealed class InputAssembler
{
    private readonly byte[] _bytes = new byte[MessageHeader.Size + XenStoreLimits.PayloadMax];

    /// <summary>Bytes of the message that are there.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes that are there.</summary>
    public ReadOnlySpan<byte> Partial => _bytes.AsSpan(0, Count);

    /// <summary>The head; meaningful when it is there.</summary>
    public MessageHeader Header => MessageHeader.Read(_bytes);

    /// <summary>The body of a complete message.</summary>
    public ReadOnlySpan<byte> Body => _bytes.AsSpan(MessageHeader.Size, (int)Header.Length);

    /// <summary>Does the head announce more than the protocol allows? Then nothing behind it can be understood.</summary>
    public bool IsTooLong => Count >= MessageHeader.Size && Header.Length > XenStoreLimits.PayloadMax;

    /// <summary>How many bytes may be added before the message has to be looked at; 0 when it is complete.</summary>
    public int Missing => Count < MessageHeader.Size
        ? MessageHeader.Size - Count
        : IsTooLong ? 0 : MessageHeader.Size + (int)Header.Length - Count;

    /// <summary>Is a whole message there?</summary>
    public bool IsComplete => Count >= MessageHeader.Size && !IsTooLong && Missing == 0;

    /// <summary>Where the next bytes go.</summary>
    public Span<byte> Room => _bytes.AsSpan(Count, Missing);

    /// <summary>Takes note of bytes that were put into <see cref="Room"/>.</summary>
    public void Added(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, Missing);
        Count += count;
    }

    /// <summary>Begins with the next message.</summary>
    public void Clear() => Count = 0;
}
