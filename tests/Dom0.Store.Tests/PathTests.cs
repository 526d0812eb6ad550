// SPDX-License-Identifier: MIT
using System.Text;
using Dom0.Store.Tests.Fakes;
using Dom0.Store.Tree;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>Names of nodes, and the limits of their length.</summary>
public sealed class PathTests
{
    [Theory]
    [InlineData("/", "/")]
    [InlineData("/a", "/a")]
    [InlineData("/a/b-_@9Z", "/a/b-_@9Z")]
    [InlineData("data", "/local/domain/5/data")]
    [InlineData("data/x", "/local/domain/5/data/x")]
    [InlineData("/@releaseDomain", "/@releaseDomain")]
    public void These_are_names(string sent, string meant) =>
        Assert.Equal(meant, NodePath.Parse(Encoding.Latin1.GetBytes(sent), 5)?.Text);

    [Theory]
    [InlineData("")]
    [InlineData("//")]
    [InlineData("/a/")]
    [InlineData("a/")]
    [InlineData("/a//b")]
    [InlineData("@releaseDomain")]
    [InlineData("/a b")]
    [InlineData("/a.b")]
    [InlineData("/a\0b")]
    [InlineData("/ä")]
    public void These_are_not(string sent) => Assert.Null(NodePath.Parse(Encoding.Latin1.GetBytes(sent), 5));

    [Theory]
    [InlineData("/", 3072)]
    [InlineData("/local/domain/12345/", 2068)]
    [InlineData("/local/domain/123456/", 3072)]
    [InlineData("/local/domain//", 0)]
    [InlineData("/local/domain/x/", 3072)]
    public void Lengths_are_limited(string beginning, int longest)
    {
        if (longest != 0)
        {
            Assert.NotNull(NodePath.Parse(Encoding.ASCII.GetBytes(beginning.PadRight(longest, 'x')), 5));
        }

        Assert.Null(NodePath.Parse(Encoding.ASCII.GetBytes(beginning.PadRight(longest + 1, 'x')), 5));
    }

    [Fact]
    public void A_relative_path_may_have_2048_letters()
    {
        Assert.NotNull(NodePath.Parse(Encoding.ASCII.GetBytes(new string('x', 2048)), 5));
        Assert.Null(NodePath.Parse(Encoding.ASCII.GetBytes(new string('x', 2049)), 5));
    }

    [Fact]
    public void A_read_only_connection_changes_nothing()
    {
        using TestStore store = new();
        TestClient reader = store.Tool(isReadOnly: true);
        Assert.Equal("", reader.Read("/tool"));
        Assert.Equal("EROFS", reader.Write("/tool", "x"));
        Assert.Equal("EROFS", reader.Ask(XsdSockMsgType.MkDir, "/x\0"));
        Assert.Equal("EROFS", reader.Ask(XsdSockMsgType.Rm, "/tool\0"));
        Assert.Equal("EROFS", reader.SetPermissions("/tool", "n0"));
        Assert.Equal("EROFS", reader.Ask(XsdSockMsgType.Introduce, "1\01\01\0"));
        Assert.Equal("EROFS", reader.Ask(XsdSockMsgType.Control, "log\0on\0"));
        Assert.Equal("OK", reader.Watch("/tool", "t"));
    }
}
