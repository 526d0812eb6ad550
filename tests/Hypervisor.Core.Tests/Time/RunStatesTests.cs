// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Time;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public unsafe class RunStatesTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_four_times_add_up_to_the_time_since_birth_even_if_the_clock_wavers(int seed)
    {
        Random random = new(seed);
        VcpuTime time = default;
        ulong birth = 1000;
        time.StateSince = birth;
        ulong now = birth;
        for (int round = 0; round < 10_000; round++)
        {
            now += (ulong)random.Next(1000);
            ulong seen = now - (ulong)random.Next((int)Math.Min(20, now - birth) + 1);
            RunStates.Change(&time, (RunState)random.Next(4), seen);

            VcpuRunStateInfo info;
            RunStates.Read(&time, now, &info);
            Assert.Equal(now - birth, info.Time[0] + info.Time[1] + info.Time[2] + info.Time[3]);
        }
    }

    [Fact]
    public void What_came_before_the_first_run_is_nobody_s_time()
    {
        VcpuTime time = default;
        time.State = RunState.Offline;
        RunStates.BecomeRunnable(&time, 1000);
        RunStates.Change(&time, RunState.Running, 1010);
        RunStates.Change(&time, RunState.Offline, 1030);
        RunStates.BecomeRunnable(&time, 1060);
        VcpuRunStateInfo info;
        RunStates.Read(&time, 1060, &info);
        Assert.Equal(30UL, info.Time[(int)RunState.Offline]);
        Assert.Equal(10UL, info.Time[(int)RunState.Runnable]);
        Assert.Equal(20UL, info.Time[(int)RunState.Running]);
    }

    [Fact]
    public void Time_goes_to_the_state_that_it_was_spent_in()
    {
        VcpuTime time = default;
        RunStates.Change(&time, RunState.Blocked, 10);
        RunStates.Change(&time, RunState.Runnable, 30);
        RunStates.Change(&time, RunState.Running, 35);
        VcpuRunStateInfo info;
        RunStates.Read(&time, 100, &info);
        Assert.Equal(10UL + 65, info.Time[(int)RunState.Running]);
        Assert.Equal(20UL, info.Time[(int)RunState.Blocked]);
        Assert.Equal(5UL, info.Time[(int)RunState.Runnable]);
        Assert.Equal(35UL, info.StateEntryTime);
    }
}
