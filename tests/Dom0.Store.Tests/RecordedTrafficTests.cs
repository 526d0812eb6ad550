// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using Dom0.Store.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Store.Tests;

/// <summary>
/// What Debian's xenstored 4.17 answered, asked once more: the same answers and events, in the same order for each
/// connection. The recordings hold requests by sockets and by rings of guests that exist as far as xenstored can tell.
/// </summary>
public sealed class RecordedTrafficTests
{
    private static readonly Dictionary<string, XsdSockMsgType> s_types = new()
    {
        ["CONTROL"] = XsdSockMsgType.Control,
        ["DIRECTORY"] = XsdSockMsgType.Directory,
        ["READ"] = XsdSockMsgType.Read,
        ["GET_PERMS"] = XsdSockMsgType.GetPerms,
        ["WATCH"] = XsdSockMsgType.Watch,
        ["UNWATCH"] = XsdSockMsgType.Unwatch,
        ["TRANSACTION_START"] = XsdSockMsgType.TransactionStart,
        ["TRANSACTION_END"] = XsdSockMsgType.TransactionEnd,
        ["INTRODUCE"] = XsdSockMsgType.Introduce,
        ["RELEASE"] = XsdSockMsgType.Release,
        ["GET_DOMAIN_PATH"] = XsdSockMsgType.GetDomainPath,
        ["WRITE"] = XsdSockMsgType.Write,
        ["MKDIR"] = XsdSockMsgType.MkDir,
        ["RM"] = XsdSockMsgType.Rm,
        ["SET_PERMS"] = XsdSockMsgType.SetPerms,
        ["WATCH_EVENT"] = XsdSockMsgType.WatchEvent,
        ["ERROR"] = XsdSockMsgType.Error,
        ["IS_DOMAIN_INTRODUCED"] = XsdSockMsgType.IsDomainIntroduced,
        ["RESUME"] = XsdSockMsgType.Resume,
        ["SET_TARGET"] = XsdSockMsgType.SetTarget,
        ["RESET_WATCHES"] = XsdSockMsgType.ResetWatches,
        ["DIRECTORY_PART"] = XsdSockMsgType.DirectoryPart,
    };

    [Theory]
    [InlineData("protocol-tour")]
    [InlineData("guests")]
    [InlineData("target")]
    [InlineData("quotas")]
    [InlineData("xl-create")]
    [InlineData("random-1")]
    [InlineData("random-2")]
    public void The_answers_are_those_of_Debians_xenstored(string recording)
    {
        using TestStore store = new();
        Dictionary<string, TestClient> sockets = new() { ["c0"] = store.Tool() };
        Dictionary<string, (RingClient Ring, ushort Domain, List<Told> Told)> rings = [];
        string[] lines = Load(recording);
        int asked = 0;
        for (int index = 0; index < lines.Length;)
        {
            string[] words = lines[index].Split(' ', 5);
            string doing = lines[index++];
            if (words[0] == "!")
            {
                Happen(store, sockets, rings, words);
            }
            else
            {
                Assert.Equal(">", words[0]);
                asked++;
                uint transaction = uint.Parse(words[3], CultureInfo.InvariantCulture);
                if (sockets.TryGetValue(words[1], out TestClient? socket))
                {
                    socket.Send(Type(words[2]), Unescape(words[4]), transaction);
                }
                else
                {
                    (RingClient ring, ushort domain, List<Told> told) = rings[words[1]];
                    told.AddRange(ring.Exchange(store, domain, Type(words[2]), Unescape(words[4]), transaction));
                }
            }

            List<string> expected = [];
            while (index < lines.Length && lines[index][0] == '<')
            {
                expected.Add(lines[index++]);
            }

            store.RunRings();
            List<string> got = [];
            foreach ((string name, TestClient socket) in sockets.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                got.AddRange(socket.Received().Select(message => Line(name, message)));
            }

            foreach ((string name, (RingClient ring, _, List<Told> told)) in rings.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                got.AddRange(told.Concat(ring.Receive()).Select(message => Line(name, message)));
                told.Clear();
            }

            if (words is [">", _, "TRANSACTION_END", ..])
            {
                // xenstored tells of a transaction's nodes in the order in which it looked at them, ours in the order
                // of the steps: each watch hears the same, and before the answer.
                expected.Sort(StringComparer.Ordinal);
                got.Sort(StringComparer.Ordinal);
            }

            Assert.True(expected.SequenceEqual(got),
                $"{recording}, line {index}: {doing}\nrecorded:\n{string.Join('\n', expected)}\nnow:\n{string.Join('\n', got)}");
        }

        Assert.True(asked > 3);
        Assert.Equal("OK", sockets["c0"].Ask(XsdSockMsgType.Control, "check\0"));
    }

    private static void Happen(TestStore store, Dictionary<string, TestClient> sockets,
        Dictionary<string, (RingClient Ring, ushort Domain, List<Told> Told)> rings, string[] words)
    {
        if (words[1] == "virq")
        {
            store.Server.CheckDomains();
            return;
        }

        if (words[1] == "socket")
        {
            sockets.Add(words[2], store.Tool());
            return;
        }

        ushort domain = ushort.Parse(words[2], CultureInfo.InvariantCulture);
        switch (words[1])
        {
            case "exists":
                store.Xen.Domains[domain] = DomainCondition.Alive;
                rings[$"g{domain}"] = (new RingClient(store.Xen.Page(domain)), domain, []);
                break;
            case "runs" or "alive":
                store.Xen.Domains[domain] = DomainCondition.Alive;
                break;
            case "shutdown":
                store.Xen.Domains[domain] = DomainCondition.ShutDown;
                break;
            default:
                _ = store.Xen.Domains.Remove(domain);
                break;
        }
    }

    private static XsdSockMsgType Type(string word) => s_types.TryGetValue(word, out XsdSockMsgType type)
        ? type
        : (XsdSockMsgType)uint.Parse(word, CultureInfo.InvariantCulture);

    private static string Line(string name, Told message)
    {
        StringBuilder line = new();
        foreach (char letter in message.Body)
        {
            _ = letter is >= ' ' and < '\x7f' and not '\\'
                ? line.Append(letter)
                : line.Append(CultureInfo.InvariantCulture, $"\\x{(int)letter:x2}");
        }

        return $"< {name} {s_types.First(pair => pair.Value == message.Type).Key} {message.Transaction} {line}";
    }

    private static string Unescape(string text)
    {
        StringBuilder plain = new();
        for (int index = 0; index < text.Length; index++)
        {
            if (text[index] == '\\')
            {
                _ = plain.Append((char)Convert.ToByte(text.Substring(index + 2, 2), 16));
                index += 3;
            }
            else
            {
                _ = plain.Append(text[index]);
            }
        }

        return plain.ToString();
    }

    private static string[] Load(string name)
    {
        using Stream stream = typeof(RecordedTrafficTests).Assembly.GetManifestResourceStream(name)!;
        using StreamReader reader = new(stream);
        return [.. reader.ReadToEnd().Split('\n').Where(line => line.Length != 0 && line[0] != '#')];
    }
}
