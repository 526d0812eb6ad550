// SPDX-License-Identifier: MIT

using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Hypercall domctl: the tools' requests about one domain.</summary>
public static unsafe class DomCtlOps
{
    /// <returns>
    /// Perm: the caller is not privileged. Access: made for another version of the interface. Srch: no such domain.
    /// NoSys: no
    /// such sub-operation.
    /// </returns>
    public static HypercallResult Dispatch(Vcpu* vcpu, ulong argument, CpuUserRegs* frame)
    {
        DomCtl request;
        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.InterfaceVersion != DomCtlInterface.Version)
        {
            return Errno.Access;
        }

        bool isAnswered = false;
        HypercallResult result = (DomCtlCommand)request.Cmd switch
        {
            DomCtlCommand.CreateDomain => DomainCreation.Create(&request, out isAnswered),
            DomCtlCommand.GetDomainInfo => DomainInformation.GetNext(&request, out isAnswered),
            _ => OnDomain(vcpu, &request, out isAnswered),
        };

        return isAnswered && !GuestMemory.Write(argument, &request) ? Errno.Fault : result;
    }

    private static HypercallResult OnDomain(Vcpu* vcpu, DomCtl* request, out bool isAnswered)
    {
        isAnswered = false;
        Errno error = TargetDomain.Resolve(vcpu->Domain, request->Domain.Raw, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        HypercallResult result = OnDomain(vcpu, domain, request, out isAnswered);
        TargetDomain.Put(vcpu->Domain, domain);
        return result;
    }

    private static HypercallResult OnDomain(Vcpu* vcpu, Domain* domain, DomCtl* request, out bool isAnswered)
    {
        bool isSelf = domain == vcpu->Domain;
        isAnswered = false;
        switch ((DomCtlCommand)request->Cmd)
        {
            case DomCtlCommand.DestroyDomain:
                return isSelf || domain->Id == 0 ? Errno.Inval : DomainCreation.Destroy(domain);
            case DomCtlCommand.PauseDomain:
                return isSelf ? Errno.Inval : DomainLifecycle.Pause(domain);
            case DomCtlCommand.UnpauseDomain:
                return DomainLifecycle.Unpause(domain);
            case DomCtlCommand.ResumeDomain:
                return isSelf ? Errno.Inval : DomainCreation.Resume(domain);
            case DomCtlCommand.MaxVcpus:
                return isSelf ? Errno.Inval : DomainCreation.CreateVcpus(domain, request->MaxVcpus.Max);
            case DomCtlCommand.MaxMem:
                return DomainSettings.SetMaxMemory(domain, request->MaxMem.MaxMemKb);
            case DomCtlCommand.SetDomainHandle:
                return DomainSettings.SetHandle(domain, request->SetDomainHandle.Handle);
            case DomCtlCommand.SetTimeOffset:
                return DomainSettings.SetTimeOffset(domain, request->SetTimeOffset.TimeOffsetSeconds);
            case DomCtlCommand.SetTscInfo:
                return isSelf ? Errno.Inval : DomainSettings.SetTscInfo(domain, request->TscInfo);
            case DomCtlCommand.GetTscInfo:
                isAnswered = true;
                return DomainSettings.GetTscInfo(domain, &request->TscInfo);
            case DomCtlCommand.SetAddressSize:
                return request->AddressSize.Size == 64 ? Errno.Ok : Errno.Inval;
            case DomCtlCommand.GetAddressSize:
                request->AddressSize.Size = 64;
                isAnswered = true;
                return Errno.Ok;
            case DomCtlCommand.SetNodeAffinity:
                return DomainSettings.SetNodeAffinity(request->NodeAffinity.NodeMap);
            case DomCtlCommand.GetNodeAffinity:
                return DomainSettings.GetNodeAffinity(request->NodeAffinity.NodeMap);
            case DomCtlCommand.HypercallInit:
                return HypercallPage.Fill(domain, new Mfn(request->HypercallInit.Gmfn));
            case DomCtlCommand.SendTrigger:
                return VcpuControl.SendTrigger(domain, request->SendTrigger);
            case DomCtlCommand.SetVcpuContext:
                return isSelf ? Errno.Inval : VcpuControl.SetContext(domain, request->VcpuContext);
            case DomCtlCommand.GetVcpuContext:
                return isSelf ? Errno.Inval : VcpuControl.GetContext(domain, request->VcpuContext);
            case DomCtlCommand.GetVcpuInfo:
                isAnswered = true;
                return VcpuControl.GetInfo(domain, &request->GetVcpuInfo);
            case DomCtlCommand.SetVcpuAffinity:
                return VcpuAffinityControl.Set(domain, request->VcpuAffinity);
            case DomCtlCommand.GetVcpuAffinity:
                return VcpuAffinityControl.Get(domain, request->VcpuAffinity);
            case DomCtlCommand.SchedulerOp:
                isAnswered = true;
                return SchedulerControl.OfDomain(domain, &request->SchedulerOp);
            case DomCtlCommand.GetCpuPolicy:
                isAnswered = true;
                return CpuPolicyControl.GetOfDomain(domain, &request->CpuPolicy);
            case DomCtlCommand.SetCpuPolicy:
                isAnswered = true;
                return isSelf ? Errno.Inval : CpuPolicyControl.SetOfDomain(domain, &request->CpuPolicy);
            case DomCtlCommand.GetPageFrameInfo3:
                isAnswered = true;
                return PageFrameControl.GetTypes(domain, &request->GetPageFrameInfo3);
            case DomCtlCommand.SetExtVcpuContext:
                return isSelf ? Errno.Inval : VcpuStateControl.SetExtended(domain, request->ExtVcpuContext);
            case DomCtlCommand.GetExtVcpuContext:
                isAnswered = true;
                return isSelf ? Errno.Inval : VcpuStateControl.GetExtended(domain, &request->ExtVcpuContext);
            case DomCtlCommand.SetVcpuExtState:
                return isSelf ? Errno.Inval : VcpuStateControl.SetExtendedState(domain, request->VcpuExtState);
            case DomCtlCommand.GetVcpuExtState:
                isAnswered = true;
                return isSelf ? Errno.Inval : VcpuStateControl.GetExtendedState(domain, &request->VcpuExtState);
            case DomCtlCommand.SetVcpuMsrs:
                isAnswered = true;
                return isSelf ? Errno.Inval : VcpuStateControl.SetMsrs(domain, &request->VcpuMsrs);
            case DomCtlCommand.GetVcpuMsrs:
                isAnswered = true;
                return isSelf ? Errno.Inval : VcpuStateControl.GetMsrs(domain, &request->VcpuMsrs);
            case DomCtlCommand.SetVirqHandler:
                return Events.VirtualIrq.SetHandler(domain, request->SetVirqHandler.Virq);
            case DomCtlCommand.ShadowOp:
                // There is no log of dirty pages to switch off, nor one to switch on.
                return request->ShadowOp.Op == (uint)ShadowOperation.Off ? Errno.Inval : Errno.OpNotSupp;
            default:
                return Errno.NoSys;
        }
    }
}
