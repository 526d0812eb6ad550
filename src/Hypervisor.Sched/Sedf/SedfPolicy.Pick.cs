// SPDX-License-Identifier: MIT

namespace Hypervisor.Sched.Sedf;

public unsafe partial struct SedfPolicy
{
    public static SchedDecision Pick(SchedCpu* cpu, ulong now)
    {
        SedfCpu* queues = SedfCpu.Of(cpu);
        SchedUnit* running = cpu->Running;
        bool mayGoOn = false;
        if (running != null)
        {
            SedfUnit* own = SedfUnit.Of(running);
            Charge(running, now);
            if (SedfReservation.Has(running) && own->Deadline <= now)
            {
                SedfReservation.Release(running, now);
            }

            mayGoOn = own->IsExtra && !own->HasYielded && own->Used < cpu->System->Parameters.TimeSlice;
            if (own->HasYielded)
            {
                GiveWay(queues, own);
            }

            Enqueue(cpu, running);
        }

        ReleaseDue(cpu, now);
        SchedUnit* next = queues->Ready.First;
        if (next == null && mayGoOn && SedfUnit.Of(running)->Queue == SedfQueue.Extra && !MustGiveIn(cpu, running))
        {
            next = running;
        }

        if (next == null)
        {
            SchedUnit* taken = Take(cpu, queues->Extra.First);
            if (taken != null)
            {
                return Run(cpu, taken, isSame: false, now);
            }

            next = queues->Extra.First;
            if (next == null)
            {
                return SchedDecision.Idle(NextRelease(queues));
            }
        }

        Dequeue(cpu, next);
        return Run(cpu, next, next == running, now);
    }

    private static SchedDecision Run(SchedCpu* cpu, SchedUnit* unit, bool isSame, ulong now)
    {
        SedfCpu* queues = SedfCpu.Of(cpu);
        SedfUnit* own = SedfUnit.Of(unit);
        SystemParameters* parameters = &cpu->System->Parameters;
        bool wasExtra = isSame && own->IsExtra;
        own->HasWoken = false;
        own->HasYielded = false;
        own->IsExtra = own->Queue == SedfQueue.Extra;
        unit->RunningSince = now;
        ulong until = SchedDecision.NoLimit;
        if (!own->IsExtra)
        {
            until = now + (ulong)own->Budget;
        }
        else
        {
            if (!wasExtra || own->Used >= parameters->TimeSlice)
            {
                own->Used = 0;
                queues->ExtraFloor = IsLess(queues->ExtraFloor, own->ExtraSpent) ? own->ExtraSpent : queues->ExtraFloor;
            }

            if (cpu->Waiting != 0 || !cpu->System->Online.Without(cpu->Cpu).IsEmpty)
            {
                // Units may wait elsewhere, too, that have been charged less.
                until = now + parameters->TimeSlice - own->Used;
                SchedUnit* first = queues->Extra.First;
                if (first != null && SedfUnit.Of(first)->HasWoken && own->Used < parameters->RateLimit)
                {
                    until = now + parameters->RateLimit - own->Used;
                }
            }
        }

        ulong release = NextRelease(queues);
        return SchedDecision.Run(unit, release < until ? release : until);
    }

    /// <summary>Some unit has woken and is behind the running one, which has had the rate limit's worth.</summary>
    private static bool MustGiveIn(SchedCpu* cpu, SchedUnit* running)
    {
        SchedUnit* first = SedfCpu.Of(cpu)->Extra.First;
        return first != running && SedfUnit.Of(first)->HasWoken
            && SedfUnit.Of(running)->Used >= cpu->System->Parameters.RateLimit;
    }

    /// <summary>Whoever yields is charged as much as the next one who waits for left-over time; on a budget it gives
    /// nothing up.</summary>
    private static void GiveWay(SedfCpu* queues, SedfUnit* own)
    {
        if (own->IsExtra && !queues->Extra.IsEmpty)
        {
            ulong next = SedfUnit.Of(queues->Extra.First)->ExtraSpent;
            own->ExtraSpent = IsLess(own->ExtraSpent, next) ? next : own->ExtraSpent;
        }
    }

    /// <summary>Units whose next period has begun have a budget again.</summary>
    private static void ReleaseDue(SchedCpu* cpu, ulong now)
    {
        SedfCpu* queues = SedfCpu.Of(cpu);
        while (!queues->Depleted.IsEmpty && SedfUnit.Of(queues->Depleted.First)->Deadline <= now)
        {
            SchedUnit* unit = queues->Depleted.First;
            Dequeue(cpu, unit);
            SedfReservation.Release(unit, now);
            Enqueue(cpu, unit);
        }

        if (now < queues->NextExtraRelease)
        {
            return;
        }

        queues->NextExtraRelease = SchedDecision.NoLimit;
        SchedUnit* extra = queues->Extra.First;
        while (extra != null)
        {
            SchedUnit* following = extra->Next;
            if (SedfReservation.Has(extra))
            {
                ulong deadline = SedfUnit.Of(extra)->Deadline;
                if (deadline <= now)
                {
                    Dequeue(cpu, extra);
                    SedfReservation.Release(extra, now);
                    Enqueue(cpu, extra);
                }
                else if (deadline < queues->NextExtraRelease)
                {
                    queues->NextExtraRelease = deadline;
                }
            }

            extra = following;
        }
    }

    private static ulong NextRelease(SedfCpu* queues)
    {
        ulong next = queues->NextExtraRelease;
        if (!queues->Depleted.IsEmpty && SedfUnit.Of(queues->Depleted.First)->Deadline < next)
        {
            next = SedfUnit.Of(queues->Depleted.First)->Deadline;
        }

        return next;
    }
}
