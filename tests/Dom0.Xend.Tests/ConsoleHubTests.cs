// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Dom0.Toolstack.Console;
using Dom0.Xend.Consoles;
using Xunit;

namespace Dom0.Xend.Tests;

public sealed class ConsoleHubTests : IDisposable
{
    private static readonly Guid s_uuid = Guid.Parse("06ed00fe-1162-4fc4-b5d8-11993ee4a8b9");

    private readonly TemporaryFolder _folder = new();
    private readonly FakeRing _guest = new();

    public void Dispose()
    {
        _guest.Dispose();
        _folder.Dispose();
    }

    private ConsoleHub Hub(Guid? uuid = null, string name = "guest")
    {
        ConsoleHub hub = new(new ConsoleFolders(_folder["log"], _folder["state"]), uuid ?? s_uuid, name);
        hub.Open(7, _guest.Open(), 3);
        return hub;
    }

    private void Say(ConsoleHub hub, string text)
    {
        for (int done = 0; done < text.Length;)
        {
            done += _guest.Say(text[done..]);
            Assert.True(hub.Pump());
        }
    }

    private string Log(string name = "guest") => File.ReadAllText(ConsoleLog.PathOf(_folder["log"], name));

    private sealed class Viewer(bool isPermanent = false) : ConsoleViewer
    {
        public StringBuilder Seen { get; } = new();

        public int Room { get; set; } = int.MaxValue;

        public bool IsBroken { get; set; }

        public bool IsGone { get; private set; }

        public override bool IsPermanent { get; } = isPermanent;

        public override int Descriptor => -1;

        public override int Write(ReadOnlySpan<byte> data)
        {
            int count = IsBroken ? -32 : Math.Min(data.Length, Room);
            Room -= Math.Max(count, 0);
            _ = Seen.Append(Encoding.UTF8.GetString(data[..Math.Max(count, 0)]));
            return count;
        }

        public override int Read(Span<byte> buffer) => 0;

        public override void Dispose() => IsGone = true;
    }

    private static Viewer Watch(ConsoleHub hub, long? since = null)
    {
        Viewer viewer = new();
        hub.Add(viewer, since);
        hub.Serve(viewer);
        return viewer;
    }

    [Fact]
    public void Everybody_who_watches_sees_everything_late_ones_included()
    {
        ConsoleHub hub = Hub();
        Viewer early = Watch(hub);
        Say(hub, "one ");
        Viewer late = Watch(hub);
        Say(hub, "two ");
        hub.Serve(early);
        hub.Serve(late);
        Assert.Equal("one two ", early.Seen.ToString());
        Assert.Equal("one two ", late.Seen.ToString());
        Assert.Equal("one two ", Log());
    }

    [Fact]
    public void A_slow_viewer_holds_up_nobody_and_loses_only_what_is_older_than_is_kept()
    {
        ConsoleHub hub = Hub();
        Viewer slow = Watch(hub);
        slow.Room = 10;
        Viewer quick = Watch(hub);
        string text = new string('a', ConsoleHub.ReplaySize) + "END";
        Say(hub, text);
        hub.Serve(slow);
        hub.Serve(quick);
        Assert.Equal(10, slow.Seen.Length);
        slow.Room = int.MaxValue;
        hub.Serve(slow);
        Assert.EndsWith("END", slow.Seen.ToString());
        Assert.InRange(slow.Seen.Length, ConsoleHub.ReplaySize, ConsoleHub.ReplaySize + 10);
        Assert.EndsWith("END", quick.Seen.ToString());
        Assert.Equal(text.Length, Log().Length);
    }

    [Fact]
    public void A_broken_viewer_goes_and_the_others_stay()
    {
        ConsoleHub hub = Hub();
        Viewer broken = Watch(hub);
        Viewer well = Watch(hub);
        broken.IsBroken = true;
        Say(hub, "text");
        hub.Serve(broken);
        hub.Serve(well);
        Assert.True(broken.IsGone);
        Assert.Equal([well], hub.Viewers);
        Assert.Equal("text", well.Seen.ToString());
    }

    [Fact]
    public void A_new_daemon_goes_on_where_the_old_one_was_killed()
    {
        ConsoleHub old = Hub();
        Viewer viewer = Watch(old);
        Say(old, "before ");
        old.Serve(viewer);

        // Killed here: no call of Close. What the guest says meanwhile waits in the ring.
        _ = _guest.Say("meanwhile ");
        ConsoleHub next = Hub();
        Assert.True(next.Pump());
        Viewer again = Watch(next, viewer.Position);
        Say(next, "after");
        next.Serve(again);
        Assert.Equal("meanwhile after", again.Seen.ToString());
        Assert.Equal("before meanwhile after", Watch(next).Seen.ToString());
        Assert.Equal("before meanwhile after", Log());
    }

    [Fact]
    public void Another_domain_of_the_name_does_not_replay_the_former_ones_words()
    {
        Say(Hub(), "the former's ");
        ConsoleHub next = Hub(Guid.NewGuid());
        Say(next, "its own");
        Assert.Equal("its own", Watch(next).Seen.ToString());
        Assert.Equal("the former's its own", Log());
    }

    [Fact]
    public void The_log_is_bounded_and_positions_count_on()
    {
        ConsoleHub hub = Hub();
        string line = new string('x', 1023) + "\n";
        int count = (int)(ConsoleHub.LogLimit * 5 / 2 / line.Length);
        for (int index = 0; index < count; index++)
        {
            Say(hub, line);
        }

        Assert.InRange(Log().Length, 1, (int)ConsoleHub.LogLimit);
        Assert.InRange(new FileInfo(ConsoleLog.PathOf(_folder["log"], "guest") + ".1").Length, 1, ConsoleHub.LogLimit);
        Assert.Equal((long)count * line.Length, hub.Position);
        Assert.Equal(hub.Position, Hub().Position);
    }

    [Fact]
    public void A_log_that_cannot_be_written_does_not_stop_the_guest()
    {
        File.WriteAllText(_folder["log"], "a file where the folder should be");
        ConsoleHub hub = Hub();
        Say(hub, "still here");
        Assert.Equal("still here", Watch(hub).Seen.ToString());
        Assert.True(hub.IsLogBroken);
    }

    [Fact]
    public void Closing_takes_the_last_words_and_lets_go_of_the_ring()
    {
        ConsoleHub hub = Hub();
        _ = _guest.Say("last words");
        hub.Close();
        Assert.Equal(1, _guest.Released);
        Assert.Null(hub.Ring);
        Assert.False(hub.Pump());
        Assert.Equal("last words", Watch(hub).Seen.ToString());
    }

    [Fact]
    public void Viewers_stay_over_a_restart()
    {
        ConsoleHub hub = Hub();
        Viewer viewer = Watch(hub);
        Say(hub, "first life");
        hub.Close();
        hub.Notice("it starts again");
        using FakeRing next = new();
        hub.Open(8, next.Open(), 4);
        _ = next.Say("second life");
        Assert.True(hub.Pump());
        hub.Serve(viewer);
        Assert.Equal("first life\r\n[it starts again]\r\nsecond life", viewer.Seen.ToString());
    }

    [Fact]
    public void Dismissed_viewers_get_the_notice_and_terminals_stay()
    {
        ConsoleHub hub = Hub();
        Viewer viewer = Watch(hub);
        Viewer terminal = new(isPermanent: true);
        hub.Add(terminal, null);
        hub.Notice("the end");
        hub.DismissViewers();
        Assert.True(viewer.IsGone);
        Assert.Contains("the end", viewer.Seen.ToString());
        Assert.False(terminal.IsGone);
        hub.RemoveViewers();
        Assert.True(terminal.IsGone);
    }

    [Fact]
    public void Input_waits_for_room_in_the_ring_and_is_bounded()
    {
        ConsoleHub hub = Hub();
        hub.Input(new byte[3000]);
        Assert.True(hub.FeedInput());
        Assert.Equal(1024, _guest.Hear().Length);
        Assert.True(hub.FeedInput());
        Assert.True(hub.TakesInput);
        hub.Input(new byte[10_000]);
        Assert.False(hub.TakesInput);
        int heard = _guest.Hear().Length;
        while (hub.FeedInput())
        {
            heard += _guest.Hear().Length;
        }

        Assert.Equal(1024 + 4096, heard);
    }

    [Fact]
    public void A_renamed_guest_takes_its_log_with_it()
    {
        ConsoleHub hub = Hub();
        Say(hub, "under the old name, ");
        hub.Rename(Guid.NewGuid(), "other");
        Say(hub, "and the new");
        Assert.Equal("under the old name, and the new", Log("other"));
        Assert.False(File.Exists(ConsoleLog.PathOf(_folder["log"], "guest")));
        Assert.Equal("under the old name, and the new", Watch(hub).Seen.ToString());
    }

    [Fact]
    public void Positions_that_were_never_reached_begin_at_the_end()
    {
        ConsoleHub hub = Hub();
        Say(hub, "text");
        List<long> positions = [Watch(hub, 1_000_000).Position, Watch(hub, -5).Position];
        Assert.Equal([4, 4], positions);
        Assert.Equal("", Watch(hub, 1_000_000).Seen.ToString());
        Assert.Equal("text", Watch(hub, -5).Seen.ToString());
    }
}
