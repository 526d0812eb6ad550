// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Store.Tree;

/// <summary>How a node changes.</summary>
public enum MutationKind : byte
{
    /// <summary>A new node, and empty ones on the way to it where none are; all with the same permissions.</summary>
    Create = 1,

    /// <summary>Another value for a node that exists.</summary>
    SetValue = 2,

    /// <summary>Other permissions for a node that exists.</summary>
    SetPermissions = 3,

    /// <summary>A node that exists goes, with all below it.</summary>
    Remove = 4,
}

/// <summary>
/// One step that changes the tree. Requests are made of them, a transaction is a list of them that is carried out once
/// more on the live tree, and the journal keeps them.
/// </summary>
public sealed record Mutation(MutationKind Kind, NodePath Path, byte[] Value, NodePermissions? Permissions)
{
    /// <summary>A new node.</summary>
    public static Mutation Create(NodePath path, byte[] value, NodePermissions permissions) =>
        new(MutationKind.Create, path, value, permissions);

    /// <summary>Another value.</summary>
    public static Mutation SetValue(NodePath path, byte[] value) => new(MutationKind.SetValue, path, value, null);

    /// <summary>Other permissions.</summary>
    public static Mutation SetPermissions(NodePath path, NodePermissions permissions) =>
        new(MutationKind.SetPermissions, path, [], permissions);

    /// <summary>No node any more.</summary>
    public static Mutation Remove(NodePath path) => new(MutationKind.Remove, path, [], null);

    /// <summary>The tree after this step.</summary>
    /// <param name="root">The tree before.</param>
    /// <param name="serial">A number that no step had before.</param>
    /// <exception cref="InvalidOperationException">The tree is not what the step presumes; a fault of the caller.</exception>
    public StoreNode Apply(StoreNode root, ulong serial) => Apply(root, Path.Names, serial);

    private StoreNode Apply(StoreNode node, ReadOnlySpan<string> names, ulong serial)
    {
        if (names.IsEmpty)
        {
            return Kind switch
            {
                MutationKind.SetValue => node.WithValue(Value),
                MutationKind.SetPermissions => node.WithPermissions(Permissions!),
                _ => throw new InvalidOperationException($"{Kind} of {Path}: the root is neither made nor removed"),
            };
        }

        StoreNode? child = node.Child(names[0]);
        bool isLast = names.Length == 1;
        if (child is null && Kind == MutationKind.Create)
        {
            return node.WithChild(names[0], Chain(names[1..], serial), serial);
        }

        if (child is null || (isLast && Kind == MutationKind.Create))
        {
            throw new InvalidOperationException($"{Kind} of {Path}: {names[0]} {(child is null ? "is missing" : "exists")}");
        }

        return isLast && Kind == MutationKind.Remove
            ? node.WithChild(names[0], null, serial)
            : node.WithChild(names[0], Apply(child, names[1..], serial), serial);
    }

    /// <summary>New nodes, one below the other, of which the lowest is the one that is wanted.</summary>
    private StoreNode Chain(ReadOnlySpan<string> names, ulong serial)
    {
        StoreNode node = new(Value, Permissions!, serial);
        for (int index = names.Length - 1; index >= 0; index--)
        {
            node = new StoreNode([], Permissions!, serial).WithChild(names[index], node, serial);
        }

        return node;
    }
}
