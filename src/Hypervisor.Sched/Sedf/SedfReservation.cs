// SPDX-License-Identifier: MIT
// A reservation as a server of constant bandwidth: slice S in each period P, a budget and a deadline. Whatever the
// unit does, its budget B and deadline d keep B <= (d - t) * S / P at each time t where a new pair is given, so it
// never asks for more than the fraction S / P of the CPU, and earliest deadline first serves all servers of a CPU in
// time as long as the fractions add up to no more than one.
//
// * The budget is used up: the unit waits for its deadline, which is then moved on by a period, with a new budget.
// * The unit wakes: if what is left of its budget fits into what is left of its period it goes on with them;
//   otherwise it begins a new period now. So a unit cannot save up budget by sleeping.
// * With a latency L it begins with a period of L and S * L / P in it, and doubles both until the period is P: it is
//   served early at the same bandwidth.

using System.Runtime.CompilerServices;

namespace Hypervisor.Sched.Sedf;

/// <summary>Budgets and deadlines of units with a reservation.</summary>
internal static unsafe class SedfReservation
{
    /// <summary>Products of two times stay below 2^64 when both are divided by this.</summary>
    private const int Scale = 2;

    /// <summary>The unit has a slice, and a CPU where it was admitted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Has(SchedUnit* unit) => unit->Home != SchedUnit.NoHome;

    public static void Wake(SchedUnit* unit, ulong now)
    {
        SedfUnit* own = SedfUnit.Of(unit);
        SedfParameters* parameters = &unit->Domain->Sedf;
        if (own->Deadline > now
            && (own->Budget <= 0
                || ((ulong)own->Budget >> Scale) * (parameters->Period >> Scale)
                    <= ((own->Deadline - now) >> Scale) * (parameters->Slice >> Scale)))
        {
            return;
        }

        own->Period = parameters->Latency != 0 ? parameters->Latency : parameters->Period;
        Begin(own, parameters, now);
    }

    /// <summary>The deadline has come: gives the budget of the period in which <paramref name="now"/> lies.</summary>
    public static void Release(SchedUnit* unit, ulong now)
    {
        SedfUnit* own = SedfUnit.Of(unit);
        SedfParameters* parameters = &unit->Domain->Sedf;
        ulong doubled = own->Period * 2;
        own->Period = own->Period != 0 && doubled < parameters->Period ? doubled : parameters->Period;
        ulong start = own->Deadline;
        if (now - start >= own->Period)
        {
            start += (now - start) / own->Period * own->Period;
        }

        Begin(own, parameters, start);
    }

    private static void Begin(SedfUnit* own, SedfParameters* parameters, ulong start)
    {
        ulong slice = own->Period == parameters->Period
            ? parameters->Slice
            : (parameters->Slice >> Scale) * (own->Period >> Scale) / (parameters->Period >> Scale) << Scale;
        own->Budget = (long)slice + (own->Budget < 0 ? own->Budget : 0);
        own->Deadline = start + own->Period;
    }
}
