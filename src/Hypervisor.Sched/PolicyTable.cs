// SPDX-License-Identifier: MIT
// The one place where policies are listed. Each call is a compare for each policy and its body inlined.

using Hypervisor.Sched.Bvt;
using Hypervisor.Sched.Credit;
using Hypervisor.Sched.Sedf;

namespace Hypervisor.Sched;

/// <summary>Calls the policy in force.</summary>
public static unsafe class PolicyTable
{
    /// <summary>Highest number of a policy.</summary>
    public const PolicyId Last = PolicyId.Bvt;

    public static System.ReadOnlySpan<byte> NameOf(PolicyId policy) => policy switch
    {
        PolicyId.Credit => "credit"u8,
        PolicyId.Sedf => "sedf"u8,
        PolicyId.Bvt => "bvt"u8,
        _ => "unknown"u8,
    };

    public static void InitialiseCpu(SchedCpu* cpu, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.InitialiseCpu(cpu, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.InitialiseCpu(cpu, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.InitialiseCpu(cpu, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static void InitialiseDomain(SchedSystem* system, SchedDomain* domain, ulong now)
    {
        switch (system->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.InitialiseDomain(system, domain, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.InitialiseDomain(system, domain, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.InitialiseDomain(system, domain, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static void ApplyParameters(SchedSystem* system, SchedDomain* domain, ulong now)
    {
        switch (system->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.ApplyParameters(system, domain, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.ApplyParameters(system, domain, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.ApplyParameters(system, domain, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static bool TryAdmit(SchedSystem* system, SchedUnit* unit)
    {
        switch (system->Policy)
        {
            case PolicyId.Credit:
                return CreditPolicy.TryAdmit(system, unit);
            case PolicyId.Sedf:
                return SedfPolicy.TryAdmit(system, unit);
            case PolicyId.Bvt:
                return BvtPolicy.TryAdmit(system, unit);
            default:
                Unknown();
                return false;
        }
    }

    public static void Insert(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.Insert(cpu, unit, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.Insert(cpu, unit, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.Insert(cpu, unit, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static void Adopt(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.Adopt(cpu, unit, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.Adopt(cpu, unit, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.Adopt(cpu, unit, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static void Remove(SchedCpu* cpu, SchedUnit* unit)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.Remove(cpu, unit);
                break;
            case PolicyId.Sedf:
                SedfPolicy.Remove(cpu, unit);
                break;
            case PolicyId.Bvt:
                BvtPolicy.Remove(cpu, unit);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static bool Wake(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                return CreditPolicy.Wake(cpu, unit, now);
            case PolicyId.Sedf:
                return SedfPolicy.Wake(cpu, unit, now);
            case PolicyId.Bvt:
                return BvtPolicy.Wake(cpu, unit, now);
            default:
                Unknown();
                return false;
        }
    }

    public static void Sleep(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.Sleep(cpu, unit, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.Sleep(cpu, unit, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.Sleep(cpu, unit, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static void Yield(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.Yield(cpu, unit, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.Yield(cpu, unit, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.Yield(cpu, unit, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    public static SchedDecision Pick(SchedCpu* cpu, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                return CreditPolicy.Pick(cpu, now);
            case PolicyId.Sedf:
                return SedfPolicy.Pick(cpu, now);
            case PolicyId.Bvt:
                return BvtPolicy.Pick(cpu, now);
            default:
                Unknown();
                return SchedDecision.Idle(SchedDecision.NoLimit);
        }
    }

    public static uint ChooseCpu(SchedSystem* system, SchedUnit* unit)
    {
        switch (system->Policy)
        {
            case PolicyId.Credit:
                return CreditPolicy.ChooseCpu(system, unit);
            case PolicyId.Sedf:
                return SedfPolicy.ChooseCpu(system, unit);
            case PolicyId.Bvt:
                return BvtPolicy.ChooseCpu(system, unit);
            default:
                Unknown();
                return 0;
        }
    }

    public static CpuMask PlacesWanted(SchedCpu* cpu)
    {
        switch (cpu->System->Policy)
        {
            case PolicyId.Credit:
                return CreditPolicy.PlacesWanted(cpu);
            case PolicyId.Sedf:
                return SedfPolicy.PlacesWanted(cpu);
            case PolicyId.Bvt:
                return BvtPolicy.PlacesWanted(cpu);
            default:
                Unknown();
                return default;
        }
    }

    public static void Migrate(SchedUnit* unit, SchedCpu* from, SchedCpu* to, ulong now)
    {
        switch (to->System->Policy)
        {
            case PolicyId.Credit:
                CreditPolicy.Migrate(unit, from, to, now);
                break;
            case PolicyId.Sedf:
                SedfPolicy.Migrate(unit, from, to, now);
                break;
            case PolicyId.Bvt:
                BvtPolicy.Migrate(unit, from, to, now);
                break;
            default:
                Unknown();
                break;
        }
    }

    private static void Unknown() => Panic.Because("No such scheduling policy"u8);
}
