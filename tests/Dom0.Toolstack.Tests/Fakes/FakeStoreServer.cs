// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Globalization;
using System.Linq;
using System.Text;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Tests.Fakes;

/// <summary>
/// A store's daemon behind its clients' transports: it reads the bytes of requests and produces the bytes of answers, for
/// any number of clients, each perhaps on a thread of its own, with transactions that are trees of their own. It is itself
/// the transport of a first client.
/// </summary>
public sealed class FakeStoreServer : IStoreTransport
{
    private readonly object _lock = new();
    private readonly List<Link> _links = [];
    private readonly Link _first;
    private readonly Dictionary<uint, ImmutableSortedDictionary<string, Node>> _transactions = [];
    private ImmutableSortedDictionary<string, Node> _tree =
        ImmutableSortedDictionary<string, Node>.Empty.WithComparers(StringComparer.Ordinal).Add("/", new Node("", ["n0"]));
    private uint _nextTransaction = 1;

    public FakeStoreServer() => _first = Connect();

    public sealed record Node(string Value, string[] Permissions);

    /// <summary>All nodes but the root.</summary>
    public IReadOnlyDictionary<string, Node> Nodes => _tree.Remove("/");

    /// <summary>Domains that were introduced, with frame and port.</summary>
    public Dictionary<int, (ulong Frame, uint Port)> Introduced { get; } = [];

    /// <summary>Makes the n-th request from now on fail; counts down, negative for never.</summary>
    public int FailAfter { get; set; } = -1;

    /// <summary>Runs before each request; what it throws, the caller gets.</summary>
    public Action? BeforeEach { get; set; }

    /// <summary>How many transactions meet a conflict before one is let through.</summary>
    public int Conflicts { get; set; }

    /// <summary>How many names a listing may have before it is said to be too large.</summary>
    public int DirectoryLimit { get; set; } = int.MaxValue;

    /// <summary>Is told of every write outside of transactions.</summary>
    public Action<string, string>? Written { get; set; }

    /// <summary>Requests in the order of their arrival.</summary>
    public List<StoreOperation> Requests { get; } = [];

    public void Send(ReadOnlySpan<byte> data) => _first.Send(data);

    public void Receive(Span<byte> buffer) => _first.Receive(buffer);

    public bool WaitForInput(int milliseconds) => _first.WaitForInput(milliseconds);

    public void Dispose()
    {
    }

    /// <summary>One more connection; what it has not read, and its watches, go when it is closed.</summary>
    public Link Connect()
    {
        lock (_lock)
        {
            Link link = new(this);
            _links.Add(link);
            return link;
        }
    }

    /// <summary>A connection.</summary>
    public sealed class Link(FakeStoreServer server) : IStoreTransport
    {
        private readonly Queue<byte> _answers = new();
        private readonly List<byte> _received = [];

        internal List<(string Path, string Token)> Watches { get; } = [];

        public void Send(ReadOnlySpan<byte> data)
        {
            lock (server._lock)
            {
                _received.AddRange(data);
                while (_received.Count >= StorePacket.HeaderSize)
                {
                    byte[] bytes = [.. _received];
                    (StoreOperation operation, uint request, uint transaction) =
                        StorePacket.DecodeHeader(bytes, out uint length);
                    int size = StorePacket.HeaderSize + (int)length;
                    if (bytes.Length < size)
                    {
                        return;
                    }

                    _received.RemoveRange(0, size);
                    server.Serve(this, new StorePacket(operation, request, transaction, bytes[StorePacket.HeaderSize..size]));
                }
            }
        }

        public void Receive(Span<byte> buffer)
        {
            lock (server._lock)
            {
                for (int index = 0; index < buffer.Length; index++)
                {
                    buffer[index] = _answers.Dequeue();
                }
            }
        }

        public bool WaitForInput(int milliseconds)
        {
            lock (server._lock)
            {
                return _answers.Count > 0;
            }
        }

        public void Dispose()
        {
            lock (server._lock)
            {
                _ = server._links.Remove(this);
            }
        }

        internal void Answer(StorePacket packet)
        {
            foreach (byte value in packet.Encode())
            {
                _answers.Enqueue(value);
            }
        }

        internal void Announce(string path, string token) =>
            Answer(StorePacket.Create(StoreOperation.WatchEvent, 0, 0, path, token));
    }

    /// <summary>Writes a node behind the clients' backs.</summary>
    public void Put(string path, string value)
    {
        lock (_lock)
        {
            _tree = Write(_tree, path, value);
            foreach (Link link in _links)
            {
                foreach ((string watched, string token) in link.Watches)
                {
                    if (path == watched || path.StartsWith(watched + "/", StringComparison.Ordinal))
                    {
                        link.Announce(path, token);
                    }
                }
            }
        }
    }

    private static ImmutableSortedDictionary<string, Node> Write(
        ImmutableSortedDictionary<string, Node> tree, string path, string value)
    {
        for (int slash = path.IndexOf('/', 1); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (!tree.ContainsKey(path[..slash]))
            {
                tree = tree.Add(path[..slash], new Node("", ["n0"]));
            }
        }

        return tree.SetItem(path, new Node(value, tree.TryGetValue(path, out Node? old) ? old.Permissions : ["n0"]));
    }

    private void Serve(Link link, StorePacket packet)
    {
        Requests.Add(packet.Operation);
        BeforeEach?.Invoke();
        if (FailAfter == 0)
        {
            FailAfter = -1;
            link.Answer(StorePacket.Create(StoreOperation.Error, packet.Request, packet.Transaction, "EIO"));
            return;
        }

        FailAfter -= FailAfter > 0 ? 1 : 0;
        ImmutableSortedDictionary<string, Node> tree = packet.Transaction == 0 ? _tree : _transactions[packet.Transaction];
        IReadOnlyList<string> texts = packet.Texts();
        byte[]? payload = null;
        string error = "EINVAL";
        switch (packet.Operation)
        {
            case StoreOperation.Read:
                payload = tree.TryGetValue(texts[0], out Node? node) ? Encoding.UTF8.GetBytes(node.Value) : null;
                error = "ENOENT";
                break;
            case StoreOperation.Write:
                tree = Write(tree, texts[0], texts.Count > 1 ? texts[1] : "");
                payload = "OK\0"u8.ToArray();
                if (packet.Transaction == 0)
                {
                    // Whoever is told may write in turn.
                    _tree = tree;
                    Written?.Invoke(texts[0], texts.Count > 1 ? texts[1] : "");
                    tree = _tree;
                }

                break;
            case StoreOperation.MakeDirectory:
                if (!tree.ContainsKey(texts[0]))
                {
                    tree = Write(tree, texts[0], "");
                }

                payload = "OK\0"u8.ToArray();
                break;
            case StoreOperation.Remove:
                error = "ENOENT";
                if (tree.ContainsKey(texts[0]))
                {
                    string below = texts[0] + "/";
                    tree = tree.RemoveRange(tree.Keys.Where(path =>
                        path == texts[0] || path.StartsWith(below, StringComparison.Ordinal)));
                    payload = "OK\0"u8.ToArray();
                }

                break;
            case StoreOperation.SetPermissions:
                error = "ENOENT";
                if (tree.TryGetValue(texts[0], out Node? owned))
                {
                    tree = tree.SetItem(texts[0], owned with { Permissions = [.. texts.Skip(1)] });
                    payload = "OK\0"u8.ToArray();
                }

                break;
            case StoreOperation.Directory:
                string[] names = NamesBelow(tree, texts[0]);
                error = names.Length > DirectoryLimit ? "E2BIG" : "ENOENT";
                payload = tree.ContainsKey(texts[0]) && names.Length <= DirectoryLimit ? Join(names) : null;
                break;
            case StoreOperation.DirectoryPart:
                byte[] all = Join(NamesBelow(tree, texts[0]));
                int offset = int.Parse(texts[1], CultureInfo.InvariantCulture);
                byte[] part = all[offset..Math.Min(all.Length, offset + 7)];
                payload = [.. "9\0"u8, .. part, .. offset + 7 >= all.Length ? "\0"u8 : []];
                break;
            case StoreOperation.TransactionStart:
                _transactions[_nextTransaction] = _tree;
                payload = Encoding.UTF8.GetBytes($"{_nextTransaction++}\0");
                break;
            case StoreOperation.TransactionEnd:
                error = "EAGAIN";
                if (texts[0] == "F" || Conflicts-- <= 0)
                {
                    _tree = texts[0] == "T" ? tree : _tree;
                    payload = "OK\0"u8.ToArray();
                }

                _ = _transactions.Remove(packet.Transaction);
                break;
            case StoreOperation.Introduce:
                Introduced[int.Parse(texts[0], CultureInfo.InvariantCulture)] = (
                    ulong.Parse(texts[1], CultureInfo.InvariantCulture),
                    uint.Parse(texts[2], CultureInfo.InvariantCulture));
                payload = "OK\0"u8.ToArray();
                break;
            case StoreOperation.Release:
                error = "ENOENT";
                bool wasKnown = Introduced.Remove(int.Parse(texts[0], CultureInfo.InvariantCulture));
                payload = wasKnown ? "OK\0"u8.ToArray() : null;
                break;
            case StoreOperation.Resume:
                error = "ENOENT";
                payload = Introduced.ContainsKey(int.Parse(texts[0], CultureInfo.InvariantCulture))
                    ? "OK\0"u8.ToArray()
                    : null;
                break;
            case StoreOperation.Watch:
                link.Watches.Add((texts[0], texts[1]));
                payload = "OK\0"u8.ToArray();
                break;
            case StoreOperation.Unwatch:
                _ = link.Watches.Remove((texts[0], texts[1]));
                payload = "OK\0"u8.ToArray();
                break;
            default:
                error = "ENOSYS";
                break;
        }

        if (packet.Transaction == 0)
        {
            _tree = tree;
        }
        else if (packet.Operation != StoreOperation.TransactionEnd)
        {
            _transactions[packet.Transaction] = tree;
        }

        link.Answer(payload is null
            ? StorePacket.Create(StoreOperation.Error, packet.Request, packet.Transaction, error)
            : packet with { Payload = payload });
        if (packet.Operation == StoreOperation.Watch)
        {
            link.Announce(texts[0], texts[1]);
        }
    }

    private static string[] NamesBelow(ImmutableSortedDictionary<string, Node> tree, string path)
    {
        string below = path + "/";
        return [.. tree.Keys.Where(key => key.StartsWith(below, StringComparison.Ordinal)
            && !key.AsSpan(below.Length).Contains('/')).Select(key => key[below.Length..])];
    }

    private static byte[] Join(string[] names) =>
        Encoding.UTF8.GetBytes(string.Concat(names.Select(name => name + "\0")));
}
