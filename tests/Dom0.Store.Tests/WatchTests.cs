// SPDX-License-Identifier: MIT
using System.Linq;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>Who hears what, and how much may wait.</summary>
public sealed class WatchTests
{
    private readonly TestStore _store = new();

    [Fact]
    public void Events_that_wait_are_not_doubled()
    {
        TestClient tool = _store.Tool();
        TestClient watcher = _store.Tool();
        Assert.Equal("OK", watcher.Watch("/x", "t"));
        _ = watcher.Events();
        watcher.IsStuck = true;
        foreach (string path in (string[])["/x/a", "/x/b", "/x/a", "/x/b"])
        {
            Assert.Equal("OK", tool.Write(path, "v"));
        }

        watcher.IsStuck = false;
        watcher.Pump();
        Assert.Equal(["/x/a:t", "/x/b:t"], watcher.Events());
    }

    [Fact]
    public void A_guest_that_takes_no_events_cannot_fill_the_memory_and_still_hears_that_something_changed()
    {
        TestClient tool = _store.Tool();
        TestClient guest = _store.Guest(5);
        Assert.Equal("OK", tool.Write("/p", ""));
        Assert.Equal("OK", tool.SetPermissions("/p", "r0"));
        Assert.Equal("OK", guest.Watch("/p", "t"));
        Assert.Equal("OK", guest.Watch("/p/7", "seven"));
        _ = guest.Events();
        guest.IsStuck = true;
        for (int index = 0; index < 20000; index++)
        {
            Assert.Equal("OK", tool.Write($"/p/{index}", "v"));
            Assert.InRange(guest.Connection.Output.Bytes, 0, 70 * 1024);
        }

        guest.IsStuck = false;
        guest.Pump();
        string[] events = guest.Events();
        Assert.Contains("/p:t", events);
        Assert.Contains("/p/7:seven", events);
        // The last change either has its own event or comes before one for the whole.
        Assert.True(events.Contains("/p/19999:t") || events.Last() == "/p:t");
    }

    [Fact]
    public void An_event_that_fits_no_message_says_the_watched_path()
    {
        TestClient tool = _store.Tool();
        string token = new('t', 3000);
        Assert.Equal("OK", tool.Watch("/x", token));
        _ = tool.Events();
        tool.Send(XsdSockMsgType.MkDir, $"/x/{new string('y', 1500)}\0");
        Assert.Equal([$"/x:{token}"], tool.Events());
    }

    [Fact]
    public void A_guest_hears_of_special_events_only_when_tools_allow_it()
    {
        TestClient tool = _store.Tool();
        TestClient guest = _store.Guest(5);
        Assert.Equal("OK", guest.Watch("@releaseDomain", "t"));
        Assert.Equal(["@releaseDomain:t"], guest.Events());
        _ = _store.GuestWithRing(6);
        Assert.Equal("OK", tool.Ask(XsdSockMsgType.Release, "6\0"));
        Assert.Empty(guest.Events());

        Assert.Equal("EACCES", guest.SetPermissions("@releaseDomain", "n5"));
        Assert.Equal("OK", tool.SetPermissions("@releaseDomain", "n0 r5"));
        Assert.Equal("n0\0r5", tool.Ask(XsdSockMsgType.GetPerms, "@releaseDomain\0"));
        _ = _store.GuestWithRing(6);
        Assert.Equal("OK", tool.Ask(XsdSockMsgType.Release, "6\0"));
        Assert.Equal(["@releaseDomain:t"], guest.Events());
    }

    [Fact]
    public void Watches_of_nodes_below_a_removed_one_hear_of_it_once_each()
    {
        TestClient tool = _store.Tool();
        foreach (string path in (string[])["/r/a/b", "/r/c"])
        {
            Assert.Equal("OK", tool.Write(path, ""));
        }

        Assert.Equal("OK", tool.Watch("/r/a/b", "deep"));
        Assert.Equal("OK", tool.Watch("/r/none", "none"));
        Assert.Equal("OK", tool.Watch("/", "all"));
        _ = tool.Events();
        tool.Send(XsdSockMsgType.Rm, "/r\0");
        Assert.Equal(["/r/a/b:deep", "/r:all"], tool.Events());
    }

    [Fact]
    public void A_connection_that_ends_takes_its_watches_along()
    {
        TestClient tool = _store.Tool();
        TestClient gone = _store.Tool();
        Assert.Equal("OK", gone.Watch("/x", "t"));
        _ = gone.Begin();
        _store.Server.Disconnect(gone.Connection);
        Assert.Equal("OK", tool.Write("/x", ""));
        Assert.True(gone.Connection.Output.IsEmpty);
        Assert.Equal(0, _store.State.Account(0).Watches);
        Assert.Equal(0, _store.State.Account(0).Transactions);
    }
}
