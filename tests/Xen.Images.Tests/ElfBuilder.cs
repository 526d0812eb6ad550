// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;

/// <summary>Writes small ELF kernels, sound ones and, after <see cref="Patch16"/> and the like, unsound ones.</summary>
internal sealed class ElfBuilder
{
    public const int HeaderSize = 64;
    public const int SegmentSize = 56;
    public const ulong VirtBase = 0xFFFFFFFF80000000;
    public const ulong PhysicalBase = 0x1000000;

    private readonly List<(uint Type, ulong Virtual, ulong Physical, byte[] Data, ulong MemorySize)> _segments = [];
    private readonly List<(string Name, uint Type, byte[] Data)> _sections = [];

    public ulong Entry { get; set; } = PhysicalBase;

    public static byte[] Note(XenNoteType type, byte[] descriptor, string name = "Xen")
    {
        using MemoryStream note = new();
        using BinaryWriter writer = new(note);
        byte[] nameBytes = Encoding.ASCII.GetBytes(name + "\0");
        writer.Write(nameBytes.Length);
        writer.Write(descriptor.Length);
        writer.Write((uint)type);
        writer.Write(nameBytes);
        Pad(writer, note);
        writer.Write(descriptor);
        Pad(writer, note);
        return note.ToArray();
    }

    public static byte[] Note(XenNoteType type, ulong value) => Note(type, BitConverter.GetBytes(value));

    public static byte[] Note(XenNoteType type, string text) => Note(type, Encoding.ASCII.GetBytes(text + "\0"));

    /// <summary>The notes that a plain 64-bit PV kernel has.</summary>
    public static byte[] UsualNotes(ulong entry = VirtBase + PhysicalBase) =>
    [
        .. Note(XenNoteType.GuestOs, "linux"),
        .. Note(XenNoteType.XenVersion, "xen-3.0"),
        .. Note(XenNoteType.VirtBase, VirtBase),
        .. Note(XenNoteType.Entry, entry),
        .. Note(XenNoteType.Loader, "generic"),
    ];

    public static byte[] Kernel(byte[] notes, ulong entry = PhysicalBase) =>
        new ElfBuilder { Entry = entry }.AddLoad(new byte[0x1000], 0x3000).AddNotes(notes).Build();

    public static byte[] Patch(byte[] image, int offset, params byte[] bytes)
    {
        byte[] patched = (byte[])image.Clone();
        bytes.CopyTo(patched, offset);
        return patched;
    }

    public static byte[] Patch16(byte[] image, int offset, ushort value) =>
        Patch(image, offset, BitConverter.GetBytes(value));

    public static byte[] Patch64(byte[] image, int offset, ulong value) =>
        Patch(image, offset, BitConverter.GetBytes(value));

    public ElfBuilder AddLoad(byte[] data, ulong memorySize, ulong physical = PhysicalBase)
    {
        _segments.Add((1, VirtBase + physical, physical, data, memorySize));
        return this;
    }

    public ElfBuilder AddNotes(byte[] notes)
    {
        _segments.Add((4, 0, 0, notes, (ulong)notes.Length));
        return this;
    }

    public ElfBuilder AddSection(string name, uint type, byte[] data)
    {
        _sections.Add((name, type, data));
        return this;
    }

    public byte[] Build()
    {
        using MemoryStream file = new();
        using BinaryWriter writer = new(file);
        List<byte[]> contents = [];
        long offset = HeaderSize + (_segments.Count * SegmentSize);
        writer.Write([0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        writer.Write((ushort)2);
        writer.Write((ushort)62);
        writer.Write(1);
        writer.Write(Entry);
        writer.Write((long)HeaderSize);
        writer.Write(0L);
        writer.Write(0);
        writer.Write((ushort)HeaderSize);
        writer.Write((ushort)SegmentSize);
        writer.Write((ushort)_segments.Count);
        writer.Write((ushort)64);
        writer.Write((ushort)0);
        writer.Write((ushort)0);
        foreach ((uint type, ulong virtualAddress, ulong physical, byte[] data, ulong memorySize) in _segments)
        {
            writer.Write(type);
            writer.Write(7);
            writer.Write(offset);
            writer.Write(virtualAddress);
            writer.Write(physical);
            writer.Write((ulong)data.Length);
            writer.Write(memorySize);
            writer.Write(4096UL);
            contents.Add(data);
            offset += data.Length;
        }

        foreach (byte[] data in contents)
        {
            writer.Write(data);
        }

        return _sections.Count == 0 ? file.ToArray() : WriteSections(file, writer);
    }

    private byte[] WriteSections(MemoryStream file, BinaryWriter writer)
    {
        MemoryStream names = new();
        names.WriteByte(0);
        List<(int Name, uint Type, long Offset, int Size)> headers = [];
        foreach ((string name, uint type, byte[] data) in _sections)
        {
            headers.Add(((int)names.Length, type, file.Position, data.Length));
            names.Write(Encoding.ASCII.GetBytes(name + "\0"));
            writer.Write(data);
        }

        headers.Add(((int)names.Length, 3, file.Position, (int)names.Length + 10));
        names.Write(".shstrtab\0"u8);
        writer.Write(names.ToArray());
        long table = file.Position;
        writer.Write(new byte[64]);
        foreach ((int name, uint type, long offset, int size) in headers)
        {
            writer.Write(name);
            writer.Write(type);
            writer.Write(0L);
            writer.Write(0L);
            writer.Write(offset);
            writer.Write((long)size);
            writer.Write(new byte[24]);
        }

        byte[] image = file.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(image.AsSpan(40), table);
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(60), (ushort)(headers.Count + 1));
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(62), (ushort)headers.Count);
        return image;
    }

    private static void Pad(BinaryWriter writer, MemoryStream stream)
    {
        while (stream.Position % 4 != 0)
        {
            writer.Write((byte)0);
        }
    }
}
