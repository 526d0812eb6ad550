// SPDX-License-Identifier: MIT

namespace Hypervisor.Sched.Credit;

public unsafe partial struct CreditPolicy
{
    /// <summary>By how much a unit that waits elsewhere must have been charged less than all here, to be worth its cold
    /// caches.</summary>
    private const ulong WorthMoving = (ulong)Quantum / 4;

    /// <summary>Takes the next unit out of a queue of this CPU or of another's; null: nobody waits who may run here.
    /// <paramref name="yielder"/> has just let others go first.</summary>
    private static SchedUnit* Next(SchedCpu* cpu, SchedUnit* yielder)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        SchedUnit* next = queues->Boost.First;
        if (next == null)
        {
            next = queues->Under.First;
            if (next != null && next == yielder && next->Next == null && !queues->Over.IsEmpty)
            {
                next = queues->Over.First;
            }
        }

        if (next == null)
        {
            SchedUnit* taken = Take(cpu, LeastCharged(queues));
            if (taken != null || queues->Over.IsEmpty)
            {
                return taken;
            }

            MoveLine(queues);
            next = queues->Under.First;
        }

        Dequeue(cpu, next);
        return next;
    }

    /// <summary>Who waits without credit and has been charged least; null: nobody does.</summary>
    private static SchedUnit* LeastCharged(CreditCpu* queues)
    {
        SchedUnit* least = queues->Over.First;
        for (SchedUnit* unit = least; unit != null; unit = unit->Next)
        {
            least = IsLess(CreditUnit.Of(unit)->Spent, CreditUnit.Of(least)->Spent) ? unit : least;
        }

        return least;
    }

    /// <summary>Nobody who waits has credit: hands some out.</summary>
    private static void MoveLine(CreditCpu* queues)
    {
        queues->Line = CreditUnit.Of(LeastCharged(queues))->Spent + (ulong)Quantum;
        SchedUnit* unit = queues->Over.First;
        while (unit != null)
        {
            SchedUnit* next = unit->Next;
            CreditUnit* credit = CreditUnit.Of(unit);
            if (IsUnder(queues, credit))
            {
                queues->Over.Remove(unit);
                credit->Queue = CreditQueue.Under;
                queues->Under.Append(unit);
            }

            unit = next;
        }
    }

    /// <summary>Takes over a unit that waits for another CPU: any, where <paramref name="best"/> is null, or one that has
    /// been charged clearly less than that, the least charged here.</summary>
    private static SchedUnit* Take(SchedCpu* cpu, SchedUnit* best)
    {
        SchedUnit* unit = TakeFromOthers(cpu, best, onlyPreferred: true);
        return unit != null ? unit : TakeFromOthers(cpu, best, onlyPreferred: false);
    }

    private static SchedUnit* TakeFromOthers(SchedCpu* cpu, SchedUnit* best, bool onlyPreferred)
    {
        // From the next higher number round to the next lower one, so that not all turn to the same CPU.
        CpuMask others = cpu->System->Online.Without(cpu->Cpu);
        CpuMask higher = new(others.Bits & (ulong.MaxValue << (int)cpu->Cpu));
        CpuMask lower = new(others.Bits & ~higher.Bits);
        while (!(higher.IsEmpty && lower.IsEmpty))
        {
            uint number = higher.IsEmpty ? lower.First : higher.First;
            higher = higher.Without(number);
            lower = lower.Without(number);
            SchedCpu* other = cpu->System->Cpu(number);
            if (System.Threading.Volatile.Read(ref other->Waiting) == 0 || !other->Lock.TryAcquire())
            {
                continue;
            }

            SchedUnit* unit = FindFor(cpu, other, best, onlyPreferred);
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

    private static SchedUnit* FindFor(SchedCpu* cpu, SchedCpu* other, SchedUnit* best, bool onlyPreferred)
    {
        SchedUnit* least = null;
        for (CreditQueue queue = CreditQueue.Boost; queue <= CreditQueue.Over; queue++)
        {
            SchedUnit* unit = CreditCpu.Queue(CreditCpu.Of(other), queue)->First;
            for (; unit != null; unit = unit->Next)
            {
                if (!Placement.MayTake(cpu, unit, onlyPreferred))
                {
                    continue;
                }

                if (best == null || IsLess(CreditUnit.Of(unit)->Spent + WorthMoving, CreditUnit.Of(best)->Spent))
                {
                    return unit;
                }

                least = least == null || IsLess(CreditUnit.Of(unit)->Spent, CreditUnit.Of(least)->Spent) ? unit : least;
            }
        }

        if (least != null)
        {
            BringUp(cpu, best, CreditUnit.Of(least)->Spent - MostDebt(cpu, least) - MostDebt(cpu, best));
        }

        return null;
    }

    /// <summary>The least charged unit here is further behind than can be balanced while others wait elsewhere that may
    /// run here: this CPU was idle when they were charged, or the unit cannot use all of its share. It is not owed
    /// that, nor is anybody else here.</summary>
    private static void BringUp(SchedCpu* cpu, SchedUnit* best, ulong least)
    {
        if (!IsLess(CreditUnit.Of(best)->Spent, least))
        {
            return;
        }

        for (SchedUnit* unit = CreditCpu.Of(cpu)->Over.First; unit != null; unit = unit->Next)
        {
            CreditUnit* credit = CreditUnit.Of(unit);
            credit->Spent = IsLess(credit->Spent, least) ? least : credit->Spent;
        }
    }

    private static void TakeOver(SchedCpu* cpu, SchedCpu* other, SchedUnit* unit, bool isIdle)
    {
        Dequeue(other, unit);
        unit->Cpu = cpu->Cpu;
        CreditCpu* queues = CreditCpu.Of(cpu);
        if (isIdle && queues->Parked.IsEmpty)
        {
            // With nobody here to compare with, the line comes along.
            queues->Line = CreditCpu.Of(other)->Line;
        }

        BringNear(cpu, unit, 2 * Quantum);
    }

    /// <summary>The unit has no budget to run on, nor is there any for it.</summary>
    private static bool MustPark(SchedUnit* unit, ulong now)
    {
        if (CreditDomain.Of(unit)->BudgetPerPeriod == 0 || CreditUnit.Of(unit)->Grant > 0)
        {
            return false;
        }

        CreditDomain.ReturnGrant(unit);
        return !CreditDomain.TryGrant(unit, now);
    }

    private static void Park(SchedCpu* cpu, SchedUnit* unit)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        CreditUnit* credit = CreditUnit.Of(unit);
        credit->Queue = CreditQueue.Parked;
        credit->HasYielded = false;
        queues->Parked.Append(unit);
        queues->NextUnpark = Least(queues->NextUnpark, credit->ParkedUntil);
    }

    /// <summary>Units whose domains have a new budget wait again.</summary>
    private static void Unpark(SchedCpu* cpu, ulong now)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        if (now < queues->NextUnpark)
        {
            return;
        }

        queues->NextUnpark = SchedDecision.NoLimit;
        SchedUnit* unit = queues->Parked.First;
        while (unit != null)
        {
            SchedUnit* next = unit->Next;
            CreditUnit* credit = CreditUnit.Of(unit);
            if (credit->ParkedUntil <= now)
            {
                queues->Parked.Remove(unit);
                BringNear(cpu, unit, 2 * Quantum);

                // Its turns come by the period, not by the queue: one that has credit gets in before the period is over.
                credit->IsBoosted = IsUnder(queues, credit);
                credit->Used = 0;
                Enqueue(cpu, unit, isAhead: false);
            }
            else
            {
                queues->NextUnpark = Least(queues->NextUnpark, credit->ParkedUntil);
            }

            unit = next;
        }
    }
}
