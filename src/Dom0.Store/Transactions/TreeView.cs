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

/// <summary>A change that watches hear of.</summary>
/// <param name="Path">Where.</param>
/// <param name="IsExact">Only those who watch exactly this path: it went together with one above.</param>
/// <param name="Former">Permissions that the node had before, where that matters.</param>
public readonly record struct TreeChange(string Path, bool IsExact, NodePermissions? Former);

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
    public abstract void Announce(TreeChange change);

    /// <summary>Nodes that <paramref name="domain"/> owns in this view.</summary>
    public abstract int NodesOf(ushort domain);

    /// <summary>Bytes that <paramref name="domain"/> has in this view.</summary>
    public abstract long MemoryOf(ushort domain);
}
