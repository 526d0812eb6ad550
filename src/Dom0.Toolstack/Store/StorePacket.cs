// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using System.Text;

namespace Dom0.Toolstack.Store;

/// <summary>
/// One message of the store's protocol: <c>struct xsd_sockmsg</c> (four little-endian words) and its payload.
/// </summary>
public sealed record StorePacket(StoreOperation Operation, uint Request, uint Transaction, byte[] Payload)
{
    /// <summary>Size of <c>struct xsd_sockmsg</c>.</summary>
    public const int HeaderSize = 16;

    /// <summary><c>XENSTORE_PAYLOAD_MAX</c>.</summary>
    public const int MaximumPayload = 4096;

    /// <summary>Builds a packet whose payload is the given texts, each ended by a zero.</summary>
    public static StorePacket Create(StoreOperation operation, uint request, uint transaction, params string[] texts) =>
        new(operation, request, transaction, Encoding.UTF8.GetBytes(string.Concat(texts.Select(text => text + "\0"))));

    /// <summary>Builds a write: the path ended by a zero, the value not.</summary>
    public static StorePacket CreateWrite(uint request, uint transaction, string path, string value) =>
        new(StoreOperation.Write, request, transaction, Encoding.UTF8.GetBytes(path + "\0" + value));

    /// <summary>Reads a header; <paramref name="length"/> is the payload's that follows.</summary>
    public static (StoreOperation Operation, uint Request, uint Transaction) DecodeHeader(
        ReadOnlySpan<byte> header, out uint length)
    {
        length = BinaryPrimitives.ReadUInt32LittleEndian(header[12..]);
        return ((StoreOperation)BinaryPrimitives.ReadUInt32LittleEndian(header),
            BinaryPrimitives.ReadUInt32LittleEndian(header[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(header[8..]));
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] Encode()
    {
        byte[] bytes = new byte[HeaderSize + Payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Operation);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Request);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Transaction);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), (uint)Payload.Length);
        Payload.CopyTo(bytes.AsSpan(HeaderSize));
        return bytes;
    }

    /// <summary>The whole payload as text, without a final zero.</summary>
    public string Text() => Encoding.UTF8.GetString(Payload).TrimEnd('\0');

    /// <summary>The payload as the texts between its zeros.</summary>
    public IReadOnlyList<string> Texts()
    {
        string whole = Encoding.UTF8.GetString(Payload);
        string ended = whole.EndsWith('\0') ? whole[..^1] : whole;
        return Payload.Length == 0 ? [] : ended.Split('\0');
    }
}
