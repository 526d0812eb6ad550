// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Text;
using Dom0.Store.Connections;
using Xen.Abi;

namespace Dom0.Store.Tests.Fakes;

/// <summary>A guest's side of a ring.</summary>
public sealed class RingClient(byte[] page)
{
    public const int RequestsConsumed = 2048;
    public const int RequestsProduced = 2052;
    public const int AnswersConsumed = 2056;
    public const int AnswersProduced = 2060;
    public const int Features = 2064;
    public const int ConnectionState = 2068;
    public const int ErrorState = 2072;

    private readonly Queue<byte> _unsent = new();
    private readonly List<byte> _received = [];

    public byte[] Page => page;

    public uint this[int field]
    {
        get => BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(field));
        set => BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(field), value);
    }

    /// <summary>Puts a message in, as far as it goes; the rest waits for <see cref="Push"/>.</summary>
    public void Send(XsdSockMsgType type, string body, uint transaction = 0)
    {
        foreach (byte value in new MessageHeader(type, 7, transaction, 0).Message(Encoding.Latin1.GetBytes(body)))
        {
            _unsent.Enqueue(value);
        }

        _ = Push(int.MaxValue);
    }

    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            _unsent.Enqueue(value);
        }

        _ = Push(int.MaxValue);
    }

    /// <summary>Moves bytes into the ring that did not fit before.</summary>
    public int Push(int most)
    {
        int count = 0;
        while (count < most && _unsent.Count != 0
            && this[RequestsProduced] - this[RequestsConsumed] < XenStoreLimits.RingSize)
        {
            page[this[RequestsProduced] % XenStoreLimits.RingSize] = _unsent.Dequeue();
            this[RequestsProduced]++;
            count++;
        }

        return count;
    }

    /// <summary>Takes what is in the ring, at most so many bytes, and gives the messages that are complete.</summary>
    public IReadOnlyList<Told> Receive(int most = int.MaxValue)
    {
        while (most-- > 0 && this[AnswersProduced] - this[AnswersConsumed] is > 0 and <= XenStoreLimits.RingSize)
        {
            _received.Add(page[XenStoreLimits.RingSize + (this[AnswersConsumed] % XenStoreLimits.RingSize)]);
            this[AnswersConsumed]++;
        }

        List<Told> messages = [];
        while (Told.Take(_received) is { } message)
        {
            messages.Add(message);
        }

        return messages;
    }

    /// <summary>Sends, lets the store run, and gives everything that came.</summary>
    public IReadOnlyList<Told> Exchange(TestStore store, ushort domain, XsdSockMsgType type, string body, uint transaction = 0)
    {
        Send(type, body, transaction);
        List<Told> messages = [];
        int idle = 0;
        while (idle < 8)
        {
            store.RunRings(domain);
            int moved = Push(int.MaxValue);
            IReadOnlyList<Told> told = Receive();
            messages.AddRange(told);
            idle = moved == 0 && told.Count == 0 ? idle + 1 : 0;
        }

        return messages;
    }
}
