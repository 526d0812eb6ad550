// SPDX-License-Identifier: MIT

using Hypervisor.Core.Scheduling;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>The tools' requests about one vCPU.</summary>
public static unsafe class VcpuControl
{
    private const ulong FlagsOffset = 0x200;

    /// <summary>Sets registers, tables and callbacks. The vCPU is online afterwards if the context says so.</summary>
    public static HypercallResult SetContext(Domain* domain, in DomCtlVcpuContext request)
    {
        Vcpu* vcpu = domain->VcpuOf(request.Vcpu);
        if (vcpu == null)
        {
            return Errno.Inval;
        }

        ulong flags;
        if (!GuestMemory.Read(request.Ctxt + FlagsOffset, &flags))
        {
            return Errno.Fault;
        }

        VcpuScheduling.PauseSynchronously(vcpu);
        HypercallResult result = VcpuContext.Set(vcpu, request.Ctxt);
        if (result.Raw == 0)
        {
            vcpu->Offline = (flags & VgcfFlags.Online) == 0;
        }

        VcpuScheduling.Unpause(vcpu);
        return result;
    }

    /// <returns>NoData: the vCPU was never set up.</returns>
    public static HypercallResult GetContext(Domain* domain, in DomCtlVcpuContext request)
    {
        Vcpu* vcpu = domain->VcpuOf(request.Vcpu);
        if (vcpu == null)
        {
            return Errno.Srch;
        }

        if (!vcpu->Initialised)
        {
            return Errno.NoData;
        }

        VcpuScheduling.PauseSynchronously(vcpu);
        HypercallResult result = VcpuContext.Get(vcpu, request.Ctxt);
        VcpuScheduling.Unpause(vcpu);
        return result;
    }

    public static HypercallResult GetInfo(Domain* domain, DomCtlGetVcpuInfo* request)
    {
        Vcpu* vcpu = domain->VcpuOf(request->Vcpu);
        if (vcpu == null)
        {
            return request->Vcpu < domain->MaxVcpuCount ? Errno.Srch : Errno.Inval;
        }

        request->Online = vcpu->Offline ? (byte)0 : (byte)1;
        request->Blocked = VcpuScheduling.IsBlocked(vcpu) ? (byte)1 : (byte)0;
        request->Running = vcpu->Sched.IsRunning ? (byte)1 : (byte)0;
        request->CpuTime = VcpuScheduling.CpuTime(vcpu);
        request->Cpu = vcpu->Sched.Cpu;
        return Errno.Ok;
    }

    /// <summary>Only NMI reaches a paravirtualized domain.</summary>
    public static HypercallResult SendTrigger(Domain* domain, in DomCtlSendTrigger request)
    {
        Vcpu* vcpu = domain->VcpuOf(request.Vcpu);
        if (vcpu == null)
        {
            return request.Vcpu < domain->MaxVcpuCount ? Errno.Srch : Errno.Inval;
        }

        if (request.Trigger != (uint)TriggerType.Nmi)
        {
            return Errno.NoSys;
        }

        VcpuOps.RaiseNmi(vcpu);
        return Errno.Ok;
    }
}
