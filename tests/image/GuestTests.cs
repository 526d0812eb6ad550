// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>The stock kernel as a guest beside Domain-0, by Debian's xl and by our xm.</summary>
[Collection(SessionCollection.Name)]
public sealed class GuestTests(SessionPool pool)
{
    private const string LeaveConsole = "\x1d";

    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(60);

    [Theory]
    [Hypervisors(ours: false)]
    public void Xl_creates_a_guest_whose_console_answers_and_destroys_it(HypervisorKind hypervisor) =>
        CreateTalkAndDestroy(hypervisor, "xl");

    [Theory]
    [Hypervisors(ours: false)]
    public void Xm_creates_a_guest_whose_console_answers_and_destroys_it(HypervisorKind hypervisor) =>
        CreateTalkAndDestroy(hypervisor, "xm");

    [Theory]
    [Hypervisors(ours: false)]
    public void A_destroyed_guest_gives_all_its_memory_back(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            const string Cycle = "xl create -q /etc/xen/xmexample1 && sleep 5 && xl destroy ExampleDomain && "
                + "sleep 1 && xl info | sed -n 's/^free_memory *: //p'";
            // The first round may leave caches of the tools behind.
            int first = int.Parse(dom0.Require(Cycle, 120));
            int second = int.Parse(dom0.Require(Cycle, 120));

            Assert.Equal(first, second);
        });

    [Theory]
    [Hypervisors(ours: false)]
    public void A_guest_that_powers_off_is_gone(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            dom0.Start("xl create -c /etc/xen/xmexample1");
            dom0.WaitFor("GUEST IS UP", s_boot);
            dom0.WaitFor("guest:/#", s_answer);
            dom0.Type("poweroff\n");
            _ = dom0.Finish();

            Assert.DoesNotContain("ExampleDomain", dom0.Require("sleep 2; xl list"));
        });

    [Theory]
    [Hypervisors(ours: false)]
    public void A_guest_with_too_much_memory_is_refused_and_leaves_nothing_behind(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            string before = dom0.Require("xl info | grep free_memory");
            (int status, _) = dom0.Run(
                "sed 's/^memory.*/memory = 4000/' /etc/xen/xmexample1 >/tmp/large; xl create /tmp/large", 120);

            Assert.NotEqual(0, status);
            Assert.DoesNotContain("ExampleDomain", dom0.Require("xl list"));
            Assert.Equal(before, dom0.Require("xl info | grep free_memory"));
        });

    private void CreateTalkAndDestroy(HypervisorKind hypervisor, string tool) =>
        pool.Use(hypervisor, dom0 =>
        {
            dom0.Start($"{tool} create -c /etc/xen/xmexample1");
            dom0.WaitFor("GUEST IS UP", s_boot);
            dom0.WaitFor("guest:/#", s_answer);
            dom0.Type("echo $((6 * 7)) is the answer\n");
            dom0.WaitFor("42 is the answer", s_answer);
            dom0.Type(LeaveConsole);
            Assert.Equal(0, dom0.Finish());

            Assert.Matches(@"(?m)^ExampleDomain +\d+ +128 +1 ", dom0.Require($"{tool} list"));
            _ = dom0.Require($"{tool} destroy ExampleDomain");
            Assert.DoesNotContain("ExampleDomain", dom0.Require($"{tool} list"));
        });
}
