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

        SchedUnit* next = queue->Queue.First;
        if (next != null && next == running && BvtUnit.Of(running)->HasYielded && next->Next != null)
        {
            next = next->Next;
        }

        SchedUnit* taken = Take(cpu, next);
        if (taken != null)
        {
            next = taken;
        }
        else if (next != null)
        {
            Dequeue(cpu, next);
        }
        else
        {
            return SchedDecision.Idle(SchedDecision.NoLimit);
        }

        AdvanceVirtualTime(queue, next);
        return Run(cpu, next, now);
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
            while (unit != null && !(IsWorth(cpu, unit, best) && Placement.MayTake(cpu, unit, onlyPreferred)))
            {
                unit = unit->Next;
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

        BringNear(cpu, unit, 4 * WorthMoving(cpu));
    }

    private static bool IsWorth(SchedCpu* cpu, SchedUnit* unit, SchedUnit* best) =>
        best == null || IsLess(BvtUnit.Of(unit)->Effective + WorthMoving(cpu), BvtUnit.Of(best)->Effective);

    private static ulong Least(ulong left, ulong right) => left < right ? left : right;
}
