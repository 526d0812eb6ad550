// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using Dom0.Store.Transactions;
using Dom0.Store.Tree;
using Dom0.Store.Watches;

namespace Dom0.Store.Connections;

/// <summary>
/// Somebody who talks to the store: a program of Domain-0 by a socket, or a domain by its ring. What it is here does not
/// depend on the way that its bytes come and go.
/// </summary>
public sealed class StoreConnection
{
    private uint _lastTransaction;

    /// <summary>A new connection.</summary>
    /// <param name="identity">On whose behalf it speaks.</param>
    /// <param name="isDurable">Does it outlive the daemon? A ring does, a socket does not.</param>
    /// <param name="isReadOnly">May it change nothing?</param>
    public StoreConnection(DomainIdentity identity, bool isDurable, bool isReadOnly = false)
    {
        Identity = identity;
        IsDurable = isDurable;
        IsReadOnly = isReadOnly;
    }

    /// <summary>On whose behalf it speaks.</summary>
    public DomainIdentity Identity { get; set; }

    /// <summary>Does it outlive the daemon?</summary>
    public bool IsDurable { get; }

    /// <summary>May it change nothing?</summary>
    public bool IsReadOnly { get; }

    /// <summary>The way that its bytes go out; null while there is none.</summary>
    public IStoreChannel? Channel { get; set; }

    /// <summary>The message that is coming in.</summary>
    public InputAssembler Input { get; } = new();

    /// <summary>The messages that go out.</summary>
    public OutputQueue Output { get; } = new();

    /// <summary>Its watches, oldest first.</summary>
    public List<Watch> Watches { get; } = [];

    /// <summary>Its open transactions.</summary>
    public Dictionary<uint, Transaction> Transactions { get; } = [];

    /// <summary>Ring index of the first byte of a request that is not taken yet; for rings.</summary>
    public uint RequestsTaken { get; set; }

    /// <summary>Ring index of the first byte that is not written to the ring of answers yet; for rings.</summary>
    public uint AnswersGiven { get; set; }

    /// <summary>A number that none of the open transactions has; never 0.</summary>
    public uint NextTransaction()
    {
        do
        {
            _lastTransaction++;
        }
        while (_lastTransaction == 0 || Transactions.ContainsKey(_lastTransaction));
        return _lastTransaction;
    }

    /// <summary>Takes note of a number given by an earlier run of the daemon.</summary>
    public void SawTransaction(uint number) => _lastTransaction = number;
}
