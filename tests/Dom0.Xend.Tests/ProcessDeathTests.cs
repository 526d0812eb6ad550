// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack;
using Xunit;
using static Dom0.Xend.Tests.Scenarios;

namespace Dom0.Xend.Tests;

/// <summary>The processes beside the one that keeps the domains die at each step of what it does.</summary>
public sealed class ProcessDeathTests
{
    [Theory]
    [MemberData(nameof(All), MemberType = typeof(Scenarios))]
    public void The_process_of_the_back_ends_killed_at_any_step_what_was_asked_for_is_done_all_the_same(Scenario scenario)
    {
        int step = 0;
        while (true)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.BackendsDieAfter = step;
            action();
            bool wasKilled = host.BackendsDieAfter < 0;
            host.BackendsDieAfter = -1;
            string when = $"{scenario} with the back ends killed at step {step}";
            AssertWhole(host, scenario, when);
            AssertDone(host, scenario, when);
            if (!wasKilled)
            {
                break;
            }

            Assert.Contains(host.Log, line => line.Contains("is begun anew", StringComparison.Ordinal));
            step++;
        }

        bool hasDevices = scenario is not (Scenario.Preserve or Scenario.Rename or Scenario.Suspend or Scenario.Resume);
        Assert.InRange(step, hasDevices ? 3 : 0, 1000);
    }

    [Fact]
    public void Back_ends_that_die_over_a_domain_again_and_again_cost_that_domain_and_nothing_else()
    {
        using FakeHost host = new();
        _ = host.Manager.Create(FakeHost.Config(), paused: false);
        host.Devices.Script = _ =>
        {
            host.BackendsDieAfter = 0;
            return default;
        };
        ToolstackException failure = Assert.Throws<ToolstackException>(() => host.Manager.Create(
            FakeHost.Config("fatal") with { Vifs = ["mac=00:16:3e:00:00:01, script=/fatal"] }, paused: false));
        Assert.Contains("died 3 times", failure.Message);
        host.BackendsDieAfter = -1;
        host.Devices.Script = _ => default;
        host.Manager.Check();
        AssertWhole(host, Scenario.CreateAnother, "after a script that kills the back ends");
        Assert.Equal([1], host.Guests);
    }

    [Theory]
    [MemberData(nameof(All), MemberType = typeof(Scenarios))]
    public void The_stores_process_killed_at_any_step_nothing_is_lost_and_nothing_half_made(Scenario scenario)
    {
        int step = 0;
        int refused = 0;
        while (true)
        {
            using FakeHost host = new();
            Action action = Prepare(host, scenario);
            host.StoreDiesAfter = step;
            string when = $"{scenario} with the store killed at step {step}";
            bool isDone = true;
            try
            {
                action();
            }
            catch (ToolstackException)
            {
                // Told to whoever asked.
                isDone = false;
                refused++;
            }

            bool wasKilled = host.StoreDiesAfter < 0;
            host.StoreDiesAfter = -1;
            host.Manager.Check();
            AssertWhole(host, scenario, when);
            if (isDone)
            {
                AssertDone(host, scenario, when);
            }

            if (!wasKilled)
            {
                break;
            }

            step++;
        }

        Assert.InRange(step, scenario == Scenario.Preserve ? 0 : 3, 10000);
        Assert.Equal(0, refused);
    }
}
