// SPDX-License-Identifier: MIT
using System;
using Dom0.Store.Tree;

namespace Dom0.Store.Transactions;

/// <summary>What of a node an answer told, or was decided by.</summary>
[Flags]
public enum NodeAspect : byte
{
    /// <summary>That it exists and who may use it, or that it does not exist.</summary>
    Presence = 1,

    /// <summary>Its value.</summary>
    Value = 2,

    /// <summary>The names below it.</summary>
    Names = 4,
}

/// <summary>A change that watches hear of, and the permissions that say who may hear of it.</summary>
/// <param name="Path">Where.</param>
/// <param name="IsExact">Only those who watch exactly this path: it went together with one above.</param>
/// <param name="Former">The node's permissions before, where they changed or the node went.</param>
/// <param name="Node">Those that it has now.</param>
/// <param name="Above">Those of the node above, as it was then.</param>
public readonly record struct TreeChange(
    string Path, bool IsExact, NodePermissions? Former, NodePermissions? Node, NodePermissions? Above)
{
    /// <summary>A change of the node at a path, which was made in <paramref name="root"/>.</summary>
    public static TreeChange At(StoreNode root, string path, NodePermissions? former)
    {
        NodePath place = NodePath.Trusted(path);
        return new TreeChange(path, false, former, TreeSearch.Find(root, place)?.Permissions,
            TreeSearch.Find(root, place.Parent())?.Permissions);
    }
}

/// <summary>The tree as a request sees it: the live one, or a transaction's own.</summary>
public abstract class TreeView
{
    /// <summary>The tree at this moment.</summary>
    public abstract StoreNode Root { get; }

    /// <summary>Takes note that an answer depends on this.</summary>
    /// <returns>False when a transaction has looked at as much as it may.</returns>
    public abstract bool Touch(NodePath path, NodeAspect aspect);

    /// <summary>Carries out a step.</summary>
    /// <returns>An error when a transaction has taken as many as it may; nothing happened then.</returns>
    public abstract StoreErrno Apply(Mutation mutation);

    /// <summary>Tells of a change, at once or when the transaction ends well.</summary>
    /// <param name="former">The node's permissions before, if they changed.</param>
    public abstract void Announce(string path, NodePermissions? former = null);

    /// <summary>Tells that a node went, and all below it: the lowest first.</summary>
    public abstract void AnnounceRemoval(NodePath path, StoreNode former);

    /// <summary>Nodes that <paramref name="domain"/> owns in this view.</summary>
    public abstract int NodesOf(ushort domain);

    /// <summary>Bytes that <paramref name="domain"/> has in this view.</summary>
    public abstract long MemoryOf(ushort domain);
}
