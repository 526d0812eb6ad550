// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Dom0.Store.Quotas;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>Rings in the hands of guests that do as they please.</summary>
public sealed class RingTests
{
    private readonly TestStore _store = new();

    [Fact]
    public void Long_messages_go_through_a_ring_of_1024_bytes()
    {
        TestClient tool = _store.Tool();
        RingClient guest = _store.GuestWithRing(5);
        Assert.Equal("OK", tool.Write("/local/domain/5/d", ""));
        Assert.Equal("OK", tool.SetPermissions("/local/domain/5/d", "n5"));
        _store.State.Quotas[QuotaKind.NodeSize] = 5000;
        string value = string.Concat(Enumerable.Range(0, 800).Select(index => $"{index:d5}"));
        Assert.Equal("OK\0", Assert.Single(guest.Exchange(_store, 5, XsdSockMsgType.Write, $"d\0{value}")).Body);
        Assert.Equal(value, Assert.Single(guest.Exchange(_store, 5, XsdSockMsgType.Read, "d\0")).Body);
    }

    [Fact]
    public void A_message_may_come_byte_by_byte()
    {
        RingClient guest = _store.GuestWithRing(5);
        byte[] bytes = new Dom0.Store.Connections.MessageHeader(XsdSockMsgType.GetDomainPath, 7, 0, 0).Message("5\0"u8);
        foreach (byte value in bytes)
        {
            Assert.Empty(guest.Receive());
            guest.SendRaw([value]);
            _store.RunRings(5);
        }

        Assert.Equal("/local/domain/5\0", Assert.Single(guest.Receive()).Body);
    }

    [Theory]
    [InlineData(RingClient.RequestsProduced, 1025u)]
    [InlineData(RingClient.RequestsProduced, 0xFFFFFFFFu)]
    [InlineData(RingClient.AnswersConsumed, 1u)]
    [InlineData(RingClient.AnswersConsumed, 0x80000000u)]
    public void An_index_that_cannot_be_ends_the_service_of_this_ring_alone(int field, uint value)
    {
        RingClient guest = _store.GuestWithRing(5);
        RingClient other = _store.GuestWithRing(6);
        if (field == RingClient.AnswersConsumed)
        {
            guest.Send(XsdSockMsgType.GetDomainPath, "5\0");
        }

        guest[field] = value;
        _store.RunRings(5);
        Assert.Equal((uint)XenStoreError.Ringidx, guest[RingClient.ErrorState]);
        Assert.Contains("domain 5 broke the protocol", Assert.Single(_store.Log));
        Assert.Equal("/local/domain/6\0",
            Assert.Single(other.Exchange(_store, 6, XsdSockMsgType.GetDomainPath, "6\0")).Body);
        // It stays so, however often it knocks.
        guest[field] = 0;
        _store.RunRings(5);
        Assert.Single(_store.Log);
    }

    [Fact]
    public void A_body_longer_than_any_ends_the_service_until_the_guest_reconnects()
    {
        RingClient guest = _store.GuestWithRing(5);
        Assert.Equal(3u, guest[RingClient.Features]);
        byte[] head = new byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)XsdSockMsgType.Read);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), 4097);
        guest.SendRaw(head);
        _store.RunRings(5);
        Assert.Equal((uint)XenStoreError.Proto, guest[RingClient.ErrorState]);

        guest[RingClient.ConnectionState] = (uint)XenStoreConnection.Reconnect;
        _store.RunRings(5);
        Assert.Equal((uint)XenStoreConnection.Connected, guest[RingClient.ConnectionState]);
        Assert.Equal((uint)XenStoreError.None, guest[RingClient.ErrorState]);
        Assert.Equal(0u, guest[RingClient.RequestsProduced]);
        Assert.Equal("/local/domain/5\0",
            Assert.Single(guest.Exchange(_store, 5, XsdSockMsgType.GetDomainPath, "5\0")).Body);
    }

    [Fact]
    public void The_log_does_not_grow_with_every_breach()
    {
        RingClient guest = _store.GuestWithRing(5);
        for (int round = 0; round < 100; round++)
        {
            guest[RingClient.RequestsProduced] = 5000;
            _store.RunRings(5);
            Assert.Equal((uint)XenStoreError.Ringidx, guest[RingClient.ErrorState]);
            guest[RingClient.ConnectionState] = (uint)XenStoreConnection.Reconnect;
            _store.RunRings(5);
        }

        Assert.Equal(7, _store.Log.Count);
    }

    [Fact]
    public void Reconnecting_ends_watches_and_transactions()
    {
        RingClient guest = _store.GuestWithRing(5);
        _ = guest.Exchange(_store, 5, XsdSockMsgType.Watch, "a\0t\0");
        _ = guest.Exchange(_store, 5, XsdSockMsgType.TransactionStart, "\0");
        Assert.Equal(1, _store.State.Account(5).Watches);
        guest[RingClient.ConnectionState] = (uint)XenStoreConnection.Reconnect;
        _store.RunRings(5);
        Assert.Equal((0, 0, 0L), (_store.State.Account(5).Watches, _store.State.Account(5).Transactions,
            _store.State.Account(5).Memory));
    }

    [Fact]
    public void Rings_take_turns()
    {
        RingClient flood = _store.GuestWithRing(5);
        RingClient modest = _store.GuestWithRing(6);
        _store.RunRings();
        for (int index = 0; index < 40; index++)
        {
            flood.Send(XsdSockMsgType.GetDomainPath, "5\0");
        }

        modest.Send(XsdSockMsgType.GetDomainPath, "6\0");
        _store.Rings.Signal(FakeXen.LocalPort(5));
        _store.Rings.Signal(FakeXen.LocalPort(6));
        _store.Rings.ServeRound();
        Assert.Single(modest.Receive());
        Assert.Equal(Dom0.Store.Machine.RingTable.Turn, flood.Receive().Count);
        Assert.True(_store.Rings.HasWork);
    }

    [Fact]
    public void Who_does_not_take_answers_is_not_asked_again()
    {
        RingClient guest = _store.GuestWithRing(5);
        for (int round = 0; round < 200; round++)
        {
            guest.Send(XsdSockMsgType.GetDomainPath, "5\0");
            _store.RunRings(5);
        }

        int waiting = _store.State.Domain(5)!.Connection.Output.Answers;
        Assert.InRange(waiting, 1, _store.State.Quotas[QuotaKind.Outstanding]);

        // As soon as it takes them, all of its requests are answered, in order and without a loss.
        int answers = 0;
        for (int round = 0; round < 200; round++)
        {
            answers += guest.Receive().Count;
            _store.RunRings(5);
            _ = guest.Push(int.MaxValue);
            _store.RunRings(5);
        }

        Assert.Equal(200, answers);
    }

    [Fact]
    public void Introducing_again_begins_the_ring_anew_with_the_new_port()
    {
        TestClient tool = _store.Tool();
        RingClient guest = _store.GuestWithRing(5);
        _ = guest.Exchange(_store, 5, XsdSockMsgType.Watch, "a\0t\0");
        Assert.Equal("OK", tool.Ask(XsdSockMsgType.Introduce, "5\0105\0300\0"));
        Assert.Equal((5, 300u), Assert.Single(_store.Xen.Bound.Values));
        Assert.Equal(0, _store.State.Account(5).Watches);
        Assert.Equal("/local/domain/5\0",
            Assert.Single(guest.Exchange(_store, 5, XsdSockMsgType.GetDomainPath, "5\0")).Body);
    }

    [Fact]
    public void A_domain_that_dies_is_let_go_of()
    {
        TestClient tool = _store.Tool();
        Assert.Equal("OK", tool.Watch("@releaseDomain", "t"));
        _ = tool.Events();
        RingClient guest = _store.GuestWithRing(5);
        guest.Send(XsdSockMsgType.GetDomainPath, "5\0");
        _store.Rings.Signal(FakeXen.LocalPort(5));
        _ = _store.Xen.Domains.Remove(5);
        _store.Server.CheckDomains();
        Assert.Equal(["@releaseDomain:t"], tool.Events());
        Assert.Equal(0, _store.Xen.Mapped);
        Assert.Empty(_store.Xen.Bound);
        _store.RunRings();
        Assert.Empty(guest.Receive());
    }

    [Fact]
    public void Noise_does_no_harm()
    {
        Random random = new(20261121);
        RingClient other = _store.GuestWithRing(6);
        RingClient guest = _store.GuestWithRing(5);
        for (int round = 0; round < 3000; round++)
        {
            switch (random.Next(6))
            {
                case 0:
                    guest[2048 + (4 * random.Next(7))] = (uint)random.Next();
                    break;
                case 1:
                    guest[RingClient.ConnectionState] = (uint)XenStoreConnection.Reconnect;
                    break;
                case 2:
                    random.NextBytes(guest.Page.AsSpan(0, 1024));
                    guest[RingClient.RequestsProduced] = guest[RingClient.RequestsConsumed] + (uint)random.Next(1025);
                    break;
                default:
                    byte[] head = new byte[16 + random.Next(40)];
                    random.NextBytes(head);
                    BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)random.Next(24));
                    BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(8), (uint)random.Next(3));
                    BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(12), (uint)(head.Length - 16));
                    head[^1] = 0;
                    guest.SendRaw(head);
                    break;
            }

            _store.RunRings(5);
            _ = guest.Receive();
        }

        Assert.Equal("/local/domain/6\0",
            Assert.Single(other.Exchange(_store, 6, XsdSockMsgType.GetDomainPath, "6\0")).Body);
        Assert.Equal("OK", _store.Tool().Ask(XsdSockMsgType.Control, "check\0"));
    }
}
