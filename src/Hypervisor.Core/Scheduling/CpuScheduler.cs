// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hypervisor.Core.Time;
using Hypervisor.Sched;

namespace Hypervisor.Core.Scheduling;

/// <summary>The scheduler of one CPU: what <see cref="CpuInfo.SchedCpu"/> points at.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct CpuScheduler
{
    /// <summary>First, so that a pointer to the whole is one to this.</summary>
    public SchedCpu Policy;

    /// <summary>Soft interrupts that other CPUs ask for. Changed atomically; the CPU itself takes them out.</summary>
    public long RemoteSoftIrqs;

    /// <summary>When the policy wants to choose anew.</summary>
    public Timer Slice;

    /// <summary>Units that may not run here and move on once no CPU holds their registers; linked by
    /// NextDisplaced.</summary>
    public SchedUnit* Displaced;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CpuScheduler* Of(CpuInfo* cpu) => (CpuScheduler*)cpu->SchedCpu;
}
