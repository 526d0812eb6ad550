// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Store.Quotas;

/// <summary>What a domain has of the store.</summary>
public sealed class DomainAccount
{
    private readonly long[] _refusals = new long[QuotaTable.Kinds];
    private readonly long[] _peaks = new long[QuotaTable.Kinds];
    private long _memory;
    private int _nodes;
    private int _watches;
    private int _transactions;

    /// <summary>Nodes that it owns.</summary>
    public int Nodes
    {
        get => _nodes;
        set => _nodes = Note(QuotaKind.Nodes, value);
    }

    /// <summary>Bytes of its nodes, watches and transactions.</summary>
    public long Memory
    {
        get => _memory;
        set
        {
            _memory = value;
            _peaks[(int)QuotaKind.Memory] = Math.Max(_peaks[(int)QuotaKind.Memory], value);
        }
    }

    /// <summary>Watches that it has set.</summary>
    public int Watches
    {
        get => _watches;
        set => _watches = Note(QuotaKind.Watches, value);
    }

    /// <summary>Transactions that it has open.</summary>
    public int Transactions
    {
        get => _transactions;
        set => _transactions = Note(QuotaKind.Transactions, value);
    }

    /// <summary>How often it was refused something for want of that quota.</summary>
    public long Refusals(QuotaKind kind) => _refusals[(int)kind];

    /// <summary>The most that it ever had of it; kept for nodes, watches, transactions and memory.</summary>
    public long Peak(QuotaKind kind) => _peaks[(int)kind];

    /// <summary>Counts one more refusal.</summary>
    public void CountRefusal(QuotaKind kind) => _refusals[(int)kind]++;

    private int Note(QuotaKind kind, int value)
    {
        _peaks[(int)kind] = Math.Max(_peaks[(int)kind], value);
        return value;
    }
}
