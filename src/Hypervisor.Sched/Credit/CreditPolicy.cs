// SPDX-License-Identifier: MIT
// Shares by weight, ceilings by cap, work conserving.
//
// Every nanosecond that a unit runs is charged to it, at a rate that is inverse to its weight: who is charged least
// has had least of its share. A CPU draws a line. Units that have been charged less than the line have credit (UNDER),
// the others have none (OVER); UNDER goes before OVER, and within each the turn goes round in slices. When nobody who
// waits for the CPU has credit any more, the line moves up to a quantum above the least charged: that is how credit is
// handed out. It depends on no clock and on no list of active units; who sleeps simply is not asked, and who would
// have more than it can use leaves it to the others. Since charges are exact, to the nanosecond and at every switch,
// dodging a tick gains nothing: there is none.
//
// A unit that slept while the line went on has credit when it wakes, a quantum at most: nobody saves up. It is then
// boosted: it goes before all that are not, and takes the CPU from such a one once that has run for the rate limit. The
// boost lasts a millisecond. So whoever uses less than its share gets in at once; whoever uses more wakes OVER.
//
// Charges mean the same on every CPU. A CPU whose own units are all OVER first looks for one that waits elsewhere and
// has been charged clearly less than they have, and only then moves its line; an idle one takes any. So shares hold
// across CPUs, three equal units on two CPUs get two thirds each, and nobody takes a lock for it that is not free.
// Where affinity keeps groups of CPUs apart, or one was idle, their lines drift apart: a unit that passes from one to the
// other is brought near the line of the CPU it comes to, and a CPU whose units are far behind those that wait for it
// elsewhere brings its own up (BringUp).
//
// Domains: the weight is shared by the domain's awake units; the cap is a budget (CreditDomain).
//
// Locking: the CPU's lock is held; the domain's nests inside; other CPUs' are only tried.

using System.Runtime.CompilerServices;

namespace Hypervisor.Sched.Credit;

/// <summary>Weights and caps.</summary>
public unsafe partial struct CreditPolicy : ISchedulingPolicy
{
    /// <summary>Nanoseconds of a unit of weight 256 that are handed out at a time.</summary>
    public const ulong QuantumTime = 30_000_000;

    /// <summary>Nanoseconds that a boost lasts.</summary>
    public const ulong BoostLimit = 1_000_000;

    /// <summary>The same, as a charge.</summary>
    private const long Quantum = (long)QuantumTime << 8;

    /// <summary>Nanoseconds of sleep after which what a unit was charged is no longer compared with anything.</summary>
    private const ulong LongSleep = 60_000_000_000;

    public static void InitialiseCpu(SchedCpu* cpu, ulong now) => CreditCpu.Of(cpu)->NextUnpark = SchedDecision.NoLimit;

    public static void InitialiseDomain(SchedSystem* system, SchedDomain* domain, ulong now)
    {
        CreditDomain* own = (CreditDomain*)&domain->Policy;
        own->IntegralTo = now;
        CreditDomain.Apply(domain, now);
    }

    public static void ApplyParameters(SchedSystem* system, SchedDomain* domain, ulong now) =>
        CreditDomain.Apply(domain, now);

    public static bool TryAdmit(SchedSystem* system, SchedUnit* unit) => true; // Everybody is welcome.

    public static void Insert(SchedCpu* cpu, SchedUnit* unit, ulong now) =>
        CreditUnit.Of(unit)->Spent = CreditCpu.Of(cpu)->Line;

    public static void Adopt(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        CreditDomain.CountAwake(unit, 1, now);
        CreditDomain.BeginCharge(unit, now);
    }

    public static void Remove(SchedCpu* cpu, SchedUnit* unit)
    {
        // A sleeping unit is in no queue.
    }

    public static bool Wake(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        CreditUnit* credit = CreditUnit.Of(unit);
        SchedUnit* running = cpu->Running;
        if (running != null && queues->IsAlone)
        {
            // What it ran while nobody waited is not held against it.
            Charge(running, now);
            LiftLine(queues, CreditUnit.Of(running)->Spent);
            queues->IsAlone = false;
        }

        CreditDomain.CountAwake(unit, 1, now);
        if (now - unit->AsleepSince >= LongSleep)
        {
            credit->Spent = queues->Line - (ulong)Quantum;
        }

        BringNear(cpu, unit, Quantum);
        credit->IsBoosted = IsUnder(queues, credit);
        credit->HasYielded = false;
        credit->Used = 0;
        Enqueue(cpu, unit, isAhead: false);
        if (running == null)
        {
            return true;
        }

        // Where nobody waited until now the running unit had no limit: it gets one.
        return cpu->Waiting == 1 || (credit->IsBoosted && QueueFor(queues, CreditUnit.Of(running)) != CreditQueue.Boost);
    }

    public static void Sleep(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        if (cpu->Running == unit)
        {
            Charge(unit, now);
            CreditDomain.ReturnGrant(unit);
        }
        else
        {
            Dequeue(cpu, unit);
        }

        CreditDomain.CountAwake(unit, -1, now);
    }

    public static void Yield(SchedCpu* cpu, SchedUnit* unit, ulong now) => CreditUnit.Of(unit)->HasYielded = true;

    public static uint ChooseCpu(SchedSystem* system, SchedUnit* unit) => Placement.Choose(system, unit);

    public static CpuMask PlacesWanted(SchedCpu* cpu)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        ulong places = Placement.AddPlaces(0, cpu->System, queues->Boost);
        places = Placement.AddPlaces(places, cpu->System, queues->Under);
        return new CpuMask(Placement.AddPlaces(places, cpu->System, queues->Over));
    }

    public static void Migrate(SchedUnit* unit, SchedCpu* from, SchedCpu* to, ulong now)
    {
        // Charges mean the same on every CPU; the wake-up that follows brings the unit near the new line.
    }

    /// <summary>Charged less, in the sense of numbers that may wrap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsLess(ulong left, ulong right) => (long)(left - right) < 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsUnder(CreditCpu* queues, CreditUnit* credit) => IsLess(credit->Spent, queues->Line);

    /// <summary>The queue that the unit belongs into, be it parked or not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static CreditQueue QueueFor(CreditCpu* queues, CreditUnit* credit) =>
        !IsUnder(queues, credit) ? CreditQueue.Over
        : credit->IsBoosted && credit->Used < BoostLimit ? CreditQueue.Boost
        : CreditQueue.Under;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LiftLine(CreditCpu* queues, ulong spent)
    {
        if (IsLess(queues->Line, spent))
        {
            queues->Line = spent;
        }
    }

    /// <summary>Books the time that the running unit ran since it was last asked.</summary>
    private static void Charge(SchedUnit* unit, ulong now)
    {
        CreditUnit* credit = CreditUnit.Of(unit);
        ulong ran = now > unit->RunningSince ? now - unit->RunningSince : 0;
        unit->RunningSince = now;
        credit->Used += ran;
        credit->Stretch += ran;
        credit->Spent += CreditDomain.Charge(unit, now);
        if (CreditDomain.Of(unit)->BudgetPerPeriod != 0 || credit->Grant != 0)
        {
            credit->Grant -= (long)ran;
        }
    }

    /// <summary>Limits what a unit that comes to the CPU has in hand, and what it owes: to what it can have run up in
    /// one turn.</summary>
    private static void BringNear(SchedCpu* cpu, SchedUnit* unit, long mostCredit)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        CreditUnit* credit = CreditUnit.Of(unit);
        long debt = (long)(credit->Spent - queues->Line);
        if (debt < -mostCredit)
        {
            credit->Spent = queues->Line - (ulong)mostCredit;
            return;
        }

        long mostDebt = (long)MostDebt(cpu, unit);
        if (debt > mostDebt)
        {
            credit->Spent = queues->Line + (ulong)mostDebt;
        }
    }

    /// <summary>What a unit can have been charged in one turn, beyond those that have credit.</summary>
    private static ulong MostDebt(SchedCpu* cpu, SchedUnit* unit)
    {
        CreditDomain* domain = CreditDomain.Of(unit);
        return (ulong)Quantum + CreditDomain.Cost(domain, cpu->System->Parameters.TimeSlice * (domain->Awake + 1));
    }

    private static void Enqueue(SchedCpu* cpu, SchedUnit* unit, bool isAhead)
    {
        CreditCpu* queues = CreditCpu.Of(cpu);
        CreditUnit* credit = CreditUnit.Of(unit);
        credit->Queue = QueueFor(queues, credit);
        RunQueue* queue = CreditCpu.Queue(queues, credit->Queue);
        queue->InsertBefore(isAhead ? queue->First : null, unit);
        cpu->Waiting++;
    }

    private static void Dequeue(SchedCpu* cpu, SchedUnit* unit)
    {
        CreditUnit* credit = CreditUnit.Of(unit);
        CreditCpu.Queue(CreditCpu.Of(cpu), credit->Queue)->Remove(unit);
        if (credit->Queue != CreditQueue.Parked)
        {
            cpu->Waiting--;
        }
    }
}
