// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the scheduler keeps for a CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SchedCpu
{
    public SchedSystem* System;

    /// <summary>Protects this CPU's queue and every unit assigned to it; between two CPUs the lower number first, or
    /// only tried. The timer queues' locks nest inside.</summary>
    public SpinLock Lock;

    public uint Cpu;

    /// <summary>Awake units that could run here at once; the running one is not among them, nor are those that the
    /// policy holds back (out of budget). Others read it without the lock, as a hint.</summary>
    public uint Waiting;

    /// <summary>The unit that this CPU has chosen; null while it is idle.</summary>
    public SchedUnit* Running;

    /// <summary>When the CPU became idle, and how long it had been idle before (nanoseconds).</summary>
    public ulong IdleSince;
    public ulong IdleTime;

    public PolicyData Policy;
}
