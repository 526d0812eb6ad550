// SPDX-License-Identifier: MIT
// What domains have asked of the hypervisor, and what it keeps for them: the sub-operation of sysctl that Xen does not have.
//
// Each vCPU counts for itself, in its own memory and on the CPU that runs it: a plain addition, no lock. Who reads sums up
// numbers that go on changing; each is right for some moment during the call.

using Xen.Abi;
using Xen.Abi.Extensions;

namespace Hypervisor.Core.Control;

/// <summary>Counters of a domain.</summary>
public static unsafe class StatisticsControl
{
    /// <returns>Srch: no such domain.</returns>
    public static HypercallResult Read(StatisticsOp* request)
    {
        Domain* domain = DomainTable.TryGet(request->Domain);
        if (domain == null)
        {
            return Errno.Srch;
        }

        request->KeptPages = (ulong)domain->KeptFrames;
        request->Vcpus = 0;
        request->Counters = default;
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                request->Vcpus++;
                Add(&request->Counters, &vcpu->Counters);
            }
        }

        _ = DomainTable.Put(domain);
        return Errno.Ok;
    }

    private static void Add(VcpuCounters* sum, VcpuCounters* one)
    {
        sum->Hypercalls += one->Hypercalls;
        sum->SystemCalls += one->SystemCalls;
        sum->Traps += one->Traps;
        sum->Upcalls += one->Upcalls;
        sum->Flushes += one->Flushes;
        sum->Shootdowns += one->Shootdowns;
        sum->Switches += one->Switches;
    }
}
