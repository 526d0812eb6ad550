// SPDX-License-Identifier: MIT

using Hypervisor.Sched.Sedf;
using Xunit;

namespace Hypervisor.Sched.Tests;

internal sealed unsafe partial class Simulation
{
    public SimulatedUnit AddReserved(SedfParameters parameters, ulong hard = ulong.MaxValue)
    {
        SchedDomain* domain = AddDomain();
        SimulatedUnit unit = Add(domain, hard: hard);
        Assert.True(TrySet(domain, parameters), "Not admitted");
        return unit;
    }

    /// <summary>Sets parameters while sedf is in force.</summary>
    public bool TrySet(SchedDomain* domain, SedfParameters parameters)
    {
        Assert.True(parameters.IsValid);
        if (!SedfAdmission.TryPlace(_system, domain, parameters))
        {
            return false;
        }

        domain->Sedf = parameters;
        PolicyTable.ApplyParameters(_system, domain, Now);
        ChooseEverywhere();
        return true;
    }

    public void Set(SchedDomain* domain, CreditParameters parameters)
    {
        domain->Credit = parameters;
        PolicyTable.ApplyParameters(_system, domain, Now);
    }

    public void Set(SchedDomain* domain, BvtParameters parameters)
    {
        Assert.True(parameters.IsValid);
        domain->Bvt = parameters;
        PolicyTable.ApplyParameters(_system, domain, Now);
    }

    public bool TrySwitch(PolicyId policy)
    {
        bool hasSwitched = PolicySwitch.TryTo(_system, policy, Now, out _);
        ChooseEverywhere();
        return hasSwitched;
    }

    public void SetAffinity(SimulatedUnit unit, ulong hard)
    {
        CpuMask former = unit.Unit->HardAffinity;
        unit.Unit->HardAffinity = new CpuMask(hard);
        if (unit.Unit->Home != SchedUnit.NoHome
            && !SedfAdmission.TryPlace(_system, unit.Unit->Domain, unit.Unit->Domain->Sedf))
        {
            unit.Unit->HardAffinity = former;
        }

        ChooseEverywhere();
    }

    /// <summary>Takes a CPU out of use, or back; not the last one, nor one whose reservations fit nowhere
    /// else.</summary>
    public void SetOnline(uint cpu, bool isOnline)
    {
        CpuMask former = _system->Online;
        CpuMask wanted = isOnline ? new CpuMask(former.Bits | CpuMask.Of(cpu).Bits) : former.Without(cpu);
        if (wanted.IsEmpty)
        {
            return;
        }

        _system->Online = wanted;
        if (_system->Policy == PolicyId.Sedf && !SedfAdmission.TryPlace(_system, null, default))
        {
            _system->Online = former;
        }

        ChooseEverywhere();
    }

    private void ChooseEverywhere()
    {
        for (uint cpu = 0; cpu < _cpus; cpu++)
        {
            Choose(cpu);
        }
    }
}
