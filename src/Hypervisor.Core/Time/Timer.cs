// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Core.Time;

/// <summary>A deadline and what happens then. Lives inside its subject and belongs to one CPU's
/// <see cref="TimerQueue"/>.</summary>
/// <remarks>Locking: all fields belong to the lock of <see cref="Queue"/>, which itself changes only while both queues'
/// locks are held: whoever locks it looks again whether it is still the one.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Timer
{
    /// <summary>Nanoseconds since boot.</summary>
    public ulong Deadline;

    /// <summary>Place in the queue's heap.</summary>
    public Timer* Left;
    public Timer* Right;
    public Timer* Parent;

    public TimerQueue* Queue;

    /// <summary>What <see cref="Kind"/> acts upon.</summary>
    public void* Subject;

    public TimerKind Kind;

    /// <summary>Steps to the nearest place in the heap below this timer where a child is missing; zero while not
    /// queued.</summary>
    public uint Rank;

    public readonly bool IsSet
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Rank != 0;
    }
}
