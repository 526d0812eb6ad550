// SPDX-License-Identifier: MIT
//
// A transaction sees the tree as it was when it began, and its own steps. It keeps what its answers depended on: for
// each node whether it was there and for whom, its value, the names below it, whatever was asked for. When it ends
// well, each of these must still hold in the live tree; then its steps are carried out there, one after the other, and
// the outcome is as if nobody had been in between. So two transactions that make nodes in the same directory do not
// disturb each other, unless one of them listed it.
using System;
using System.Collections.Generic;
using Dom0.Store.Connections;
using Dom0.Store.Quotas;
using Dom0.Store.Tree;

namespace Dom0.Store.Transactions;

/// <summary>An open transaction.</summary>
public sealed class Transaction : TreeView
{
    private readonly StoreState _state;
    private readonly DomainIdentity _identity;
    private readonly StoreNode _base;
    private readonly Dictionary<string, (NodePath Path, NodeAspect Aspects)> _dependencies = new(StringComparer.Ordinal);
    private readonly List<Mutation> _steps = [];
    private readonly List<TreeChange> _changes = [];
    private readonly HashSet<TreeChange> _noted = [];
    private readonly AccountDelta _delta = new();
    private StoreNode _root;
    private ulong _serial;

    /// <summary>Begins a transaction on the tree as it is.</summary>
    public Transaction(StoreState state, DomainIdentity identity, uint number, bool mustRetry = false)
    {
        _state = state;
        _identity = identity;
        Number = number;
        MustRetry = mustRetry;
        _base = state.Root;
        _root = state.Root;
        _serial = state.Serial;
    }

    /// <summary>Its number.</summary>
    public uint Number { get; }

    /// <summary>What it saw is lost with an earlier run of the daemon: it can only be done again.</summary>
    public bool MustRetry { get; }

    /// <summary>Bytes that it counts for in the account of its domain.</summary>
    public int Memory { get; private set; }

    /// <inheritdoc/>
    public override StoreNode Root => _root;

    /// <inheritdoc/>
    public override bool Touch(NodePath path, NodeAspect aspect)
    {
        if (_dependencies.TryGetValue(path.Text, out (NodePath Path, NodeAspect Aspects) known))
        {
            _dependencies[path.Text] = (path, known.Aspects | aspect);
            return true;
        }

        if (!_identity.IsPrivileged && _dependencies.Count >= _state.Quotas[QuotaKind.TransactionNodes])
        {
            return false;
        }

        _dependencies.Add(path.Text, (path, aspect));
        Charge(StoreSizes.OfDependency(path));
        return true;
    }

    /// <inheritdoc/>
    public override StoreErrno Apply(Mutation mutation)
    {
        if (!_identity.IsPrivileged && _steps.Count >= _state.Quotas[QuotaKind.TransactionNodes])
        {
            return _state.Refuse(_identity, QuotaKind.TransactionNodes, mutation.Path.Text);
        }

        _delta.Count(_root, mutation);
        _root = mutation.Apply(_root, ++_serial);
        _steps.Add(mutation);
        Charge(StoreSizes.OfMutation(mutation));
        return StoreErrno.Ok;
    }

    /// <inheritdoc/>
    public override void Announce(string path, NodePermissions? former) => Note(TreeChange.At(_root, path, former));

    /// <inheritdoc/>
    public override void AnnounceRemoval(NodePath path, StoreNode former)
    {
        foreach (TreeChange change in TreeSearch.Removal(_root, path, former))
        {
            Note(change);
        }
    }

    /// <inheritdoc/>
    public override int NodesOf(ushort domain) => _state.Account(domain).Nodes + _delta.Nodes(domain);

    /// <inheritdoc/>
    public override long MemoryOf(ushort domain) => _state.Account(domain).Memory + _delta.Memory(domain);

    /// <summary>Ends it and lets the live tree have its steps.</summary>
    /// <returns><see cref="StoreErrno.Again"/> when somebody changed what it saw; the live tree is as before then.</returns>
    public StoreErrno Commit()
    {
        if (MustRetry || !Holds())
        {
            return StoreErrno.Again;
        }

        ushort domain = _identity.Domain;
        if (!_identity.IsPrivileged && _delta.Nodes(domain) > 0
            && NodesOf(domain) > _state.Quotas[QuotaKind.Nodes])
        {
            return _state.Refuse(_identity, QuotaKind.Nodes, "at the end of a transaction");
        }

        foreach (Mutation step in _steps)
        {
            _ = _state.Live.Apply(step);
        }

        foreach (TreeChange change in _changes)
        {
            _state.Announce(change);
        }

        return StoreErrno.Ok;
    }

    private void Note(TreeChange change)
    {
        // The same path again, if others may know of it now; who hears of it twice is told once.
        if (_noted.Add(change))
        {
            _changes.Add(change);
        }
    }

    private void Charge(int bytes)
    {
        Memory += bytes;
        _state.Account(_identity.Domain).Memory += bytes;
    }

    private bool Holds()
    {
        if (ReferenceEquals(_base, _state.Root))
        {
            return true;
        }

        foreach ((NodePath path, NodeAspect aspects) in _dependencies.Values)
        {
            StoreNode? before = TreeSearch.Find(_base, path);
            StoreNode? now = TreeSearch.Find(_state.Root, path);
            if (before is null || now is null)
            {
                if (!ReferenceEquals(before, now))
                {
                    return false;
                }
            }
            else if (!ReferenceEquals(before.Permissions, now.Permissions)
                || (aspects.HasFlag(NodeAspect.Value) && !ReferenceEquals(before.Value, now.Value))
                || (aspects.HasFlag(NodeAspect.Names) && before.NamesGeneration != now.NamesGeneration))
            {
                return false;
            }
        }

        return true;
    }
}
