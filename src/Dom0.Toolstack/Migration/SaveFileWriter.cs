// SPDX-License-Identifier: MIT
//
// Every record but the last is followed by a CHECKSUM record. Its hash covers the hash before it and the record, and
// so, link by link, every byte from the start of the file on. Damage shows, and shows where it is: at the first record
// whose hash is wrong. The hash is XXH64: it finds what disks and networks do to files, and keeps nobody out who means
// harm; files are checked number by number as well.
using System;
using System.Buffers.Binary;
using System.IO;
using Xen.Images;

namespace Dom0.Toolstack.Migration;

/// <summary>Writes the file of a saved domain.</summary>
public sealed unsafe class SaveFileWriter
{
    private readonly Stream _stream;
    private byte[] _buffer = new byte[64 * 1024];
    private ulong _chain;

    /// <summary>Writes to <paramref name="stream"/>, which stays the caller's.</summary>
    public SaveFileWriter(Stream stream) => _stream = stream;

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    /// <summary>Writes all headers; <paramref name="configuration"/> is the domain's, as JSON.</summary>
    public void WriteOpening(ReadOnlySpan<byte> configuration, int xenMajor, int xenMinor)
    {
        // Blanks behind the JSON put all that follows on multiples of eight bytes; xl wants a zero at the end.
        int size = SaveFileLayout.Padded(sizeof(uint) + configuration.Length + 1) - sizeof(uint);
        int headers = SaveFileLayout.FileHeaderSize + sizeof(uint) + size;
        Span<byte> all = Reserve(headers + 16 + SaveFileLayout.RecordHeaderSize + SaveFileLayout.ImageHeaderSize + 16);
        Span<byte> file = all;
        SaveFileLayout.Magic.CopyTo(file);
        BinaryPrimitives.WriteUInt32LittleEndian(file[32..], SaveFileLayout.ByteOrderMark);
        BinaryPrimitives.WriteUInt32LittleEndian(file[36..], SaveFileLayout.MandatoryFlags);
        BinaryPrimitives.WriteUInt32LittleEndian(file[44..], (uint)(sizeof(uint) + size));
        BinaryPrimitives.WriteUInt32LittleEndian(file[48..], (uint)size);
        Span<byte> text = file.Slice(52, size);
        text.Fill((byte)' ');
        configuration.CopyTo(text);
        text[^1] = 0;

        Span<byte> libxl = file[headers..];
        BinaryPrimitives.WriteUInt64BigEndian(libxl, SaveFileLayout.LibxlIdent);
        BinaryPrimitives.WriteUInt32BigEndian(libxl[8..], SaveFileLayout.LibxlVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(libxl[16..], SaveFileLayout.LibxlContext);

        Span<byte> image = libxl[24..];
        BinaryPrimitives.WriteUInt64BigEndian(image, SaveFileLayout.ImageMarker);
        BinaryPrimitives.WriteUInt32BigEndian(image[8..], SaveFileLayout.ImageIdent);
        BinaryPrimitives.WriteUInt32BigEndian(image[12..], SaveFileLayout.ImageVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(image[24..], SaveFileLayout.DomainTypePv);
        BinaryPrimitives.WriteUInt16LittleEndian(image[28..], SaveFileLayout.PageShift);
        BinaryPrimitives.WriteUInt32LittleEndian(image[32..], (uint)xenMajor);
        BinaryPrimitives.WriteUInt32LittleEndian(image[36..], (uint)xenMinor);
        Chain(all.Length);
        Put(all);
    }

    /// <summary>Writes a record with its checksum.</summary>
    public void Write(RecordType type, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail = default)
    {
        Span<byte> body = Begin(head.Length + tail.Length);
        head.CopyTo(body);
        tail.CopyTo(body[head.Length..]);
        Commit(type, body.Length);
    }

    /// <summary>Cleared room for the body of a record of up to <paramref name="size"/> bytes, to be filled.</summary>
    public Span<byte> Begin(int size) =>
        Reserve(SaveFileLayout.RecordHeaderSize + SaveFileLayout.Padded(size)
            + SaveFileLayout.RecordHeaderSize + SaveFileLayout.ChecksumSize)
            .Slice(SaveFileLayout.RecordHeaderSize, size);

    /// <summary>Writes the record whose body stands in what <see cref="Begin"/> gave.</summary>
    public void Commit(RecordType type, int length)
    {
        int size = SaveFileLayout.RecordHeaderSize + SaveFileLayout.Padded(length);
        Span<byte> record = _buffer.AsSpan(SaveFileLayout.ChecksumSize);
        WriteHeader(record, type, length);
        record[(SaveFileLayout.RecordHeaderSize + length)..size].Clear();
        Chain(size);
        Span<byte> checksum = record[size..];
        WriteHeader(checksum, RecordType.Checksum, SaveFileLayout.ChecksumSize);
        BinaryPrimitives.WriteUInt64LittleEndian(checksum[SaveFileLayout.RecordHeaderSize..], _chain);
        Put(record[..(size + SaveFileLayout.RecordHeaderSize + SaveFileLayout.ChecksumSize)]);
    }

    /// <summary>Writes the ends of image and stream.</summary>
    public void Finish()
    {
        Span<byte> ends = stackalloc byte[2 * SaveFileLayout.RecordHeaderSize];
        ends.Clear();
        Put(ends);
    }

    private static void WriteHeader(Span<byte> target, RecordType type, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)type);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], (uint)length);
    }

    /// <summary>Cleared bytes of the buffer behind the place of the last hash.</summary>
    private Span<byte> Reserve(int size)
    {
        if (_buffer.Length < SaveFileLayout.ChecksumSize + size)
        {
            _buffer = new byte[SaveFileLayout.ChecksumSize + size];
        }

        Span<byte> room = _buffer.AsSpan(SaveFileLayout.ChecksumSize, size);
        room.Clear();
        return room;
    }

    /// <summary>Hashes the hash so far and the first bytes of the buffer behind it.</summary>
    private void Chain(int size)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer, _chain);
        fixed (byte* bytes = _buffer)
        {
            _chain = XxHash64.Compute(bytes, (nuint)(SaveFileLayout.ChecksumSize + size));
        }
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        Length += bytes.Length;
    }
}
