// SPDX-License-Identifier: MIT

namespace Hypervisor.Sched.Credit;

public unsafe partial struct CreditPolicy
{
    /// <summary>Nanoseconds that a unit without credit runs when it is let in though others have some.</summary>
    private const ulong BriefTurn = 100_000;

    public static SchedDecision Pick(SchedCpu* cpu, ulong now)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        Unpark(cpu, now);
        SchedUnit* running = cpu->Running;
        SchedUnit* yielder = null;
        if (running != null)
        {
            CreditUnit* credit = CreditUnit.Of(running);
            Charge(running, now);
            if (queues->IsAlone)
            {
                LiftLine(queues, credit->Spent);
            }

            if (MustPark(running, now))
            {
                Park(cpu, running);
                running = null;
            }
            else if (!credit->HasYielded && MayGoOn(cpu, running))
            {
                return Run(cpu, running, now);
            }
            else
            {
                yielder = credit->HasYielded ? running : null;
                StopRunning(cpu, running);
            }
        }

        while (true)
        {
            SchedUnit* next = Next(cpu, yielder);
            if (next == null)
            {
                queues->IsAlone = false;
                return SchedDecision.Idle(queues->NextUnpark);
            }

            CreditUnit.Of(next)->Stretch = 0;
            CreditDomain.BeginCharge(next, now);
            next->RunningSince = now;
            if (MustPark(next, now))
            {
                Park(cpu, next);
                continue;
            }

            return Run(cpu, next, now);
        }
    }

    /// <summary>The running unit keeps the CPU: nobody waits who is better off, and its turn is not over; or it has not
    /// run for the rate limit yet.</summary>
    private static bool MayGoOn(SchedCpu* cpu, SchedUnit* running)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        CreditUnit* credit = CreditUnit.Of(running);
        SystemParameters* parameters = &cpu->System->Parameters;
        if (credit->Stretch < parameters->RateLimit)
        {
            return true;
        }

        CreditQueue own = QueueFor(queues, credit);
        if (own == CreditQueue.Over || IsBetterWaiting(queues, own))
        {
            return false;
        }

        return credit->Used < parameters->TimeSlice || CreditCpu.Queue(queues, own)->IsEmpty;
    }

    private static bool IsBetterWaiting(CreditCpu* queues, CreditQueue own) =>
        (own > CreditQueue.Boost && !queues->Boost.IsEmpty) || (own > CreditQueue.Under && !queues->Under.IsEmpty);

    /// <summary>The unit that ran waits again: behind its equals if it has had its turn, before them otherwise.</summary>
    private static void StopRunning(SchedCpu* cpu, SchedUnit* running)
    {
        CreditUnit* credit = CreditUnit.Of(running);
        CreditDomain.ReturnGrant(running);
        bool isOver = credit->HasYielded || credit->Used >= cpu->System->Parameters.TimeSlice;
        if (isOver)
        {
            credit->Used = 0;
            credit->IsBoosted = false;
            credit->HasYielded = false;
        }

        Enqueue(cpu, running, isAhead: !isOver);
    }

    /// <summary>Runs the unit, which is in no queue, until something else may be better.</summary>
    private static SchedDecision Run(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        CreditUnit* credit = CreditUnit.Of(unit);
        SystemParameters* parameters = &cpu->System->Parameters;
        ulong until = SchedDecision.NoLimit;
        if (credit->Used >= parameters->TimeSlice)
        {
            // Its turn is over, but nobody's is next.
            credit->Used = 0;
            credit->IsBoosted = false;
        }

        queues->IsAlone = cpu->Waiting == 0;
        if (!queues->IsAlone)
        {
            CreditQueue own = QueueFor(queues, credit);
            ulong left = parameters->TimeSlice - credit->Used;
            if (own == CreditQueue.Over || IsBetterWaiting(queues, own))
            {
                left = Least(left, Most(Left(parameters->RateLimit, credit->Stretch), BriefTurn));
            }
            else if (own == CreditQueue.Boost)
            {
                left = Least(left, BoostLimit - credit->Used);
            }

            until = now + left;
        }
        else if (!cpu->System->Online.Without(cpu->Cpu).IsEmpty)
        {
            // Units may wait elsewhere for one who has been charged more than they.
            until = now + parameters->TimeSlice;
        }

        if (credit->Grant > 0)
        {
            until = Least(until, now + (ulong)credit->Grant);
        }

        return SchedDecision.Run(unit, Least(until, queues->NextUnpark));
    }

    private static ulong Left(ulong whole, ulong used) => used < whole ? whole - used : 0;

    private static ulong Least(ulong left, ulong right) => left < right ? left : right;

    private static ulong Most(ulong left, ulong right) => left > right ? left : right;
}
