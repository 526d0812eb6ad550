// SPDX-License-Identifier: MIT
// Where a vCPU's time goes. The four sums plus the time since the last change add up to the time since the account began,
// always: a change only moves the boundary. The account begins when the vCPU may run for the first time. What came
// before, the building of its domain for one, is no time of its own: a guest would take it for time stolen from it.

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Time;

/// <summary>Accounts of running, runnable, blocked and offline time.</summary>
/// <remarks>Locking: the scheduler's lock of the CPU that the vCPU is assigned to.</remarks>
public static unsafe class RunStates
{
    /// <summary>From <paramref name="now"/> on the vCPU is in <paramref name="state"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Change(VcpuTime* time, RunState state, ulong now)
    {
        // Two CPUs' clocks may disagree by a few ticks; the sum stays right when the boundary does not go back.
        if (now > time->StateSince)
        {
            time->Spent[(int)time->State] += now - time->StateSince;
            time->StateSince = now;
        }

        time->State = state;
    }

    /// <summary>The vCPU may run, and waits for a CPU.</summary>
    public static void BecomeRunnable(VcpuTime* time, ulong now)
    {
        if (time->HasBegun)
        {
            Change(time, RunState.Runnable, now);
            return;
        }

        time->HasBegun = true;
        time->State = RunState.Runnable;
        time->StateSince = now;
        for (int state = 0; state < 4; state++)
        {
            time->Spent[state] = 0;
        }
    }

    /// <summary>The accounts as they stand at <paramref name="now"/>, the time since the last change
    /// included.</summary>
    public static void Read(VcpuTime* time, ulong now, VcpuRunStateInfo* result)
    {
        *result = default;
        result->State = (int)time->State;
        result->StateEntryTime = time->StateSince;
        for (int state = 0; state < 4; state++)
        {
            result->Time[state] = time->Spent[state];
        }

        if (now > time->StateSince)
        {
            result->Time[(int)time->State] += now - time->StateSince;
        }
    }
}
