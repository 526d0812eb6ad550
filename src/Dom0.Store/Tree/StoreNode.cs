// SPDX-License-Identifier: MIT
//
// The tree is never changed: an edit makes new nodes for the way down to what it touches and shares all others. So a
// transaction's view of the store is one reference to a root, and costs in proportion to what it edits.
//
// A value and a list of permissions are replaced by new objects when they are written; whoever wants to know whether
// somebody wrote them in between compares references.
using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using System.Text;

namespace Dom0.Store.Tree;

/// <summary>A node: value, permissions, and the nodes below it.</summary>
public sealed class StoreNode
{
    private static readonly ImmutableSortedDictionary<string, StoreNode> s_noChildren =
        ImmutableSortedDictionary.Create<string, StoreNode>(StringComparer.Ordinal);

    private readonly ImmutableSortedDictionary<string, StoreNode> _children;
    private byte[]? _listing;

    /// <summary>A node without any below it.</summary>
    public StoreNode(byte[] value, NodePermissions permissions, ulong serial)
        : this(value, permissions, serial, serial, s_noChildren)
    {
    }

    private StoreNode(byte[] value, NodePermissions permissions, ulong serial, ulong namesGeneration,
        ImmutableSortedDictionary<string, StoreNode> children)
    {
        Value = value;
        Permissions = permissions;
        Serial = serial;
        NamesGeneration = namesGeneration;
        _children = children;
    }

    /// <summary>What it says; never written to.</summary>
    public byte[] Value { get; }

    /// <summary>Who may do what.</summary>
    public NodePermissions Permissions { get; }

    /// <summary>Grows from node to node in the order of their making.</summary>
    public ulong Serial { get; }

    /// <summary>Changes whenever a name below comes or goes.</summary>
    public ulong NamesGeneration { get; }

    /// <summary>The nodes right below, in no useful order.</summary>
    public IEnumerable<KeyValuePair<string, StoreNode>> Children => _children;

    /// <summary>The nodes right below in the order of their making.</summary>
    public IEnumerable<KeyValuePair<string, StoreNode>> ChildrenByAge => _children.OrderBy(child => child.Value.Serial);

    /// <summary>How many nodes are right below.</summary>
    public int ChildCount => _children.Count;

    /// <summary>The node of that name right below; null when there is none.</summary>
    public StoreNode? Child(string name) => _children.TryGetValue(name, out StoreNode? child) ? child : null;

    /// <summary>The names below, oldest first, each ended by a zero.</summary>
    public byte[] Listing()
    {
        if (_listing is null)
        {
            StringBuilder names = new();
            foreach ((string name, _) in ChildrenByAge)
            {
                _ = names.Append(name).Append('\0');
            }

            _listing = Encoding.ASCII.GetBytes(names.ToString());
        }

        return _listing;
    }

    /// <summary>The same with another value.</summary>
    public StoreNode WithValue(byte[] value) => Copy(value, Permissions);

    /// <summary>The same with other permissions.</summary>
    public StoreNode WithPermissions(NodePermissions permissions) => Copy(Value, permissions);

    /// <summary>The same with another node under that name, or, for null, with none.</summary>
    /// <param name="generation">What <see cref="NamesGeneration"/> is if a name comes or goes.</param>
    public StoreNode WithChild(string name, StoreNode? child, ulong generation)
    {
        ImmutableSortedDictionary<string, StoreNode> children =
            child is null ? _children.Remove(name) : _children.SetItem(name, child);
        bool sameNames = children.Count == _children.Count;
        return new StoreNode(Value, Permissions, Serial, sameNames ? NamesGeneration : generation, children)
        {
            _listing = sameNames ? _listing : null,
        };
    }

    private StoreNode Copy(byte[] value, NodePermissions permissions) =>
        new(value, permissions, Serial, NamesGeneration, _children) { _listing = _listing };
}
