// SPDX-License-Identifier: MIT
// The one place where policies are listed. Each call is a compare for each policy and its body inlined.

using System.Runtime.CompilerServices;
using Hypervisor.Sched.RoundRobin;
using Xen.Abi;

namespace Hypervisor.Sched;

/// <summary>Calls the policy in force.</summary>
public static unsafe class PolicyTable
{
    public static System.ReadOnlySpan<byte> NameOf(SchedulerId policy) => policy switch
    {
        SchedulerId.RoundRobin => "round robin"u8,
        _ => "unknown"u8,
    };

    public static void InitialiseCpu(SchedCpu* cpu, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                RoundRobinPolicy.InitialiseCpu(cpu, now);
                break;
            default:
                _ = Unknown();
                break;
        }
    }

    public static void InitialiseDomain(SchedSystem* system, SchedDomain* domain)
    {
        switch (system->Policy)
        {
            case SchedulerId.RoundRobin:
                RoundRobinPolicy.InitialiseDomain(domain);
                break;
            default:
                _ = Unknown();
                break;
        }
    }

    public static void Insert(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                RoundRobinPolicy.Insert(cpu, unit, now);
                break;
            default:
                _ = Unknown();
                break;
        }
    }

    public static void Remove(SchedCpu* cpu, SchedUnit* unit)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                RoundRobinPolicy.Remove(cpu, unit);
                break;
            default:
                _ = Unknown();
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Wake(SchedCpu* cpu, SchedUnit* unit, ulong now) => cpu->System->Policy switch
    {
        SchedulerId.RoundRobin => RoundRobinPolicy.Wake(cpu, unit, now),
        _ => Unknown(),
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Sleep(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                RoundRobinPolicy.Sleep(cpu, unit, now);
                break;
            default:
                _ = Unknown();
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Yield(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                RoundRobinPolicy.Yield(cpu, unit, now);
                break;
            default:
                _ = Unknown();
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static SchedDecision Pick(SchedCpu* cpu, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                return RoundRobinPolicy.Pick(cpu, now);
            default:
                _ = Unknown();
                return SchedDecision.Idle(SchedDecision.NoLimit);
        }
    }

    public static ulong Tick(SchedCpu* cpu, ulong now)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                return RoundRobinPolicy.Tick(cpu, now);
            default:
                _ = Unknown();
                return SchedDecision.NoLimit;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ChooseCpu(SchedSystem* system, SchedUnit* unit)
    {
        switch (system->Policy)
        {
            case SchedulerId.RoundRobin:
                return RoundRobinPolicy.ChooseCpu(system, unit);
            default:
                _ = Unknown();
                return unit->Cpu;
        }
    }

    public static CpuMask PlacesWanted(SchedCpu* cpu)
    {
        switch (cpu->System->Policy)
        {
            case SchedulerId.RoundRobin:
                return RoundRobinPolicy.PlacesWanted(cpu);
            default:
                _ = Unknown();
                return default;
        }
    }

    public static void Migrate(SchedUnit* unit, SchedCpu* from, SchedCpu* to, ulong now)
    {
        switch (from->System->Policy)
        {
            case SchedulerId.RoundRobin:
                RoundRobinPolicy.Migrate(unit, from, to, now);
                break;
            default:
                _ = Unknown();
                break;
        }
    }

    public static Errno Adjust(
        SchedSystem* system, SchedDomain* domain, SchedUnit* unit, PolicyParameters* parameters, bool isWrite) =>
        system->Policy switch
        {
            SchedulerId.RoundRobin => RoundRobinPolicy.Adjust(system, domain, unit, parameters, isWrite),
            _ => Errno.OpNotSupp,
        };

    private static bool Unknown()
    {
        Panic.Because("No such scheduling policy"u8);
        return false;
    }
}
