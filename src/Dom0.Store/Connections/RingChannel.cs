// SPDX-License-Identifier: MIT
//
// Exactly once. A request is taken out of the ring when its effects, its answer and the index behind it are in the
// journal; a daemon that dies before leaves it in the ring, one that dies after finds the answer in the journal. What of
// the answers is in the ring the ring's own index tells.
using System;
using Dom0.Store.Journal;
using Dom0.Store.Quotas;
using Xen.Abi;

namespace Dom0.Store.Connections;

/// <summary>A domain's connection by its ring.</summary>
public sealed class RingChannel : IStoreChannel
{
    private readonly StoreServer _server;
    private readonly StoreRing _ring;
    private readonly Action _notify;
    private int _recordedInput;
    private long _breaches;
    private bool _mustNotify;

    /// <summary>Takes over a mapped ring; where both sides stand is in the domain's connection.</summary>
    public RingChannel(StoreServer server, StoreDomain domain, StoreRing ring, Action notify)
    {
        _server = server;
        _ring = ring;
        _notify = notify;
        Domain = domain;
        _recordedInput = domain.Connection.Input.Count;
    }

    /// <summary>Whose ring.</summary>
    public StoreDomain Domain { get; }

    /// <summary>The guest broke the protocol: nothing is read or written until it reconnects.</summary>
    public bool IsBroken { get; private set; }

    private StoreConnection Connection => Domain.Connection;

    /// <summary>For a domain that is new to the daemon: goes on where the page says.</summary>
    public void Begin()
    {
        Connection.RequestsTaken = _ring.RequestsConsumed;
        Connection.AnswersGiven = _ring.AnswersProduced;
        _ring.OfferFeatures();
        _notify();
    }

    /// <summary>After a restart of the daemon: goes on where the journal and the page say.</summary>
    public void Resume()
    {
        uint given = _ring.AnswersProduced - Connection.AnswersGiven;
        if (given > (uint)Connection.Output.Bytes)
        {
            Break(XenStoreError.Ringidx);
            return;
        }

        Connection.Output.Advance((int)given);
        Connection.AnswersGiven += given;
        _ring.RequestsConsumed = Connection.RequestsTaken;
        _ring.OfferFeatures();
        _notify();
    }

    /// <summary>Takes requests out and answers them, at most <paramref name="budget"/>.</summary>
    /// <returns>Is there more to do at once?</returns>
    public bool Serve(int budget)
    {
        if (_ring.WantsReconnection)
        {
            _server.State.ResetRing(Domain);
            _server.Settle();
        }

        bool hasMore = Take(budget);
        Pump();
        return hasMore;
    }

    /// <inheritdoc/>
    public void Pump()
    {
        while (!IsBroken && !Connection.Output.IsEmpty)
        {
            uint used = Connection.AnswersGiven - _ring.AnswersConsumed;
            if (used > XenStoreLimits.RingSize)
            {
                Break(XenStoreError.Ringidx);
                break;
            }

            ReadOnlySpan<byte> front = Connection.Output.Front.Span;
            int count = Math.Min(front.Length, XenStoreLimits.RingSize - (int)used);
            if (count == 0)
            {
                break;
            }

            _ring.CopyAnswers(Connection.AnswersGiven, front[..count]);
            Connection.AnswersGiven += (uint)count;
            Connection.Output.Advance(count);
            _ring.AnswersProduced = Connection.AnswersGiven;
            _mustNotify = true;
        }

        if (_mustNotify)
        {
            _mustNotify = false;
            _notify();
        }
    }

    /// <summary>Both sides begin at 0.</summary>
    public void Reset()
    {
        IsBroken = false;
        _recordedInput = 0;
        _ring.Reset();
        _ring.OfferFeatures();
        _notify();
    }

    /// <summary>Lets go of the page.</summary>
    public void Close() => _ring.Dispose();

    private bool Take(int budget)
    {
        InputAssembler input = Connection.Input;
        int served = 0;
        while (!IsBroken)
        {
            uint available = _ring.RequestsProduced - Connection.RequestsTaken;
            if (available > XenStoreLimits.RingSize)
            {
                Break(XenStoreError.Ringidx);
            }

            bool mayServe = Connection.Output.Answers < _server.State.Quotas[QuotaKind.Outstanding];
            if (IsBroken || available == 0 || !mayServe)
            {
                // Whoever leaves answers in the ring is served again when it takes them out, and says so.
                break;
            }

            if (served == budget)
            {
                return true;
            }

            int count = (int)Math.Min(available, (uint)input.Missing);
            _ring.CopyRequests(Connection.RequestsTaken, input.Room[..count]);
            input.Added(count);
            if (input.IsTooLong)
            {
                Break(XenStoreError.Proto);
                break;
            }

            Connection.RequestsTaken += (uint)count;
            if (input.IsComplete)
            {
                _recordedInput = 0;
                _server.Serve(Connection);
                served++;
            }
            else if (available == (uint)count)
            {
                Record(isRequestDone: false, input.Partial[_recordedInput..]);
                _recordedInput = input.Count;
                _server.Settle();
            }
            else
            {
                continue;
            }

            if (_ring.RequestsConsumed != Connection.RequestsTaken)
            {
                _ring.RequestsConsumed = Connection.RequestsTaken;
                _mustNotify = true;
            }
        }

        return false;
    }

    private void Record(bool isRequestDone, ReadOnlySpan<byte> piece) => StoreServer.RecordInput(
        _server.State.Records, Connection, isRequestDone, piece);

    private void Break(XenStoreError error)
    {
        IsBroken = true;
        _ring.Complain(error);
        _mustNotify = true;
        // A guest can reconnect and do it again as often as it likes: the log takes the first and then ever fewer.
        if (long.IsPow2(++_breaches))
        {
            _server.State.Log($"domain {Domain.Id} broke the protocol of its ring ({error}), {_breaches} times by now: "
                + "it is not served until it reconnects");
        }
    }
}
