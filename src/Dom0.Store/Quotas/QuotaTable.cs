// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Store.Quotas;

/// <summary>What a guest can have too much of.</summary>
public enum QuotaKind : byte
{
    /// <summary>Nodes that it owns.</summary>
    Nodes = 0,

    /// <summary>Bytes of one node: value and permissions.</summary>
    NodeSize = 1,

    /// <summary>Entries of one node's permissions.</summary>
    NodePermissions = 2,

    /// <summary>Watches.</summary>
    Watches = 3,

    /// <summary>Transactions at a time.</summary>
    Transactions = 4,

    /// <summary>Nodes that one transaction looks at, and steps that it takes.</summary>
    TransactionNodes = 5,

    /// <summary>Requests whose answers it has not taken yet.</summary>
    Outstanding = 6,

    /// <summary>Bytes of nodes, watches and transactions together.</summary>
    Memory = 7,
}

/// <summary>The limits, by kind; they hold for every domain but Domain-0.</summary>
public sealed class QuotaTable
{
    /// <summary>How many kinds there are.</summary>
    public const int Kinds = 8;

    private static readonly string[] s_names =
    [
        "nodes", "node-size", "node-permissions", "watches", "transactions", "transaction-nodes", "outstanding", "memory",
    ];

    private static readonly string[] s_descriptions =
    [
        "Nodes per domain", "Bytes per node", "Permissions per node", "Watches per domain", "Transactions per domain",
        "Accessed nodes per transaction", "Requests without answer taken per domain", "Bytes per domain",
    ];

    private readonly int[] _limits = [1000, 2048, 5, 128, 10, 1024, 20, 2560 * 1024];

    /// <summary>The limit of a kind.</summary>
    public int this[QuotaKind kind]
    {
        get => _limits[(int)kind];
        set => _limits[(int)kind] = value;
    }

    /// <summary>All kinds.</summary>
    public static IEnumerable<QuotaKind> All()
    {
        for (int kind = 0; kind < Kinds; kind++)
        {
            yield return (QuotaKind)kind;
        }
    }

    /// <summary>The name of a kind, as <c>xenstore-control quota set</c> takes it.</summary>
    public static string Name(QuotaKind kind) => s_names[(int)kind];

    /// <summary>What a kind limits, in words.</summary>
    public static string Description(QuotaKind kind) => s_descriptions[(int)kind];

    /// <summary>The kind of a name; null when there is none of that name.</summary>
    public static QuotaKind? Find(string name) =>
        Array.IndexOf(s_names, name) is int index && index >= 0 ? (QuotaKind)index : null;

    /// <summary>What a guest is told when it has too much of a kind.</summary>
    public static StoreErrno Refusal(QuotaKind kind) => kind switch
    {
        QuotaKind.Watches => StoreErrno.TooBig,
        QuotaKind.Memory => StoreErrno.NoMemory,
        _ => StoreErrno.NoSpace,
    };
}
