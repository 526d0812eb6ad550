// SPDX-License-Identifier: MIT
// Parameters, the policy in force and the CPUs in use: what the tools change about the scheduler. Each policy's
// parameters are kept and may be changed whichever is in force. What a change means for vCPUs that run, each CPU finds
// out when it chooses anew, which all are asked to do afterwards.
//
// Locking: SchedSystem.UnitsLock, outside of every CPU's lock.

using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Hypervisor.Sched.Sedf;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

public static unsafe partial class VcpuScheduling
{
    public static PolicyId Policy => System->Policy;

    /// <summary>What the tools have set for a domain under each of the policies.</summary>
    public static void GetParameters(
        Domain* domain, out CreditParameters credit, out SedfParameters sedf, out BvtParameters bvt)
    {
        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        credit = domain->Sched.Credit;
        sedf = domain->Sched.Sedf;
        bvt = domain->Sched.Bvt;
        system->UnitsLock.Release();
    }

    /// <summary>Sets weight and cap for credit. EINVAL: out of range.</summary>
    public static Errno SetCredit(Domain* domain, in CreditParameters parameters)
    {
        if (!parameters.IsValid(domain->MaxVcpuCount))
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        domain->Sched.Credit = parameters;
        Apply(system, domain);
        return Errno.Ok;
    }

    /// <summary>Sets the reservation for sedf. EINVAL: out of range; ENOSPC: some CPU would be overbooked. The room
    /// is looked for while sedf is in force, otherwise when it comes into force.</summary>
    public static Errno SetSedf(Domain* domain, in SedfParameters parameters)
    {
        if (!parameters.IsValid)
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        if (system->Policy == PolicyId.Sedf && !SedfAdmission.TryPlace(system, &domain->Sched, parameters))
        {
            system->UnitsLock.Release();
            return Errno.NoSpace;
        }

        domain->Sched.Sedf = parameters;
        Apply(system, domain);
        return Errno.Ok;
    }

    /// <summary>Sets advance and warp for bvt. EINVAL: out of range.</summary>
    public static Errno SetBvt(Domain* domain, in BvtParameters parameters)
    {
        if (!parameters.IsValid)
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        domain->Sched.Bvt = parameters;
        Apply(system, domain);
        return Errno.Ok;
    }

    public static SystemParameters GetSystemParameters()
    {
        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        SystemParameters parameters = system->Parameters;
        system->UnitsLock.Release();
        return parameters;
    }

    /// <summary>Sets what holds for the whole machine. EINVAL: out of range.</summary>
    public static Errno SetSystemParameters(in SystemParameters parameters)
    {
        if (!parameters.IsValid)
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        system->Parameters = parameters;
        system->UnitsLock.Release();
        return Errno.Ok;
    }

    /// <summary>Puts another policy in force, for all domains at once, while they run.</summary>
    /// <returns>EINVAL: no such policy; ENOSPC: sedf cannot keep the reservations that are set. Nothing has changed
    /// then.</returns>
    public static Errno SwitchPolicy(PolicyId policy, out uint vcpus, out ulong pause)
    {
        vcpus = 0;
        pause = 0;
        if (policy > PolicyTable.Last)
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        PolicyId former = system->Policy;
        ulong start = SystemTime.Now();
        if (!PolicySwitch.TryTo(system, policy, start, out vcpus))
        {
            return Errno.NoSpace;
        }

        pause = SystemTime.Now() - start;
        AskToChoose(system->Online);
        Log.Info("scheduler: "u8).Text(PolicyTable.NameOf(former)).Text(" to "u8).Text(PolicyTable.NameOf(policy))
            .Text(", vCPUs taken over: "u8).Decimal(vcpus).Text(", pause "u8).Decimal(pause).Text(" ns"u8).End();
        return Errno.Ok;
    }

    /// <summary>Takes a CPU out of use, or back. Its vCPUs move on when it chooses next; one that may run nowhere else
    /// runs anywhere until the CPU comes back.</summary>
    /// <returns>EINVAL: no such CPU, or the last one; ENOSPC: its reservations do not fit on the others.</returns>
    public static Errno SetCpuOnline(uint number, bool isOnline)
    {
        SchedSystem* system = System;
        if (number >= SchedSystem.MaxCpus || system->Cpu(number) == null)
        {
            return Errno.Inval;
        }

        system->UnitsLock.Acquire();
        CpuMask former = system->Online;
        CpuMask wanted = isOnline ? new CpuMask(former.Bits | CpuMask.Of(number).Bits) : former.Without(number);
        Errno error = wanted.IsEmpty ? Errno.Inval : Errno.Ok;
        if (error == Errno.Ok)
        {
            system->Online = wanted;
            if (system->Policy == PolicyId.Sedf && !SedfAdmission.TryPlace(system, null, default))
            {
                system->Online = former;
                error = Errno.NoSpace;
            }
        }

        system->UnitsLock.Release();
        AskToChoose(new CpuMask(former.Bits | wanted.Bits));
        return error;
    }

    /// <summary>Tells the policy and the CPUs of new parameters, and lets <see cref="SchedSystem.UnitsLock"/>
    /// go.</summary>
    private static void Apply(SchedSystem* system, Domain* domain)
    {
        PolicyTable.ApplyParameters(system, &domain->Sched, SystemTime.Now());
        system->UnitsLock.Release();
        AskToChoose(system->Online);
    }
}
