// SPDX-License-Identifier: MIT
// Who gets a reservation, and where. Each unit with a slice has a home, a CPU on which the fractions slice / period of
// all that have their home there add up to no more than the limit. It runs nowhere else, so what was promised is kept
// whatever other CPUs do. 5 % of every CPU stay for those that were promised nothing.
//
// Locking: SchedSystem.UnitsLock, under which homes change; no CPU's lock.

namespace Hypervisor.Sched.Sedf;

/// <summary>Chooses homes.</summary>
public static unsafe class SedfAdmission
{
    /// <summary>A whole CPU.</summary>
    public const uint Whole = 1 << 20;

    /// <summary>What can be promised of each CPU.</summary>
    public const uint Limit = Whole / 20 * 19;

    /// <summary>Finds a home for every unit of the domain under new parameters, or, for no domain, for every unit of
    /// all domains under their own. False: some CPU would be overbooked; then nothing has changed.</summary>
    public static bool TryPlace(SchedSystem* system, SchedDomain* domain, in SedfParameters parameters)
    {
        CpuLoads loads = default;
        for (SchedUnit* unit = system->FirstUnit; unit != null; unit = unit->NextUnit)
        {
            unit->NewHome = unit->Home;
            if (domain != null && unit->Domain != domain && unit->Home != SchedUnit.NoHome)
            {
                loads.Load[unit->Home] += Fraction(unit->Domain->Sedf);
            }
        }

        for (SchedUnit* unit = system->FirstUnit; unit != null; unit = unit->NextUnit)
        {
            if (domain != null && unit->Domain != domain)
            {
                continue;
            }

            uint fraction = Fraction(domain != null ? parameters : unit->Domain->Sedf);
            unit->NewHome = SchedUnit.NoHome;
            if (fraction != 0 && !Place(system, unit, fraction, &loads))
            {
                return false;
            }
        }

        for (SchedUnit* unit = system->FirstUnit; unit != null; unit = unit->NextUnit)
        {
            unit->Home = unit->NewHome;
        }

        return true;
    }

    /// <summary>Finds a home for one unit more, if its domain has a slice; the others keep theirs. False: there is no
    /// room.</summary>
    internal static bool TryPlaceNew(SchedSystem* system, SchedUnit* added)
    {
        CpuLoads loads = default;
        for (SchedUnit* unit = system->FirstUnit; unit != null; unit = unit->NextUnit)
        {
            if (unit != added && unit->Home != SchedUnit.NoHome)
            {
                loads.Load[unit->Home] += Fraction(unit->Domain->Sedf);
            }
        }

        uint fraction = Fraction(added->Domain->Sedf);
        added->NewHome = SchedUnit.NoHome;
        if (fraction != 0 && !Place(system, added, fraction, &loads))
        {
            return false;
        }

        added->Home = added->NewHome;
        return true;
    }

    /// <summary>Part of a CPU, rounded up.</summary>
    private static uint Fraction(in SedfParameters parameters) =>
        (uint)(((parameters.Slice * Whole) + parameters.Period - 1) / parameters.Period);

    /// <summary>The home it has if it fits there, else the least loaded CPU where it may run.</summary>
    private static bool Place(SchedSystem* system, SchedUnit* unit, uint fraction, CpuLoads* loads)
    {
        CpuMask places = unit->HardAffinity & system->Online;
        places = places.IsEmpty ? system->Online : places;
        uint best = unit->Home;
        if (best == SchedUnit.NoHome || !places.Contains(best) || loads->Load[best] + fraction > Limit)
        {
            best = places.First;
            for (; !places.IsEmpty; places = places.Without(places.First))
            {
                best = loads->Load[places.First] < loads->Load[best] ? places.First : best;
            }
        }

        if (loads->Load[best] + fraction > Limit)
        {
            return false;
        }

        loads->Load[best] += fraction;
        unit->NewHome = best;
        return true;
    }

    private struct CpuLoads
    {
        public fixed uint Load[SchedSystem.MaxCpus];
    }
}
