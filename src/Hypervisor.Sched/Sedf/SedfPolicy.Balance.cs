// SPDX-License-Identifier: MIT

using System.Threading;

namespace Hypervisor.Sched.Sedf;

public unsafe partial struct SedfPolicy
{
    /// <summary>By how much a unit that waits elsewhere must have been charged less than all here, to be worth its cold
    /// caches: half a time slice at weight 256.</summary>
    private const ulong WorthMoving = 5_000_000UL << 8;

    /// <summary>By how much turns and taking over alone may bring the unit's charge apart from others'.</summary>
    private static ulong Spread(SchedCpu* cpu, SchedUnit* unit) =>
        (2 * WorthMoving) + ExtraCost(unit, 2 * cpu->System->Parameters.TimeSlice);

    /// <summary>Takes over a unit that waits for another CPU. Where <paramref name="best"/> is null any will do;
    /// otherwise it is the least charged of those that wait for left-over time here, and the other has to be clearly
    /// less charged than that.</summary>
    private static SchedUnit* Take(SchedCpu* cpu, SchedUnit* best)
    {
        SchedUnit* unit = TakeFromOthers(cpu, best, onlyPreferred: true);
        return unit != null ? unit : TakeFromOthers(cpu, best, onlyPreferred: false);
    }

    private static SchedUnit* TakeFromOthers(SchedCpu* cpu, SchedUnit* best, bool onlyPreferred)
    {
        CpuMask others = cpu->System->Online.Without(cpu->Cpu);
        for (; !others.IsEmpty; others = others.Without(others.First))
        {
            SchedCpu* other = cpu->System->Cpu(others.First);
            if (Volatile.Read(ref other->Waiting) == 0 || !other->Lock.TryAcquire())
            {
                continue;
            }

            SchedUnit* unit = FindFor(cpu, SedfCpu.Of(other)->Extra, onlyPreferred);
            if (best != null && unit != null
                && !IsLess(SedfUnit.Of(unit)->ExtraSpent + WorthMoving, SedfUnit.Of(best)->ExtraSpent))
            {
                BringUp(cpu, best, SedfUnit.Of(unit)->ExtraSpent - Spread(cpu, unit) - Spread(cpu, best));
                unit = null;
            }
            else if (best == null && unit == null)
            {
                unit = FindFor(cpu, SedfCpu.Of(other)->Ready, onlyPreferred);
            }

            if (unit != null)
            {
                TakeOver(cpu, other, unit);
            }

            other->Lock.Release();
            if (unit != null)
            {
                return unit;
            }
        }

        return null;
    }

    /// <summary>The first of the queue that this CPU may take over.</summary>
    private static SchedUnit* FindFor(SchedCpu* cpu, in RunQueue queue, bool onlyPreferred)
    {
        SchedUnit* unit = queue.First;
        while (unit != null && !Placement.MayTake(cpu, unit, onlyPreferred))
        {
            unit = unit->Next;
        }

        return unit;
    }

    private static void TakeOver(SchedCpu* cpu, SchedCpu* other, SchedUnit* unit)
    {
        Dequeue(other, unit);
        unit->Cpu = cpu->Cpu;
        SedfCpu* queues = SedfCpu.Of(cpu);
        if (queues->Extra.IsEmpty)
        {
            // With nobody here to compare with, the floor comes along.
            queues->ExtraFloor = SedfCpu.Of(other)->ExtraFloor;
        }

        BringNear(cpu, unit, Spread(cpu, unit));
    }

    /// <summary>The least charged unit here is further behind than can be balanced while others wait elsewhere that may
    /// run here: this CPU was idle when they were charged, or the unit cannot use all of its share. It is not owed
    /// that.</summary>
    private static void BringUp(SchedCpu* cpu, SchedUnit* best, ulong least)
    {
        if (IsLess(SedfUnit.Of(best)->ExtraSpent, least))
        {
            SedfCpu* queues = SedfCpu.Of(cpu);
            queues->Extra.Remove(best);
            SedfUnit.Of(best)->ExtraSpent = least;
            InsertExtra(queues, best);
        }
    }
}
