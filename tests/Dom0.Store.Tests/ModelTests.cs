// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>
/// Thousands of random requests, of tools and guests, in and out of transactions, against a model that is a dictionary
/// of paths. A transaction of the model is a copy of the dictionary and a list of what it was asked and answered. When
/// the store lets a transaction end well, asking the live model the same must give the same answers; and it may refuse
/// only if somebody changed something in between.
/// </summary>
public sealed class ModelTests
{
    private static readonly string[] s_names = ["a", "b", "c"];

    private sealed record Node(string Value, string[] Permissions, int Age);

    private sealed class Model
    {
        public SortedDictionary<string, Node> Nodes { get; private init; } = new(StringComparer.Ordinal);

        public int Clock { get; set; }

        public Model Copy() => new() { Nodes = new(Nodes, StringComparer.Ordinal), Clock = Clock };

        public string Ask(int domain, XsdSockMsgType type, string path, string argument)
        {
            bool exists = Nodes.ContainsKey(path);
            string nearest = path;
            while (!Nodes.ContainsKey(nearest))
            {
                nearest = Above(nearest);
            }

            string access = Access(Nodes[nearest].Permissions, domain);
            string wanted = type is XsdSockMsgType.Read or XsdSockMsgType.Directory or XsdSockMsgType.GetPerms ? "r"
                : type is XsdSockMsgType.SetPerms ? "wo" : "w";
            if (exists ? !wanted.All(access.Contains) : !wanted.Any(access.Contains))
            {
                return "EACCES";
            }

            switch (type)
            {
                case XsdSockMsgType.Read:
                    return exists ? Nodes[path].Value : "ENOENT";
                case XsdSockMsgType.GetPerms:
                    return exists ? string.Join('\0', Nodes[path].Permissions) : "ENOENT";
                case XsdSockMsgType.Directory:
                    return exists
                        ? string.Join('\0', Nodes.Where(node => node.Key != "/" && Above(node.Key) == path)
                            .OrderBy(node => node.Value.Age).Select(node => node.Key[(node.Key.LastIndexOf('/') + 1)..]))
                        : "ENOENT";
                case XsdSockMsgType.Write or XsdSockMsgType.MkDir:
                    if (!exists)
                    {
                        Create(domain, path);
                    }

                    if (type == XsdSockMsgType.Write)
                    {
                        Nodes[path] = Nodes[path] with { Value = argument };
                    }

                    return "OK";
                case XsdSockMsgType.Rm:
                    if (!exists)
                    {
                        return Nodes.ContainsKey(Above(path)) ? "OK" : "ENOENT";
                    }

                    if (path == "/")
                    {
                        return "EINVAL";
                    }

                    foreach (string gone in Nodes.Keys.Where(key => key == path || key.StartsWith(path + "/")).ToArray())
                    {
                        _ = Nodes.Remove(gone);
                    }

                    return "OK";
                default:
                    if (!exists)
                    {
                        return "ENOENT";
                    }

                    string[] permissions = argument.Split(' ');
                    if (domain != 0 && permissions[0][1..] != Nodes[path].Permissions[0][1..])
                    {
                        return "EPERM";
                    }

                    Nodes[path] = Nodes[path] with { Permissions = permissions };
                    return "OK";
            }
        }

        private static string Above(string path) => path.LastIndexOf('/') is int slash && slash > 0 ? path[..slash] : "/";

        private static string Access(string[] permissions, int domain)
        {
            if (domain == 0 || permissions[0][1..] == $"{domain}")
            {
                return "rwo";
            }

            string entry = permissions.Skip(1).FirstOrDefault(each => each[1..] == $"{domain}", permissions[0]);
            return entry[0] switch { 'r' => "r", 'w' => "w", 'b' => "rw", _ => "" };
        }

        private void Create(int domain, string path)
        {
            string above = Above(path);
            if (!Nodes.ContainsKey(above))
            {
                Create(domain, above);
            }

            string[] permissions = [.. Nodes[above].Permissions];
            permissions[0] = domain == 0 ? permissions[0] : permissions[0][..1] + domain;
            Nodes.Add(path, new Node("", permissions, ++Clock));
        }
    }

    private sealed class Open(Model view, int version)
    {
        public Model View { get; } = view;

        public int Version { get; } = version;

        public List<(XsdSockMsgType Type, string Path, string Argument, string Answer)> Asked { get; } = [];
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Random_requests_are_answered_as_by_a_naive_model(int seed)
    {
        Random random = new(seed);
        using TestStore store = new();
        (int Domain, TestClient Client)[] clients =
            [(0, store.Tool()), (0, store.Tool()), (5, store.Guest(5)), (6, store.Guest(6))];
        Model live = new();
        live.Nodes.Add("/", new Node("", ["n0"], 0));
        int version = 0;
        foreach ((XsdSockMsgType type, string path, string argument) in new[]
        {
            (XsdSockMsgType.Rm, "/tool", ""), (XsdSockMsgType.MkDir, "/a", ""), (XsdSockMsgType.SetPerms, "/a", "b5"),
        })
        {
            Assert.Equal(live.Ask(0, type, path, argument), Ask(clients[0].Client, type, path, argument, 0));
        }

        Dictionary<(TestClient, uint), Open> transactions = [];
        int committed = 0, refused = 0;
        for (int step = 0; step < 6000; step++)
        {
            (int domain, TestClient client) = clients[random.Next(clients.Length)];
            KeyValuePair<(TestClient Client, uint Number), Open>[] own =
                [.. transactions.Where(pair => pair.Key.Item1 == client)];
            int choice = random.Next(100);
            if (choice < 6 && own.Length < 3)
            {
                transactions.Add((client, client.Begin()), new Open(live.Copy(), version));
            }
            else if (choice < 12 && own.Length != 0)
            {
                ((_, uint number), Open open) = own[random.Next(own.Length)];
                _ = transactions.Remove((client, number));
                bool wanted = random.Next(5) != 0;
                string outcome = client.End(number, wanted);
                if (outcome == "EAGAIN")
                {
                    refused++;
                    Assert.True(wanted && version != open.Version, "refused though nobody changed anything");
                }
                else
                {
                    Assert.Equal("OK", outcome);
                    if (wanted)
                    {
                        committed++;
                        foreach ((XsdSockMsgType type, string path, string argument, string answer) in open.Asked)
                        {
                            Assert.Equal(answer, live.Ask(domain, type, path, argument));
                            version += IsChange(type) && answer == "OK" ? 1 : 0;
                        }
                    }
                }
            }
            else
            {
                XsdSockMsgType type = s_types[random.Next(s_types.Length)];
                string path = "/" + string.Join('/', Enumerable.Range(0, random.Next(5) == 0 ? random.Next(2) : random.Next(1, 4))
                    .Select(_ => s_names[random.Next(3)]));
                string argument = type == XsdSockMsgType.SetPerms
                    ? $"{"nrwb"[random.Next(4)]}{random.Next(3) switch { 0 => 0, 1 => 5, _ => 6 }} {"nrwb"[random.Next(4)]}{random.Next(5, 7)}"
                    : $"v{step}";
                if (own.Length != 0 && random.Next(2) == 0)
                {
                    ((_, uint number), Open open) = own[random.Next(own.Length)];
                    string answer = Ask(client, type, path, argument, number);
                    Assert.Equal(open.View.Ask(domain, type, path, argument), answer);
                    open.Asked.Add((type, path, argument, answer));
                }
                else
                {
                    string answer = Ask(client, type, path, argument, 0);
                    Assert.Equal(live.Ask(domain, type, path, argument), answer);
                    version += IsChange(type) && answer == "OK" ? 1 : 0;
                }
            }
        }

        Assert.InRange(committed, 30, 1000);
        Assert.InRange(refused, 10, 1000);
        Assert.Equal("OK", clients[0].Client.Ask(XsdSockMsgType.Control, "check\0"));
    }

    private static readonly XsdSockMsgType[] s_types =
    [
        XsdSockMsgType.Read, XsdSockMsgType.Read, XsdSockMsgType.Directory, XsdSockMsgType.GetPerms, XsdSockMsgType.Write,
        XsdSockMsgType.Write, XsdSockMsgType.MkDir, XsdSockMsgType.Rm, XsdSockMsgType.SetPerms,
    ];

    private static bool IsChange(XsdSockMsgType type) =>
        type is XsdSockMsgType.Write or XsdSockMsgType.MkDir or XsdSockMsgType.Rm or XsdSockMsgType.SetPerms;

    private static string Ask(TestClient client, XsdSockMsgType type, string path, string argument, uint transaction) => type switch
    {
        XsdSockMsgType.Write => client.Write(path, argument, transaction),
        XsdSockMsgType.SetPerms => client.SetPermissions(path, argument, transaction),
        _ => client.Ask(type, path + "\0", transaction),
    };
}
