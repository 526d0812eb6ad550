// SPDX-License-Identifier: MIT
using System.Linq;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>When transactions disturb each other, and when not.</summary>
public sealed class TransactionTests
{
    private readonly TestStore _store = new();
    private readonly TestClient _one;
    private readonly TestClient _other;

    public TransactionTests()
    {
        _one = _store.Tool();
        _other = _store.Tool();
        Assert.Equal("OK", _one.Write("/dir/a", "1"));
    }

    [Fact]
    public void A_transaction_sees_the_tree_as_it_was_when_it_began()
    {
        uint transaction = _one.Begin();
        Assert.Equal("OK", _other.Write("/dir/a", "2"));

        Assert.Equal("1", _one.Read("/dir/a", transaction));
        Assert.Equal("EAGAIN", _one.End(transaction));
    }

    [Fact]
    public void New_nodes_in_one_directory_are_no_conflict_until_somebody_lists_it()
    {
        uint mine = _one.Begin();
        uint theirs = _other.Begin();
        Assert.Equal("OK", _one.Write("/dir/mine", "", mine));
        Assert.Equal("OK", _other.Write("/dir/theirs", "", theirs));
        Assert.Equal("OK", _one.End(mine));
        Assert.Equal("OK", _other.End(theirs));
        Assert.Equal("a\0mine\0theirs", _one.Ask(XsdSockMsgType.Directory, "/dir\0"));

        uint lister = _one.Begin();
        Assert.Equal("a\0mine\0theirs", _one.Ask(XsdSockMsgType.Directory, "/dir\0", lister));
        Assert.Equal("OK", _other.Write("/dir/more", ""));
        Assert.Equal("EAGAIN", _one.End(lister));
    }

    [Theory]
    [InlineData("/dir/b")]
    [InlineData("/dir")]
    public void A_write_elsewhere_is_no_conflict(string elsewhere)
    {
        uint transaction = _one.Begin();
        Assert.Equal("1", _one.Read("/dir/a", transaction));
        Assert.Equal("OK", _other.Write(elsewhere, "x"));
        Assert.Equal("OK", _one.End(transaction));
    }

    [Fact]
    public void What_was_missing_must_still_be_missing()
    {
        uint transaction = _one.Begin();
        Assert.Equal("ENOENT", _one.Read("/dir/x/y/z", transaction));
        Assert.Equal("OK", _other.Write("/dir/x", ""));
        Assert.Equal("EAGAIN", _one.End(transaction));
    }

    [Fact]
    public void A_parent_that_goes_away_is_a_conflict_for_who_makes_nodes_in_it()
    {
        uint transaction = _one.Begin();
        Assert.Equal("OK", _one.Write("/dir/x", "", transaction));
        Assert.Equal("OK", _other.Ask(XsdSockMsgType.Rm, "/dir\0"));
        Assert.Equal("EAGAIN", _one.End(transaction));
        Assert.Equal("ENOENT", _one.Read("/dir/x"));
    }

    [Fact]
    public void Permissions_that_changed_are_a_conflict()
    {
        uint transaction = _one.Begin();
        Assert.Equal("1", _one.Read("/dir/a", transaction));
        Assert.Equal("OK", _other.SetPermissions("/dir/a", "n0 r0"));
        Assert.Equal("EAGAIN", _one.End(transaction));
    }

    [Fact]
    public void One_that_is_given_up_leaves_nothing()
    {
        uint transaction = _one.Begin();
        Assert.Equal("OK", _one.Ask(XsdSockMsgType.Rm, "/dir\0", transaction));
        Assert.Equal("OK", _one.End(transaction, commit: false));
        Assert.Equal("1", _one.Read("/dir/a"));
    }

    [Fact]
    public void Events_come_when_it_ends_well_and_once_for_each_path()
    {
        Assert.Equal("OK", _other.Watch("/dir", "t"));
        _ = _other.Events();
        uint transaction = _one.Begin();
        Assert.Equal("OK", _one.Write("/dir/a", "2", transaction));
        Assert.Equal("OK", _one.Write("/dir/a", "3", transaction));
        Assert.Equal("OK", _one.Write("/dir/b", "3", transaction));
        Assert.Empty(_other.Events());
        Assert.Equal("OK", _one.End(transaction));
        Assert.Equal(["/dir/a:t", "/dir/b:t"], _other.Events());
    }

    [Fact]
    public void Its_cost_does_not_depend_on_the_size_of_the_tree()
    {
        for (int index = 0; index < 20000; index++)
        {
            _ = _one.Ask(XsdSockMsgType.MkDir, $"/many/{index % 100}/{index}\0");
        }

        Dom0.Store.Tree.StoreNode before = _store.State.Root;
        uint transaction = _one.Begin();
        Assert.Equal("OK", _one.Write("/many/7/7", "x", transaction));
        Assert.Equal("OK", _one.End(transaction));

        // All directories but the one on the way are the same objects as before.
        int same = before.Child("many")!.Children.Count(
            child => ReferenceEquals(child.Value, _store.State.Root.Child("many")!.Child(child.Key)));
        Assert.Equal(99, same);
    }
}
