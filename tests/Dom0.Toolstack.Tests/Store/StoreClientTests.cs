// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Fakes;
using Xunit;

namespace Dom0.Toolstack.Tests.Store;

public sealed class StoreClientTests
{
    private readonly FakeStoreServer _server = new();
    private readonly StoreClient _client;

    public StoreClientTests() => _client = new StoreClient(_server);

    [Fact]
    public void A_packet_is_four_words_and_its_payload()
    {
        byte[] bytes = StorePacket.CreateWrite(7, 9, "/a", "bc").Encode();
        Assert.Equal("0B000000" + "07000000" + "09000000" + "05000000" + "2F610062" + "63", Convert.ToHexString(bytes));
        (StoreOperation operation, uint request, uint transaction) = StorePacket.DecodeHeader(bytes, out uint length);
        Assert.Equal((StoreOperation.Write, 7u, 9u, 5u), (operation, request, transaction, length));
    }

    [Fact]
    public void A_written_value_is_read_back_and_a_missing_one_is_null()
    {
        _client.Write("/local/domain/5/name", "guest");
        Assert.Equal("guest", _client.TryRead("/local/domain/5/name"));
        Assert.Equal("", _client.TryRead("/local/domain/5"));
        Assert.Null(_client.TryRead("/local/domain/6"));
        Assert.Equal(["5"], _client.List("/local/domain"));
        Assert.Empty(_client.List("/nothing"));
    }

    [Fact]
    public void Values_that_are_asked_for_together_come_in_their_order_and_missing_ones_are_null()
    {
        string[] paths = [.. Enumerable.Range(0, 40).Select(index => $"/names/{index}")];
        foreach (string path in paths.Where((_, index) => index % 3 != 1))
        {
            _client.Write(path, path[7..]);
        }

        Assert.Equal(paths.Select((path, index) => index % 3 == 1 ? null : path[7..]), _client.TryReadAll(paths));
        Assert.Empty(_client.TryReadAll([]));
    }

    [Fact]
    public void A_refusal_among_values_that_are_asked_for_together_does_not_shift_later_answers()
    {
        _client.Write("/a", "1");
        _client.Write("/b", "2");
        _server.FailAfter = 1;
        Assert.Equal("EIO", Assert.Throws<StoreException>(() => _client.TryReadAll(["/a", "/b", "/a"])).Error);
        Assert.Equal("2", _client.TryRead("/b"));
    }

    [Fact]
    public void Removing_what_does_not_exist_is_no_error()
    {
        _client.Write("/a/b/c", "1");
        _client.Remove("/a/b");
        _client.Remove("/a/b");
        Assert.Equal(["/a"], _server.Nodes.Keys);
    }

    [Fact]
    public void A_listing_too_large_for_a_packet_comes_in_parts()
    {
        foreach (int index in Enumerable.Range(0, 30))
        {
            _client.Write($"/many/{index:D3}", "");
        }

        _server.DirectoryLimit = 10;
        Assert.Equal(Enumerable.Range(0, 30).Select(index => $"{index:D3}"), _client.List("/many"));
        Assert.Contains(StoreOperation.DirectoryPart, _server.Requests);
    }

    [Fact]
    public void A_transaction_is_repeated_until_nobody_interferes()
    {
        _server.Conflicts = 3;
        int runs = 0;
        _client.InTransaction(transaction =>
        {
            runs++;
            _client.Write("/counter", $"{runs}", transaction);
            Assert.Null(_client.TryRead("/counter"));
        });
        Assert.Equal(4, runs);
        Assert.Equal("4", _client.TryRead("/counter"));
    }

    [Fact]
    public void A_transaction_whose_body_fails_leaves_nothing()
    {
        _ = Assert.Throws<InvalidOperationException>(() => _client.InTransaction(transaction =>
        {
            _client.Write("/x", "1", transaction);
            throw new InvalidOperationException();
        }));
        Assert.Empty(_server.Nodes);
        Assert.Equal(StoreOperation.TransactionEnd, _server.Requests[^1]);
    }

    [Fact]
    public void An_event_that_arrives_before_an_answer_is_kept()
    {
        _client.Watch("/a", "mine");
        Assert.Equal(new StoreEvent("/a", "mine"), _client.WaitForEvent(0));
        Assert.Null(_client.WaitForEvent(0));
        _server.Put("/a/b", "1");
        Assert.Equal("1", _client.TryRead("/a/b"));
        Assert.Equal(new StoreEvent("/a/b", "mine"), _client.WaitForEvent(0));
        _client.Unwatch("/a", "mine");
        _server.Put("/a/b", "2");
        Assert.Null(_client.WaitForEvent(0));
    }

    [Fact]
    public void A_refusal_names_operation_path_and_error()
    {
        StoreException refusal = Assert.Throws<StoreException>(() => _client.SetPermissions("/none", ["n0"]));
        Assert.Equal("ENOENT", refusal.Error);
        Assert.Equal("xenstored refused SetPermissions of /none: ENOENT", refusal.Message);
    }

    [Fact]
    public void What_the_protocol_cannot_carry_is_refused_before_it_is_sent()
    {
        ToolstackException refusal =
            Assert.Throws<ToolstackException>(() => _client.Write("/a", new string('x', 5000)));
        Assert.Contains("5003 bytes", refusal.Message);
        Assert.Empty(_server.Requests);
    }

    [Fact]
    public void Releasing_a_domain_that_the_daemon_has_forgotten_is_no_error()
    {
        _client.Introduce(5, 0x1234, 7);
        Assert.Equal((0x1234UL, 7u), _server.Introduced[5]);
        _client.Release(5);
        _client.Release(5);
        Assert.Empty(_server.Introduced);
    }
}
