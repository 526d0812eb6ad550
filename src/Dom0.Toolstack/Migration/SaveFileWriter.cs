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
    private XxHash64 _hash;
    private ulong _chain;
    private int _length;
    private int _left;

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
        Span<byte> all = new byte[headers + 16 + SaveFileLayout.RecordHeaderSize + SaveFileLayout.ImageHeaderSize + 16];
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
        StartHash();
        Append(all);
        _chain = _hash.Finish();
    }

    /// <summary>Writes a record with its checksum.</summary>
    public void Write(RecordType type, ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail = default)
    {
        Begin(type, head.Length + tail.Length);
        Add(head);
        Add(tail);
        End();
    }

    /// <summary>Begins a record whose body, of so many bytes, comes in pieces.</summary>
    public void Begin(RecordType type, int length)
    {
        Span<byte> header = stackalloc byte[SaveFileLayout.RecordHeaderSize];
        WriteHeader(header, type, length);
        StartHash();
        Append(header);
        _length = length;
        _left = length;
    }

    /// <summary>The next piece of the body. It is read twice, for the file and for the hash: nobody else may change it.</summary>
    public void Add(ReadOnlySpan<byte> piece)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(piece.Length, _left, nameof(piece));
        _left -= piece.Length;
        Append(piece);
    }

    /// <summary>Ends the record, whose body is complete, and writes its checksum.</summary>
    public void End()
    {
        if (_left != 0)
        {
            throw new InvalidOperationException($"{_left} bytes of the record are missing");
        }

        Span<byte> padding = stackalloc byte[SaveFileLayout.Padded(_length) - _length];
        padding.Clear();
        Append(padding);
        _chain = _hash.Finish();
        Span<byte> checksum = stackalloc byte[SaveFileLayout.RecordHeaderSize + SaveFileLayout.ChecksumSize];
        WriteHeader(checksum, RecordType.Checksum, SaveFileLayout.ChecksumSize);
        BinaryPrimitives.WriteUInt64LittleEndian(checksum[SaveFileLayout.RecordHeaderSize..], _chain);
        Put(checksum);
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

    /// <summary>The hash covers the one before it first.</summary>
    private void StartHash()
    {
        ulong chain = _chain;
        _hash.Start();
        _hash.Append((byte*)&chain, sizeof(ulong));
    }

    /// <summary>Hashes and writes.</summary>
    private void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        fixed (byte* start = bytes)
        {
            _hash.Append(start, (nuint)bytes.Length);
        }

        Put(bytes);
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        _stream.Write(bytes);
        Length += bytes.Length;
    }
}
