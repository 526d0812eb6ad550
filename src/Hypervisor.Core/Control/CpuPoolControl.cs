// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>XEN_SYSCTL_cpupool_op: there is one pool, and every CPU and every domain is in it.</summary>
public static unsafe class CpuPoolControl
{
    public const uint OnlyPool = 0;

    /// <returns>NoEnt: no such pool. OpNotSupp: pools cannot be made, unmade or changed.</returns>
    public static HypercallResult Run(SysCtlCpuPoolOp* request)
    {
        switch ((CpuPoolCommand)request->Op)
        {
            case CpuPoolCommand.Info:
                return Describe(request);
            case CpuPoolCommand.FreeInfo:
                return ControlBitmap.Write(request->CpuMap, 0, Machine.OnlineCpus);
            case CpuPoolCommand.MoveDomain:
                return MoveDomain(request);
            case CpuPoolCommand.Create:
            case CpuPoolCommand.Destroy:
            case CpuPoolCommand.AddCpu:
            case CpuPoolCommand.RmCpu:
                return Errno.OpNotSupp;
            default:
                return Errno.NoSys;
        }
    }

    private static HypercallResult Describe(SysCtlCpuPoolOp* request)
    {
        if (request->CpuPoolId != OnlyPool)
        {
            return Errno.NoEnt;
        }

        request->SchedId = SchedulerControl.ReportedScheduler;
        request->NDom = 0;
        for (uint id = 0; id < DomainTable.End; id++)
        {
            request->NDom += DomainTable.Peek(id) != null ? 1u : 0;
        }

        return ControlBitmap.Write(request->CpuMap, ulong.MaxValue, Machine.OnlineCpus);
    }

    private static HypercallResult MoveDomain(SysCtlCpuPoolOp* request)
    {
        if (request->Domid == 0 || request->Domid >= DomainTable.Size)
        {
            return Errno.Inval;
        }

        return DomainTable.Peek(request->Domid) == null ? Errno.Srch
            : request->CpuPoolId == OnlyPool ? Errno.Ok : Errno.NoEnt;
    }
}
