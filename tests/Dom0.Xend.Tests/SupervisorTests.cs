// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Dom0.Toolstack;
using Dom0.Xend.Supervisor;
using Xunit;

namespace Dom0.Xend.Tests;

public sealed class SupervisorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_role_has_one_process_at_a_time_and_everybody_can_ask_which()
    {
        string path = _folder["role.pid"];
        Assert.Null(RoleLock.Holder(path));
        File.WriteAllText(path, "4194303999\n");
        Assert.Null(RoleLock.Holder(path));
        using (RoleLock? held = RoleLock.TryTake(path))
        {
            Assert.NotNull(held);
            Assert.Null(RoleLock.TryTake(path));
            Assert.Equal(Environment.ProcessId, RoleLock.Holder(path));
        }

        Assert.Null(RoleLock.Holder(path));
        using RoleLock? next = RoleLock.TryTake(path);
        Assert.NotNull(next);
    }

    [Fact]
    public void A_lock_where_no_file_can_be_is_an_error() =>
        Assert.Contains("ENOENT", Assert.Throws<ToolstackException>(
            () => RoleLock.TryTake(_folder["no/such/role.pid"])).Message);

    [Fact]
    public void Waits_double_up_to_a_limit_and_a_long_life_is_a_fresh_start()
    {
        Backoff backoff = default;
        TimeSpan total = TimeSpan.Zero;
        TimeSpan before = TimeSpan.Zero;
        for (int death = 0; death < 20; death++)
        {
            TimeSpan wait = backoff.After(TimeSpan.FromSeconds(1));
            Assert.True(wait >= before);
            before = wait;
            total += wait;
        }

        Assert.Equal(TimeSpan.FromSeconds(30), before);
        Assert.InRange(total.TotalSeconds, 200, 600);
        Assert.Equal(TimeSpan.FromMilliseconds(100), backoff.After(TimeSpan.FromMinutes(5)));
        Assert.Equal(TimeSpan.FromMilliseconds(200), backoff.After(TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void A_process_is_started_waited_for_and_its_end_told()
    {
        using ProcessHandle process = ProcessHandle.Start("/bin/sh", "-c", "exit 7");
        Assert.True(process.WaitForEnd(10_000));
        Assert.Equal("ended with status 7", process.Collect());
        using ProcessHandle sleeper = ProcessHandle.Start("/bin/sleep", "100");
        Assert.False(sleeper.WaitForEnd(0));
        using ProcessHandle? same = ProcessHandle.TryOpen(sleeper.Number);
        sleeper.Signal(9);
        Assert.True(same!.WaitForEnd(10_000));
        Assert.Equal("was killed by signal 9", sleeper.Collect());
        Assert.Contains("ENOENT", Assert.Throws<ToolstackException>(
            () => ProcessHandle.Start("/no/such/program")).Message);
    }

    [Fact]
    public void A_state_that_cannot_be_read_is_an_empty_one()
    {
        Assert.Empty(SupervisorState.Read(_folder["none"]).Roles);
        File.WriteAllText(_folder["bad"], "{");
        Assert.Empty(SupervisorState.Read(_folder["bad"]).Roles);
        new SupervisorState { Roles = [new RoleState { Role = "domains", Restarts = 2 }] }.TryWrite(_folder["good"]);
        Assert.Equal(2, Assert.Single(SupervisorState.Read(_folder["good"]).Roles).Restarts);
    }
}
