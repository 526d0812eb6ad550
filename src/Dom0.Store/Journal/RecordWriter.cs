// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Text;
using Dom0.Store.Tree;

namespace Dom0.Store.Journal;

/// <summary>Records one behind the other, as bytes. Numbers are little-endian, bytes and texts have their length in front.</summary>
public sealed class RecordWriter
{
    private byte[] _bytes = new byte[4096];

    /// <summary>How many bytes there are.</summary>
    public int Count { get; private set; }

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Count);

    /// <summary>Begins again with nothing.</summary>
    public void Clear() => Count = 0;

    /// <summary>Begins a record.</summary>
    public RecordWriter Begin(RecordKind kind) => Byte((byte)kind);

    /// <summary>Appends a byte.</summary>
    public RecordWriter Byte(byte value)
    {
        Room(1)[0] = value;
        return this;
    }

    /// <summary>Appends a domain's number.</summary>
    public RecordWriter Domain(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(Room(2), value);
        return this;
    }

    /// <summary>Appends 32 bits.</summary>
    public RecordWriter Word(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Room(4), value);
        return this;
    }

    /// <summary>Appends 64 bits.</summary>
    public RecordWriter Long(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Room(8), value);
        return this;
    }

    /// <summary>Appends bytes.</summary>
    public RecordWriter Blob(ReadOnlySpan<byte> value)
    {
        _ = Word((uint)value.Length);
        value.CopyTo(Room(value.Length));
        return this;
    }

    /// <summary>Appends a text of 8-bit characters.</summary>
    public RecordWriter Text(string value)
    {
        _ = Word((uint)value.Length);
        _ = Encoding.Latin1.GetBytes(value, Room(value.Length));
        return this;
    }

    /// <summary>Appends permissions.</summary>
    public RecordWriter Permissions(NodePermissions permissions)
    {
        _ = Word((uint)permissions.Entries.Length);
        foreach (PermissionEntry entry in permissions.Entries)
        {
            _ = Domain(entry.Domain).Byte((byte)((byte)entry.Access | (entry.IsVoid ? 0x80 : 0)));
        }

        return this;
    }

    /// <summary>Appends the record that makes a node.</summary>
    public RecordWriter Node(string path, StoreNode node) =>
        Begin(RecordKind.Create).Text(path).Blob(node.Value).Permissions(node.Permissions);

    /// <summary>Appends a step on the tree.</summary>
    public RecordWriter Step(Mutation step)
    {
        _ = Byte((byte)step.Kind).Text(step.Path.Text);
        if (step.Kind is MutationKind.Create or MutationKind.SetValue)
        {
            _ = Blob(step.Value);
        }

        return step.Kind is MutationKind.Create or MutationKind.SetPermissions ? Permissions(step.Permissions!) : this;
    }

    private Span<byte> Room(int count)
    {
        if (Count + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, Count + count));
        }

        Count += count;
        return _bytes.AsSpan(Count - count, count);
    }
}
