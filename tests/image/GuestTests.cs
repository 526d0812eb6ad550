// SPDX-License-Identifier: MIT
using System;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>The stock kernel as a guest beside Domain-0, by Debian's xl and by our xm.</summary>
[Collection(SessionCollection.Name)]
public sealed class GuestTests(SessionPool pool)
{
    private const string LeaveConsole = "\x1d";
    private const string Example = "/etc/xen/xmexample1";

    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(60);

    [Theory]
    [Hypervisors]
    public void Xl_creates_a_guest_whose_console_answers_and_destroys_it(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 => CreateTalkAndDestroy(dom0, "xl"));

    [Theory]
    [Hypervisors]
    public void Xm_creates_a_guest_whose_console_answers_and_destroys_it(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 => CreateTalkAndDestroy(dom0, "xm"));

    [Theory]
    [Hypervisors]
    public void Destroyed_guests_give_every_page_back(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            const string Run = $"xm create -q {Example} && sleep 4 && xm destroy ExampleDomain";
            const string Build = $"xm create -q -p {Example} && xm destroy ExampleDomain";

            // The first guest may leave caches of the tools and of Domain-0's kernel behind.
            _ = dom0.Require(Run, 120);
            long before = FreeKilobytes(dom0);
            for (int round = 0; round < 3; round++)
            {
                _ = dom0.Require(Build, 120);
            }

            _ = dom0.Require(Run, 120);
            Assert.Equal(before, FreeKilobytes(dom0));
        });

    [Theory]
    [Hypervisors]
    public void A_guest_created_paused_waits_until_it_is_let_go(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            _ = dom0.Require($"xm create -q -p {Example}", 120);
            Assert.Matches(@"(?m)^ExampleDomain +\d+ +128 +1 +--p--- +0\.0$", dom0.Require("sleep 1; xm list"));
            dom0.Start("(sleep 1; xm unpause ExampleDomain) & xm console ExampleDomain");
            dom0.WaitFor("GUEST IS UP", s_boot);
            dom0.Type(LeaveConsole);
            Assert.Equal(0, dom0.Finish());
            _ = dom0.Require("xm destroy ExampleDomain");
        });

    [Theory]
    [Hypervisors]
    public void A_guest_reboots_and_powers_off_from_within(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            dom0.Start($"xm create -c {Example}");
            dom0.WaitFor("GUEST IS UP", s_boot);
            dom0.WaitFor("guest:/#", s_answer);
            dom0.Type("reboot\n");
            dom0.WaitFor("it starts again", s_answer);
            dom0.WaitFor("GUEST IS UP", s_boot);
            dom0.WaitFor("guest:/#", s_answer);
            dom0.Type("poweroff\n");
            Assert.Equal(0, dom0.Finish());

            Assert.DoesNotContain("ExampleDomain", dom0.Require("xm list"));
        });

    [Theory]
    [Hypervisors]
    public void A_guest_that_is_asked_to_shut_down_does_so(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            dom0.Start($"xl create -c {Example}");
            dom0.WaitFor("GUEST IS UP", s_boot);
            dom0.WaitFor("guest:/#", s_answer);
            dom0.Type(LeaveConsole);
            Assert.Equal(0, dom0.Finish());

            // xl's daemon destroys it in the end: on_poweroff says so.
            Assert.DoesNotContain("ExampleDomain", dom0.Require("xl shutdown -w ExampleDomain; sleep 3; xl list", 120));
        });

    [Theory]
    [Hypervisors]
    public void A_guest_with_too_much_memory_is_refused_and_leaves_nothing_behind(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            foreach (string tool in new[] { "xl", "xm" })
            {
                long before = FreeKilobytes(dom0);
                (int status, _) = dom0.Run(
                    $"sed 's/^memory.*/memory = 4000/' {Example} >/tmp/large; {tool} create /tmp/large", 120);

                Assert.NotEqual(0, status);
                Assert.DoesNotContain("ExampleDomain", dom0.Require($"{tool} list"));
                Assert.Equal(before, FreeKilobytes(dom0));
            }
        });

    private static void CreateTalkAndDestroy(Dom0Session dom0, string tool)
    {
        dom0.Start($"{tool} create -c {Example}");
        dom0.WaitFor("GUEST IS UP", s_boot);
        dom0.WaitFor("guest:/#", s_answer);
        dom0.Type("echo $((6 * 7)) is the answer\n");
        dom0.WaitFor("42 is the answer", s_answer);
        dom0.Type("dmesg | grep 'events:'\n");
        dom0.WaitFor("Using FIFO-based ABI", s_answer);
        dom0.Type(LeaveConsole);
        Assert.Equal(0, dom0.Finish());

        // Once left, the console can be had again.
        dom0.Start($"{tool} console ExampleDomain");
        dom0.Type("echo $((7 * 7)) is another\n");
        dom0.WaitFor("49 is another", s_answer);
        dom0.Type(LeaveConsole);
        Assert.Equal(0, dom0.Finish());

        Assert.Matches(@"(?m)^ExampleDomain +\d+ +128 +1 ", dom0.Require($"{tool} list"));
        _ = dom0.Require($"{tool} destroy ExampleDomain");
        Assert.DoesNotContain("ExampleDomain", dom0.Require($"{tool} list"));
    }

    /// <summary>What the hypervisor itself counts, to the page: the tools show MiB.</summary>
    internal static long FreeKilobytes(Dom0Session dom0)
    {
        string messages = dom0.Require("sleep 1; xl debug-keys m; xl dmesg | tail -40");
        MatchCollection counts = Regex.Matches(messages, @"(\d+)kB free");
        Assert.NotEmpty(counts);
        return long.Parse(counts[^1].Groups[1].Value);
    }
}
