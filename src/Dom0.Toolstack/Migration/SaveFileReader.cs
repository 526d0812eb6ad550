// SPDX-License-Identifier: MIT
//
// Reads the layers of a file and hands out its records one by one. It checks what holds for every record: that it lies
// inside the file, that its length is one that a record can have, that its checksum is right. What a record may say is
// SavedDomainChecker's matter. Nothing is allocated by a number from the file before the file has shown to have so many
// bytes.
using System;
using System.Buffers.Binary;
using System.IO;
using Xen.Images;

namespace Dom0.Toolstack.Migration;

/// <summary>Reads the file of a saved domain.</summary>
public sealed unsafe class SaveFileReader
{
    private readonly Stream _stream;
    private readonly string _name;
    private readonly long _size;
    private byte[] _buffer = new byte[64 * 1024];
    private int _filled = SaveFileLayout.ChecksumSize;
    private long _partOffset;
    private string _part = "file header";
    private ulong _chain;
    private bool _requiresChecksums;
    private long _position;

    /// <summary>Reads <paramref name="stream"/> from its start; <paramref name="name"/> is for messages.</summary>
    public SaveFileReader(Stream stream, string name)
    {
        _stream = stream;
        _name = name;
        stream.Position = 0;
        _size = stream.Length;
    }

    /// <summary>Type of the record that was read last.</summary>
    public RecordType Type { get; private set; }

    /// <summary>Where it begins.</summary>
    public long Offset => _partOffset;

    /// <summary>Its body, until the next one is read.</summary>
    public ReadOnlySpan<byte> Body => _buffer.AsSpan(SaveFileLayout.ChecksumSize + SaveFileLayout.RecordHeaderSize,
        BodyLength);

    /// <summary>Bytes of its body.</summary>
    public int BodyLength { get; private set; }

    /// <summary>The checksum that follows it; null where the file has none.</summary>
    public ulong? Checksum { get; private set; }

    /// <summary>The error about the part that was read last.</summary>
    public SaveFileException Refuse(string reason) => new(_name, _part, _partOffset, reason);

    /// <summary>The error about an earlier part.</summary>
    public SaveFileException Refuse(string part, long offset, string reason) => new(_name, part, offset, reason);

    /// <summary>Reads all headers.</summary>
    public SaveFileOpening ReadOpening()
    {
        ReadOnlySpan<byte> file = Take(SaveFileLayout.FileHeaderSize);
        if (!file[..32].SequenceEqual(SaveFileLayout.Magic))
        {
            throw Refuse("this is no saved domain: it does not begin with 'Xen saved domain, xl format'");
        }

        uint order = BinaryPrimitives.ReadUInt32LittleEndian(file[32..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(file[36..]);
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(file[44..]);
        if (order != SaveFileLayout.ByteOrderMark)
        {
            throw Refuse($"the byte order is {order:x8} and not {SaveFileLayout.ByteOrderMark:x8}");
        }

        if (flags != SaveFileLayout.MandatoryFlags)
        {
            throw Refuse($"the mandatory features are {flags:x}; only {SaveFileLayout.MandatoryFlags:x} (a JSON "
                + "configuration and a stream of libxl's second format) is understood");
        }

        if (size is < sizeof(uint) + 2 or > SaveFileLayout.MaximumConfiguration)
        {
            throw Refuse($"the configuration would have {size} bytes; up to {SaveFileLayout.MaximumConfiguration} are "
                + "possible");
        }

        Enter("configuration");
        ReadOnlySpan<byte> data = Take((int)size);
        uint textSize = BinaryPrimitives.ReadUInt32LittleEndian(data);
        if (textSize is < 2 || textSize > size - sizeof(uint))
        {
            throw Refuse($"it says to have {textSize} bytes, and there is room for {size - sizeof(uint)}");
        }

        byte[] json = data.Slice(sizeof(uint), (int)textSize).TrimEnd((byte)0).ToArray();
        long jsonOffset = _partOffset;
        SavedConfig config;
        try
        {
            config = SavedConfig.Parse(json);
        }
        catch (FormatException wrong)
        {
            throw Refuse("configuration", jsonOffset, wrong.Message);
        }

        _requiresChecksums = config.IsOurs;
        ReadStreamHeader();
        (int version, int major, int minor) = ReadImageHeaders();
        UpdateChain();
        return new SaveFileOpening(config, version, major, minor);
    }

    /// <summary>
    /// Reads the next record that is not optional, with its checksum; false at the end, when nothing follows that
    /// should not.
    /// </summary>
    public bool ReadRecord()
    {
        while (true)
        {
            ReadOne();
            if (Type == RecordType.End)
            {
                if (BodyLength != 0)
                {
                    throw Refuse($"it has {BodyLength} bytes, and an end has none");
                }

                ReadStreamEnd();
                return false;
            }

            bool isKnown = ((uint)Type & RecordNames.OptionalBit) == 0;
            if (Type == RecordType.Checksum)
            {
                throw Refuse("there is no record before it that it could belong to");
            }

            UpdateChain();
            Checksum = null;
            if (_requiresChecksums || PeekType() == RecordType.Checksum)
            {
                ReadChecksum();
            }

            if (isKnown)
            {
                return true;
            }
        }
    }

    /// <summary>Reads bytes of an earlier part of the file and comes back.</summary>
    public void ReadAt(long offset, Span<byte> target)
    {
        _stream.Position = offset;
        _stream.ReadExactly(target);
        _stream.Position = _position;
    }

    private void ReadStreamHeader()
    {
        Enter("libxl stream header");
        ReadOnlySpan<byte> header = Take(16);
        uint version = BinaryPrimitives.ReadUInt32BigEndian(header[8..]);
        uint options = BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
        if (BinaryPrimitives.ReadUInt64BigEndian(header) != SaveFileLayout.LibxlIdent)
        {
            throw Refuse("it does not begin with 'LibxlFmt'");
        }

        if (version != SaveFileLayout.LibxlVersion)
        {
            throw Refuse($"its version is {version}; only {SaveFileLayout.LibxlVersion} is understood");
        }

        if ((options & 3) != 0)
        {
            throw Refuse($"its options are {options:x}: big-endian and converted streams are not understood");
        }

        Enter("LIBXC_CONTEXT");
        ReadOnlySpan<byte> record = Take(SaveFileLayout.RecordHeaderSize);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(record);
        if (type != SaveFileLayout.LibxlContext || BinaryPrimitives.ReadUInt32LittleEndian(record[4..]) != 0)
        {
            throw Refuse($"here stands a record of type {type:x}; a paravirtualized domain's stream begins with "
                + "LIBXC_CONTEXT, which is empty");
        }
    }

    private (int Version, int Major, int Minor) ReadImageHeaders()
    {
        Enter("image header");
        ReadOnlySpan<byte> image = Take(SaveFileLayout.ImageHeaderSize);
        uint version = BinaryPrimitives.ReadUInt32BigEndian(image[12..]);
        if (BinaryPrimitives.ReadUInt64BigEndian(image) != SaveFileLayout.ImageMarker
            || BinaryPrimitives.ReadUInt32BigEndian(image[8..]) != SaveFileLayout.ImageIdent)
        {
            throw Refuse("it does not begin with the marker and 'XENF'");
        }

        if (version is < SaveFileLayout.OldestImageVersion or > SaveFileLayout.ImageVersion)
        {
            throw Refuse($"its version is {version}; {SaveFileLayout.OldestImageVersion} and "
                + $"{SaveFileLayout.ImageVersion} are understood");
        }

        if ((BinaryPrimitives.ReadUInt16BigEndian(image[16..]) & 1) != 0)
        {
            throw Refuse("it comes from a big-endian machine");
        }

        Enter("domain header");
        ReadOnlySpan<byte> domain = Take(16);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(domain);
        int shift = BinaryPrimitives.ReadUInt16LittleEndian(domain[4..]);
        if (type != SaveFileLayout.DomainTypePv)
        {
            throw Refuse($"the domain is of type {type}; only type 1, x86 PV, runs here");
        }

        if (shift != SaveFileLayout.PageShift)
        {
            throw Refuse($"pages are of 2^{shift} bytes; only 2^{SaveFileLayout.PageShift} is possible");
        }

        uint major = BinaryPrimitives.ReadUInt32LittleEndian(domain[8..]);
        uint minor = BinaryPrimitives.ReadUInt32LittleEndian(domain[12..]);
        return ((int)version, (int)Math.Min(major, int.MaxValue), (int)Math.Min(minor, int.MaxValue));
    }

    /// <summary>Reads one record of whatever type behind the place of the last hash.</summary>
    private void ReadOne()
    {
        Enter("record");
        _filled = SaveFileLayout.ChecksumSize;
        ReadOnlySpan<byte> header = Take(SaveFileLayout.RecordHeaderSize);
        Type = (RecordType)BinaryPrimitives.ReadUInt32LittleEndian(header);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        _part = RecordNames.Of(Type);
        if (length > SaveFileLayout.MaximumBody)
        {
            throw Refuse($"it would have {length} bytes; no record has more than {SaveFileLayout.MaximumBody}");
        }

        BodyLength = (int)length;
        _ = Take(SaveFileLayout.Padded(BodyLength));
    }

    private void ReadChecksum()
    {
        // The body of the record that this checksum belongs to stays where it is: the checksum goes behind it.
        long offset = _position;
        Span<byte> record = stackalloc byte[SaveFileLayout.RecordHeaderSize + SaveFileLayout.ChecksumSize];
        if (_size - offset < record.Length)
        {
            throw Refuse($"the file ends after {_size} bytes, before its checksum does");
        }

        _stream.ReadExactly(record);
        _position += record.Length;
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(record);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);
        if (type != (uint)RecordType.Checksum || length != SaveFileLayout.ChecksumSize)
        {
            // Where the checksum would stand, the record's own length says; so that may be what is wrong.
            throw Refuse($"behind its {BodyLength} bytes stands a record of type {type:x} with {length} bytes; each record of "
                + "this file has a checksum there");
        }

        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(record[SaveFileLayout.RecordHeaderSize..]);
        if (value != _chain)
        {
            throw Refuse($"its contents, or those of a header before it, have changed: the checksum is {_chain:x16} "
                + $"and was {value:x16} when the file was written");
        }

        Checksum = value;
    }

    private RecordType? PeekType()
    {
        if (_size - _position < SaveFileLayout.RecordHeaderSize)
        {
            return null;
        }

        Span<byte> type = stackalloc byte[sizeof(uint)];
        ReadAt(_position, type);
        return (RecordType)BinaryPrimitives.ReadUInt32LittleEndian(type);
    }

    private void ReadStreamEnd()
    {
        Enter("libxl END");
        ReadOnlySpan<byte> end = Take(SaveFileLayout.RecordHeaderSize);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(end);
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(end[4..]);
        if (type != SaveFileLayout.LibxlEnd || length != 0)
        {
            throw Refuse($"here stands a record of type {type:x} with {length} bytes; a paravirtualized domain's "
                + "stream ends behind the image");
        }

        if (_position != _size)
        {
            Enter("end of the file");
            throw Refuse($"{_size - _position} bytes follow that belong to nothing");
        }
    }

    private void Enter(string part)
    {
        _part = part;
        _partOffset = _position;
    }

    /// <summary>The next bytes of the file, which also stay in the buffer to be hashed.</summary>
    private ReadOnlySpan<byte> Take(int count)
    {
        if (_size - _position < count)
        {
            throw Refuse($"the file ends after {_size} bytes; {_position + count - _size} more belong to this part");
        }

        if (_buffer.Length - _filled < count)
        {
            Array.Resize(ref _buffer, Math.Max(_filled + count, 2 * _buffer.Length));
        }

        Span<byte> target = _buffer.AsSpan(_filled, count);
        _stream.ReadExactly(target);
        _filled += count;
        _position += count;
        return target;
    }

    private void UpdateChain()
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer, _chain);
        fixed (byte* bytes = _buffer)
        {
            _chain = XxHash64.Compute(bytes, (nuint)_filled);
        }
    }
}
