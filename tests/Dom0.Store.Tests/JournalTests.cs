// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Dom0.Store.Tests.Fakes;
using Dom0.Store.Tree;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>The daemon dies at every moment that there is, and nothing that was answered is lost.</summary>
public sealed class JournalTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("store-journal-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    /// <summary>What a store holds, in words: everything that must outlive a crash.</summary>
    private static string Describe(TestStore store)
    {
        StringBuilder text = new();
        foreach ((string path, _, StoreNode node) in TreeSearch.Walk("/", store.State.Root))
        {
            _ = text.Append($"{path}={Encoding.Latin1.GetString(node.Value)}"
                + $"[{Encoding.ASCII.GetString(node.Permissions.Format())}]\n");
        }

        foreach (StoreDomain domain in store.State.Domains)
        {
            _ = text.Append($"domain {domain.Id} {domain.Frame} {domain.Port} {domain.IsShutDown} "
                + $"{domain.Connection.Identity.Target} taken {domain.Connection.RequestsTaken} "
                + $"half {Convert.ToHexString(domain.Connection.Input.Partial)} transactions "
                + $"{string.Join(',', domain.Connection.Transactions.Keys.Order())} watches "
                + $"{string.Join(',', domain.Connection.Watches.Select(watch => $"{watch.Path}:{watch.Token}"))}\n");
        }

        foreach (Dom0.Store.Quotas.QuotaKind kind in Dom0.Store.Quotas.QuotaTable.All())
        {
            _ = text.Append($"{kind} {store.State.Quotas[kind]}\n");
        }

        return text.ToString();
    }

    [Fact]
    public void Killed_anywhere_in_the_journal_it_comes_back_as_it_was_at_the_last_whole_frame()
    {
        FakeXen xen = new();
        List<(long Length, string State)> moments = [];
        byte[] file;
        using (TestStore store = new(xen, _folder))
        {
            void Note()
            {
                if (moments.Count == 0 || moments[^1].Length != store.Journal!.Length)
                {
                    moments.Add((store.Journal!.Length, Describe(store)));
                }
            }

            Note();
            TestClient tool = store.Tool();
            RingClient guest = store.GuestWithRing(5);
            Note();
            foreach ((XsdSockMsgType type, string body) in new[]
            {
                (XsdSockMsgType.Write, "/local/domain/5/d\0v"), (XsdSockMsgType.SetPerms, "/local/domain/5/d\0n5\0r6\0"),
                (XsdSockMsgType.Control, "quota\0set\0watches\0100\0"), (XsdSockMsgType.SetPerms, "@releaseDomain\0n0\0r5\0"),
            })
            {
                Assert.Equal("OK", tool.Ask(type, body));
                Note();
            }

            foreach ((XsdSockMsgType type, string body, uint transaction) in new[]
            {
                (XsdSockMsgType.Watch, "d\0token\0", 0u), (XsdSockMsgType.TransactionStart, "\0", 0u),
                (XsdSockMsgType.Write, "d/x\0y", 1u), (XsdSockMsgType.TransactionEnd, "T\0", 1u),
                (XsdSockMsgType.TransactionStart, "\0", 0u), (XsdSockMsgType.Watch, "d/x\0other\0", 0u),
                (XsdSockMsgType.Unwatch, "d\0token\0", 0u), (XsdSockMsgType.Rm, "d/x\0", 0u), (XsdSockMsgType.Read, "d\0", 0u),
            })
            {
                Assert.NotEmpty(guest.Exchange(store, 5, type, body, transaction));
                Note();
            }

            // Half a request stays in the daemon, and the other half in the guest.
            guest.SendRaw(new Dom0.Store.Connections.MessageHeader(XsdSockMsgType.Read, 7, 0, 0).Message("d\0"u8).AsSpan(0, 17));
            store.RunRings(5);
            Note();
            Assert.Equal("OK", tool.Ask(XsdSockMsgType.Rm, "/local\0"));
            Note();
            file = File.ReadAllBytes(store.Journal!.FileName!);
        }

        Assert.True(moments.Count >= 15);
        string copy = Path.Combine(_folder, "copy");
        for (long length = moments[0].Length; length <= file.Length; length++)
        {
            _ = Directory.CreateDirectory(copy);
            File.WriteAllBytes(Path.Combine(copy, "state-7"), file[..(int)length]);
            using (TestStore again = new(xen, copy))
            {
                string expected = moments.Last(moment => moment.Length <= length).State;
                Assert.True(again.IsRecovered);
                Assert.True(expected == Describe(again), $"cut at {length}:\n{expected}\nbut now\n{Describe(again)}");
                Assert.Equal("OK", again.Tool().Ask(XsdSockMsgType.Control, "check\0"));
            }

            Directory.Delete(copy, true);
        }
    }

    [Fact]
    public void A_damaged_frame_ends_the_reading_and_what_came_before_counts()
    {
        long first;
        byte[] file;
        using (TestStore store = new(null, _folder))
        {
            Assert.Equal("OK", store.Tool().Write("/one", "1"));
            first = store.Journal!.Length;
            Assert.Equal("OK", store.Tool().Write("/two", "2"));
            Assert.Equal("OK", store.Tool().Write("/three", "3"));
            file = File.ReadAllBytes(store.Journal!.FileName!);
        }

        file[first + 12] ^= 0x40;
        Directory.Delete(_folder, true);
        _ = Directory.CreateDirectory(_folder);
        File.WriteAllBytes(Path.Combine(_folder, "state-1"), file);
        using TestStore again = new(null, _folder);
        Assert.Equal("1", again.Tool().Read("/one"));
        Assert.Equal("ENOENT", again.Tool().Read("/two"));
        Assert.Equal("ENOENT", again.Tool().Read("/three"));
    }

    [Fact]
    public void A_snapshot_that_is_not_complete_does_not_count()
    {
        using (TestStore store = new(null, _folder))
        {
            Assert.Equal("OK", store.Tool().Write("/kept", "1"));
        }

        File.WriteAllBytes(Path.Combine(_folder, "draft"), [1, 2, 3]);
        File.WriteAllBytes(Path.Combine(_folder, "state-99"), [1, 2, 3]);
        using TestStore again = new(null, _folder);
        Assert.Equal("1", again.Tool().Read("/kept"));
        Assert.EndsWith("state-100", again.Journal!.FileName);
    }

    [Fact]
    public void The_file_does_not_grow_without_end()
    {
        using TestStore store = new(null, _folder);
        TestClient tool = store.Tool();
        for (int index = 0; index < 3000; index++)
        {
            Assert.Equal("OK", tool.Write("/same", new string('v', 1000)));
        }

        Assert.InRange(Directory.EnumerateFiles(_folder).Sum(path => new FileInfo(path).Length), 1000, 2 << 20);
        Assert.Single(Directory.EnumerateFiles(_folder));
    }

    [Fact]
    public void Questions_of_tools_are_not_written_down()
    {
        using TestStore store = new(null, _folder);
        TestClient tool = store.Tool();
        long length = store.Journal!.Length;
        _ = tool.Read("/tool");
        Assert.Equal("OK", tool.Watch("/tool", "t"));
        Assert.Equal(length, store.Journal.Length);
    }

    [Fact]
    public void Without_room_on_file_the_store_goes_on_and_catches_up_later()
    {
        string folder = Path.Combine(_folder, "sub");
        using TestStore store = new(null, folder);
        TestClient tool = store.Tool();
        // The next snapshot finds a folder where its draft should be.
        _ = Directory.CreateDirectory(Path.Combine(folder, "draft"));
        store.Journal!.Compact();
        Assert.False(store.Journal.IsSound);
        Assert.Contains("cannot be saved", Assert.Single(store.Log));
        Assert.Equal("OK", tool.Write("/x", "1"));
        Directory.Delete(Path.Combine(folder, "draft"));
        Assert.True(System.Threading.SpinWait.SpinUntil(
            () => tool.Write("/y", "2") == "OK" && store.Journal.IsSound, TimeSpan.FromSeconds(20)));
        using TestStore again = new(null, folder);
        Assert.Equal("1", again.Tool().Read("/x"));
    }

    /// <summary>
    /// A guest asks and takes at its own pace, tools change what it watches, and the daemon dies at any moment: between
    /// the journal's write and the ring's index, in the middle of an answer, anywhere. The guest must get what one that
    /// never died would have given: each answer once, in order, and every event that it waits for.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_guest_does_not_notice_that_the_daemon_died(int seed)
    {
        Random random = new(seed);
        FakeXen xen = new();
        TestStore store = new(xen, _folder);
        TestClient tool = store.Tool();
        RingClient guest = store.GuestWithRing(5);
        Assert.Equal("OK", tool.Write("/local/domain/5/d", ""));
        Assert.Equal("OK", tool.SetPermissions("/local/domain/5/d", "n5"));
        int asked = 0, answered = 0, deaths = 0, changes = 0;
        uint answersAtStart = 0, requestsAtStart = 0;
        HashSet<string> heard = [];
        Assert.Equal("OK", tool.Write("/local/domain/5/w", ""));
        Assert.Equal("OK", tool.SetPermissions("/local/domain/5/w", "r0"));
        Assert.Equal(2, guest.Exchange(store, 5, XsdSockMsgType.Watch, "w\0t\0").Count);
        for (int step = 0; answered < 400 || heard.Count < changes; step++)
        {
            Assert.True(step < 100_000, $"{answered} of {asked} answers and {heard.Count} of {changes} events came: "
                + string.Join("; ", store.Log));
            switch (random.Next(6))
            {
                case 0 when asked - answered < 30 && asked < 400:
                    asked++;
                    guest.Send(XsdSockMsgType.Write, $"d/{asked % 7}\0{asked}");
                    break;
                case 1:
                    _ = guest.Push(random.Next(60));
                    break;
                case 2 when changes < 60:
                    changes++;
                    Assert.Equal("OK", tool.Write($"/local/domain/5/w/{changes}", ""));
                    break;
                case 3:
                    foreach (Told told in guest.Receive(random.Next(90)))
                    {
                        if (told.Type == XsdSockMsgType.WatchEvent)
                        {
                            Assert.True(heard.Add(told.Body), $"{told.Body} came twice");
                        }
                        else
                        {
                            answered++;
                            Assert.Equal(new Told(XsdSockMsgType.Write, 0, "OK\0"), told);
                        }
                    }

                    break;
                case 4:
                    store.Rings.Signal(store.Xen.Bound.First(pair => pair.Value.Domain == 5).Key);
                    store.Rings.ServeRound();
                    break;
                case 5 when random.Next(4) == 0:
                    deaths++;
                    store.Dispose();
                    if (random.Next(2) == 0)
                    {
                        // It died behind the journal's write: the ring does not say yet that requests were taken, nor
                        // that the last answers are there.
                        uint answers = Math.Min(guest[RingClient.AnswersProduced] - guest[RingClient.AnswersConsumed],
                            guest[RingClient.AnswersProduced] - answersAtStart);
                        guest[RingClient.AnswersProduced] -= (uint)random.Next((int)answers + 1);
                        uint requests = Math.Min(
                            XenStoreLimits.RingSize - (guest[RingClient.RequestsProduced] - guest[RingClient.RequestsConsumed]),
                            guest[RingClient.RequestsConsumed] - requestsAtStart);
                        guest[RingClient.RequestsConsumed] -= (uint)random.Next((int)requests + 1);
                    }

                    xen.Bound.Clear();
                    store = new TestStore(xen, _folder);
                    Assert.True(store.IsRecovered);
                    (answersAtStart, requestsAtStart) =
                        (guest[RingClient.AnswersProduced], guest[RingClient.RequestsConsumed]);
                    tool = store.Tool();
                    break;
                default:
                    break;
            }
        }

        Assert.True(deaths > 10);
        Assert.Equal(400, answered);
        for (int index = 0; index < 7; index++)
        {
            Assert.Equal(Enumerable.Range(1, 400).Last(value => value % 7 == index).ToString(),
                tool.Read($"/local/domain/5/d/{index}"));
        }

        store.Dispose();
    }

    [Fact]
    public void A_transaction_that_outlives_the_daemon_ends_with_the_wish_to_do_it_again()
    {
        FakeXen xen = new();
        TestStore store = new(xen, _folder);
        RingClient guest = store.GuestWithRing(5);
        Assert.Equal("1\0", Assert.Single(guest.Exchange(store, 5, XsdSockMsgType.TransactionStart, "\0")).Body);
        store.Dispose();
        xen.Bound.Clear();
        using TestStore again = new(xen, _folder);
        Assert.Equal("EACCES\0", Assert.Single(guest.Exchange(again, 5, XsdSockMsgType.Write, "x\0y", 1)).Body);
        Assert.Equal("EAGAIN\0", Assert.Single(guest.Exchange(again, 5, XsdSockMsgType.TransactionEnd, "T\0", 1)).Body);
        Assert.Equal("2\0", Assert.Single(guest.Exchange(again, 5, XsdSockMsgType.TransactionStart, "\0")).Body);
    }

    [Fact]
    public void A_domain_that_ended_while_nobody_listened_is_released_at_the_next_start()
    {
        FakeXen xen = new();
        TestStore store = new(xen, _folder);
        _ = store.GuestWithRing(5);
        Assert.Equal("OK", store.Tool().Write("/own", ""));
        Assert.Equal("OK", store.Tool().SetPermissions("/own", "n5"));
        store.Dispose();
        xen.Bound.Clear();
        xen.Domains.Clear();
        using TestStore again = new(xen, _folder);
        Assert.Equal("F", again.Tool().Ask(XsdSockMsgType.IsDomainIntroduced, "5\0"));
        Assert.Equal("ENOENT", again.Tool().Read("/own"));
    }
}
