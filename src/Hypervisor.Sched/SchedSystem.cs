// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Hypervisor.Sched;

/// <summary>What the schedulers of all CPUs share. Nothing in here is written on the way of a switch but the bit of
/// a CPU that falls idle or wakes.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SchedSystem
{
    public const int MaxCpus = MemoryLayout.MaxCpus;

    /// <summary>The policy in force. It changes only with every CPU's lock held (<see cref="PolicySwitch"/>), so
    /// whoever holds one sees it stand still.</summary>
    public PolicyId Policy;

    /// <summary>Goes up with each change of <see cref="Policy"/>.</summary>
    public uint Generation;

    /// <summary>CPUs that take units. Changes under <see cref="UnitsLock"/>.</summary>
    public CpuMask Online;

    /// <summary>CPUs that have nothing to run. Changed atomically; a hint, since it may be out of date when
    /// read.</summary>
    public CpuMask Idle;

    public SystemParameters Parameters;

    /// <summary>Protects the list of units, the parameters of domains and the choice of policy: outside of every
    /// CPU's lock.</summary>
    public SpinLock UnitsLock;

    /// <summary>All units that the policy knows.</summary>
    public SchedUnit* FirstUnit;

    private fixed ulong _cpus[MaxCpus];

    /// <summary>The entry of a CPU that was added, be it online or not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly SchedCpu* Cpu(uint cpu) => (SchedCpu*)_cpus[cpu & (MaxCpus - 1)];

    /// <summary>Fills an entry that is zero.</summary>
    public static void Initialise(SchedSystem* system, PolicyId policy)
    {
        system->Policy = policy;
        system->Generation = 1;
        system->Parameters = SystemParameters.Default;
    }

    /// <summary>Enters a CPU, of which nothing but zero is known yet.</summary>
    public static void Add(SchedSystem* system, SchedCpu* cpu, uint number, ulong now)
    {
        cpu->System = system;
        cpu->Cpu = number;
        cpu->IdleSince = now;
        system->_cpus[number] = (ulong)cpu;
        PolicyTable.InitialiseCpu(cpu, now);
        _ = Machine.TestAndSetBit(&system->Idle, number);
        _ = Machine.TestAndSetBit(&system->Online, number);
    }

    /// <summary>Makes the policy know a unit, which is asleep and whose <see cref="SchedUnit.Cpu"/> is set.</summary>
    /// <returns>False: the policy cannot keep what is promised to the unit's domain; nothing has changed.</returns>
    public static bool TryInsert(SchedSystem* system, SchedUnit* unit, ulong now)
    {
        system->UnitsLock.Acquire();
        unit->Home = SchedUnit.NoHome;
        if (!PolicyTable.TryAdmit(system, unit))
        {
            system->UnitsLock.Release();
            return false;
        }

        unit->NextUnit = system->FirstUnit;
        if (system->FirstUnit != null)
        {
            system->FirstUnit->PreviousUnit = unit;
        }

        system->FirstUnit = unit;
        unit->Domain->Units++;
        unit->Cpu = PolicyTable.ChooseCpu(system, unit);
        SchedCpu* cpu = system->Cpu(unit->Cpu);
        cpu->Lock.Acquire();
        InsertIntoPolicy(cpu, unit, now);
        unit->IsInserted = true;
        cpu->Lock.Release();
        system->UnitsLock.Release();
        return true;
    }

    /// <summary>The policy forgets a unit, which is asleep.</summary>
    public static void Remove(SchedSystem* system, SchedUnit* unit)
    {
        system->UnitsLock.Acquire();
        if (unit->IsInserted)
        {
            SchedCpu* cpu = Acquire(system, unit);
            if (unit->IsAwake)
            {
                Panic.Because("A unit that could still run is taken from the scheduler"u8);
            }

            PolicyTable.Remove(cpu, unit);
            unit->Domain->Units--;
            unit->IsInserted = false;
            cpu->Lock.Release();
            if (unit->PreviousUnit == null)
            {
                system->FirstUnit = unit->NextUnit;
            }
            else
            {
                unit->PreviousUnit->NextUnit = unit->NextUnit;
            }

            if (unit->NextUnit != null)
            {
                unit->NextUnit->PreviousUnit = unit->PreviousUnit;
            }
        }

        system->UnitsLock.Release();
    }

    /// <summary>Locks the CPU that the unit is assigned to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SchedCpu* Acquire(SchedSystem* system, SchedUnit* unit)
    {
        while (true)
        {
            SchedCpu* cpu = system->Cpu(Volatile.Read(ref unit->Cpu));
            cpu->Lock.Acquire();
            if (unit->Cpu == cpu->Cpu)
            {
                return cpu;
            }

            cpu->Lock.Release();
        }
    }

    /// <summary>Hands a sleeping unit to the policy in force, its domain first if the policy does not know
    /// it.</summary>
    internal static void InsertIntoPolicy(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        SchedDomain* domain = unit->Domain;
        if (domain->Generation != cpu->System->Generation)
        {
            domain->Policy = default;
            domain->Generation = cpu->System->Generation;
            PolicyTable.InitialiseDomain(cpu->System, domain, now);
        }

        unit->Policy = default;
        PolicyTable.Insert(cpu, unit, now);
    }
}
