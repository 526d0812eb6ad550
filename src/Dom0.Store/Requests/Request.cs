// SPDX-License-Identifier: MIT
using System;
using Dom0.Store.Connections;
using Dom0.Store.Transactions;
using Dom0.Store.Tree;

namespace Dom0.Store.Requests;

/// <summary>A request while it is answered.</summary>
public readonly ref struct Request
{
    /// <summary>The store.</summary>
    public required StoreState State { get; init; }

    /// <summary>Who asks.</summary>
    public required StoreConnection Connection { get; init; }

    /// <summary>The head of the message.</summary>
    public required MessageHeader Header { get; init; }

    /// <summary>The body of the message: a guest's bytes, unchecked.</summary>
    public required ReadOnlySpan<byte> Body { get; init; }

    /// <summary>The tree that the request is about: the live one, or that of a transaction.</summary>
    public required TreeView View { get; init; }

    /// <summary>On whose behalf.</summary>
    public DomainIdentity Identity => Connection.Identity;
}
