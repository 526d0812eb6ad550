// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>A list of units through their own links.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RunQueue
{
    public SchedUnit* First;
    public SchedUnit* Last;

    public readonly bool IsEmpty
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => First == null;
    }

    /// <summary>Puts the unit before <paramref name="next"/>, or at the end where that is null.</summary>
    public void InsertBefore(SchedUnit* next, SchedUnit* unit)
    {
        SchedUnit* previous = next == null ? Last : next->Previous;
        unit->Next = next;
        unit->Previous = previous;
        if (previous == null)
        {
            First = unit;
        }
        else
        {
            previous->Next = unit;
        }

        if (next == null)
        {
            Last = unit;
        }
        else
        {
            next->Previous = unit;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Append(SchedUnit* unit) => InsertBefore(null, unit);

    public void Remove(SchedUnit* unit)
    {
        if (unit->Previous == null)
        {
            First = unit->Next;
        }
        else
        {
            unit->Previous->Next = unit->Next;
        }

        if (unit->Next == null)
        {
            Last = unit->Previous;
        }
        else
        {
            unit->Next->Previous = unit->Previous;
        }

        unit->Next = null;
        unit->Previous = null;
    }
}
