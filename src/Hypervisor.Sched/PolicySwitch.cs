// SPDX-License-Identifier: MIT
// Another policy for the running machine. Every call of a policy is made with some CPU's lock held, or with UnitsLock;
// with all of them held nobody is inside the scheduler, and guests run on meanwhile. Under the locks each unit leaves
// the old policy and joins the new one: those that run go on running, those that wait begin to wait anew, and then each
// CPU chooses anew. Nobody changes CPUs by it.
//
// What can fail, room for the reservations that sedf has to keep, is found out before anything changes. Parameters are
// kept for every policy, so nothing is lost by a change and back.
//
// Locking: UnitsLock, then every CPU's, in the order of their numbers.

namespace Hypervisor.Sched;

/// <summary>Changes the policy in force.</summary>
public static unsafe class PolicySwitch
{
    /// <summary>Puts <paramref name="policy"/> in force. <paramref name="units"/> is the number of units taken over.
    /// Afterwards every CPU is to choose anew.</summary>
    /// <returns>False: the new policy cannot keep the reservations that are set; nothing has changed.</returns>
    public static bool TryTo(SchedSystem* system, PolicyId policy, ulong now, out uint units)
    {
        units = 0;
        system->UnitsLock.Acquire();
        if (system->Policy == policy)
        {
            system->UnitsLock.Release();
            return true;
        }

        LockAll(system);
        bool isPossible = policy != PolicyId.Sedf || Sedf.SedfAdmission.TryPlace(system, null, default);
        if (isPossible)
        {
            units = TakeOver(system, policy, now);
        }

        UnlockAll(system);
        system->UnitsLock.Release();
        return isPossible;
    }

    private static uint TakeOver(SchedSystem* system, PolicyId policy, ulong now)
    {
        system->Policy = policy;
        system->Generation++;
        for (uint number = 0; number < SchedSystem.MaxCpus; number++)
        {
            SchedCpu* cpu = system->Cpu(number);
            if (cpu != null)
            {
                cpu->Waiting = 0;
                cpu->Policy = default;
                PolicyTable.InitialiseCpu(cpu, now);
            }
        }

        uint units = 0;
        for (SchedUnit* unit = system->FirstUnit; unit != null; unit = unit->NextUnit)
        {
            SchedCpu* cpu = system->Cpu(unit->Cpu);
            unit->Next = null;
            unit->Previous = null;
            unit->Home = policy == PolicyId.Sedf ? unit->Home : SchedUnit.NoHome;
            SchedSystem.InsertIntoPolicy(cpu, unit, now);
            if (unit->IsRunning)
            {
                unit->RunningSince = now;
                PolicyTable.Adopt(cpu, unit, now);
            }

            units++;
        }

        // Those that wait come last: they are compared with those that run.
        for (SchedUnit* unit = system->FirstUnit; unit != null; unit = unit->NextUnit)
        {
            if (unit->IsAwake && !unit->IsRunning)
            {
                _ = PolicyTable.Wake(system->Cpu(unit->Cpu), unit, now);
            }
        }

        return units;
    }

    private static void LockAll(SchedSystem* system)
    {
        for (uint number = 0; number < SchedSystem.MaxCpus; number++)
        {
            if (system->Cpu(number) != null)
            {
                system->Cpu(number)->Lock.Acquire();
            }
        }
    }

    private static void UnlockAll(SchedSystem* system)
    {
        for (uint number = 0; number < SchedSystem.MaxCpus; number++)
        {
            if (system->Cpu(number) != null)
            {
                system->Cpu(number)->Lock.Release();
            }
        }
    }
}
