// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text;
using Dom0.Store.Connections;
using Dom0.Store.Quotas;
using Dom0.Store.Tests.Fakes;
using Dom0.Store.Tree;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>
/// A daemon of a later release takes the place of one that runs: it reads what that one left. Recorded/upgrade-1.txt is what
/// the first release left, in base64, after the same requests as here.
/// </summary>
public sealed class UpgradeTests : IDisposable
{
    private const string Recording = "upgrade-1";

    /// <summary>A word, and the run of the kernel.</summary>
    private const int HeadLength = 8 + 16;

    private readonly string _folder = Directory.CreateTempSubdirectory("store-upgrade-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    [Fact]
    public void Tree_watches_transactions_and_half_a_request_of_the_first_release_are_read_by_this_one()
    {
        FakeXen xen = new();
        string file;
        using (TestStore first = new(xen, _folder))
        {
            Live(first);
            file = first.Journal!.FileName!;
        }

        // What tells runs of the kernel apart is this run's; all the rest is the first release's.
        byte[] written = File.ReadAllBytes(file);
        File.WriteAllBytes(file, [.. written[..HeadLength], .. Recorded()]);
        using TestStore next = new(xen, _folder);
        Assert.True(next.IsRecovered);
        Assert.Equal("v", next.Tool().Read("/local/domain/5/d"));
        StoreNode node = TreeSearch.Walk("/", next.State.Root).Single(found => found.Item1 == "/local/domain/5/d").Item3;
        Assert.Equal("n5\0r6\0", Encoding.ASCII.GetString(node.Permissions.Format()));
        StoreDomain guest = next.State.Domains.Single(domain => domain.Id == 5);
        Assert.Equal(["d:token", "@releaseDomain:gone"],
            guest.Connection.Watches.Select(watch => $"{Relative(watch.Path)}:{watch.Token}").OrderDescending());
        Assert.Equal([2u], guest.Connection.Transactions.Keys);
        Assert.Equal(17, guest.Connection.Input.Partial.Length);
        Assert.Equal(100, (long)next.State.Quotas[QuotaKind.Watches]);
    }

    private static string Relative(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static void Live(TestStore store)
    {
        TestClient tool = store.Tool();
        RingClient guest = store.GuestWithRing(5);
        _ = tool.Ask(XsdSockMsgType.Write, "/local/domain/5/d\0v");
        _ = tool.Ask(XsdSockMsgType.SetPerms, "/local/domain/5/d\0n5\0r6\0");
        _ = tool.Ask(XsdSockMsgType.Control, "quota\0set\0watches\0100\0");
        _ = tool.Ask(XsdSockMsgType.SetPerms, "@releaseDomain\0n0\0r5\0");
        foreach ((XsdSockMsgType type, string body, uint transaction) in new[]
        {
            (XsdSockMsgType.Watch, "d\0token\0", 0u), (XsdSockMsgType.Watch, "@releaseDomain\0gone\0", 0u),
            (XsdSockMsgType.TransactionStart, "\0", 0u), (XsdSockMsgType.Write, "d/x\0y", 1u),
            (XsdSockMsgType.TransactionEnd, "T\0", 1u), (XsdSockMsgType.TransactionStart, "\0", 0u),
        })
        {
            _ = guest.Exchange(store, 5, type, body, transaction);
        }

        guest.SendRaw(new MessageHeader(XsdSockMsgType.Read, 7, 0, 0).Message("d\0"u8).AsSpan(0, 17));
        store.RunRings(5);
    }

    private static byte[] Recorded()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Recording)!;
        using StreamReader reader = new(stream);
        return Convert.FromBase64String(reader.ReadToEnd());
    }
}
