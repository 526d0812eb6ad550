// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.IO;
using System.Text;
using Dom0.Store.Tree;

namespace Dom0.Store.Journal;

/// <summary>Takes apart what <see cref="RecordWriter"/> wrote.</summary>
/// <remarks>Every method throws <see cref="InvalidDataException"/> when the bytes end too early.</remarks>
public ref struct RecordReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Begins at the front.</summary>
    public RecordReader(ReadOnlySpan<byte> bytes) => _rest = bytes;

    /// <summary>Is everything read?</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>The next byte.</summary>
    public byte Byte() => Take(1)[0];

    /// <summary>The next domain's number.</summary>
    public ushort Domain() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    /// <summary>The next 32 bits.</summary>
    public uint Word() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    /// <summary>The next 64 bits.</summary>
    public ulong Long() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>The next bytes.</summary>
    public ReadOnlySpan<byte> Blob() => Take(Word());

    /// <summary>The next text.</summary>
    public string Text() => Encoding.Latin1.GetString(Blob());

    /// <summary>The next permissions.</summary>
    public NodePermissions Permissions()
    {
        uint count = Word();
        if (count == 0 || count > _rest.Length / 3)
        {
            throw new InvalidDataException($"a list of permissions has {count} entries");
        }

        PermissionEntry[] entries = new PermissionEntry[count];
        for (int index = 0; index < entries.Length; index++)
        {
            ushort domain = Domain();
            byte access = Byte();
            entries[index] = new PermissionEntry(domain, (NodeAccess)(access & 0x7F), (access & 0x80) != 0);
        }

        return new NodePermissions(entries);
    }

    /// <summary>The next step on the tree, whose kind was read already.</summary>
    public Mutation Step(MutationKind kind)
    {
        NodePath path = NodePath.Trusted(Text());
        byte[] value = kind is MutationKind.Create or MutationKind.SetValue ? Blob().ToArray() : [];
        NodePermissions? permissions =
            kind is MutationKind.Create or MutationKind.SetPermissions ? Permissions() : null;
        return new Mutation(kind, path, value, permissions);
    }

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > _rest.Length)
        {
            throw new InvalidDataException($"a record wants {count} bytes where {_rest.Length} are left");
        }

        ReadOnlySpan<byte> taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}
