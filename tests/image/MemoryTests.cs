// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Memory on its way between Domain-0, guests and the hypervisor: balloons, limits, and who has how much.</summary>
[Collection(SessionCollection.Name)]
public sealed class MemoryTests(SessionPool pool)
{
    private const int Megabyte = 1024;

    /// <summary>Balloons work by the page, and Linux counts some of its pages differently.</summary>
    private const int Tolerance = 5;

    [Theory]
    [Hypervisors]
    public void Memory_goes_from_domains_and_comes_back_as_they_are_told(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require("rm -f /var/log/xen/console/*; xm create -q /etc/xen/xmexample1 name=balloon memory=128 maxmem=192", 120);
            GuestConsole guest = new(dom0, "balloon");
            guest.UntilUp();
            long free = FreeMegabytes(dom0);

            // Down and up, by either tool; what the guest has given back is free, and it counts itself what it has.
            _ = dom0.Require("xm mem-set balloon 96", 60);
            RequireMemory(dom0, "balloon", 96);
            Assert.InRange(FreeMegabytes(dom0) - free, 32 - Tolerance, 32 + Tolerance);
            long small = Total(guest);
            _ = dom0.Require("xl mem-set balloon 160", 60);
            guest.Until("test $(xm list balloon | awk 'END { print $3 }') -gt 155", 60);
            RequireMemory(dom0, "balloon", 160);
            Assert.InRange((Total(guest) - small) / Megabyte, 64 - Tolerance, 64 + Tolerance);

            // On a terminal one sees it going.
            dom0.Start("xm mem-set balloon 100");
            dom0.WaitFor("MiB on the way to 100 MiB", TimeSpan.FromSeconds(30));
            Assert.Equal(0, dom0.Finish());

            // What cannot be is refused, and changes nothing.
            Assert.Contains("300 MiB are more than 'balloon' can ever have, which is 192 MiB", dom0.Run("xm mem-set balloon 300").Output);
            Assert.Matches(@"'balloon' uses \d+ MiB; a limit of 64 MiB is too low", dom0.Run("xm mem-max balloon 64").Output);
            Assert.Contains("Domain-0 cannot do with 32 MiB", dom0.Run("xm mem-set 0 32").Output);
            _ = dom0.Require("xm mem-max balloon 120");
            RequireMemory(dom0, "balloon", 100);

            // A limit holds whatever the guest is told: it gets no further.
            string limited = dom0.Require("xenstore-write /local/domain/$(xm domid balloon)/memory/target $((160 * 1024)); sleep 3; "
                + "xm info --memory");
            Assert.InRange(Kilobytes(limited, "balloon") / Megabyte, 100 - Tolerance, 122);
            WhereItIs(dom0, hypervisor);

            // Domain-0 gives and takes too.
            free = FreeMegabytes(dom0);
            _ = dom0.Require("xm mem-set 0 480", 60);
            Assert.InRange(FreeMegabytes(dom0) - free, 32 - Tolerance, 32 + Tolerance);
            _ = dom0.Require("xm mem-set 0 512", 60);
            Assert.InRange(FreeMegabytes(dom0) - free, -Tolerance, Tolerance);
            _ = dom0.Require("xm destroy balloon", 60);
        });

    /// <summary>All that the machine has is somebody's: domains', the hypervisor's, or free.</summary>
    private static void WhereItIs(Dom0Session dom0, HypervisorKind hypervisor)
    {
        string info = dom0.Require("xm info");
        long Field(string name) => long.Parse(
            Regex.Match(info, $@"(?m)^{name} +: (\d+)$").Groups[1].Value, CultureInfo.InvariantCulture);
        long sum = Field("dom0_memory") + Field("guests_memory") + Field("hypervisor_memory") + Field("free_memory");
        Assert.InRange(sum, Field("total_memory") - 4, Field("total_memory"));
        Assert.InRange(Field("hypervisor_memory"), 1, 200);
        string table = dom0.Require("xm info -m");
        Assert.Equal(Field("dom0_memory"), Kilobytes(table, "Domain-0") / Megabyte);
        Assert.Equal(Field("guests_memory"), Kilobytes(table, "balloon") / Megabyte);
        Match overhead = Regex.Match(table, @"(?m)^balloon .* (\d+|-)$");
        Assert.True(overhead.Success, table);
        if (hypervisor == HypervisorKind.Ours)
        {
            // A shared page and a virtual CPU at the least; not a tenth of what the guest has.
            Assert.InRange(long.Parse(overhead.Groups[1].Value, CultureInfo.InvariantCulture), 12, 10 * Megabyte);
        }
    }

    private static void RequireMemory(Dom0Session dom0, string name, long megabytes) =>
        Assert.InRange(Kilobytes(dom0.Require("xm info -m"), name) / Megabyte, megabytes - Tolerance, megabytes + Tolerance);

    private static long Kilobytes(string table, string name)
    {
        Match line = Regex.Match(table, $@"(?m)^{name} +\d+ +(\d+) ");
        Assert.True(line.Success, table);
        return long.Parse(line.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    private static long FreeMegabytes(Dom0Session dom0) => GuestTests.FreeKilobytes(dom0) / Megabyte;

    /// <summary>What the guest's kernel says that it has, in KiB.</summary>
    private static long Total(GuestConsole guest)
    {
        string said = guest.Run("grep MemTotal /proc/meminfo");
        return long.Parse(Regex.Match(said, @"(?m)^MemTotal: +(\d+) kB").Groups[1].Value, CultureInfo.InvariantCulture);
    }
}
