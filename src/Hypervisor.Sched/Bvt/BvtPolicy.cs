// SPDX-License-Identifier: MIT
// Borrowed virtual time (Duda and Cheriton, SOSP 1999). Each unit has a virtual time that goes on while it runs, by
// its advance a nanosecond; the unit whose virtual time is least is next. So running times are inverse to advances.
//
// A unit that wakes is brought up to the scheduler virtual time, the least of those that run or wait: it does not catch
// up on time that it slept. It runs at once if it is behind the running unit, and mostly it is.
//
// Warp: a unit that is to be served early counts as being further back than it is, by its warp value, from when it
// wakes. It borrows from its own future, for its actual virtual time goes on as ever: no warp gives anybody more than its
// share by more than the warp value. A limit ends the warp when the unit has run for so long, and it may not warp again
// before the unwarp requirement is over.
//
// The context switch allowance keeps switches apart: a unit runs on until it is ahead of the next by what it would run
// in that time. Nobody who has just woken waits for it, nor for those that it is ahead of by less: it runs first. What it
// runs is charged all the same, so it gains time to respond and no time to run.
//
// CPUs: virtual times mean the same on all of them. A CPU that turns to another unit prefers one that waits elsewhere
// if that is clearly further back; an idle CPU takes any. Where CPUs drift apart, since one was idle or its units cannot
// use all of their share, the virtual times of those left behind are lifted (BringUp).
//
// Locking: the CPU's lock is held; other CPUs' are only tried.

using System.Runtime.CompilerServices;

namespace Hypervisor.Sched.Bvt;

/// <summary>Weights, and early service for whoever borrows.</summary>
public unsafe partial struct BvtPolicy : ISchedulingPolicy
{
    /// <summary>Nanoseconds of sleep after which virtual times are not compared any more.</summary>
    private const ulong LongSleep = 60_000_000_000;

    public static void InitialiseCpu(SchedCpu* cpu, ulong now)
    {
        // All zero is right.
    }

    public static void InitialiseDomain(SchedSystem* system, SchedDomain* domain, ulong now)
    {
        // A domain is its parameters.
    }

    public static void ApplyParameters(SchedSystem* system, SchedDomain* domain, ulong now)
    {
        // They are read at each use.
    }

    public static bool TryAdmit(SchedSystem* system, SchedUnit* unit) => true; // Everybody is welcome.

    public static void Insert(SchedCpu* cpu, SchedUnit* unit, ulong now) =>
        BvtUnit.Of(unit)->Actual = BvtCpu.Of(cpu)->VirtualTime;

    public static void Adopt(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        // What Insert gave it is right for one that runs, too.
    }

    public static void Remove(SchedCpu* cpu, SchedUnit* unit)
    {
        // A sleeping unit is in no queue.
    }

    public static bool Wake(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        BvtCpu* queue = BvtCpu.Of(cpu);
        BvtUnit* own = BvtUnit.Of(unit);
        SchedUnit* running = cpu->Running;
        if (running != null)
        {
            Charge(running, now);
            AdvanceVirtualTime(queue, running);
        }

        if (now - unit->AsleepSince >= LongSleep)
        {
            own->Actual = queue->VirtualTime;
        }

        BringNear(cpu, unit, 0);
        Warp(unit, now);
        own->HasWoken = true;
        own->HeadStart = Cost(unit, cpu->System->Parameters.ContextSwitchAllowance);
        own->HasYielded = false;
        Enqueue(cpu, unit);

        // At the head of the queue it ends the running unit's turn, or sets it a nearer end.
        return running == null || queue->Queue.First == unit;
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

    public static void Yield(SchedCpu* cpu, SchedUnit* unit, ulong now) => BvtUnit.Of(unit)->HasYielded = true;

    public static uint ChooseCpu(SchedSystem* system, SchedUnit* unit) => Placement.Choose(system, unit);

    public static CpuMask PlacesWanted(SchedCpu* cpu) =>
        new(Placement.AddPlaces(0, cpu->System, BvtCpu.Of(cpu)->Queue));

    public static void Migrate(SchedUnit* unit, SchedCpu* from, SchedCpu* to, ulong now)
    {
        // Virtual times mean the same on every CPU; the wake-up that follows brings the unit near.
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsLess(ulong left, ulong right) => (long)(left - right) < 0;

    /// <summary>The virtual time that the unit goes on by in so many nanoseconds; beyond some minutes it does not
    /// count, so that nothing overflows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Cost(SchedUnit* unit, ulong time)
    {
        const ulong Longest = 1UL << 38;
        return (time < Longest ? time : Longest) * unit->Domain->Bvt.Advance;
    }

    /// <summary>Books the time that the running unit ran since it was last asked.</summary>
    private static void Charge(SchedUnit* unit, ulong now)
    {
        BvtUnit* own = BvtUnit.Of(unit);
        BvtParameters* parameters = &unit->Domain->Bvt;
        ulong ran = now > unit->RunningSince ? now - unit->RunningSince : 0;
        unit->RunningSince = now;
        own->Actual += Cost(unit, ran);
        if (own->Warp == 0)
        {
            return;
        }

        own->WarpUsed += ran;
        if (parameters->WarpLimit != 0 && own->WarpUsed >= parameters->WarpLimit)
        {
            own->Warp = 0;
            own->MayWarpAt = now + parameters->UnwarpRequirement;
        }
    }

    private static void Warp(SchedUnit* unit, ulong now)
    {
        BvtUnit* own = BvtUnit.Of(unit);
        BvtParameters* parameters = &unit->Domain->Bvt;
        bool mayWarp = parameters->IsWarping != 0 && now >= own->MayWarpAt;
        own->Warp = mayWarp ? parameters->WarpValue * BvtParameters.DefaultAdvance : 0;
        own->WarpUsed = 0;
    }

    /// <summary>Moves the scheduler virtual time on. Of the queue only the units up to the first that counts as
    /// being where it is can be furthest back.</summary>
    private static void AdvanceVirtualTime(BvtCpu* queue, SchedUnit* running)
    {
        ulong least = BvtUnit.Of(running)->Actual;
        for (SchedUnit* unit = queue->Queue.First; unit != null; unit = unit->Next)
        {
            ulong actual = BvtUnit.Of(unit)->Actual;
            least = IsLess(actual, least) ? actual : least;
            if (actual == BvtUnit.Of(unit)->Effective)
            {
                break;
            }
        }

        queue->VirtualTime = IsLess(queue->VirtualTime, least) ? least : queue->VirtualTime;
    }

    /// <summary>Limits by how much a unit that comes to the CPU is behind the others there, and ahead: by no more than
    /// one turn can have brought it.</summary>
    private static void BringNear(SchedCpu* cpu, SchedUnit* unit, ulong mostBehind)
    {
        BvtUnit* own = BvtUnit.Of(unit);
        ulong virtualTime = BvtCpu.Of(cpu)->VirtualTime;
        ulong mostAhead = TurnCost(cpu, unit) + (unit->Domain->Bvt.WarpValue * BvtParameters.DefaultAdvance);
        if (IsLess(own->Actual, virtualTime - mostBehind))
        {
            own->Actual = virtualTime - mostBehind;
        }
        else if (IsLess(virtualTime + mostAhead, own->Actual))
        {
            own->Actual = virtualTime + mostAhead;
        }
    }

    /// <summary>The virtual time that one turn can bring the unit on by.</summary>
    private static ulong TurnCost(SchedCpu* cpu, SchedUnit* unit) =>
        Cost(unit, cpu->System->Parameters.ContextSwitchAllowance + cpu->System->Parameters.TimeSlice);

    /// <summary>By how much turns and taking over alone may bring the unit's virtual time apart from others'.</summary>
    private static ulong Spread(SchedCpu* cpu, SchedUnit* unit) => (2 * WorthMoving(cpu)) + TurnCost(cpu, unit);

    private static void Enqueue(SchedCpu* cpu, SchedUnit* unit)
    {
        BvtCpu* queue = BvtCpu.Of(cpu);
        ulong effective = BvtUnit.Of(unit)->Effective;
        SchedUnit* next = queue->Queue.First;
        while (next != null && !IsLess(effective, BvtUnit.Of(next)->Effective))
        {
            next = next->Next;
        }

        queue->Queue.InsertBefore(next, unit);
        cpu->Waiting++;
    }

    private static void Dequeue(SchedCpu* cpu, SchedUnit* unit)
    {
        BvtCpu.Of(cpu)->Queue.Remove(unit);
        cpu->Waiting--;
    }
}
