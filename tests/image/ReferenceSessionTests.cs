// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>A session of many commands, and a guest's console, proved on Debian's Xen 4.17.</summary>
public sealed class ReferenceSessionTests
{
    private const string LeaveConsole = "\x1d";

    [LongFact]
    public void A_session_runs_commands_and_talks_to_the_console_of_a_guest()
    {
        MachineOptions options = new() { Hypervisor = HypervisorKind.Xen };
        using Dom0Session dom0 = Dom0Session.Boot(options, "reference-session", TimeSpan.FromSeconds(120));

        Assert.Equal((3, "hello\n"), dom0.Run("echo hello; exit 3"));
        string text = new('x', 3000);
        Assert.Equal(text + "\n", dom0.Require($"echo {text}"));

        dom0.Start("xl create -c /etc/xen/xmexample1");
        dom0.WaitFor("GUEST IS UP", TimeSpan.FromSeconds(120));
        dom0.WaitFor("guest:/#", TimeSpan.FromSeconds(60));
        dom0.Type("echo $((6 * 7)) is the answer\n");
        dom0.WaitFor("42 is the answer", TimeSpan.FromSeconds(30));
        dom0.Type(LeaveConsole);
        Assert.Equal(0, dom0.Finish());

        Assert.Contains("ExampleDomain", dom0.Require("xl list"));
        _ = dom0.Require("xl destroy ExampleDomain");
        Assert.DoesNotContain("ExampleDomain", dom0.Require("xl list"));
    }
}
