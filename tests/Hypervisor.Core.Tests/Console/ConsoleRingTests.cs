// SPDX-License-Identifier: MIT

using System;
using System.Text;
using Hypervisor.Core.Console;
using Xunit;

namespace Hypervisor.Core.Tests.Console;

public sealed unsafe class ConsoleRingTests
{
    private static void Append(ref ConsoleRing ring, string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        fixed (byte* first = bytes)
        {
            ring.Append(first, bytes.Length);
        }
    }

    private static string Read(in ConsoleRing ring, ref uint index, uint capacity = 100_000)
    {
        byte[] bytes = new byte[capacity];
        fixed (byte* first = bytes)
        {
            uint count = ring.Read(ref index, first, capacity);
            return Encoding.ASCII.GetString(bytes, 0, (int)count);
        }
    }

    [Fact]
    public void A_reader_follows_what_is_written()
    {
        ConsoleRing ring = default;
        Append(ref ring, "one\n");
        uint index = ring.Beginning;

        Assert.Equal("one\n", Read(in ring, ref index));
        Assert.Equal("", Read(in ring, ref index));
        Append(ref ring, "two\n");
        Assert.Equal("tw", Read(in ring, ref index, 2));
        Assert.Equal("o\n", Read(in ring, ref index));
    }

    [Fact]
    public void A_full_ring_keeps_the_newest_text()
    {
        ConsoleRing ring = default;
        Append(ref ring, "lost" + new string('x', (int)ConsoleRing.FirstSize - 4));
        Append(ref ring, "tail");
        uint index = 0;

        string text = Read(in ring, ref index);

        Assert.Equal((int)ConsoleRing.FirstSize, text.Length);
        Assert.StartsWith("xxxx", text, StringComparison.Ordinal);
        Assert.EndsWith("xtail", text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_that_never_was_reads_from_the_beginning()
    {
        ConsoleRing ring = default;
        Append(ref ring, "abc");
        uint index = 0x8000_0000;

        Assert.Equal("abc", Read(in ring, ref index));
        Assert.Equal(3u, index);
    }

    [Fact]
    public void Clearing_forgets_what_was_read_and_no_more()
    {
        ConsoleRing ring = default;
        Append(ref ring, "abcdef");
        uint index = ring.Beginning;
        _ = Read(in ring, ref index, 3);

        ring.Clear(index);
        ring.Clear(77);

        index = ring.Beginning;
        Assert.Equal("def", Read(in ring, ref index));
    }

    [Fact]
    public void Indices_wrap_around()
    {
        ConsoleRing ring = default;
        uint* indices = (uint*)((byte*)&ring + ConsoleRing.FirstSize);
        indices[0] = indices[1] = uint.MaxValue - 5;

        Append(ref ring, "0123456789");
        Append(ref ring, "end");
        uint index = ring.Beginning;
        string text = Read(in ring, ref index);

        Assert.Equal("0123456789end", text);
        Assert.Equal(7u, index);
    }
}
