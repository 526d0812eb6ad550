// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using Dom0.Store.Tree;

namespace Dom0.Store.Quotas;

/// <summary>What steps on a tree change in the accounts of domains.</summary>
public sealed class AccountDelta
{
    private readonly Dictionary<ushort, (int Nodes, long Memory)> _changes = [];

    /// <summary>Every domain whose account changes.</summary>
    public IEnumerable<KeyValuePair<ushort, (int Nodes, long Memory)>> Changes => _changes;

    /// <summary>Nodes that a domain gains.</summary>
    public int Nodes(ushort domain) => _changes.GetValueOrDefault(domain).Nodes;

    /// <summary>Bytes that a domain gains.</summary>
    public long Memory(ushort domain) => _changes.GetValueOrDefault(domain).Memory;

    /// <summary>Forgets all.</summary>
    public void Clear() => _changes.Clear();

    /// <summary>Counts a step that is about to be carried out on <paramref name="root"/>.</summary>
    public void Count(StoreNode root, Mutation step)
    {
        string text = step.Path.Text;
        string name = text[(text.LastIndexOf('/') + 1)..];
        if (step.Kind == MutationKind.Create)
        {
            _ = TreeSearch.FindNearest(root, step.Path, out int depth);
            for (; depth < step.Path.Names.Length - 1; depth++)
            {
                Add(step.Path.Names[depth], new StoreNode([], step.Permissions!, 0), 1);
            }

            Add(name, new StoreNode(step.Value, step.Permissions!, 0), 1);
            return;
        }

        StoreNode node = TreeSearch.Find(root, step.Path)!;
        switch (step.Kind)
        {
            case MutationKind.Remove:
                foreach ((_, string below, StoreNode gone) in TreeSearch.Walk(text, node))
                {
                    Add(below, gone, -1);
                }

                break;
            case MutationKind.SetValue:
                Add(name, node, -1);
                Add(name, node.WithValue(step.Value), 1);
                break;
            default:
                Add(name, node, -1);
                Add(name, node.WithPermissions(step.Permissions!), 1);
                break;
        }
    }

    /// <summary>Counts a node that comes (1) or goes (-1).</summary>
    public void Add(string name, StoreNode node, int sign)
    {
        ushort owner = node.Permissions.Owner;
        (int nodes, long memory) = _changes.GetValueOrDefault(owner);
        _changes[owner] = (nodes + sign, memory + (sign * StoreSizes.OfNode(name, node)));
    }
}
