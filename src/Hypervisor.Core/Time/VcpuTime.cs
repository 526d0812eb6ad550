// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Xen.Abi;

namespace Hypervisor.Core.Time;

/// <summary>Timers and accounts of a vCPU.</summary>
/// <remarks>Locking: the run state belongs to the scheduler's lock of the CPU that the vCPU is assigned to; the rest is
/// changed by the vCPU itself, or while it is paused.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuTime
{
    public RunState State;

    /// <summary>The vCPU has been runnable once: its account began then.</summary>
    public bool HasBegun;

    /// <summary>When <see cref="State"/> began.</summary>
    public ulong StateSince;

    /// <summary>Nanoseconds spent in each state before <see cref="StateSince"/>.</summary>
    public fixed ulong Spent[4];

    /// <summary>Nanoseconds between periodic ticks, and when the next one is due; a period of zero is none.</summary>
    public ulong Period;
    public ulong NextTick;

    public Timer SingleShot;
    public Timer Periodic;
    public Timer Poll;
}
