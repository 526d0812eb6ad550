// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.Bvt;

/// <summary>What <see cref="BvtPolicy"/> remembers about a CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BvtCpu
{
    /// <summary>Units that wait, the smallest effective virtual time first.</summary>
    public RunQueue Queue;

    /// <summary>Scheduler virtual time: the least actual virtual time of the units that run or wait here. It does not
    /// go back while anybody does.</summary>
    public ulong VirtualTime;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static BvtCpu* Of(SchedCpu* cpu) => (BvtCpu*)&cpu->Policy;
}
