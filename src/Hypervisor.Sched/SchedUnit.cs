// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What a policy schedules: the scheduler's part of a vCPU, and lives inside it.</summary>
/// <remarks>
/// Locking: everything but the two words that say so belongs to the lock of the CPU that <see cref="Cpu"/> names.
/// <see cref="Cpu"/> itself changes only while that lock and the new CPU's are held.
///</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SchedUnit
{
    public const uint NoPort = 0xFFFFFFFF;
    public const uint NoHome = 0xFFFFFFFF;

    /// <summary>The vCPU (a <c>Vcpu*</c> of Hypervisor.Core).</summary>
    public void* Owner;

    /// <summary>Points at the owner's note of the CPU that holds its registers: a unit may change CPUs only while no
    /// CPU does (<see cref="IsMovable"/>).</summary>
    public uint* LoadedOn;

    public SchedDomain* Domain;

    /// <summary>CPU whose lock protects the unit and in whose queue it waits.</summary>
    public uint Cpu;

    /// <summary>Not zero from the policy's Wake to its Sleep: waiting in a queue, or running.</summary>
    public bool IsAwake;

    /// <summary>Not zero while some CPU has chosen the unit.</summary>
    public bool IsRunning;

    /// <summary>Not zero once the policy knows the unit.</summary>
    public bool IsInserted;

    /// <summary>The guest waits for an event (SCHEDOP_block or poll). No lock: the vCPU sets it itself, with a full
    /// barrier before it looks for events; whoever brings an event clears it and then wakes.</summary>
    public int IsBlocked;

    /// <summary>Port that SCHEDOP_poll waits for; <see cref="NoPort"/> when it waits for several, or for none. Under
    /// no lock as <see cref="IsBlocked"/>.</summary>
    public uint PolledPort;

    /// <summary>Where the unit may run, and where among these it would rather. What counts is <see cref="PlacesIn"/>:
    /// a unit whose CPUs are all out of use may run anywhere until one comes back.</summary>
    public CpuMask HardAffinity;
    public CpuMask SoftAffinity;

    /// <summary>The only CPU where the unit may run, since it has a reservation there (sedf); <see cref="NoHome"/> for
    /// none. Changes under <see cref="SchedSystem.UnitsLock"/>; <see cref="NewHome"/> is scratch of the change.</summary>
    public uint Home;
    public uint NewHome;

    /// <summary>What <see cref="HardAffinity"/> was before SCHEDOP_pin_override, and whether one is in force.</summary>
    public CpuMask SavedAffinity;
    public bool IsPinned;

    /// <summary>Neighbours in a run queue of the policy.</summary>
    public SchedUnit* Next;
    public SchedUnit* Previous;

    /// <summary>Neighbour in a CPU's list of units that must leave it.</summary>
    public SchedUnit* NextDisplaced;

    /// <summary>When the unit last began to run, and when it last fell asleep (nanoseconds since boot).</summary>
    public ulong RunningSince;
    public ulong AsleepSince;

    /// <summary>Neighbours in the list of all units, under <see cref="SchedSystem.UnitsLock"/>.</summary>
    public SchedUnit* NextUnit;
    public SchedUnit* PreviousUnit;

    public PolicyData Policy;

    /// <summary>No CPU holds the unit's registers.</summary>
    public readonly bool IsMovable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => System.Threading.Volatile.Read(ref *LoadedOn) == 0xFFFFFFFF;
    }

    /// <summary>CPUs where the unit may run now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly CpuMask PlacesIn(SchedSystem* system)
    {
        CpuMask places = (Home == NoHome ? HardAffinity : CpuMask.Of(Home)) & system->Online;
        return places.IsEmpty ? system->Online : places;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool MayRunOn(SchedCpu* cpu) => PlacesIn(cpu->System).Contains(cpu->Cpu);
}
