// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the schedulers of all CPUs share.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SchedSystem
{
    public const int MaxCpus = MemoryLayout.MaxCpus;

    /// <summary>The policy in force. It changes only while no CPU is inside the scheduler and no unit is
    /// awake.</summary>
    public SchedulerId Policy;

    /// <summary>CPUs that take units; set at boot, one bit after the other.</summary>
    public CpuMask Online;

    /// <summary>CPUs that have nothing to run. Changed atomically; a hint, since it may be out of date when
    /// read.</summary>
    public CpuMask Idle;

    /// <summary>What the policy remembers about the system as a whole, and the lock for it: nests inside a
    /// CPU's.</summary>
    public SpinLock PolicyLock;
    public PolicyData PolicyState;

    private fixed ulong _cpus[MaxCpus];

    /// <summary>The entry of an online CPU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly SchedCpu* Cpu(uint cpu) => (SchedCpu*)_cpus[cpu & (MaxCpus - 1)];

    /// <summary>Enters a CPU, of which nothing but zero is known yet.</summary>
    public static void Add(SchedSystem* system, SchedCpu* cpu, uint number, ulong now)
    {
        cpu->System = system;
        cpu->Cpu = number;
        cpu->IdleSince = now;
        system->_cpus[number] = (ulong)cpu;
        PolicyTable.InitialiseCpu(cpu, now);
        _ = Machine.TestAndSetBit(&system->Idle, number);
        _ = Machine.TestAndSetBit(&system->Online, number);
    }
}
