// SPDX-License-Identifier: MIT
using System.Linq;
using Dom0.Store.Quotas;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>A guest gets so much and no more, the administrator is told which limit it was, and tools have none.</summary>
public sealed class QuotaTests
{
    private readonly TestStore _store = new();
    private readonly TestClient _tool;
    private readonly TestClient _guest;

    public QuotaTests()
    {
        _tool = _store.Tool();
        _guest = _store.Guest(5);
        Assert.Equal("OK", _tool.Write("/local/domain/5/data", ""));
        Assert.Equal("OK", _tool.SetPermissions("/local/domain/5/data", "n5"));
    }

    [Fact]
    public void Nodes_end_at_their_limit_and_come_back_when_they_are_removed()
    {
        int made = 0;
        while (_guest.Ask(XsdSockMsgType.MkDir, $"data/{made}\0") == "OK")
        {
            made++;
        }

        Assert.Equal(999, made);
        Assert.Contains("domain 5 has used up its quota of nodes (1000)", _store.Log.Single());
        Assert.Equal("ENOSPC", _guest.Write("data/more", ""));
        Assert.Equal("OK", _tool.Write("/local/domain/5/data/by-tools", ""));
        Assert.Equal("OK", _guest.Ask(XsdSockMsgType.Rm, "data/7\0"));
        Assert.Equal("ENOSPC", _guest.Write("data/more", ""));
        Assert.Equal("OK", _guest.Ask(XsdSockMsgType.Rm, "data/8\0"));
        Assert.Equal("OK", _guest.Write("data/more", ""));
        Assert.Equal("OK", _tool.Ask(XsdSockMsgType.Control, "check\0"));
    }

    [Fact]
    public void Transactions_do_not_get_around_the_limit_of_nodes()
    {
        uint[] open = [_guest.Begin(), _guest.Begin()];
        foreach (uint transaction in open)
        {
            for (int index = 0; index < 600; index++)
            {
                Assert.Equal("OK", _guest.Ask(XsdSockMsgType.MkDir, $"data/{transaction}-{index}\0", transaction));
            }
        }

        Assert.Equal("OK", _guest.End(open[0]));
        Assert.Equal("ENOSPC", _guest.End(open[1]));
        Assert.Equal(601, _store.State.Account(5).Nodes);
    }

    [Fact]
    public void A_transaction_cannot_grow_for_ever()
    {
        uint transaction = _guest.Begin();
        int steps = 0;
        while (_guest.Write("data/x", "v", transaction) == "OK")
        {
            steps++;
        }

        Assert.InRange(steps, 500, 1024);
        Assert.Contains("transaction-nodes", _store.Log.Single());
        Assert.Equal("OK", _guest.End(transaction, commit: false));
        long memory = _store.State.Account(5).Memory;
        uint looking = _guest.Begin();
        int looks = 0;
        while (_guest.Read($"data/none{looks}", looking) == "ENOENT")
        {
            looks++;
        }

        Assert.InRange(looks, 500, 1024);
        Assert.True(_store.State.Account(5).Memory > memory);
        Assert.Equal("OK", _guest.End(looking, commit: false));
        Assert.Equal(memory, _store.State.Account(5).Memory);
    }

    [Fact]
    public void Memory_is_limited_over_all_that_a_guest_has()
    {
        _store.State.Quotas[QuotaKind.Memory] = 64 * 1024;
        int made = 0;
        while (_guest.Write($"data/{made}", new string('v', 1000)) == "OK")
        {
            made++;
        }

        Assert.InRange(made, 40, 64);
        Assert.Equal("ENOMEM", _guest.Write($"data/{made}", new string('v', 1000)));
        Assert.Equal("ENOMEM", _guest.Watch("data/" + new string('x', 1000), new string('t', 1000)));
        Assert.Equal("OK", _guest.Write("data/0", "short"));
    }

    [Fact]
    public void Limits_are_looked_at_and_changed_by_tools()
    {
        Assert.Equal("EACCES", _guest.Ask(XsdSockMsgType.Control, "quota\0set\0watches\01\0"));
        Assert.Equal("EINVAL", _tool.Ask(XsdSockMsgType.Control, "quota\0set\0watches\0-1\0"));
        Assert.Equal("OK", _tool.Ask(XsdSockMsgType.Control, "quota\0set\0watches\01\0"));
        Assert.Matches("(?m)^watches +: +1 ", _tool.Ask(XsdSockMsgType.Control, "quota\0"));
        Assert.Equal("OK", _guest.Watch("a", "t"));
        Assert.Equal("E2BIG", _guest.Watch("b", "t"));
        _ = _store.GuestWithRing(5);
        string usage = _tool.Ask(XsdSockMsgType.Control, "quota\05\0");
        Assert.Matches("(?m)^watches +: +1$", usage);
        Assert.Contains("refused for watches: 1 times", usage);
    }

    [Fact]
    public void The_log_of_refusals_does_not_grow_with_every_one()
    {
        _store.State.Quotas[QuotaKind.Watches] = 1;
        Assert.Equal("OK", _guest.Watch("a", "t"));
        for (int index = 0; index < 1000; index++)
        {
            Assert.Equal("E2BIG", _guest.Watch("b", "t"));
        }

        Assert.Equal(10, _store.Log.Count);
    }

    [Fact]
    public void What_a_domain_had_is_free_for_the_next_of_its_number()
    {
        _ = _store.GuestWithRing(5);
        Assert.Equal("OK", _guest.Write("data/x", "v"));
        Assert.Equal("OK", _tool.Write("/shared", "v"));
        Assert.Equal("OK", _tool.SetPermissions("/shared", "n0 r5 r6"));
        _ = _store.Xen.Domains.Remove(5);
        _store.Server.CheckDomains();
        Assert.Equal("ENOENT", _tool.Read("/local/domain/5/data"));
        Assert.Equal("n0\0r6", _tool.Ask(XsdSockMsgType.GetPerms, "/shared\0"));
        Assert.Equal(0, _store.State.Account(5).Nodes);
        Assert.Equal("EACCES", _store.Guest(5).Read("/shared"));
    }

    [Fact]
    public void Permissions_for_a_domain_that_does_not_exist_are_not_for_its_successor()
    {
        Assert.Equal("OK", _tool.Write("/future", "v"));
        Assert.Equal("ENOENT", _tool.SetPermissions("/future", "n9"));
        Assert.Equal("OK", _tool.SetPermissions("/future", "n0 r9"));
        TestClient later = _store.Guest(9);
        Assert.Equal("EACCES", later.Read("/future"));
        Assert.Equal("OK", _tool.SetPermissions("/future", "n0 r9"));
        Assert.Equal("v", later.Read("/future"));
    }
}
