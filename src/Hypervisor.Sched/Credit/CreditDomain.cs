// SPDX-License-Identifier: MIT
// What the credit policy knows of a domain as a whole: what a nanosecond costs its units, and its budget under a cap.
//
// The weight is the domain's, so its awake units share it: with n of them awake a nanosecond of any costs n times the
// domain's rate. n changes while units run. So the domain keeps the integral of n over time, and a unit is charged the
// integral's growth while it ran: exact, whoever sleeps or wakes in between and whenever the bill is made out.
//
// A cap is a budget for each period of 10 ms. A unit that is chosen takes a grant out of it, runs no longer than that,
// and gives back what it did not use; so units on several CPUs cannot spend the same time twice. What is left when
// the period ends stays, up to the least grant; what a late timer let a unit run over is owed. Hence the average is
// the cap.
//
// Locking: SchedDomain.Lock, inside a CPU's. All CPUs of a domain want it at each switch, and hold it for a few instructions:
// it is taken out of turn.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched.Credit;

/// <summary>What <see cref="CreditPolicy"/> remembers about a domain.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CreditDomain
{
    /// <summary>Nanoseconds: a capped domain has a budget for each.</summary>
    public const ulong CapPeriod = 10_000_000;

    /// <summary>Nanoseconds: less is not worth a switch.</summary>
    public const long LeastGrant = 20_000;

    /// <summary>Nanoseconds: what is worth a switch where several units share a budget.</summary>
    public const long UsualGrant = 500_000;

    private const int RateShift = 8;

    /// <summary>Awake units, and the integral of their number up to <see cref="IntegralTo"/>.</summary>
    public uint Awake;
    public ulong Integral;
    public ulong IntegralTo;

    /// <summary>What a nanosecond costs, times 256; a nanosecond costs 256 at weight 256.</summary>
    public ulong Rate;

    /// <summary>Nanoseconds of budget in each period; 0: the domain has no cap.</summary>
    public long BudgetPerPeriod;
    public long Budget;
    public ulong PeriodStart;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static CreditDomain* Of(SchedUnit* unit) => (CreditDomain*)&unit->Domain->Policy;

    public static void Apply(SchedDomain* domain, ulong now)
    {
        CreditDomain* own = (CreditDomain*)&domain->Policy;
        domain->Lock.AcquireOutOfTurn();
        own->Rate = ((1UL << 24) + (domain->Credit.Weight / 2)) / domain->Credit.Weight;
        long budget = (long)(CapPeriod * domain->Credit.Cap / 100);
        if (budget != own->BudgetPerPeriod)
        {
            own->BudgetPerPeriod = budget;
            own->Budget = budget;
            own->PeriodStart = now;
        }

        domain->Lock.Release();
    }

    /// <summary>A unit wakes, or falls asleep.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CountAwake(SchedUnit* unit, int change, ulong now)
    {
        CreditDomain* own = Of(unit);
        unit->Domain->Lock.AcquireOutOfTurn();
        Advance(own, now);
        own->Awake = (uint)((int)own->Awake + change);
        unit->Domain->Lock.Release();
    }

    /// <summary>The unit begins to run: charges count from here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BeginCharge(SchedUnit* unit, ulong now)
    {
        CreditDomain* own = Of(unit);
        unit->Domain->Lock.AcquireOutOfTurn();
        Advance(own, now);
        CreditUnit.Of(unit)->ChargedTo = own->Integral;
        unit->Domain->Lock.Release();
    }

    /// <summary>What the unit's running since it was last charged costs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Charge(SchedUnit* unit, ulong now)
    {
        CreditDomain* own = Of(unit);
        unit->Domain->Lock.AcquireOutOfTurn();
        Advance(own, now);
        ulong share = own->Integral - CreditUnit.Of(unit)->ChargedTo;
        CreditUnit.Of(unit)->ChargedTo = own->Integral;
        unit->Domain->Lock.Release();
        return Cost(own, share);
    }

    /// <summary>The cost of so much unit time; beyond some minutes it does not count, so that nothing
    /// overflows.</summary>
    public static ulong Cost(CreditDomain* own, ulong share)
    {
        const ulong Longest = 1UL << 38;
        return ((share < Longest ? share : Longest) * own->Rate) >> RateShift;
    }

    /// <summary>Gives the unit a part of the domain's budget to run on. False: there is none, and the unit's
    /// <see cref="CreditUnit.ParkedUntil"/> says until when.</summary>
    public static bool TryGrant(SchedUnit* unit, ulong now)
    {
        CreditDomain* own = Of(unit);
        CreditUnit* credit = CreditUnit.Of(unit);
        unit->Domain->Lock.AcquireOutOfTurn();
        Refill(own, now);
        long grant = own->Awake > 1 ? own->Budget / own->Awake : own->Budget;
        grant = grant < UsualGrant ? UsualGrant : grant;
        grant = grant < own->Budget ? grant : own->Budget;
        bool isGranted = grant >= LeastGrant;
        if (isGranted)
        {
            own->Budget -= grant;
            credit->Grant += grant;
        }
        else
        {
            credit->ParkedUntil = own->PeriodStart + CapPeriod;
        }

        unit->Domain->Lock.Release();
        return isGranted;
    }

    /// <summary>The unit stops running: what it did not use goes back, what it ran over is owed.</summary>
    public static void ReturnGrant(SchedUnit* unit)
    {
        CreditUnit* credit = CreditUnit.Of(unit);
        if (credit->Grant == 0)
        {
            return;
        }

        unit->Domain->Lock.AcquireOutOfTurn();
        Of(unit)->Budget += credit->Grant;
        credit->Grant = 0;
        unit->Domain->Lock.Release();
    }

    private static void Refill(CreditDomain* own, ulong now)
    {
        if (now < own->PeriodStart + CapPeriod)
        {
            return;
        }

        ulong periods = (now - own->PeriodStart) / CapPeriod;
        own->PeriodStart += periods * CapPeriod;

        // Beyond this many nothing that can be owed is left.
        periods = periods < 1000 ? periods : 1000;
        long most = own->BudgetPerPeriod + LeastGrant;
        long budget = own->Budget + ((long)periods * own->BudgetPerPeriod);
        own->Budget = budget < most ? budget : most;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Advance(CreditDomain* own, ulong now)
    {
        // Two CPUs' clocks may disagree by a few ticks.
        if (now > own->IntegralTo)
        {
            own->Integral += (now - own->IntegralTo) * own->Awake;
            own->IntegralTo = now;
        }
    }
}
