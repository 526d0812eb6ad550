// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Store.Connections;
using Dom0.Store.Journal;
using Dom0.Store.Requests;

namespace Dom0.Store;

/// <summary>
/// Answers requests one at a time, in the order that makes answers lasting: what a request does is in the journal
/// before any byte of an answer or event that comes of it is sent.
/// </summary>
public sealed class StoreServer
{
    private readonly List<StoreConnection> _dirty = [];
    private StoreJournal? _journal;

    /// <summary>A server of a state.</summary>
    public StoreServer(StoreState state) => State = state;

    /// <summary>The store.</summary>
    public StoreState State { get; }

    /// <summary>From now on the state is kept on file.</summary>
    public void Keep(StoreJournal journal)
    {
        _journal = journal;
        journal.Compact();
    }

    /// <summary>Answers the complete message of a connection and sends what comes of it.</summary>
    public void Serve(StoreConnection connection)
    {
        RequestTable.Serve(State, connection);
        connection.Input.Clear();
        if (connection.IsDurable)
        {
            RecordInput(State.Records, connection, isRequestDone: true, []);
        }

        Settle();
    }

    /// <summary>Writes out what happened, and sends what waits because of it.</summary>
    public void Settle()
    {
        if (_journal is not null)
        {
            _journal.Commit();
        }
        else
        {
            State.Records.Clear();
        }

        if (State.Dirty.Count == 0)
        {
            return;
        }

        _dirty.AddRange(State.Dirty);
        State.Dirty.Clear();
        foreach (StoreConnection connection in _dirty)
        {
            connection.Channel?.Pump();
        }

        _dirty.Clear();
    }

    /// <summary>Looks which domains have ended, and tells those who want to know.</summary>
    public void CheckDomains()
    {
        State.CheckDomains();
        Settle();
    }

    /// <summary>A socket's other end is gone.</summary>
    public void Disconnect(StoreConnection connection)
    {
        connection.Channel = null;
        connection.Output.Clear();
        State.ForgetRequests(connection);
        _ = State.Dirty.Remove(connection);
    }

    internal static void RecordInput(
        RecordWriter records, StoreConnection connection, bool isRequestDone, ReadOnlySpan<byte> piece) =>
        _ = records.Begin(RecordKind.Input).Domain(connection.Identity.Domain).Word(connection.RequestsTaken)
            .Byte((byte)(isRequestDone ? 1 : 0)).Blob(piece);
}
