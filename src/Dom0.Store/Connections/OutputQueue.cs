// SPDX-License-Identifier: MIT
//
// What waits to be read by the other side. Answers are bounded because no request is read while too many wait. Events
// come from what others do, so their bound is here: an event that waits already is not queued twice, and when the
// events of a connection take more than its share, all that wait with one token become a single event for each watched
// path of that token. 'Something at or below this path changed' remains true; no change goes unheard.
using System;
using System.Collections.Generic;
using Dom0.Store.Watches;

namespace Dom0.Store.Connections;

/// <summary>Messages on their way to one connection.</summary>
public sealed class OutputQueue
{
    private readonly HashSet<(string Path, string Token)> _waiting = [];
    private Queue<Item> _items = new();
    private int _sentOfFront;

    /// <summary>A message, and for an event the watch and the path that it is about.</summary>
    private readonly record struct Item(byte[] Bytes, Watch? Watch, string Path);

    /// <summary>Is there nothing to send?</summary>
    public bool IsEmpty => _items.Count == 0;

    /// <summary>Answers that are not sent completely.</summary>
    public int Answers { get; private set; }

    /// <summary>Bytes of events that are not sent completely.</summary>
    public int EventBytes { get; private set; }

    /// <summary>Bytes that are not sent.</summary>
    public int Bytes { get; private set; }

    /// <summary>What of the message in front is not sent.</summary>
    public ReadOnlyMemory<byte> Front => _items.TryPeek(out Item front) ? front.Bytes.AsMemory(_sentOfFront) : default;

    /// <summary>Queues an answer.</summary>
    public void AddAnswer(byte[] bytes)
    {
        _items.Enqueue(new Item(bytes, null, ""));
        Answers++;
        Bytes += bytes.Length;
    }

    /// <summary>Does an event wait already that looks the same?</summary>
    public bool Waits(string path, string token) => _waiting.Contains((path, token));

    /// <summary>Queues an event.</summary>
    public void AddEvent(byte[] bytes, Watch watch, string path)
    {
        _items.Enqueue(new Item(bytes, watch, path));
        _ = _waiting.Add((path, watch.Token));
        EventBytes += bytes.Length;
        Bytes += bytes.Length;
    }

    /// <summary>Takes note that <paramref name="count"/> bytes more are sent.</summary>
    public void Advance(int count)
    {
        while (count > 0)
        {
            Item front = _items.Peek();
            int taken = Math.Min(count, front.Bytes.Length - _sentOfFront);
            count -= taken;
            Bytes -= taken;
            _sentOfFront += taken;
            if (_sentOfFront == front.Bytes.Length)
            {
                _sentOfFront = 0;
                Forget(_items.Dequeue());
            }
        }
    }

    /// <summary>Drops the events of a watch, but for one that is half sent.</summary>
    public void DropEvents(Watch watch)
    {
        Queue<Item> kept = new(_items.Count);
        bool isFront = true;
        foreach (Item item in _items)
        {
            if (ReferenceEquals(item.Watch, watch) && !(isFront && _sentOfFront > 0))
            {
                Bytes -= item.Bytes.Length;
                Forget(item);
            }
            else
            {
                kept.Enqueue(item);
            }

            isFront = false;
        }

        _items = kept;
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        _items.Clear();
        _waiting.Clear();
        _sentOfFront = 0;
        (Answers, EventBytes, Bytes) = (0, 0, 0);
    }

    /// <summary>All that waits, what is half sent without its beginning: bytes, and for an event its watch and path.</summary>
    public IEnumerable<(byte[] Bytes, Watch? Watch, string Path)> Contents()
    {
        bool isFront = true;
        foreach (Item item in _items)
        {
            yield return isFront && _sentOfFront > 0
                ? (item.Bytes[_sentOfFront..], null, "")
                : (item.Bytes, item.Watch, item.Path);
            isFront = false;
        }
    }

    private void Forget(Item item)
    {
        if (item.Watch is null)
        {
            Answers--;
        }
        else
        {
            EventBytes -= item.Bytes.Length;
            _ = _waiting.Remove((item.Path, item.Watch.Token));
        }
    }
}
