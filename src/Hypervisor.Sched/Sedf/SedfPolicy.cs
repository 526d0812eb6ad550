// SPDX-License-Identifier: MIT
// Reservations: a unit of a domain with slice S and period P gets S of running time in each P, served earliest deadline
// first (SedfReservation says how budgets and deadlines come about, SedfAdmission who gets one, and on which CPU).
//
// What reservations leave of a CPU, and what those that hold them do not use, is shared by weight among the units that
// take part in left-over time: those without a slice, and those with one that want more. Each is charged for such time
// at a rate inverse to its weight, and who has been charged least is next, for a turn of a time slice. A unit that
// waits while others are served begins no further back than they are (ExtraFloor): it cannot save up. One that
// wakes takes left-over time from a unit that has had the rate limit's worth of it.
//
// A unit with a reservation stays at home. One without wakes on an idle CPU if there is one, and is taken over by a
// CPU that falls idle. Charges for left-over time mean the same on every CPU: one that begins a turn of it looks for a
// unit that waits elsewhere and has been charged clearly less than those here, and takes that. So weights hold over all
// CPUs, however much of each is reserved. Where CPUs drift apart, since one was idle or its units cannot use all of
// their share, the charges of those left behind are lifted (BringUp), and a unit that passes between them is brought near.
//
// Parameters are read as they stand. One that is changed meanwhile may be paired with another's old value, for the
// rest of a period.
//
// Locking: the CPU's lock is held; other CPUs' are only tried.

using System.Runtime.CompilerServices;

namespace Hypervisor.Sched.Sedf;

/// <summary>Earliest deadline first with reservations.</summary>
public unsafe partial struct SedfPolicy : ISchedulingPolicy
{
    /// <summary>Nanoseconds of sleep after which charges are not compared any more.</summary>
    private const ulong LongSleep = 60_000_000_000;

    public static void InitialiseCpu(SchedCpu* cpu, ulong now) =>
        SedfCpu.Of(cpu)->NextExtraRelease = SchedDecision.NoLimit;

    public static void InitialiseDomain(SchedSystem* system, SchedDomain* domain, ulong now)
    {
        // A domain is its parameters.
    }

    public static void ApplyParameters(SchedSystem* system, SchedDomain* domain, ulong now)
    {
        // They are read at each use; homes are SedfAdmission's.
    }

    public static bool TryAdmit(SchedSystem* system, SchedUnit* unit) => SedfAdmission.TryPlaceNew(system, unit);

    public static void Insert(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        SedfUnit.Of(unit)->Deadline = now;
        SedfUnit.Of(unit)->ExtraSpent = SedfCpu.Of(cpu)->ExtraFloor;
    }

    public static void Adopt(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        if (SedfReservation.Has(unit))
        {
            SedfReservation.Wake(unit, now);
        }
        else
        {
            SedfUnit.Of(unit)->IsExtra = true;
        }
    }

    public static void Remove(SchedCpu* cpu, SchedUnit* unit)
    {
        // A sleeping unit is in no queue.
    }

    public static bool Wake(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        SedfUnit* own = SedfUnit.Of(unit);
        if (SedfReservation.Has(unit))
        {
            SedfReservation.Wake(unit, now);
        }

        if (now - unit->AsleepSince >= LongSleep)
        {
            own->ExtraSpent = SedfCpu.Of(cpu)->ExtraFloor;
        }

        BringNear(cpu, unit, 0);
        own->HasWoken = true;
        own->HasYielded = false;
        own->Used = 0;
        Enqueue(cpu, unit);
        SchedUnit* running = cpu->Running;

        // Where nobody waited until now the running unit had no limit: it gets one.
        return running == null || cpu->Waiting <= 1 || own->Queue == SedfQueue.Depleted || IsBetter(unit, running);
    }

    public static void Sleep(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        if (cpu->Running == unit)
        {
            Charge(unit, now);
        }
        else
        {
            Dequeue(cpu, unit);
        }
    }

    public static void Yield(SchedCpu* cpu, SchedUnit* unit, ulong now) => SedfUnit.Of(unit)->HasYielded = true;

    public static uint ChooseCpu(SchedSystem* system, SchedUnit* unit) => Placement.Choose(system, unit);

    public static CpuMask PlacesWanted(SchedCpu* cpu) =>
        new(Placement.AddPlaces(
            Placement.AddPlaces(0, cpu->System, SedfCpu.Of(cpu)->Extra), cpu->System, SedfCpu.Of(cpu)->Ready));

    /// <summary>Whoever wakes elsewhere is there what it was here: if it uses little it is served as soon.</summary>
    public static void Migrate(SchedUnit* unit, SchedCpu* from, SchedCpu* to, ulong now) =>
        SedfUnit.Of(unit)->ExtraSpent += SedfCpu.Of(to)->ExtraFloor - SedfCpu.Of(from)->ExtraFloor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsLess(ulong left, ulong right) => (long)(left - right) < 0;

    /// <summary>What so much left-over time costs: 256 a nanosecond at weight 256.</summary>
    private static ulong ExtraCost(SchedUnit* unit, ulong ran)
    {
        const ulong Longest = 1UL << 38;
        ulong rate = (1UL << 24) / unit->Domain->Sedf.Weight;
        return ((ran < Longest ? ran : Longest) * rate) >> 8;
    }

    /// <summary>Limits by how much a unit that comes to the CPU has been charged less than those there, and more: by no
    /// more than turns can have brought it.</summary>
    private static void BringNear(SchedCpu* cpu, SchedUnit* unit, ulong mostBehind)
    {
        SedfUnit* own = SedfUnit.Of(unit);
        ulong floor = SedfCpu.Of(cpu)->ExtraFloor;
        ulong mostAhead = Spread(cpu, unit);
        if (IsLess(own->ExtraSpent, floor - mostBehind))
        {
            own->ExtraSpent = floor - mostBehind;
        }
        else if (IsLess(floor + mostAhead, own->ExtraSpent))
        {
            own->ExtraSpent = floor + mostAhead;
        }
    }

    /// <summary>Books the time that the running unit ran since it was last asked.</summary>
    private static void Charge(SchedUnit* unit, ulong now)
    {
        SedfUnit* own = SedfUnit.Of(unit);
        ulong ran = now > unit->RunningSince ? now - unit->RunningSince : 0;
        unit->RunningSince = now;
        if (own->IsExtra)
        {
            own->ExtraSpent += ExtraCost(unit, ran);
            own->Used += ran;
        }
        else
        {
            own->Budget -= (long)ran;
        }
    }

    /// <summary>Should the waiting unit have the CPU rather than the running one, whose accounts may be old?</summary>
    private static bool IsBetter(SchedUnit* unit, SchedUnit* running)
    {
        SedfUnit* own = SedfUnit.Of(unit);
        SedfUnit* other = SedfUnit.Of(running);
        return own->Queue == SedfQueue.Ready
            ? other->IsExtra || own->Deadline < other->Deadline
            : own->Queue == SedfQueue.Extra && other->IsExtra && own->HasWoken;
    }

    /// <summary>Puts the unit into the queue that its budget calls for.</summary>
    private static void Enqueue(SchedCpu* cpu, SchedUnit* unit)
    {
        SedfCpu* queues = SedfCpu.Of(cpu);
        SedfUnit* own = SedfUnit.Of(unit);
        bool isReserved = SedfReservation.Has(unit);
        if (isReserved && own->Budget > 0)
        {
            own->Queue = SedfQueue.Ready;
            SchedUnit* next = queues->Ready.First;
            while (next != null && SedfUnit.Of(next)->Deadline < own->Deadline)
            {
                next = next->Next;
            }

            queues->Ready.InsertBefore(next, unit);
            cpu->Waiting++;
        }
        else if (isReserved && unit->Domain->Sedf.ExtraTime == 0)
        {
            own->Queue = SedfQueue.Depleted;
            SchedUnit* next = queues->Depleted.First;
            while (next != null && SedfUnit.Of(next)->Deadline <= own->Deadline)
            {
                next = next->Next;
            }

            queues->Depleted.InsertBefore(next, unit);
        }
        else
        {
            if (own->Queue != SedfQueue.Extra && IsLess(own->ExtraSpent, queues->ExtraFloor))
            {
                // It ran on its budget, or waited for the next, while others were charged.
                own->ExtraSpent = queues->ExtraFloor;
            }

            own->Queue = SedfQueue.Extra;
            InsertExtra(queues, unit);
            cpu->Waiting++;
            if (isReserved && own->Deadline < queues->NextExtraRelease)
            {
                queues->NextExtraRelease = own->Deadline;
            }
        }
    }

    private static void InsertExtra(SedfCpu* queues, SchedUnit* unit)
    {
        SchedUnit* next = queues->Extra.First;
        while (next != null && IsBefore(SedfUnit.Of(next), SedfUnit.Of(unit)))
        {
            next = next->Next;
        }

        queues->Extra.InsertBefore(next, unit);
    }

    /// <summary>Of two that have been charged the same the one that has just woken is next.</summary>
    private static bool IsBefore(SedfUnit* queued, SedfUnit* own) =>
        own->HasWoken ? IsLess(queued->ExtraSpent, own->ExtraSpent) : !IsLess(own->ExtraSpent, queued->ExtraSpent);

    private static void Dequeue(SchedCpu* cpu, SchedUnit* unit)
    {
        SedfCpu* queues = SedfCpu.Of(cpu);
        switch (SedfUnit.Of(unit)->Queue)
        {
            case SedfQueue.Ready:
                queues->Ready.Remove(unit);
                cpu->Waiting--;
                break;
            case SedfQueue.Extra:
                queues->Extra.Remove(unit);
                cpu->Waiting--;
                break;
            default:
                queues->Depleted.Remove(unit);
                break;
        }
    }
}
