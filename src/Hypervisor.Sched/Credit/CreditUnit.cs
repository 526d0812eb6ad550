// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.Credit;

/// <summary>What <see cref="CreditPolicy"/> remembers about a unit.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CreditUnit
{
    /// <summary>What the unit has been charged: running time times the rate of its domain. It only means something in
    /// comparison with others' and with <see cref="CreditCpu.Line"/>; differences are signed, so it may wrap.</summary>
    public ulong Spent;

    /// <summary>Nanoseconds of its present turn that the unit has run.</summary>
    public ulong Used;

    /// <summary>Nanoseconds that it has run without a break since it was last chosen.</summary>
    public ulong Stretch;

    /// <summary><see cref="CreditDomain.Integral"/> up to which the unit has been charged; only while it runs.</summary>
    public ulong ChargedTo;

    /// <summary>Nanoseconds of the domain's budget that the running unit has taken and not used up.</summary>
    public long Grant;

    /// <summary>While it is parked: when its domain has a budget again.</summary>
    public ulong ParkedUntil;

    /// <summary>The queue that the unit waits in.</summary>
    public CreditQueue Queue;

    /// <summary>It has just woken with credit left: it goes before those that have not.</summary>
    public bool IsBoosted;

    public bool HasYielded;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CreditUnit* Of(SchedUnit* unit) => (CreditUnit*)&unit->Policy;
}

/// <summary>The queues of a CPU, in the order in which they are served.</summary>
internal enum CreditQueue : uint
{
    Boost = 0,
    Under = 1,
    Over = 2,

    /// <summary>Their domain's budget is used up: not served until it has a new one.</summary>
    Parked = 3,
}
