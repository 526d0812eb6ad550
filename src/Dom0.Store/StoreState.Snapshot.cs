// SPDX-License-Identifier: MIT
//
// What a new run of the daemon needs of the last one. The records of a snapshot and those of the journal are of the
// same kinds: to read them is to do again what they say. Sockets end with the daemon, and so do their watches and
// transactions; rings go on. Of a ring's transaction only the number is kept: its next request finds it open, and its
// end says EAGAIN, which every client answers by doing it again.
using System;
using System.Collections.Generic;
using System.IO;
using Dom0.Store.Connections;
using Dom0.Store.Journal;
using Dom0.Store.Quotas;
using Dom0.Store.Transactions;
using Dom0.Store.Tree;
using Dom0.Store.Watches;

namespace Dom0.Store;

public sealed partial class StoreState
{
    private const int PieceSize = 64 * 1024;

    /// <summary>Writes everything that lasts, in pieces.</summary>
    /// <param name="write">Gets each piece; the writer is cleared behind it.</param>
    public void WriteSnapshot(Action<RecordWriter> write)
    {
        RecordWriter records = new();
        foreach (QuotaKind kind in QuotaTable.All())
        {
            _ = records.Begin(RecordKind.Quota).Byte((byte)kind).Word((uint)Quotas[kind]);
        }

        _ = records.Begin(RecordKind.Special).Text(IntroduceDomain).Permissions(_introducePermissions);
        _ = records.Begin(RecordKind.Special).Text(ReleaseDomain).Permissions(_releasePermissions);
        // Generations of listings begin above all that were ever told, so that a listing in parts starts over.
        _ = records.Begin(RecordKind.Serial).Long(Serial);
        _ = records.Step(Mutation.SetValue(NodePath.Root, Root.Value));
        _ = records.Step(Mutation.SetPermissions(NodePath.Root, Root.Permissions));
        foreach ((string path, _, StoreNode node) in TreeSearch.Walk("/", Root))
        {
            if (path != "/")
            {
                _ = records.Node(path, node);
                WritePiece(records, write, PieceSize);
            }
        }

        foreach (StoreDomain domain in _domains.Values)
        {
            WriteDomain(records, domain);
            WritePiece(records, write, PieceSize);
        }

        _ = records.Begin(RecordKind.SnapshotEnd);
        WritePiece(records, write, 0);
    }

    /// <summary>Does again what records say.</summary>
    /// <returns>Was the end of a snapshot among them?</returns>
    /// <exception cref="InvalidDataException">They make no sense: another program wrote them, or a fault did.</exception>
    public bool Load(ReadOnlySpan<byte> bytes)
    {
        RecordReader reader = new(bytes);
        bool hasEnd = false;
        while (!reader.IsAtEnd)
        {
            RecordKind kind = (RecordKind)reader.Byte();
            switch (kind)
            {
                case RecordKind.Create or RecordKind.SetValue or RecordKind.SetPermissions or RecordKind.Remove:
                    LoadStep(reader.Step((MutationKind)kind));
                    break;
                case RecordKind.Special:
                    SetSpecialPermissions(reader.Text(), reader.Permissions());
                    break;
                case RecordKind.Quota:
                    LoadQuota(reader.Byte(), (int)reader.Word());
                    break;
                case RecordKind.Serial:
                    Serial = reader.Long();
                    break;
                case RecordKind.SnapshotEnd:
                    hasEnd = true;
                    break;
                case RecordKind.Domain:
                    LoadDomain(ref reader);
                    break;
                default:
                    LoadRing(kind, ref reader);
                    break;
            }
        }

        Records.Clear();
        Dirty.Clear();
        return hasEnd;
    }

    /// <summary>
    /// After loading: takes hold of the rings again. A domain that cannot be reached any more is released.
    /// </summary>
    public void Reattach()
    {
        foreach ((_, _, StoreNode node) in TreeSearch.Walk("/", Root))
        {
            foreach (PermissionEntry entry in node.Permissions.Entries)
            {
                if (!entry.IsVoid && entry.Domain != 0)
                {
                    _ = _mentioned.Add(entry.Domain);
                }
            }
        }

        foreach (StoreDomain domain in (StoreDomain[])[.. _domains.Values])
        {
            _ = _mentioned.Add(domain.Id);
            StoreErrno error = _host.Attach(domain);
            if (error == StoreErrno.Ok)
            {
                _ = Dirty.Add(domain.Connection);
            }
            else if (domain.Id == 0)
            {
                Log("the ring of Domain-0's kernel cannot be mapped again: its drivers cannot reach the store");
                _ = _domains.Remove(0);
            }
            else
            {
                Log($"domain {domain.Id}: its ring cannot be mapped again ({error}), it is released");
                Drop(domain);
                AnnounceSpecial(ReleaseDomain);
            }
        }

        _ = _mentioned.Remove(0);
    }

    private static void WritePiece(RecordWriter records, Action<RecordWriter> write, int threshold)
    {
        if (records.Count > threshold)
        {
            write(records);
            records.Clear();
        }
    }

    private static void WriteDomain(RecordWriter records, StoreDomain domain)
    {
        StoreConnection connection = domain.Connection;
        _ = records.Begin(RecordKind.Domain).Domain(domain.Id).Long(domain.Frame).Word(domain.Port)
            .Domain(connection.Identity.Target).Byte((byte)(domain.IsShutDown ? 1 : 0));
        _ = records.Begin(RecordKind.Ring).Domain(domain.Id).Word(connection.RequestsTaken)
            .Word(connection.AnswersGiven).Blob(connection.Input.Partial);
        foreach (Watch watch in connection.Watches)
        {
            _ = records.Begin(RecordKind.Watch).Domain(domain.Id).Text(watch.Path).Text(watch.Token)
                .Word((uint)watch.RelativeTo);
        }

        foreach (uint number in connection.Transactions.Keys)
        {
            _ = records.Begin(RecordKind.TransactionStart).Domain(domain.Id).Word(number);
        }

        foreach ((byte[] message, Watch? watch, string path) in connection.Output.Contents())
        {
            _ = watch is null
                ? records.Begin(RecordKind.Answer).Domain(domain.Id).Blob(message)
                : records.Begin(RecordKind.Event).Domain(domain.Id).Text(watch.Path).Text(watch.Token).Text(path)
                    .Blob(message);
        }
    }

    private static Watch? FindWatch(StoreDomain domain, string path, string token) =>
        domain.Connection.Watches.Find(watch => watch.Path == path && watch.Token == token);

    /// <summary>A kind that another version knew and this one does not limits nothing here.</summary>
    private void LoadQuota(byte kind, int limit)
    {
        if (kind < QuotaTable.Kinds)
        {
            Quotas[(QuotaKind)kind] = limit;
        }
    }

    private void LoadStep(Mutation step)
    {
        try
        {
            _ = Live.Apply(step);
        }
        catch (Exception fault) when (fault is InvalidOperationException or NullReferenceException)
        {
            throw new InvalidDataException($"{step.Kind} of {step.Path} does not fit the tree", fault);
        }
    }

    private void LoadDomain(ref RecordReader reader)
    {
        ushort id = reader.Domain();
        ulong frame = reader.Long();
        uint port = reader.Word();
        ushort target = reader.Domain();
        bool isShutDown = reader.Byte() != 0;
        if (!_domains.TryGetValue(id, out StoreDomain? domain))
        {
            _domains.Add(id, domain = new StoreDomain(id, frame, port));
        }

        domain.Port = port;
        domain.IsShutDown = isShutDown;
        domain.Connection.Identity = new DomainIdentity(id, target);
    }

    private void LoadRing(RecordKind kind, ref RecordReader reader)
    {
        ushort id = reader.Domain();
        if (!_domains.TryGetValue(id, out StoreDomain? domain))
        {
            throw new InvalidDataException($"a record of kind {kind} is about domain {id}, which was not introduced");
        }

        StoreConnection connection = domain.Connection;
        switch (kind)
        {
            case RecordKind.DomainGone:
                ForgetRequests(connection);
                _ = _domains.Remove(id);
                break;
            case RecordKind.Watch:
                AddWatch(connection, reader.Text(), reader.Text(), (int)reader.Word());
                break;
            case RecordKind.Unwatch:
                if (FindWatch(domain, reader.Text(), reader.Text()) is { } ended)
                {
                    RemoveWatch(ended);
                }

                break;
            case RecordKind.Forget:
                ForgetRequests(connection);
                break;
            case RecordKind.TransactionStart:
                uint started = reader.Word();
                connection.SawTransaction(started);
                OpenTransaction(connection, started, mustRetry: true);
                break;
            case RecordKind.TransactionEnd:
                if (connection.Transactions.TryGetValue(reader.Word(), out Transaction? finished))
                {
                    CloseTransaction(connection, finished);
                }

                break;
            case RecordKind.Ring:
                connection.RequestsTaken = reader.Word();
                connection.AnswersGiven = reader.Word();
                LoadInput(connection, reader.Blob());
                break;
            case RecordKind.Input:
                connection.RequestsTaken = reader.Word();
                bool isRequestDone = reader.Byte() != 0;
                ReadOnlySpan<byte> piece = reader.Blob();
                if (isRequestDone)
                {
                    connection.Input.Clear();
                }

                LoadInput(connection, piece);
                break;
            case RecordKind.Answer:
                connection.Output.AddAnswer(reader.Blob().ToArray());
                break;
            case RecordKind.Event:
                LoadEvent(domain, ref reader);
                break;
            case RecordKind.Delivered:
                uint given = reader.Word();
                connection.Output.Advance((int)Math.Min(given - connection.AnswersGiven, (uint)connection.Output.Bytes));
                connection.AnswersGiven = given;
                break;
            case RecordKind.DropEvents:
                if (FindWatch(domain, reader.Text(), reader.Text()) is { } dropped)
                {
                    connection.Output.DropEvents(dropped);
                }

                break;
            case RecordKind.RingReset:
                Restart(domain);
                break;
            default:
                throw new InvalidDataException($"there are no records of kind {(byte)kind}");
        }
    }

    private static void LoadInput(StoreConnection connection, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = connection.Input.Room;
            if (room.IsEmpty)
            {
                throw new InvalidDataException("half a request is longer than a whole one");
            }

            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            connection.Input.Added(count);
            bytes = bytes[count..];
        }
    }

    private static void LoadEvent(StoreDomain domain, ref RecordReader reader)
    {
        Watch? watch = FindWatch(domain, reader.Text(), reader.Text());
        string path = reader.Text();
        byte[] message = reader.Blob().ToArray();
        // An event outlives its watch; nothing will ever be like it then.
        if (watch is null)
        {
            domain.Connection.Output.AddAnswer(message);
        }
        else
        {
            domain.Connection.Output.AddEvent(message, watch, path);
        }
    }
}
