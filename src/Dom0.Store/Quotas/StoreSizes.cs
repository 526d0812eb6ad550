// SPDX-License-Identifier: MIT
using Dom0.Store.Tree;

namespace Dom0.Store.Quotas;

/// <summary>What things count for in bytes: what a guest chose, and an allowance for what the daemon adds.</summary>
public static class StoreSizes
{
    private const int Allowance = 128;

    /// <summary>A value and permissions: what <see cref="QuotaKind.NodeSize"/> limits.</summary>
    public static int OfContent(int valueBytes, NodePermissions permissions) =>
        valueBytes + (8 * permissions.Entries.Length);

    /// <summary>A node of that name.</summary>
    public static int OfNode(string name, StoreNode node) =>
        OfNode(name, node.Value.Length, node.Permissions);

    /// <summary>A node of that name, value and permissions.</summary>
    public static int OfNode(string name, int valueBytes, NodePermissions permissions) =>
        Allowance + (2 * name.Length) + OfContent(valueBytes, permissions);

    /// <summary>A watch.</summary>
    public static int OfWatch(string path, string token) => Allowance + (2 * (path.Length + token.Length));

    /// <summary>A step of a transaction.</summary>
    public static int OfMutation(Mutation mutation) =>
        Allowance + (2 * mutation.Path.Text.Length) + mutation.Value.Length;

    /// <summary>A node that a transaction has looked at.</summary>
    public static int OfDependency(NodePath path) => Allowance + (2 * path.Text.Length);
}
