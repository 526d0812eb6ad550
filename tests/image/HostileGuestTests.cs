// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.IO.Compression;
using System.Text.RegularExpressions;
using Xt;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Guests that attack the hypervisor, beside Domain-0.</summary>
[Collection(SessionCollection.Name)]
public sealed class HostileGuestTests(SessionPool pool)
{
    private static readonly string[] s_guests = ["random-calls-long", "random-instructions-long"];

    [Fact]
    public void Hostile_guests_give_every_page_back() =>
        pool.Use(HypervisorKind.Ours, dom0 =>
        {
            foreach (string guest in s_guests)
            {
                _ = dom0.Require($"echo {Packed(guest)} | base64 -d | gzip -d > /tmp/{guest}.elf");
            }

            // The first guests may leave caches of the tools and of Domain-0's kernel behind.
            Run(dom0, 1);
            string before = Free(dom0);
            Run(dom0, 2);
            Assert.Equal(before, Free(dom0));
        });

    private static void Run(Dom0Session dom0, int seed)
    {
        foreach (string guest in s_guests)
        {
            _ = dom0.Require($"printf '%s\\n' \"name='{guest}'\" \"kernel='/tmp/{guest}.elf'\" memory=64 \"extra='{seed}'\" "
                + $"> /tmp/{guest}.cfg; xm create -q /tmp/{guest}.cfg", 120);
        }

        string running = dom0.Require("sleep 3; xl debug-keys k; xm list");
        foreach (string guest in s_guests)
        {
            Assert.Contains(guest, running);
            _ = dom0.Require($"xm destroy {guest}", 60);
        }

        // Every reference and type is what a count from scratch finds, while they ran and now.
        string counts = dom0.Require("xl debug-keys k; xl dmesg | grep -A33 'counted anew' | tail -99");
        Assert.Matches($@"recount of \d+ frames, {1 + s_guests.Length} domains, \d+ ms: 0 mismatches", counts);
        Assert.Matches(@"recount of \d+ frames, 1 domains, \d+ ms: 0 mismatches", counts);
        Assert.DoesNotMatch(@"ms: [1-9]", counts);
    }

    /// <summary>What the last report of the memory key says is free.</summary>
    private static string Free(Dom0Session dom0)
    {
        string messages = dom0.Require("sleep 1; xl debug-keys m; xl dmesg | grep 'kB free of' | tail -1");
        Match match = Regex.Match(messages, @"memory: (\d+)kB free of");
        Assert.True(match.Success, messages);
        return match.Groups[1].Value;
    }

    private static string Packed(string guest)
    {
        using MemoryStream packed = new();
        using (GZipStream zip = new(packed, CompressionLevel.SmallestSize))
        {
            zip.Write(File.ReadAllBytes(Path.Combine(Workspace.MicroGuests, guest + ".elf")));
        }

        return Convert.ToBase64String(packed.ToArray());
    }
}
