// SPDX-License-Identifier: MIT
//
// Every scenario is killed at each of its steps, and fails at each of its steps; afterwards nothing may be lost and
// nothing half made.
using System;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;
using Xen.Abi;
using Xunit;
using static Dom0.Xend.Tests.Scenarios;

namespace Dom0.Xend.Tests;

public sealed class RecoveryTests
{
    [Theory]
    [MemberData(nameof(All), MemberType = typeof(Scenarios))]
    public void Killed_at_any_step_a_new_daemon_brings_everything_to_an_end(Scenario scenario)
    {
        int step = 0;
        while (true)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            bool isComplete = host.RunUntil(step, action);
            host.Restart();
            host.Manager.Check();
            string when = $"{scenario} killed at step {step}";
            AssertWhole(host, scenario, when);
            if (scenario is Scenario.Restart or Scenario.RenameRestart)
            {
                Assert.Contains(host.Manager.List(), domain => domain is { Name: "guest", Phase: "running" });
                Assert.Equal(scenario == Scenario.Restart ? 1 : 2, host.Guests.Length);
            }

            if (isComplete)
            {
                break;
            }

            step++;
        }

        Assert.InRange(step, 3, 1000);
    }

    [Theory]
    [InlineData(Scenario.Create)]
    [InlineData(Scenario.Destroy)]
    [InlineData(Scenario.RenameRestart)]
    public void Killed_during_recovery_as_well_the_next_daemon_does_it(Scenario scenario)
    {
        for (int step = 0; step < 60; step += 13)
        {
            for (int second = 0; second < 40; second += 7)
            {
                using FakeHost host = new();
                _ = host.RunUntil(step, Prepare(host, scenario));
                _ = host.RunUntil(second, host.Restart);
                host.Restart();
                host.Manager.Check();
                AssertWhole(host, scenario, $"{scenario} killed at step {step} and again at {second}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(All), MemberType = typeof(Scenarios))]
    public void Whatever_hypercall_fails_once_the_next_checks_bring_everything_to_an_end(Scenario scenario)
    {
        for (int step = 0; ; step++)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.Xen.FailWith = LibcErrno.Invalid;
            host.Xen.FailAfter = step;
            try
            {
                action();
            }
            catch (ToolstackException)
            {
                // Told to whoever asked.
            }

            bool hasFailed = host.Xen.FailAfter < 0;
            host.Xen.FailAfter = -1;
            host.Manager.Check();
            host.Manager.Check();
            AssertWhole(host, scenario, $"{scenario} with a failure at step {step}");
            if (!hasFailed)
            {
                return;
            }
        }
    }

    [Theory]
    [MemberData(nameof(All), MemberType = typeof(Scenarios))]
    public void Whatever_request_to_the_store_fails_once_the_next_checks_bring_everything_to_an_end(Scenario scenario)
    {
        for (int step = 0; ; step++)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.Store.FailAfter = step;
            try
            {
                action();
            }
            catch (ToolstackException)
            {
                // Told to whoever asked.
            }

            bool hasFailed = host.Store.FailAfter < 0;
            host.Store.FailAfter = -1;
            host.Manager.Check();
            host.Manager.Check();
            AssertWhole(host, scenario, $"{scenario} with a failed request {step}");
            if (!hasFailed)
            {
                return;
            }
        }
    }

    [Fact]
    public void Consoles_are_served_again_after_a_restart_of_the_daemon()
    {
        using FakeHost host = new();
        _ = host.Manager.Create(FakeHost.Config(), paused: false);
        host.Restart();
        Assert.Equal([1], host.Consoles.OpenOnes.Keys);
        host.Stop(1, ShutdownReason.Poweroff);
        host.Manager.Check();
        Assert.Empty(host.Guests);
    }

    [Fact]
    public void A_restart_limit_counts_over_restarts_of_the_daemon()
    {
        using FakeHost host = new();
        _ = host.Manager.Create(FakeHost.Config(), paused: false);
        for (int round = 1; round <= 5; round++)
        {
            host.Stop(round, ShutdownReason.Reboot);
            host.Restart();
        }

        Assert.Equal([6], host.Guests);
        host.Stop(6, ShutdownReason.Reboot);
        host.Restart();
        Assert.Empty(host.Guests);
    }
}
