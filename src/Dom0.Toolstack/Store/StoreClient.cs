// SPDX-License-Identifier: MIT
//
// The protocol has one request under way at a time: the answer carries the request's number, and watch events may stand
// before it in the stream. Events that arrive while an answer is awaited are kept for WaitForEvent.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Threading;

namespace Dom0.Toolstack.Store;

/// <summary>A path that changed below a watch, and the word that the watch was set with.</summary>
public readonly record struct StoreEvent(string Path, string Token);

/// <summary>A client of the store's daemon.</summary>
public sealed class StoreClient : IDisposable
{
    private const int MaximumAttempts = 100;

    private const int RetryMilliseconds = 100;

    private const int PatienceMilliseconds = 10_000;

    /// <summary>So many requests fit into any socket's buffer, with their answers.</summary>
    private const int Together = 16;

    private readonly Func<IStoreTransport>? _reconnect;
    private readonly int _patience;
    private readonly List<(string Path, string Token)> _watches = [];
    private readonly Queue<StoreEvent> _events = new();
    private IStoreTransport _transport;
    private uint _request;

    /// <summary>Speaks the protocol over <paramref name="transport"/>, which it then owns.</summary>
    public StoreClient(IStoreTransport transport) => _transport = transport;

    /// <summary>
    /// Speaks over what <paramref name="connect"/> gives, and connects again when the daemon goes away and comes back
    /// within <paramref name="patience"/> milliseconds: requests are made again, transactions begin anew, and watches
    /// are set again, with their first event.
    /// </summary>
    public StoreClient(Func<IStoreTransport> connect, int patience)
    {
        _reconnect = connect;
        _patience = patience;
        _transport = connect();
    }

    /// <summary>Connects to the daemon of this host, in whatever domain it runs.</summary>
    /// <exception cref="ToolstackException">No daemon answers.</exception>
    public static StoreClient Connect()
    {
        // One that runs in Domain-0 may be started anew in the middle of a command.
        Func<IStoreTransport> next = StoreSocket.Connect;
        return new StoreClient(() =>
        {
            IStoreTransport transport = next();
            next = StoreSocket.ConnectToDaemon;
            return transport;
        }, PatienceMilliseconds);
    }

    /// <summary>Connects to the daemon of this host, and outlives its restarts.</summary>
    /// <exception cref="ToolstackException">No daemon answers.</exception>
    public static StoreClient ConnectForLong() => new(StoreSocket.ConnectToDaemon, PatienceMilliseconds);

    /// <summary>The value at <paramref name="path"/>, or null when there is none.</summary>
    public string? TryRead(string path, uint transaction = 0)
    {
        try
        {
            return Encoding.UTF8.GetString(Request(StoreOperation.Read, transaction, path, path).Payload);
        }
        catch (StoreException missing) when (missing.Error == "ENOENT")
        {
            return null;
        }
    }

    /// <summary>
    /// The values at the paths, null where there is none, asked for together: waiting for an answer costs more than the
    /// answer does.
    /// </summary>
    public IReadOnlyList<string?> TryReadAll(IReadOnlyList<string> paths)
    {
        string?[] values = new string?[paths.Count];
        for (int first = 0; first < values.Length; first += Together)
        {
            int count = Math.Min(Together, values.Length - first);
            try
            {
                ReadTogether(paths, values, first, count);
            }
            catch (StoreDisconnectedException) when (_reconnect is not null)
            {
                Reconnect();
                ReadTogether(paths, values, first, count);
            }
        }

        return values;
    }

    /// <summary>Writes a value; the nodes above it come into being as needed.</summary>
    public void Write(string path, string value, uint transaction = 0) =>
        _ = Exchange(StorePacket.CreateWrite(++_request, transaction, path, value), path);

    /// <summary>Makes an empty node; one that exists already stays as it is.</summary>
    public void MakeDirectory(string path, uint transaction = 0) =>
        _ = Request(StoreOperation.MakeDirectory, transaction, path, path);

    /// <summary>Removes a node and all below it; one that does not exist is no error.</summary>
    public void Remove(string path, uint transaction = 0)
    {
        try
        {
            _ = Request(StoreOperation.Remove, transaction, path, path);
        }
        catch (StoreException missing) when (missing.Error == "ENOENT")
        {
            // Gone already is what was asked for.
        }
    }

    /// <summary>Names of the nodes right below <paramref name="path"/>; none when it does not exist.</summary>
    public IReadOnlyList<string> List(string path, uint transaction = 0)
    {
        try
        {
            return Request(StoreOperation.Directory, transaction, path, path).Texts();
        }
        catch (StoreException missing) when (missing.Error == "ENOENT")
        {
            return [];
        }
        catch (StoreException large) when (large.Error == "E2BIG")
        {
            return ListInParts(path, transaction);
        }
    }

    /// <summary>
    /// Sets who may do what: each entry is <c>n</c>, <c>r</c>, <c>w</c> or <c>b</c> and a domain's number; the first
    /// names the owner, and what it says counts for all domains that no other entry names.
    /// </summary>
    public void SetPermissions(string path, IReadOnlyList<string> permissions, uint transaction = 0) =>
        _ = Request(StoreOperation.SetPermissions, transaction, path, [path, .. permissions]);

    /// <summary>
    /// Runs <paramref name="body"/> in a transaction, again and again until nobody else interferes with it.
    /// </summary>
    public void InTransaction(Action<uint> body) => InTransaction(body, () => false);

    /// <summary>
    /// As the other, for a body that cannot be run twice: when the connection broke, perhaps after the daemon had ended
    /// the transaction, <paramref name="isDone"/> looks whether it has taken effect.
    /// </summary>
    public void InTransaction(Action<uint> body, Func<bool> isDone)
    {
        for (int attempt = 0; attempt < MaximumAttempts; attempt++)
        {
            uint transaction = uint.Parse(
                Request(StoreOperation.TransactionStart, 0, "a transaction", "").Text(), CultureInfo.InvariantCulture);
            try
            {
                RunBody(body, transaction);
                _ = Request(StoreOperation.TransactionEnd, transaction, "a transaction", "T");
                return;
            }
            catch (StoreException conflict) when (conflict.Error == "EAGAIN")
            {
                // Somebody else changed what the body read: do it over.
            }
            catch (StoreDisconnectedException) when (_reconnect is not null)
            {
                // The transaction went with the connection.
                Reconnect();
                if (isDone())
                {
                    return;
                }
            }
        }

        throw new ToolstackException($"the store changed {MaximumAttempts} times under a transaction",
            "Find out who writes to the store so often (xenstore-watch /)");
    }

    /// <summary>Tells the daemon of a domain's ring page and event channel.</summary>
    public void Introduce(int domain, ulong frame, uint port) =>
        _ = Request(StoreOperation.Introduce, 0, $"domain {domain}",
            Number((ulong)domain), Number(frame), Number(port));

    /// <summary>Tells the daemon that a domain is gone; a domain that it does not know is no error.</summary>
    public void Release(int domain)
    {
        try
        {
            _ = Request(StoreOperation.Release, 0, $"domain {domain}", Number((ulong)domain));
        }
        catch (StoreException unknown) when (unknown.Error is "ENOENT" or "EINVAL")
        {
            // The daemon saw the domain die by itself, or never heard of it.
        }
    }

    /// <summary>Tells the daemon that a domain which had stopped runs again.</summary>
    public void Resume(int domain)
    {
        try
        {
            _ = Request(StoreOperation.Resume, 0, $"domain {domain}", Number((ulong)domain));
        }
        catch (StoreException unknown) when (unknown.Error is "ENOENT" or "EINVAL" or "ENOSYS")
        {
            // The daemon does not know the domain, or had not noticed that it stopped.
        }
    }

    /// <summary>Asks for events about <paramref name="path"/> and all below; the first one comes at once.</summary>
    public void Watch(string path, string token)
    {
        _ = Request(StoreOperation.Watch, 0, path, path, token);
        _watches.Add((path, token));
    }

    /// <summary>Ends a watch.</summary>
    public void Unwatch(string path, string token)
    {
        _ = _watches.Remove((path, token));
        _ = Request(StoreOperation.Unwatch, 0, path, path, token);
    }

    /// <summary>The next event, or null when none comes in time.</summary>
    public StoreEvent? WaitForEvent(int milliseconds)
    {
        if (_events.Count == 0 && _transport.WaitForInput(milliseconds))
        {
            try
            {
                StorePacket packet = Receive();
                if (packet.Operation == StoreOperation.WatchEvent)
                {
                    Keep(packet);
                }
            }
            catch (StoreDisconnectedException) when (_reconnect is not null)
            {
                Reconnect();
            }
        }

        return _events.TryDequeue(out StoreEvent next) ? next : null;
    }

    /// <inheritdoc/>
    public void Dispose() => _transport.Dispose();

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private void RunBody(Action<uint> body, uint transaction)
    {
        try
        {
            body(transaction);
        }
        catch (Exception failure) when (failure is not StoreDisconnectedException)
        {
            EndQuietly(transaction);
            throw;
        }
    }

    /// <summary>Connects anew and sets the watches again.</summary>
    private void Reconnect()
    {
        _transport.Dispose();
        long deadline = Environment.TickCount64 + _patience;
        while (true)
        {
            try
            {
                _transport = _reconnect!();
                foreach ((string path, string token) in _watches)
                {
                    _ = ExchangeOnce(StorePacket.Create(StoreOperation.Watch, ++_request, 0, path, token), path);
                }

                return;
            }
            catch (ToolstackException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(RetryMilliseconds);
            }
        }
    }

    private void EndQuietly(uint transaction)
    {
        try
        {
            _ = Request(StoreOperation.TransactionEnd, transaction, "a transaction", "F");
        }
        catch (ToolstackException)
        {
            // The error that made the body fail is the one to report.
        }
    }

    /// <summary>
    /// Each part is the directory's generation, then names; an empty name ends the last part. A changed generation
    /// means that the directory changed in between, and the listing starts over.
    /// </summary>
    private List<string> ListInParts(string path, uint transaction)
    {
        StringBuilder names = new();
        string? generation = null;
        while (true)
        {
            string text = Encoding.UTF8.GetString(
                Request(StoreOperation.DirectoryPart, transaction, path, path, Number((ulong)names.Length)).Payload);
            int end = text.IndexOf('\0');
            if (end < 0)
            {
                throw new ToolstackException($"xenstored answered a listing of {path} without a generation");
            }

            if (generation is not null && generation != text[..end])
            {
                generation = null;
                _ = names.Clear();
                continue;
            }

            generation = text[..end];
            string part = text[(end + 1)..];
            bool isLast = part.Length == 0 || part.EndsWith("\0\0", StringComparison.Ordinal) || part == "\0";
            _ = names.Append(part);
            if (isLast)
            {
                return [.. names.ToString().Split('\0', StringSplitOptions.RemoveEmptyEntries)];
            }
        }
    }

    private StorePacket Request(StoreOperation operation, uint transaction, string subject, params string[] texts) =>
        Exchange(StorePacket.Create(operation, ++_request, transaction, texts), subject);

    private StorePacket Exchange(StorePacket request, string subject)
    {
        if (request.Payload.Length > StorePacket.MaximumPayload)
        {
            throw new ToolstackException(
                $"{request.Operation} of {subject} has {request.Payload.Length} bytes; the store takes "
                    + $"{StorePacket.MaximumPayload}");
        }

        try
        {
            return ExchangeOnce(request, subject);
        }
        catch (StoreDisconnectedException) when (_reconnect is not null && request.Transaction == 0)
        {
            // Every request outside of a transaction may be made twice.
            Reconnect();
            return ExchangeOnce(request, subject);
        }
    }

    private StorePacket ExchangeOnce(StorePacket request, string subject)
    {
        _transport.Send(request.Encode());
        return TakeAnswer(request, subject);
    }

    /// <summary>All answers are taken before the first refusal is told, or the next request would get one of them.</summary>
    private void ReadTogether(IReadOnlyList<string> paths, Span<string?> values, int first, int count)
    {
        StorePacket[] requests = new StorePacket[count];
        for (int index = 0; index < count; index++)
        {
            requests[index] = StorePacket.Create(StoreOperation.Read, ++_request, 0, paths[first + index]);
            _transport.Send(requests[index].Encode());
        }

        StoreException? refusal = null;
        for (int index = 0; index < count; index++)
        {
            try
            {
                values[first + index] = Encoding.UTF8.GetString(TakeAnswer(requests[index], paths[first + index]).Payload);
            }
            catch (StoreException missing)
            {
                values[first + index] = null;
                refusal ??= missing.Error == "ENOENT" ? null : missing;
            }
        }

        if (refusal is not null)
        {
            throw refusal;
        }
    }

    private StorePacket TakeAnswer(StorePacket request, string subject)
    {
        while (true)
        {
            StorePacket answer = Receive();
            if (answer.Operation == StoreOperation.WatchEvent)
            {
                Keep(answer);
            }
            else if (answer.Operation == StoreOperation.Error)
            {
                throw new StoreException(answer.Text(), request.Operation, subject);
            }
            else if (answer.Operation == request.Operation && answer.Request == request.Request)
            {
                return answer;
            }
            else
            {
                throw new ToolstackException(
                    $"xenstored answered {answer.Operation} to request {request.Request}, which was "
                        + $"{request.Operation}");
            }
        }
    }

    private void Keep(StorePacket packet)
    {
        IReadOnlyList<string> texts = packet.Texts();
        if (texts.Count >= 2)
        {
            _events.Enqueue(new StoreEvent(texts[0], texts[1]));
        }
    }

    private StorePacket Receive()
    {
        byte[] header = new byte[StorePacket.HeaderSize];
        _transport.Receive(header);
        (StoreOperation operation, uint request, uint transaction) = StorePacket.DecodeHeader(header, out uint length);
        if (length > StorePacket.MaximumPayload)
        {
            throw new ToolstackException($"xenstored announced {length} bytes; the protocol allows "
                + $"{StorePacket.MaximumPayload}");
        }

        byte[] payload = new byte[length];
        _transport.Receive(payload);
        return new StorePacket(operation, request, transaction, payload);
    }
}
