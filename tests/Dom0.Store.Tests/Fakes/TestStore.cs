// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Dom0.Store.Connections;
using Dom0.Store.Journal;
using Dom0.Store.Machine;
using Dom0.Store.Tree;
using Xen.Abi;

namespace Dom0.Store.Tests.Fakes;

/// <summary>A message that came out of the store.</summary>
public sealed record Told(XsdSockMsgType Type, uint Transaction, string Body)
{
    /// <summary>Reads one off the front of <paramref name="bytes"/>; null while it is not all there.</summary>
    public static Told? Take(List<byte> bytes)
    {
        if (bytes.Count < MessageHeader.Size)
        {
            return null;
        }

        MessageHeader header = MessageHeader.Read(bytes.Take(MessageHeader.Size).ToArray());
        int length = MessageHeader.Size + (int)header.Length;
        if (bytes.Count < length)
        {
            return null;
        }

        string body = Encoding.Latin1.GetString([.. bytes.Skip(MessageHeader.Size).Take((int)header.Length)]);
        bytes.RemoveRange(0, length);
        return new Told(header.Type, header.Transaction, body);
    }
}

/// <summary>A store without sockets and devices, for one test.</summary>
public sealed class TestStore : IDisposable
{
    public TestStore(FakeXen? xen = null, string? folder = null)
    {
        Xen = xen ?? new FakeXen();
        Rings = new RingTable(Xen);
        State = new StoreState(Rings, Log.Add);
        Server = new StoreServer(State);
        Rings.Connect(Server);
        bool isRecovered = false;
        if (folder is not null)
        {
            (Journal, isRecovered) = StoreJournal.Open(folder, State);
        }

        if (isRecovered)
        {
            Rings.Reattach();
        }
        else
        {
            State.Populate();
        }

        if (Journal is not null)
        {
            Server.Keep(Journal);
        }

        Server.Settle();
        IsRecovered = isRecovered;
    }

    public FakeXen Xen { get; }

    public RingTable Rings { get; }

    public StoreState State { get; }

    public StoreServer Server { get; }

    public StoreJournal? Journal { get; }

    public bool IsRecovered { get; }

    public List<string> Log { get; } = [];

    /// <summary>A program of Domain-0.</summary>
    public TestClient Tool(bool isReadOnly = false) => new(this, new DomainIdentity(0), isReadOnly);

    /// <summary>A guest, without a ring in between.</summary>
    public TestClient Guest(ushort domain)
    {
        Xen.Domains.TryAdd(domain, DomainCondition.Alive);
        return new TestClient(this, new DomainIdentity(domain), false);
    }

    /// <summary>A guest that was introduced, with its ring.</summary>
    public RingClient GuestWithRing(ushort domain)
    {
        _ = Xen.Domains.TryAdd(domain, DomainCondition.Alive);
        RingClient ring = new(Xen.Page(domain));
        if (!State.IsIntroduced(domain))
        {
            _ = Tool().Ask(XsdSockMsgType.Introduce, $"{domain}\0{domain + 100}\0{domain + 200}\0");
        }

        return ring;
    }

    /// <summary>Lets all rings have their turns until none has anything to do.</summary>
    public void RunRings(params ushort[] signalled)
    {
        foreach (ushort domain in signalled)
        {
            foreach ((uint local, (ushort owner, _)) in Xen.Bound)
            {
                if (owner == domain)
                {
                    Rings.Signal(local);
                }
            }
        }

        while (Rings.HasWork)
        {
            Rings.ServeRound();
        }
    }

    public void Dispose() => Journal?.Dispose();
}

/// <summary>A connection whose bytes go straight in and out.</summary>
public sealed class TestClient : IStoreChannel
{
    private readonly TestStore _store;
    private readonly List<byte> _out = [];
    private readonly List<Told> _events = [];

    public TestClient(TestStore store, DomainIdentity identity, bool isReadOnly)
    {
        _store = store;
        Connection = new StoreConnection(identity, isDurable: false, isReadOnly) { Channel = this };
    }

    public StoreConnection Connection { get; }

    /// <summary>Takes nothing while this is set.</summary>
    public bool IsStuck { get; set; }

    public void Pump()
    {
        while (!IsStuck && !Connection.Output.IsEmpty)
        {
            _out.AddRange(Connection.Output.Front.Span);
            Connection.Output.Advance(Connection.Output.Front.Length);
        }
    }

    public void Send(XsdSockMsgType type, string body, uint transaction = 0)
    {
        byte[] message = new MessageHeader(type, 7, transaction, 0).Message(Encoding.Latin1.GetBytes(body));
        for (int start = 0; start < message.Length;)
        {
            int count = Math.Min(Connection.Input.Missing, message.Length - start);
            message.AsSpan(start, count).CopyTo(Connection.Input.Room);
            Connection.Input.Added(count);
            start += count;
        }

        _store.Server.Serve(Connection);
    }

    public IReadOnlyList<Told> Received()
    {
        List<Told> messages = [];
        while (Told.Take(_out) is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>Sends, and gives back the answer's body or its error word, both without the zero at the end.</summary>
    public string Ask(XsdSockMsgType type, string body, uint transaction = 0)
    {
        Send(type, body, transaction);
        IReadOnlyList<Told> received = Received();
        _events.AddRange(received.Where(message => message.Type == XsdSockMsgType.WatchEvent));
        Told answer = received.Single(message => message.Type != XsdSockMsgType.WatchEvent);
        return answer.Body.EndsWith('\0') ? answer.Body[..^1] : answer.Body;
    }

    public string Read(string path, uint transaction = 0) => Ask(XsdSockMsgType.Read, path + "\0", transaction);

    public string Write(string path, string value, uint transaction = 0) =>
        Ask(XsdSockMsgType.Write, $"{path}\0{value}", transaction);

    public string SetPermissions(string path, string permissions, uint transaction = 0) =>
        Ask(XsdSockMsgType.SetPerms, $"{path}\0{permissions.Replace(' ', '\0')}\0", transaction);

    public string Watch(string path, string token) => Ask(XsdSockMsgType.Watch, $"{path}\0{token}\0");

    public uint Begin() => uint.Parse(Ask(XsdSockMsgType.TransactionStart, "\0"));

    public string End(uint transaction, bool commit = true) =>
        Ask(XsdSockMsgType.TransactionEnd, commit ? "T\0" : "F\0", transaction);

    /// <summary>The events that came since the last look, as <c>path:token</c>.</summary>
    public string[] Events()
    {
        _events.AddRange(Received().Where(message => message.Type == XsdSockMsgType.WatchEvent));
        string[] events = [.. _events.Select(message => message.Body.TrimEnd('\0').Replace('\0', ':'))];
        _events.Clear();
        return events;
    }
}
