// SPDX-License-Identifier: MIT

using System.Collections.Generic;
using System.Linq;
using Hypervisor.Sched.Credit;
using Hypervisor.Sched.Sedf;
using Xunit;

namespace Hypervisor.Sched.Tests;

internal sealed unsafe partial class Simulation
{
    /// <summary>What is true whatever the policy does, in time that does not depend on the number of sleeping
    /// units.</summary>
    private void CheckInvariants()
    {
        for (uint number = 0; number < _cpus; number++)
        {
            SchedCpu* cpu = _system->Cpu(number);
            Assert.False(cpu->Lock.IsHeld, "A lock was not released");
            Assert.True(cpu->Running != null || _system->Idle.Contains(number) || !_system->Online.Contains(number));
            if (cpu->Running != null)
            {
                Assert.True(cpu->Running->IsRunning && cpu->Running->IsAwake && cpu->Running->Cpu == number);
            }
        }

        if (MustConserveWork && _system->Idle.Bits != 0)
        {
            CheckNobodyWaitsInVain();
        }
    }

    /// <summary>Every unit is where it should be: as costly as there are units.</summary>
    public void CheckEverything()
    {
        CheckInvariants();
        int waiting = 0;
        HashSet<nint> running = [];
        for (uint number = 0; number < _cpus; number++)
        {
            waiting += (int)_system->Cpu(number)->Waiting;
            if (_system->Cpu(number)->Running != null)
            {
                Assert.True(running.Add((nint)_system->Cpu(number)->Running), "A unit is on two CPUs");
            }
        }

        Assert.Equal(running.Count, _units.Count(unit => unit.Unit->IsRunning));
        Assert.Equal(
            _units.Count(unit => unit.Unit->IsAwake && !unit.Unit->IsRunning),
            waiting + _units.Count(unit => unit.Unit->IsAwake && !unit.Unit->IsRunning && IsHeldBack(unit.Unit)));
    }

    /// <summary>The unit is out of budget: it could run, but not now.</summary>
    private bool IsHeldBack(SchedUnit* unit) => _system->Policy switch
    {
        PolicyId.Credit => CreditUnit.Of(unit)->Queue == CreditQueue.Parked,
        PolicyId.Sedf => SedfUnit.Of(unit)->Queue == SedfQueue.Depleted,
        _ => false,
    };

    private void CheckNobodyWaitsInVain()
    {
        CpuMask idle = _system->Idle & _system->Online;
        for (uint number = 0; number < _cpus && !idle.IsEmpty; number++)
        {
            SchedCpu* cpu = _system->Cpu(number);
            Assert.False(
                cpu->Waiting != 0 && !(PolicyTable.PlacesWanted(cpu) & idle).IsEmpty,
                $"A CPU is idle while a unit waits that may run there, policy {_system->Policy}, CPUs {idle.Bits:x}");
        }
    }
}
