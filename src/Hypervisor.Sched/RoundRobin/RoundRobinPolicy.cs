// SPDX-License-Identifier: MIT
// Round robin with a boost for whoever sleeps. Each CPU has a queue; a unit runs for a
// slice of 10 ms at most while others wait, and without any limit while none does. Domains have no weights.
//
// A unit that wakes after having slept at least as long as it ran before is boosted: it queues before all that are
// not, and takes the CPU from a running one that is not. Who sleeps half of the time gets in at once this way, and
// nobody can starve others by it: a unit that runs for more than half of the time is not boosted. The boost ends with
// the slice.
//
// A CPU that finds nothing in its queue takes the first unit that may move from another CPU's. A unit that wakes goes
// to an idle CPU if its own is not.

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Sched.RoundRobin;

/// <summary>The plainest fair policy.</summary>
public unsafe struct RoundRobinPolicy : ISchedulingPolicy
{
    /// <summary>Nanoseconds.</summary>
    public const ulong Slice = 10_000_000;

    public static void InitialiseCpu(SchedCpu* cpu, ulong now) => *Queue(cpu) = default;

    public static void InitialiseDomain(SchedDomain* domain)
    {
        // Domains are equal.
    }

    public static void Insert(SchedCpu* cpu, SchedUnit* unit, ulong now) => *RoundRobinUnit.Of(unit) = default;

    public static void Remove(SchedCpu* cpu, SchedUnit* unit)
    {
        // A sleeping unit is in no queue.
    }

    public static bool Wake(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        RoundRobinUnit* own = RoundRobinUnit.Of(unit);
        own->IsBoosted = now - unit->AsleepSince >= own->RunSinceWake;
        own->RunSinceWake = 0;
        own->Used = 0;
        own->HasYielded = false;
        Enqueue(cpu, unit, isAhead: false);

        SchedUnit* running = cpu->Running;
        if (running == null || (own->IsBoosted && !RoundRobinUnit.Of(running)->IsBoosted))
        {
            return true;
        }

        // Nobody waited until now, so that the running unit had no limit: it gets one.
        return cpu->Waiting == 1;
    }

    public static void Sleep(SchedCpu* cpu, SchedUnit* unit, ulong now)
    {
        if (cpu->Running == unit)
        {
            Charge(unit, now);
        }
        else
        {
            Dequeue(cpu, unit);
        }
    }

    public static void Yield(SchedCpu* cpu, SchedUnit* unit, ulong now) => RoundRobinUnit.Of(unit)->HasYielded = true;

    public static SchedDecision Pick(SchedCpu* cpu, ulong now)
    {
        SchedUnit* running = cpu->Running;
        SchedUnit* first = Queue(cpu)->First;
        if (running != null)
        {
            Charge(running, now);
            RoundRobinUnit* own = RoundRobinUnit.Of(running);
            if (first == null)
            {
                own->Used = 0;
                own->HasYielded = false;
                return SchedDecision.Run(running, SchedDecision.NoLimit);
            }

            bool isSpent = own->Used >= Slice;
            bool isOvertaken = RoundRobinUnit.Of(first)->IsBoosted && !own->IsBoosted;
            if (!isSpent && !isOvertaken && !own->HasYielded)
            {
                return SchedDecision.Run(running, now + Slice - own->Used);
            }

            if (isSpent || own->HasYielded)
            {
                own->Used = 0;
                own->IsBoosted = false;
                own->HasYielded = false;
            }

            // Whoever was overtaken before its slice was over is next among its equals.
            Enqueue(cpu, running, isAhead: isOvertaken && !isSpent);
            first = Queue(cpu)->First;
        }

        if (first == null)
        {
            first = Steal(cpu);
            if (first == null)
            {
                return SchedDecision.Idle(SchedDecision.NoLimit);
            }
        }
        else
        {
            Dequeue(cpu, first);
        }

        ulong until = cpu->Waiting == 0
            ? SchedDecision.NoLimit
            : now + Slice - RoundRobinUnit.Of(first)->Used;
        return SchedDecision.Run(first, until);
    }

    public static ulong Tick(SchedCpu* cpu, ulong now) => SchedDecision.NoLimit;

    public static uint ChooseCpu(SchedSystem* system, SchedUnit* unit)
    {
        CpuMask allowed = unit->HardAffinity & system->Online;
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

    public static CpuMask PlacesWanted(SchedCpu* cpu)
    {
        ulong bits = 0;
        for (SchedUnit* unit = Queue(cpu)->First; unit != null; unit = unit->Next)
        {
            bits |= unit->HardAffinity.Bits;
        }

        return new CpuMask(bits);
    }

    public static void Migrate(SchedUnit* unit, SchedCpu* from, SchedCpu* to, ulong now)
    {
        // A sleeping unit is in no queue, and its data mean the same on every CPU.
    }

    public static Errno Adjust(
        SchedSystem* system, SchedDomain* domain, SchedUnit* unit, PolicyParameters* parameters, bool isWrite) =>
        Errno.OpNotSupp;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static RunQueue* Queue(SchedCpu* cpu) => (RunQueue*)&cpu->Policy;

    /// <summary>Books the time that the running unit ran since it was last asked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Charge(SchedUnit* unit, ulong now)
    {
        RoundRobinUnit* own = RoundRobinUnit.Of(unit);
        ulong ran = now > unit->RunningSince ? now - unit->RunningSince : 0;
        unit->RunningSince = now;
        own->Used += ran;
        own->RunSinceWake += ran;
    }

    /// <summary>Queues behind the last of its kind, boosted or not, or ahead of the first.</summary>
    private static void Enqueue(SchedCpu* cpu, SchedUnit* unit, bool isAhead)
    {
        RunQueue* queue = Queue(cpu);
        bool isBoosted = RoundRobinUnit.Of(unit)->IsBoosted;
        SchedUnit* next = null;
        if (isBoosted || isAhead)
        {
            next = queue->First;
            while (next != null && RoundRobinUnit.Of(next)->IsBoosted && !(isBoosted && isAhead))
            {
                next = next->Next;
            }
        }

        queue->InsertBefore(next, unit);
        cpu->Waiting++;
    }

    private static void Dequeue(SchedCpu* cpu, SchedUnit* unit)
    {
        Queue(cpu)->Remove(unit);
        cpu->Waiting--;
    }

    /// <summary>Takes a waiting unit from another CPU, if one may move here; null otherwise.</summary>
    private static SchedUnit* Steal(SchedCpu* cpu)
    {
        CpuMask others = cpu->System->Online.Without(cpu->Cpu);
        for (; !others.IsEmpty; others = others.Without(others.First))
        {
            SchedCpu* other = cpu->System->Cpu(others.First);
            if (System.Threading.Volatile.Read(ref other->Waiting) == 0 || !other->Lock.TryAcquire())
            {
                continue;
            }

            SchedUnit* unit = Queue(other)->First;
            while (unit != null && !(unit->IsMovable && unit->HardAffinity.Contains(cpu->Cpu)))
            {
                unit = unit->Next;
            }

            if (unit != null)
            {
                Dequeue(other, unit);
                unit->Cpu = cpu->Cpu;
            }

            other->Lock.Release();
            if (unit != null)
            {
                return unit;
            }
        }

        return null;
    }
}
