// SPDX-License-Identifier: MIT

namespace Hypervisor.Sched;

/// <summary>Where units wake, the same for every policy that does not tie them to a CPU.</summary>
internal static unsafe class Placement
{
    /// <summary>An idle CPU if there is one where the unit may run: rather where it prefers to be, rather where it was.
    /// Otherwise it stays.</summary>
    public static uint Choose(SchedSystem* system, SchedUnit* unit)
    {
        CpuMask allowed = unit->PlacesIn(system);
        if (allowed.IsEmpty)
        {
            return unit->Cpu;
        }

        CpuMask preferred = allowed & unit->SoftAffinity;
        preferred = preferred.IsEmpty ? allowed : preferred;
        CpuMask idle = system->Idle;
        if ((preferred & idle).Contains(unit->Cpu))
        {
            return unit->Cpu;
        }

        if (!(preferred & idle).IsEmpty)
        {
            return (preferred & idle).First;
        }

        if (!(allowed & idle).IsEmpty)
        {
            return (allowed & idle).Contains(unit->Cpu) ? unit->Cpu : (allowed & idle).First;
        }

        return allowed.Contains(unit->Cpu) ? unit->Cpu : preferred.First;
    }

    /// <summary>May a CPU take the waiting unit over? Rather one that prefers this CPU, so callers ask twice.</summary>
    public static bool MayTake(SchedCpu* cpu, SchedUnit* unit, bool onlyPreferred) =>
        unit->IsMovable && unit->MayRunOn(cpu) && (!onlyPreferred || unit->SoftAffinity.Contains(cpu->Cpu));

    /// <summary>The places of all units of a queue that can leave it, added to <paramref name="places"/>. One whose
    /// registers some CPU still holds is asked about again when that has stored them.</summary>
    public static ulong AddPlaces(ulong places, SchedSystem* system, in RunQueue queue)
    {
        for (SchedUnit* unit = queue.First; unit != null; unit = unit->Next)
        {
            places |= unit->IsMovable ? unit->PlacesIn(system).Bits : 0;
        }

        return places;
    }
}
