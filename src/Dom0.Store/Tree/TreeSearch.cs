// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Store.Transactions;

namespace Dom0.Store.Tree;

/// <summary>Ways through a tree.</summary>
public static class TreeSearch
{
    /// <summary>The node at a path; null when there is none.</summary>
    public static StoreNode? Find(StoreNode root, NodePath path)
    {
        StoreNode nearest = FindNearest(root, path, out int depth);
        return depth == path.Names.Length ? nearest : null;
    }

    /// <summary>The node at a path, or else the lowest on the way that exists.</summary>
    /// <param name="depth">How many of the path's names lead to it.</param>
    public static StoreNode FindNearest(StoreNode root, NodePath path, out int depth)
    {
        StoreNode node = root;
        ReadOnlySpan<string> names = path.Names;
        for (depth = 0; depth < names.Length; depth++)
        {
            StoreNode? child = node.Child(names[depth]);
            if (child is null)
            {
                return node;
            }

            node = child;
        }

        return node;
    }

    /// <summary>
    /// The changes that the removal of a node is, what is below before what is above. Each of them could be seen in
    /// the directory that went with it.
    /// </summary>
    /// <param name="root">The tree without it.</param>
    public static List<TreeChange> Removal(StoreNode root, NodePath path, StoreNode node)
    {
        List<TreeChange> changes = [];
        Stack<(string Path, StoreNode Node, NodePermissions? Above)> waiting = new();
        waiting.Push((path.Text, node, Find(root, path.Parent())?.Permissions));
        while (waiting.TryPop(out (string Path, StoreNode Node, NodePermissions? Above) next))
        {
            // The youngest is taken next, and so stands behind its elders when all is turned round.
            changes.Add(new TreeChange(
                next.Path, next.Path.Length != path.Text.Length, next.Node.Permissions, null, next.Above));
            foreach ((string name, StoreNode child) in next.Node.ChildrenByAge)
            {
                waiting.Push(($"{next.Path}/{name}", child, next.Node.Permissions));
            }
        }

        changes.Reverse();
        return changes;
    }

    /// <summary>A node and all below it, parents before children, with their paths.</summary>
    public static IEnumerable<(string Path, string Name, StoreNode Node)> Walk(string path, StoreNode node)
    {
        // An explicit stack: a guest decides how deep its part of the tree is.
        Stack<(string Path, string Name, StoreNode Node)> waiting = new();
        waiting.Push((path, path[(path.LastIndexOf('/') + 1)..], node));
        while (waiting.TryPop(out (string Path, string Name, StoreNode Node) next))
        {
            yield return next;
            List<(string, string, StoreNode)> below = [];
            foreach ((string name, StoreNode child) in next.Node.ChildrenByAge)
            {
                below.Add((next.Path == "/" ? "/" + name : $"{next.Path}/{name}", name, child));
            }

            for (int index = below.Count - 1; index >= 0; index--)
            {
                waiting.Push(below[index]);
            }
        }
    }
}
