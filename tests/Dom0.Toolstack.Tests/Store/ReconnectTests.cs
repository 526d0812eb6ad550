// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Fakes;
using Xunit;

namespace Dom0.Toolstack.Tests.Store;

/// <summary>A client whose daemon goes away in the middle of anything, and comes back with the same tree.</summary>
public sealed class ReconnectTests
{
    private readonly FakeStoreServer _server = new();
    private int _stepsLeft = int.MaxValue;
    private int _connections;

    /// <summary>Breaks for good at a step; the next connection works.</summary>
    private sealed class BreakingTransport(ReconnectTests test) : IStoreTransport
    {
        private readonly FakeStoreServer.Link _link = test._server.Connect();
        private bool _isBroken;

        public void Send(ReadOnlySpan<byte> data)
        {
            Step();
            _link.Send(data);
        }

        public void Receive(Span<byte> buffer)
        {
            Step();
            _link.Receive(buffer);
        }

        public bool WaitForInput(int milliseconds) => _isBroken || _link.WaitForInput(milliseconds);

        public void Dispose() => _link.Dispose();

        private void Step()
        {
            if (_isBroken || test._stepsLeft-- == 0)
            {
                _isBroken = true;
                throw new StoreDisconnectedException("broken");
            }
        }
    }

    private StoreClient Client() => new(
        () =>
        {
            _connections++;
            return new BreakingTransport(this);
        },
        5000);

    [Fact]
    public void Requests_and_transactions_come_to_their_end_wherever_the_connection_breaks()
    {
        for (int step = 0; step < 60; step++)
        {
            _stepsLeft = int.MaxValue;
            _connections = 0;
            using StoreClient client = Client();
            _stepsLeft = step;
            client.Write("/a", $"{step}");
            client.InTransaction(transaction =>
            {
                client.Write("/b", $"{step}", transaction);
                client.Write("/c", $"{step}", transaction);
                client.MakeDirectory("/d", transaction);
            });
            client.Remove("/e");
            Assert.Equal($"{step}", client.TryRead("/b"));
            Assert.Equal($"{step}", _server.Nodes["/a"].Value);
            Assert.Equal($"{step}", _server.Nodes["/c"].Value);
            Assert.InRange(_connections, 1, 2);
        }
    }

    [Fact]
    public void Watches_are_set_again_and_say_so()
    {
        using StoreClient client = Client();
        client.Watch("/w", "token");
        Assert.Equal(new StoreEvent("/w", "token"), client.WaitForEvent(0));
        _stepsLeft = 0;
        Assert.Null(client.TryRead("/nothing"));
        Assert.Equal(2, _connections);
        Assert.Equal(new StoreEvent("/w", "token"), client.WaitForEvent(0));
        _server.Put("/w/x", "1");
        Assert.Equal(new StoreEvent("/w/x", "token"), client.WaitForEvent(0));
        Assert.Null(client.WaitForEvent(0));
    }

    [Fact]
    public void A_daemon_that_does_not_come_back_is_an_error()
    {
        bool isGone = false;
        StoreClient client = new(
            () => isGone ? throw new ToolstackException("cannot reach the store") : new BreakingTransport(this), 1);
        isGone = true;
        _stepsLeft = 0;
        Assert.Contains("cannot reach the store", Assert.Throws<ToolstackException>(() => client.TryRead("/a")).Message);
    }
}
