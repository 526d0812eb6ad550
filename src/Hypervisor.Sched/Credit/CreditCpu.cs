// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.Credit;

/// <summary>What <see cref="CreditPolicy"/> remembers about a CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CreditCpu
{
    public RunQueue Boost;
    public RunQueue Under;
    public RunQueue Over;
    public RunQueue Parked;

    /// <summary>Who has been charged less than this has credit.</summary>
    public ulong Line;

    /// <summary>When the first of the parked units is due.</summary>
    public ulong NextUnpark;

    /// <summary>The running unit was chosen with nobody waiting: what it is charged concerns nobody here.</summary>
    public bool IsAlone;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CreditCpu* Of(SchedCpu* cpu) => (CreditCpu*)&cpu->Policy;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RunQueue* Queue(CreditCpu* cpu, CreditQueue queue) => &cpu->Boost + (int)queue;
}
