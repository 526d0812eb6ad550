// SPDX-License-Identifier: MIT

using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

public static unsafe partial class VcpuScheduling
{
    /// <summary>A domain's weight and cap, which count while credit is in force.</summary>
    public static CreditParameters GetCredit(Domain* domain)
    {
        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        CreditParameters parameters = domain->Sched.Credit;
        system->UnitsLock.Release();
        return parameters;
    }

    /// <summary>Sets them. EINVAL: out of range.</summary>
    public static Errno SetCredit(Domain* domain, in CreditParameters parameters)
    {
        if (!parameters.IsValid(domain->MaxVcpuCount))
        {
            return Errno.Inval;
        }

        SchedSystem* system = System;
        system->UnitsLock.Acquire();
        domain->Sched.Credit = parameters;
        PolicyTable.ApplyParameters(system, &domain->Sched, SystemTime.Now());
        system->UnitsLock.Release();
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
}
