// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>A stock kernel that is saved and restored, by our xm and together with Debian's xl.</summary>
[Collection(SessionCollection.Name)]
public sealed class SaveTests(SessionPool pool)
{
    private const string LeaveConsole = "\x1d";
    private const string Example = "/etc/xen/xmexample1";
    private const string Folder = "/mnt/save";
    private const string File = Folder + "/file";

    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(60);

    [Theory]
    [Hypervisors]
    public void A_saved_guest_goes_on_where_it_was(HypervisorKind hypervisor) => pool.Use(hypervisor, dom0 =>
    {
        StartGuest(dom0);
        Type(dom0, "counter=40", null);

        // Twice, and each time it runs on.
        for (int number = 41; number <= 42; number++)
        {
            _ = dom0.Require($"rm -f {File}; xm save -c ExampleDomain {File}", 300);
            Type(dom0, "counter=$((counter + 1)); echo number $counter", $"number {number}");
        }

        _ = dom0.Require($"rm {File}; xm save ExampleDomain {File}", 300);
        Assert.DoesNotContain("ExampleDomain", dom0.Require("xm list"));
        Assert.Contains("all checksums are right", dom0.Require($"xm save-verify {File}", 120));
        _ = dom0.Require($"xm restore {File} && rm {File}", 300);
        Assert.Matches(@"(?m)^ExampleDomain +\d+ +128 +1 ", dom0.Require("xm list"));
        Type(dom0, "counter=$((counter + 1)); echo number $counter", "number 43");
        EndGuest(dom0);
    });

    [Theory]
    [Hypervisors]
    public void Files_go_both_ways_between_xm_and_xl(HypervisorKind hypervisor) => pool.Use(hypervisor, dom0 =>
    {
        StartGuest(dom0);
        Type(dom0, "counter=40", null);
        _ = dom0.Require($"xm save ExampleDomain {File}", 300);
        _ = dom0.Require($"xl restore {File} && rm {File}", 300);
        Type(dom0, "counter=$((counter + 1)); echo number $counter", "number 41");
        _ = dom0.Require($"xl save ExampleDomain {File}", 300);
        _ = dom0.Require($"xm restore {File} && rm {File}", 300);
        Type(dom0, "counter=$((counter + 1)); echo number $counter", "number 42");
        EndGuest(dom0);
    });

    private static void StartGuest(Dom0Session dom0)
    {
        _ = dom0.Require($"mkdir -p {Folder} && mount -t tmpfs -o size=200m none {Folder}");
        dom0.Start($"xm create -q -c {Example}");
        dom0.WaitFor("GUEST IS UP", s_boot);
        dom0.WaitFor("guest:/#", s_answer);
        dom0.Type(LeaveConsole);
        Assert.Equal(0, dom0.Finish());
    }

    private static void Type(Dom0Session dom0, string line, string? answer)
    {
        dom0.Start("xm console ExampleDomain");
        dom0.Type($"\n{line}; echo so $((6 * 7))\n");
        if (answer is not null)
        {
            dom0.WaitFor(answer, s_answer);
        }

        dom0.WaitFor("so 42", s_answer);
        dom0.Type(LeaveConsole);
        Assert.Equal(0, dom0.Finish());
    }

    private static void EndGuest(Dom0Session dom0) =>
        _ = dom0.Require($"xm destroy ExampleDomain && umount {Folder}");
}
