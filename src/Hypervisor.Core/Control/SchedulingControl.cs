// SPDX-License-Identifier: MIT
// The scheduling policies as our own tools see them: the sub-operation of sysctl that Xen does not have. What Xen's tools
// see is SchedulerControl's.

using Hypervisor.Core.Scheduling;
using Hypervisor.Sched;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Hypervisor.Core.Control;

/// <summary>The policy in force, and every policy's parameters.</summary>
public static unsafe class SchedulingControl
{
    /// <returns>Inval: a value out of range, no such policy; Srch: no such domain; NoSpace: reservations do not
    /// fit.</returns>
    public static HypercallResult Run(SchedulingOp* request)
    {
        switch (request->Op)
        {
            case SchedulingCommand.GetPolicy:
                request->Policy = (SchedulingPolicy)VcpuScheduling.Policy;
                return Errno.Ok;
            case SchedulingCommand.SetPolicy:
                return VcpuScheduling.SwitchPolicy((PolicyId)request->Policy, out request->Vcpus, out request->Pause);
            case SchedulingCommand.GetDomain:
            case SchedulingCommand.SetDomain:
                return OfDomain(request);
            case SchedulingCommand.GetMachine:
                SystemParameters times = VcpuScheduling.GetSystemParameters();
                request->Machine.TimeSlice = times.TimeSlice;
                request->Machine.RateLimit = times.RateLimit;
                request->Machine.ContextSwitchAllowance = times.ContextSwitchAllowance;
                return Errno.Ok;
            case SchedulingCommand.SetMachine:
                SystemParameters wanted = default;
                wanted.TimeSlice = request->Machine.TimeSlice;
                wanted.RateLimit = request->Machine.RateLimit;
                wanted.ContextSwitchAllowance = request->Machine.ContextSwitchAllowance;
                return VcpuScheduling.SetSystemParameters(wanted);
            default:
                return Errno.Inval;
        }
    }

    private static HypercallResult OfDomain(SchedulingOp* request)
    {
        if (request->Policy > (SchedulingPolicy)PolicyTable.Last)
        {
            return Errno.Inval;
        }

        Domain* domain = DomainTable.TryGet(request->Domain);
        if (domain == null)
        {
            return Errno.Srch;
        }

        Errno error = Errno.Ok;
        if (request->Op == SchedulingCommand.GetDomain)
        {
            Get(domain, request);
        }
        else
        {
            error = Set(domain, request);
        }

        _ = DomainTable.Put(domain);
        return error;
    }

    private static void Get(Domain* domain, SchedulingOp* request)
    {
        VcpuScheduling.GetParameters(
            domain, out CreditParameters credit, out SedfParameters sedf, out BvtParameters bvt);
        switch (request->Policy)
        {
            case SchedulingPolicy.Credit:
                request->Credit.Weight = credit.Weight;
                request->Credit.Cap = credit.Cap;
                break;
            case SchedulingPolicy.Sedf:
                request->Sedf.Period = sedf.Period;
                request->Sedf.Slice = sedf.Slice;
                request->Sedf.Latency = sedf.Latency;
                request->Sedf.Weight = sedf.Weight;
                request->Sedf.ExtraTime = sedf.ExtraTime;
                break;
            default:
                request->Bvt.Advance = bvt.Advance;
                request->Bvt.IsWarping = bvt.IsWarping;
                request->Bvt.WarpValue = bvt.WarpValue;
                request->Bvt.WarpLimit = bvt.WarpLimit;
                request->Bvt.UnwarpRequirement = bvt.UnwarpRequirement;
                break;
        }
    }

    private static Errno Set(Domain* domain, SchedulingOp* request)
    {
        switch (request->Policy)
        {
            case SchedulingPolicy.Credit:
                CreditParameters credit = default;
                credit.Weight = request->Credit.Weight;
                credit.Cap = request->Credit.Cap;
                return VcpuScheduling.SetCredit(domain, credit);
            case SchedulingPolicy.Sedf:
                SedfParameters sedf = default;
                sedf.Period = request->Sedf.Period;
                sedf.Slice = request->Sedf.Slice;
                sedf.Latency = request->Sedf.Latency;
                sedf.Weight = request->Sedf.Weight;
                sedf.ExtraTime = request->Sedf.ExtraTime;
                return VcpuScheduling.SetSedf(domain, sedf);
            default:
                BvtParameters bvt = default;
                bvt.Advance = request->Bvt.Advance;
                bvt.IsWarping = request->Bvt.IsWarping;
                bvt.WarpValue = request->Bvt.WarpValue;
                bvt.WarpLimit = request->Bvt.WarpLimit;
                bvt.UnwarpRequirement = request->Bvt.UnwarpRequirement;
                return VcpuScheduling.SetBvt(domain, bvt);
        }
    }
}
