// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Toolstack.Api;

namespace Dom0.Xend.Domains;

/// <summary>Hands events to whoever subscribed. Serves any number of threads.</summary>
internal sealed class EventHub
{
    private readonly object _lock = new();
    private readonly List<EventSubscription> _subscriptions = [];
    private readonly TimeProvider _clock;
    private long _sequence;

    /// <summary>Times events by <paramref name="clock"/>.</summary>
    public EventHub(TimeProvider clock) => _clock = clock;

    /// <summary>Events so far.</summary>
    public long Count
    {
        get
        {
            lock (_lock)
            {
                return _sequence;
            }
        }
    }

    /// <summary>Numbers an event and hands it out.</summary>
    public void Publish(DomainEvent happened)
    {
        lock (_lock)
        {
            DomainEvent numbered = happened with { Sequence = ++_sequence, Time = _clock.GetUtcNow() };
            foreach (EventSubscription subscription in _subscriptions)
            {
                subscription.Add(numbered);
            }
        }
    }

    /// <summary>Hands every later event to <paramref name="subscription"/>.</summary>
    public void Subscribe(EventSubscription subscription)
    {
        lock (_lock)
        {
            _subscriptions.Add(subscription);
        }
    }

    /// <summary>Ends that.</summary>
    public void Unsubscribe(EventSubscription subscription)
    {
        lock (_lock)
        {
            _ = _subscriptions.Remove(subscription);
        }
    }
}

/// <summary>Events that one subscriber has not taken yet; one that takes none loses the oldest.</summary>
internal sealed class EventSubscription
{
    private const int Limit = 1000;

    private readonly Queue<DomainEvent> _events = new();
    private readonly Action _wake;

    /// <summary>Calls <paramref name="wake"/>, from any thread, when there is something to take.</summary>
    public EventSubscription(Action wake) => _wake = wake;

    /// <summary>Adds an event.</summary>
    public void Add(DomainEvent happened)
    {
        lock (_events)
        {
            if (_events.Count == Limit)
            {
                _ = _events.Dequeue();
            }

            _events.Enqueue(happened);
        }

        _wake();
    }

    /// <summary>Takes the oldest event.</summary>
    public bool TryTake(out DomainEvent? happened)
    {
        lock (_events)
        {
            return _events.TryDequeue(out happened);
        }
    }
}
