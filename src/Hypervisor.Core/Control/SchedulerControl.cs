// SPDX-License-Identifier: MIT
// The tools of 4.17 know the credit scheduler and refuse to work with one whose number they do not know. So they
// are told credit, whatever policy is in force, and act on the weight and cap that are kept for each domain.

using Hypervisor.Core.Scheduling;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Scheduler parameters as the tools know them.</summary>
public static unsafe class SchedulerControl
{
    private const uint NanosecondsPerMicrosecond = 1_000;
    private const uint NanosecondsPerMillisecond = 1_000_000;

    /// <summary>What XEN_SYSCTL_sched_id says.</summary>
    public const uint ReportedScheduler = (uint)SchedulerId.Credit;

    /// <summary>XEN_DOMCTL_scheduler_op.</summary>
    /// <returns>Inval: another scheduler, or values out of range. OpNotSupp: credit has no parameters of
    /// vCPUs.</returns>
    public static HypercallResult OfDomain(Domain* domain, DomCtlSchedulerOp* request)
    {
        if (request->SchedId != ReportedScheduler)
        {
            return Errno.Inval;
        }

        switch ((DomCtlSchedulerCommand)request->Cmd)
        {
            case DomCtlSchedulerCommand.GetInfo:
                VcpuScheduling.GetParameters(domain, out CreditParameters parameters, out _, out _);
                request->Credit.Weight = (ushort)parameters.Weight;
                request->Credit.Cap = (ushort)parameters.Cap;
                return Errno.Ok;
            case DomCtlSchedulerCommand.PutInfo:
                return SetCredit(domain, request->Credit);
            case DomCtlSchedulerCommand.GetVcpuInfo:
            case DomCtlSchedulerCommand.PutVcpuInfo:
                return Errno.OpNotSupp;
            default:
                return Errno.Inval;
        }
    }

    /// <summary>XEN_SYSCTL_scheduler_op: the time slice and the rate limit.</summary>
    public static HypercallResult OfSystem(SysCtlSchedulerOp* request)
    {
        if (request->CpuPoolId != CpuPoolControl.OnlyPool)
        {
            return Errno.Srch;
        }

        if (request->SchedId != ReportedScheduler)
        {
            return Errno.Inval;
        }

        switch ((SysCtlSchedulerCommand)request->Cmd)
        {
            case SysCtlSchedulerCommand.GetInfo:
                SystemParameters parameters = VcpuScheduling.GetSystemParameters();
                request->SchedCredit.TSliceMs = (uint)(parameters.TimeSlice / NanosecondsPerMillisecond);
                request->SchedCredit.RateLimitUs = (uint)(parameters.RateLimit / NanosecondsPerMicrosecond);
                request->SchedCredit.VcpuMigrDelayUs = 0;
                return Errno.Ok;
            case SysCtlSchedulerCommand.PutInfo:
                return SetTimes(request->SchedCredit);
            default:
                return Errno.Inval;
        }
    }

    /// <summary>Zero leaves the weight, all ones leave the cap.</summary>
    private static Errno SetCredit(Domain* domain, in DomCtlSchedCredit request)
    {
        VcpuScheduling.GetParameters(domain, out CreditParameters parameters, out _, out _);
        parameters.Weight = request.Weight == 0 ? parameters.Weight : request.Weight;
        parameters.Cap = request.Cap == ushort.MaxValue ? parameters.Cap : request.Cap;
        return VcpuScheduling.SetCredit(domain, parameters);
    }

    /// <summary>A delay before vCPUs may move is not known here, so only none can be asked for.</summary>
    private static Errno SetTimes(in SysCtlCreditSchedule request)
    {
        if (request.VcpuMigrDelayUs != 0)
        {
            return Errno.OpNotSupp;
        }

        SystemParameters parameters = VcpuScheduling.GetSystemParameters();
        parameters.TimeSlice = (ulong)request.TSliceMs * NanosecondsPerMillisecond;
        parameters.RateLimit = (ulong)request.RateLimitUs * NanosecondsPerMicrosecond;
        return VcpuScheduling.SetSystemParameters(parameters);
    }
}
