// SPDX-License-Identifier: MIT
using System;
using System.Text;
using Dom0.Toolstack.Console;
using Xunit;

namespace Dom0.Xend.Tests;

public sealed class ConsoleRingTests : IDisposable
{
    private readonly FakeRing _guest = new();

    public void Dispose() => _guest.Dispose();

    private static string Take(ConsoleRing ring)
    {
        byte[] buffer = new byte[4096];
        int count = ring.Peek(buffer);
        ring.Consume(count);
        return Encoding.UTF8.GetString(buffer, 0, count);
    }

    [Fact]
    public void What_the_guest_writes_arrives_across_the_end_of_the_ring_and_of_the_index()
    {
        _guest.Shared.OutCons = _guest.Shared.OutProd = uint.MaxValue - 1500;
        using ConsoleRing ring = _guest.Open();
        for (int round = 0; round < 10; round++)
        {
            string text = new((char)('a' + round), 700);
            Assert.Equal(700, _guest.Say(text));
            Assert.Equal(text, Take(ring));
        }

        Assert.Equal(0, ring.Faults);
    }

    [Fact]
    public void Bytes_stay_in_the_ring_until_they_are_consumed()
    {
        using ConsoleRing ring = _guest.Open();
        _ = _guest.Say("once");
        byte[] buffer = new byte[16];
        Assert.Equal(4, ring.Peek(buffer));
        Assert.Equal(0u, _guest.Shared.OutCons);
        using ConsoleRing next = _guest.Open();
        Assert.Equal("once", Take(next));
        Assert.Equal(4u, _guest.Shared.OutCons);
    }

    [Theory]
    [InlineData(2049u)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void An_impossible_distance_gives_nothing_and_is_counted_and_the_ring_goes_on(uint distance)
    {
        using ConsoleRing ring = _guest.Open();
        _guest.Shared.OutProd = _guest.Shared.OutCons + distance;
        Assert.Equal("", Take(ring));
        Assert.Equal(1, ring.Faults);
        Assert.Equal(_guest.Shared.OutProd, _guest.Shared.OutCons);
        _ = _guest.Say("sane again");
        Assert.Equal("sane again", Take(ring));
    }

    [Fact]
    public void The_guest_cannot_move_what_this_side_owns()
    {
        using ConsoleRing ring = _guest.Open();
        _ = _guest.Say("first");
        Assert.Equal("first", Take(ring));
        _guest.Shared.OutCons = 0xdead;
        _guest.Shared.InProd = 0xbeef;
        Assert.Equal("", Take(ring));
        Assert.Equal(2, ring.Write("hi"u8));
        Assert.Equal(2u, _guest.Shared.InProd);
    }

    [Fact]
    public void Input_stops_at_a_full_ring_and_at_an_impossible_index()
    {
        using ConsoleRing ring = _guest.Open();
        Assert.Equal(1024, ring.Write(new byte[2000]));
        Assert.Equal(0, ring.Write("x"u8));
        _guest.Shared.InCons = 5000;
        Assert.Equal(0, ring.Write("x"u8));
        Assert.Equal(1, ring.Faults);
    }

    [Fact]
    public void No_content_of_the_page_gives_more_than_a_ring_or_stops_this_side()
    {
        Random random = new(1);
        byte[] buffer = new byte[4096];
        using ConsoleRing ring = _guest.Open();
        for (int round = 0; round < 20_000; round++)
        {
            _guest.Shared.OutProd = Odd(random, _guest.Shared.OutProd);
            _guest.Shared.OutCons = Odd(random, _guest.Shared.OutCons);
            _guest.Shared.InProd = Odd(random, _guest.Shared.InProd);
            _guest.Shared.InCons = Odd(random, _guest.Shared.InCons);
            int count = ring.Peek(buffer);
            Assert.InRange(count, 0, 2048);
            ring.Consume(count);
            Assert.InRange(ring.Write(buffer.AsSpan(0, random.Next(2000))), 0, 1024);
        }
    }

    private static uint Odd(Random random, uint value) => random.Next(4) switch
    {
        0 => value,
        1 => (uint)random.NextInt64(uint.MaxValue),
        2 => value + (uint)random.Next(4096),
        _ => uint.MaxValue - (uint)random.Next(4096),
    };
}
