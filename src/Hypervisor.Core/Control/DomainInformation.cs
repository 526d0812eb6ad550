// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>What lists of domains show.</summary>
public static unsafe class DomainInformation
{
    /// <summary>XEN_DOMCTL_getdomaininfo: the domain of that number or the next one there is.</summary>
    /// <returns>Srch: there is none.</returns>
    public static HypercallResult GetNext(DomCtl* request, out bool isAnswered)
    {
        isAnswered = false;
        uint id = request->Domain.Raw;
        if (id >= DomainTable.Size)
        {
            return Errno.Inval;
        }

        Domain* domain = Next(id);
        if (domain == null)
        {
            return Errno.Srch;
        }

        Fill(domain, &request->GetDomainInfo);
        request->Domain = new DomId(domain->Id);
        isAnswered = true;
        _ = DomainTable.Put(domain);
        return Errno.Ok;
    }

    /// <summary>XEN_SYSCTL_getdomaininfolist: ascending from a number on, as many as the caller has room
    /// for.</summary>
    public static HypercallResult List(SysCtlGetDomainInfoList* request)
    {
        uint id = request->FirstDomain.Raw;
        uint count = 0;
        while (count < request->MaxDomains)
        {
            Domain* domain = Next(id);
            if (domain == null)
            {
                break;
            }

            DomCtlGetDomainInfo info;
            Fill(domain, &info);
            id = domain->Id + 1u;
            _ = DomainTable.Put(domain);
            if (!GuestMemory.WriteElement(request->Buffer, count, &info))
            {
                return Errno.Fault;
            }

            count++;
        }

        request->NumDomains = count;
        return Errno.Ok;
    }

    /// <summary>The domain with the least number from <paramref name="id"/> on, with a reference; or null.</summary>
    private static Domain* Next(uint id)
    {
        for (; id < DomainTable.End; id++)
        {
            Domain* domain = DomainTable.Peek(id) == null ? null : DomainTable.TryGet(id);
            if (domain != null)
            {
                return domain;
            }
        }

        return null;
    }

    private static void Fill(Domain* domain, DomCtlGetDomainInfo* info)
    {
        *info = default;
        info->Domain = new DomId(domain->Id);
        info->TotPages = domain->TotalPages;
        info->MaxPages = domain->MaxPages;
        info->OutstandingPages = domain->OutstandingPages;
        info->SharedInfoFrame = domain->SharedInfoFrame.Raw;
        info->MaxVcpuId = DomainInfoLimits.InvalidMaxVcpuId;
        info->SsidRef = domain->Ssid;
        info->CpuPool = CpuPoolControl.OnlyPool;
        info->GpaddrBits = FrameTable.AddressBits;
        for (int index = 0; index < 16; index++)
        {
            info->Handle[index] = domain->Handle[index];
        }

        uint flags = DomainInfoFlags.Blocked;
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu == null)
            {
                continue;
            }

            info->MaxVcpuId = id;
            info->CpuTime += VcpuScheduling.CpuTime(vcpu);
            if (vcpu->Offline)
            {
                continue;
            }

            info->NrOnlineVcpus++;
            flags &= VcpuScheduling.IsBlocked(vcpu) ? ~0u : ~DomainInfoFlags.Blocked;
            flags |= vcpu->Sched.IsRunning ? DomainInfoFlags.Running : 0;
        }

        flags |= domain->IsDying ? DomainInfoFlags.Dying : 0;
        flags |= domain->IsPausedByTools ? DomainInfoFlags.Paused : 0;
        if (domain->IsShutDown)
        {
            flags |= DomainInfoFlags.Shutdown | ((uint)domain->ShutdownCode << (int)DomainInfoFlags.ShutdownShift);
        }
        else
        {
            flags |= DomainInfoFlags.ShutdownMask << (int)DomainInfoFlags.ShutdownShift;
        }

        info->Flags = flags;
    }
}
