// SPDX-License-Identifier: MIT

using System.Threading;

namespace Hypervisor.Sched.Bvt;

public unsafe partial struct BvtPolicy
{
    /// <summary>Nanoseconds that a unit runs which is let in though another is further back.</summary>
    private const ulong BriefTurn = 100_000;

    public static SchedDecision Pick(SchedCpu* cpu, ulong now)
    {
        BvtCpu* queue = BvtCpu.Of(cpu);
        SchedUnit* running = cpu->Running;
        if (running != null)
        {
            Charge(running, now);
            AdvanceVirtualTime(queue, running);
            if (MayGoOn(cpu, running))
            {
                return Run(cpu, running, now);
            }

            Enqueue(cpu, running);
        }

        SchedUnit* taken = Take(cpu, First(queue, running));
        SchedUnit* next = taken != null ? taken : First(queue, running);
        if (next == null)
        {
            return SchedDecision.Idle(SchedDecision.NoLimit);
        }

        if (taken == null)
        {
            Dequeue(cpu, next);
        }

        AdvanceVirtualTime(queue, next);
        return Run(cpu, next, now);
    }

    /// <summary>Who is next of those that wait here; one that yields lets another go first.</summary>
    private static SchedUnit* First(BvtCpu* queue, SchedUnit* running)
    {
        SchedUnit* first = queue->Queue.First;
        bool givesWay = first != null && first == running && BvtUnit.Of(running)->HasYielded && first->Next != null;
        return givesWay ? first->Next : first;
    }

    private static SchedDecision Run(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        BvtUnit* own = BvtUnit.Of(unit);
        SystemParameters* parameters = &cpu->System->Parameters;
        SchedUnit* first = BvtCpu.Of(cpu)->Queue.First;
        own->HasWoken = false;
        own->HeadStart = 0;
        own->HasYielded = false;
        unit->RunningSince = now;

        // With other CPUs it is looked at now and then: somebody may wait there who is further back.
        bool isOnly = cpu->System->Online.Without(cpu->Cpu).IsEmpty;
        ulong turn = isOnly ? SchedDecision.NoLimit : parameters->TimeSlice;
        if (first != null)
        {
            turn = Least(turn, UntilAhead(cpu, unit, first));
        }

        if (own->Warp != 0 && unit->Domain->Bvt.WarpLimit > own->WarpUsed)
        {
            turn = Least(turn, unit->Domain->Bvt.WarpLimit - own->WarpUsed);
        }

        return SchedDecision.Run(unit, turn == SchedDecision.NoLimit ? turn : now + turn);
    }

    /// <summary>Nanoseconds until the unit is ahead of the first that waits by what it would run in the
    /// allowance.</summary>
    private static ulong UntilAhead(SchedCpu* cpu, SchedUnit* unit, SchedUnit* first)
    {
        ulong advance = unit->Domain->Bvt.Advance;
        long behind = (long)(BvtUnit.Of(first)->Effective - BvtUnit.Of(unit)->Effective);
        ulong allowance = BvtUnit.Of(first)->HasWoken ? 0 : cpu->System->Parameters.ContextSwitchAllowance;
        if (behind >= 0)
        {
            return ((ulong)behind / advance) + allowance + 1;
        }

        ulong ahead = (ulong)-behind / advance;
        return ahead + BriefTurn < allowance ? allowance - ahead + 1 : BriefTurn;
    }

    /// <summary>Nobody who waits here is further back than the running unit by more than the allowance, or has woken
    /// and is further back at all; or it is alone, and nobody waits anywhere.</summary>
    private static bool MayGoOn(SchedCpu* cpu, SchedUnit* running)
    {
        SchedUnit* first = BvtCpu.Of(cpu)->Queue.First;
        BvtUnit* own = BvtUnit.Of(running);
        if (first == null)
        {
            return !DoesOneWaitElsewhere(cpu);
        }

        ulong allowance = BvtUnit.Of(first)->HasWoken
            ? 0
            : Cost(running, cpu->System->Parameters.ContextSwitchAllowance);
        return !own->HasYielded && !IsLess(BvtUnit.Of(first)->Effective + allowance, own->Effective);
    }

    private static bool DoesOneWaitElsewhere(SchedCpu* cpu)
    {
        CpuMask others = cpu->System->Online.Without(cpu->Cpu);
        for (; !others.IsEmpty; others = others.Without(others.First))
        {
            if (Volatile.Read(ref cpu->System->Cpu(others.First)->Waiting) != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>By how much a unit that waits elsewhere must be further back, to be worth its cold caches.</summary>
    private static ulong WorthMoving(SchedCpu* cpu) =>
        cpu->System->Parameters.ContextSwitchAllowance * BvtParameters.DefaultAdvance;

    /// <summary>Takes over a unit that waits for another CPU and is clearly further back than
    /// <paramref name="best"/>; any, where that is null.</summary>
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

            SchedUnit* unit = BvtCpu.Of(other)->Queue.First;
            while (unit != null && !Placement.MayTake(cpu, unit, onlyPreferred))
            {
                unit = unit->Next;
            }

            if (unit != null && !IsWorth(cpu, unit, best))
            {
                BringUp(cpu, best, BvtUnit.Of(unit)->Effective - Spread(cpu, unit) - Spread(cpu, best));
                unit = null;
            }

            if (unit != null)
            {
                TakeOver(cpu, other, unit, isIdle: best == null);
            }

            other->Lock.Release();
            if (unit != null)
            {
                return unit;
            }
        }

        return null;
    }

    private static void TakeOver(SchedCpu* cpu, SchedCpu* other, SchedUnit* unit, bool isIdle)
    {
        Dequeue(other, unit);
        unit->Cpu = cpu->Cpu;
        if (isIdle)
        {
            // With nobody here to compare with, the virtual time comes along.
            BvtCpu.Of(cpu)->VirtualTime = BvtCpu.Of(other)->VirtualTime;
        }

        BringNear(cpu, unit, Spread(cpu, unit));
    }

    /// <summary>The unit that is furthest back here is further back than can be balanced while others wait elsewhere that
    /// may run here: this CPU was idle when they ran, or the unit cannot use all of its share. It is not owed
    /// that.</summary>
    private static void BringUp(SchedCpu* cpu, SchedUnit* best, ulong least)
    {
        if (IsLess(BvtUnit.Of(best)->Actual, least))
        {
            Dequeue(cpu, best);
            BvtUnit.Of(best)->Actual = least;
            Enqueue(cpu, best);
        }
    }

    private static bool IsWorth(SchedCpu* cpu, SchedUnit* unit, SchedUnit* best) =>
        best == null || IsLess(BvtUnit.Of(unit)->Effective + WorthMoving(cpu), BvtUnit.Of(best)->Effective);

    private static ulong Least(ulong left, ulong right) => left < right ? left : right;
}
