// SPDX-License-Identifier: MIT
//
// The store as a whole: tree, watches, transactions, domains, accounts. It does no input or output: requests come in
// as complete messages, answers and events go into the connections' queues, and each change is told to the journal's
// records, which are written out before any of it is sent (StoreServer).
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Dom0.Store.Connections;
using Dom0.Store.Journal;
using Dom0.Store.Quotas;
using Dom0.Store.Requests;
using Dom0.Store.Transactions;
using Dom0.Store.Tree;
using Dom0.Store.Watches;
using Xen.Abi;

namespace Dom0.Store;

/// <summary>What the store knows. Serves one thread.</summary>
public sealed partial class StoreState
{
    /// <summary>The event of a domain that is introduced.</summary>
    public const string IntroduceDomain = "@introduceDomain";

    /// <summary>The event of a domain that ends.</summary>
    public const string ReleaseDomain = "@releaseDomain";

    private readonly Dictionary<ushort, DomainAccount> _accounts = [];
    private readonly AccountDelta _delta = new();
    private readonly IDomainHost _host;
    private readonly Action<string> _log;
    private NodePermissions _introducePermissions = NodePermissions.Tools;
    private NodePermissions _releasePermissions = NodePermissions.Tools;

    /// <summary>A store with nothing in it but what every store has.</summary>
    /// <param name="host">What knows about domains.</param>
    /// <param name="log">Where sentences for the administrator go.</param>
    public StoreState(IDomainHost host, Action<string> log)
    {
        _host = host;
        _log = log;
        Live = new LiveView(this);
        Root = new StoreNode([], NodePermissions.Tools, 0);
        CountNode("", Root, 1);
        SettleAccounts();
    }

    /// <summary>The tree that everybody sees.</summary>
    public StoreNode Root { get; private set; }

    /// <summary>Grows with each step on the tree.</summary>
    public ulong Serial { get; set; }

    /// <summary>The live tree, for requests.</summary>
    public TreeView Live { get; }

    /// <summary>The limits.</summary>
    public QuotaTable Quotas { get; } = new();

    /// <summary>What happened since the records were last written out.</summary>
    public RecordWriter Records { get; } = new();

    /// <summary>Connections that have something to send since they were last looked at.</summary>
    public HashSet<StoreConnection> Dirty { get; } = [];

    /// <summary>Is every request logged?</summary>
    public bool IsTracing { get; set; }

    /// <summary>All accounts.</summary>
    public IReadOnlyDictionary<ushort, DomainAccount> Accounts => _accounts;

    /// <summary>What a domain has.</summary>
    public DomainAccount Account(ushort domain)
    {
        if (!_accounts.TryGetValue(domain, out DomainAccount? account))
        {
            _accounts.Add(domain, account = new DomainAccount());
        }

        return account;
    }

    /// <summary>The most that any guest ever had of it.</summary>
    public long MaximumOf(QuotaKind kind)
    {
        long most = 0;
        foreach ((ushort domain, DomainAccount account) in _accounts)
        {
            most = domain == 0 ? most : Math.Max(most, account.Peak(kind));
        }

        return most;
    }

    /// <summary>Makes the nodes that every store begins with.</summary>
    public void Populate()
    {
        _ = Live.Apply(Mutation.Create(NodePath.Trusted("/tool"), [], NodePermissions.Tools));
        _ = Live.Apply(Mutation.Create(NodePath.Trusted("/tool/xenstored"), [], NodePermissions.Tools));
    }

    /// <summary>Says which quota is used up, and counts it; returns what the guest is told.</summary>
    public StoreErrno Refuse(DomainIdentity identity, QuotaKind kind, string where)
    {
        DomainAccount account = Account(identity.Domain);
        account.CountRefusal(kind);
        // A guest can do this as often as it likes: the log takes the first and then ever fewer.
        if (long.IsPow2(account.Refusals(kind)))
        {
            Log(string.Create(CultureInfo.InvariantCulture,
                $"domain {identity.Domain} has used up its quota of {QuotaTable.Name(kind)} ({Quotas[kind]}) at {where}, "
                + $"refused {account.Refusals(kind)} times; xenstore-control quota set {QuotaTable.Name(kind)} N raises it"));
        }

        return QuotaTable.Refusal(kind);
    }

    /// <summary>Writes a sentence for the administrator.</summary>
    public void Log(string sentence) => _log(sentence);

    /// <summary>Who may hear of a special event; null when it is none of the special ones.</summary>
    public NodePermissions? SpecialPermissions(string name) => name switch
    {
        IntroduceDomain => _introducePermissions,
        ReleaseDomain => _releasePermissions,
        _ => null,
    };

    /// <summary>Changes who may hear of a special event.</summary>
    public void SetSpecialPermissions(string name, NodePermissions permissions)
    {
        if (name == IntroduceDomain)
        {
            _introducePermissions = permissions;
        }
        else
        {
            _releasePermissions = permissions;
        }

        _ = Records.Begin(RecordKind.Special).Text(name).Permissions(permissions);
    }

    /// <summary>Queues an answer.</summary>
    public void Send(StoreConnection connection, byte[] message)
    {
        connection.Output.AddAnswer(message);
        _ = Dirty.Add(connection);
        if (connection.IsDurable)
        {
            _ = Records.Begin(RecordKind.Answer).Domain(connection.Identity.Domain).Blob(message);
        }
    }

    /// <summary>Opens a transaction.</summary>
    public void OpenTransaction(StoreConnection connection, uint number, bool mustRetry)
    {
        connection.Transactions.Add(number, new Transaction(this, connection.Identity, number, mustRetry));
        Account(connection.Identity.Domain).Transactions++;
        if (connection.IsDurable)
        {
            _ = Records.Begin(RecordKind.TransactionStart).Domain(connection.Identity.Domain).Word(number);
        }
    }

    /// <summary>Takes a transaction off the books; committing it is up to the caller.</summary>
    public void CloseTransaction(StoreConnection connection, Transaction transaction)
    {
        _ = connection.Transactions.Remove(transaction.Number);
        DomainAccount account = Account(connection.Identity.Domain);
        account.Transactions--;
        account.Memory -= transaction.Memory;
        if (connection.IsDurable)
        {
            _ = Records.Begin(RecordKind.TransactionEnd).Domain(connection.Identity.Domain).Word(transaction.Number);
        }
    }

    /// <summary>Ends all watches and transactions of a connection.</summary>
    public void ForgetRequests(StoreConnection connection)
    {
        if (connection.IsDurable)
        {
            _ = Records.Begin(RecordKind.Forget).Domain(connection.Identity.Domain);
        }

        foreach (Watch watch in connection.Watches)
        {
            Uncount(watch);
        }

        connection.Watches.Clear();
        DomainAccount account = Account(connection.Identity.Domain);
        foreach (Transaction transaction in connection.Transactions.Values)
        {
            account.Transactions--;
            account.Memory -= transaction.Memory;
        }

        connection.Transactions.Clear();
    }

    /// <summary>Logs a request and what came of it, when that is wanted.</summary>
    public void Trace(StoreConnection connection, MessageHeader header, ReadOnlySpan<byte> body, Answer answer)
    {
        if (IsTracing)
        {
            Log(string.Create(CultureInfo.InvariantCulture,
                $"domain {connection.Identity.Domain} {header.Type} {header.Transaction} ({Printable(body)}) = "
                + $"({Printable(answer.Body)})"));
        }
    }

    /// <summary>A guest's bytes as they may stand in a log: no control characters, no letters of a terminal's commands.</summary>
    private static string Printable(ReadOnlySpan<byte> bytes) => string.Create(bytes.Length, bytes, static (text, source) =>
    {
        for (int index = 0; index < text.Length; index++)
        {
            text[index] = source[index] switch
            {
                0 => ' ',
                >= 0x20 and < 0x7F => (char)source[index],
                _ => '?',
            };
        }
    });

    private void CountNode(string name, StoreNode node, int sign) => _delta.Add(name, node, sign);

    private void SettleAccounts()
    {
        foreach ((ushort domain, (int nodes, long memory)) in _delta.Changes)
        {
            DomainAccount account = Account(domain);
            account.Nodes += nodes;
            account.Memory += memory;
        }

        _delta.Clear();
    }

    /// <summary>The live tree as requests see it: everything happens at once.</summary>
    private sealed class LiveView(StoreState state) : TreeView
    {
        public override StoreNode Root => state.Root;

        public override bool Touch(NodePath path, NodeAspect aspect) => true;

        public override StoreErrno Apply(Mutation mutation)
        {
            state._delta.Count(state.Root, mutation);
            state.Root = mutation.Apply(state.Root, ++state.Serial);
            state.SettleAccounts();
            _ = state.Records.Step(mutation);
            return StoreErrno.Ok;
        }

        public override void Announce(string path, NodePermissions? former)
        {
            // Most changes are watched by nobody, and then nobody's rights matter.
            state.FindWatches(path, isExact: false);
            if (state._found.Count != 0)
            {
                state.Announce(TreeChange.At(state.Root, path, former));
            }
        }

        public override void AnnounceRemoval(NodePath path, StoreNode former)
        {
            if (state._watches.IsEmpty)
            {
                return;
            }

            foreach (TreeChange change in TreeSearch.Removal(state.Root, path, former))
            {
                state.Announce(change);
            }
        }

        public override int NodesOf(ushort domain) => state.Account(domain).Nodes;

        public override long MemoryOf(ushort domain) => state.Account(domain).Memory;
    }
}
