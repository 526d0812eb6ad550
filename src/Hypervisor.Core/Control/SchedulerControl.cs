// SPDX-License-Identifier: MIT
// The tools of 4.17 know the credit scheduler and refuse to work with one whose number they do not know. So they
// are told credit, whatever policy is in force, and the weight and cap that they set are kept for each domain.

using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Scheduler parameters as the tools know them.</summary>
public static unsafe class SchedulerControl
{
    public const ushort DefaultWeight = 256;

    private const uint TimeSliceMilliseconds = 30;
    private const uint RateLimitMicroseconds = 1000;
    private const uint MaxCapPercent = 100;

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
                request->Credit.Weight = domain->CreditWeight;
                request->Credit.Cap = domain->CreditCap;
                return Errno.Ok;
            case DomCtlSchedulerCommand.PutInfo:
                // Zero leaves the weight, all ones leave the cap.
                if (request->Credit.Cap != ushort.MaxValue
                    && request->Credit.Cap > domain->MaxVcpuCount * MaxCapPercent)
                {
                    return Errno.Inval;
                }

                domain->CreditWeight = request->Credit.Weight == 0 ? domain->CreditWeight : request->Credit.Weight;
                domain->CreditCap = request->Credit.Cap == ushort.MaxValue ? domain->CreditCap : request->Credit.Cap;
                return Errno.Ok;
            case DomCtlSchedulerCommand.GetVcpuInfo:
            case DomCtlSchedulerCommand.PutVcpuInfo:
                return Errno.OpNotSupp;
            default:
                return Errno.Inval;
        }
    }

    /// <summary>XEN_SYSCTL_scheduler_op: the time slice and the rate limit, which are fixed.</summary>
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
                request->SchedCredit.TSliceMs = TimeSliceMilliseconds;
                request->SchedCredit.RateLimitUs = RateLimitMicroseconds;
                request->SchedCredit.VcpuMigrDelayUs = 0;
                return Errno.Ok;
            case SysCtlSchedulerCommand.PutInfo:
                return request->SchedCredit.TSliceMs == TimeSliceMilliseconds
                    && request->SchedCredit.RateLimitUs == RateLimitMicroseconds
                    ? Errno.Ok
                    : Errno.OpNotSupp;
            default:
                return Errno.Inval;
        }
    }
}
