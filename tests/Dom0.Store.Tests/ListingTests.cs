// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>Directories that are larger than a message, and trees that are large.</summary>
public sealed class ListingTests
{
    private readonly TestStore _store = new();

    [Fact]
    public void A_long_listing_comes_in_parts_and_starts_over_when_names_change()
    {
        TestClient tool = _store.Tool();
        List<string> names = [.. Enumerable.Range(0, 1000).Select(index => $"child-number-{index}")];
        names.ForEach(name => Assert.Equal("OK", tool.Ask(XsdSockMsgType.MkDir, $"/big/{name}\0")));
        Assert.Equal("E2BIG", tool.Ask(XsdSockMsgType.Directory, "/big\0"));

        (string generation, List<string> listed) = ListInParts(tool, "/big");
        Assert.Equal(names, listed);

        Assert.Equal("OK", tool.Write("/big/child-number-3", "value"));
        Assert.Equal(generation, ListInParts(tool, "/big").Generation);
        Assert.Equal("OK", tool.Ask(XsdSockMsgType.Rm, "/big/child-number-3\0"));
        Assert.NotEqual(generation, ListInParts(tool, "/big").Generation);
        Assert.Equal("EINVAL", tool.Ask(XsdSockMsgType.DirectoryPart, "/big\0"));
        Assert.Equal("EINVAL", tool.Ask(XsdSockMsgType.DirectoryPart, "/big\0x\0"));
    }

    [Fact]
    public void The_longest_names_fit_into_parts()
    {
        TestClient tool = _store.Tool();
        List<string> names = [.. "abc".Select(letter => new string(letter, 3068))];
        names.ForEach(name => Assert.Equal("OK", tool.Ask(XsdSockMsgType.MkDir, $"/l/{name}\0")));
        Assert.Equal(names, ListInParts(tool, "/l").Names);
    }

    [Fact]
    public void A_tree_of_100000_nodes_is_no_burden()
    {
        TestClient tool = _store.Tool();
        for (int index = 0; index < 100_000; index++)
        {
            Assert.Equal("OK", tool.Write($"/large/{index % 317}/{index}", $"{index}"));
        }

        Assert.Equal("77777", tool.Read($"/large/{77777 % 317}/77777"));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int index = 0; index < 1000; index++)
        {
            tool.Send(XsdSockMsgType.Write, $"/large/{index % 317}/{index}\0again");
        }

        // In proportion to the way down to a node, not to the tree, whose listing alone would be half a megabyte.
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - before) / 1000, 100, 20_000);
        Assert.Equal(1000, tool.Received().Count);
        Assert.Equal("OK", tool.Ask(XsdSockMsgType.Rm, "/large\0"));
        Assert.Equal(3, _store.State.Account(0).Nodes);
    }

    private static (string Generation, List<string> Names) ListInParts(TestClient client, string path)
    {
        StringBuilder listing = new();
        while (true)
        {
            client.Send(XsdSockMsgType.DirectoryPart, $"{path}\0{listing.Length}\0");
            string body = Assert.Single(client.Received()).Body;
            Assert.InRange(body.Length, 2, XenStoreLimits.PayloadMax);
            int end = body.IndexOf('\0');
            string part = body[(end + 1)..];
            if (part.EndsWith("\0\0") || part == "\0")
            {
                _ = listing.Append(part[..^1]);
                return (body[..end], [.. listing.ToString().Split('\0', StringSplitOptions.RemoveEmptyEntries)]);
            }

            Assert.EndsWith("\0", part);
            _ = listing.Append(part);
        }
    }
}
