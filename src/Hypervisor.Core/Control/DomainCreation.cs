// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>XEN_DOMCTL_createdomain, max_vcpus, resumedomain and destroydomain.</summary>
public static unsafe class DomainCreation
{
    private const uint KnownGrantVersions = 2;
    private const uint SupportedFlags = CreateDomainFlags.XsDomain;

    /// <summary>
    /// Makes a paravirtualized domain, paused, without memory and vCPUs. The request receives its number.
    /// </summary>
    /// <returns>
    /// Inval: features or limits that there are not. Exist: the number is taken. OpNotSupp: another kind of domain.
    /// NoMem.
    /// </returns>
    public static HypercallResult Create(DomCtl* request, out bool isAnswered)
    {
        isAnswered = false;
        DomCtlCreateDomain* wanted = &request->CreateDomain;
        if ((wanted->Flags & CreateDomainFlags.Hvm) != 0)
        {
            return Errno.OpNotSupp;
        }

        bool isPossible = (wanted->Flags & ~SupportedFlags) == 0 && wanted->IommuOpts == 0 && wanted->VmTraceSize == 0
            && (wanted->GrantOpts & CreateDomainGrantOptions.VersionMask) <= KnownGrantVersions
            && (wanted->GrantOpts & ~CreateDomainGrantOptions.VersionMask) == 0
            && wanted->CpuPoolId == CpuPoolControl.OnlyPool
            && (wanted->Arch.EmulationFlags & ~EmulationFlags.Pit) == 0
            && (wanted->Arch.MiscFlags & ~ArchDomainMiscFlags.MsrRelaxed) == 0;
        if (!isPossible)
        {
            return Errno.Inval;
        }

        DomainLimits limits = DomainLimits.OfVcpus(wanted->MaxVcpus);
        if (wanted->MaxEventChannelPort < limits.EventChannelPort)
        {
            limits.EventChannelPort = wanted->MaxEventChannelPort;
        }

        if (wanted->MaxGrantFrames > (int)DomainLimits.DefaultGrantFrames || wanted->MaxGrantFrames == 0
            || wanted->MaxMapTrackFrames > (int)DomainLimits.DefaultMaptrackFrames)
        {
            return Errno.Inval;
        }

        limits.GrantFrames = wanted->MaxGrantFrames < 0 ? limits.GrantFrames : (uint)wanted->MaxGrantFrames;
        limits.MaptrackFrames = wanted->MaxMapTrackFrames < 0 ? limits.MaptrackFrames : (uint)wanted->MaxMapTrackFrames;

        // Number 0 is Domain-0's: like every number that cannot be, it asks for any.
        uint id = request->Domain.Raw;
        Domain* domain = DomainFactory.Create(
            id - 1 < DomainTable.Size - 1 ? id : DomainFactory.FirstFree, limits, out Errno error);
        if (domain == null)
        {
            return error;
        }

        domain->Ssid = wanted->SsidRef;
        for (int index = 0; index < 16; index++)
        {
            domain->Handle[index] = wanted->Handle[index];
        }

        request->Domain = new DomId(domain->Id);
        isAnswered = true;
        return Errno.Ok;
    }

    /// <summary>Makes vCPUs 0 to <paramref name="count"/> - 1, as far as there are none yet.</summary>
    public static HypercallResult CreateVcpus(Domain* domain, uint count)
    {
        if (count == 0 || count > domain->MaxVcpuCount || domain->IsDying)
        {
            return Errno.Inval;
        }

        for (uint id = 0; id < count; id++)
        {
            if (domain->VcpuOf(id) == null && DomainFactory.CreateVcpu(domain, id, out Errno error) == null)
            {
                return error;
            }
        }

        return Errno.Ok;
    }

    public static HypercallResult Destroy(Domain* domain) =>
        DomainLifecycle.Kill(domain) == Errno.Ok ? Errno.Ok : HypercallResult.Preempted;

    /// <summary>Lets a domain go on that had suspended; Inval: it has not shut down.</summary>
    public static HypercallResult Resume(Domain* domain)
    {
        if (domain->IsShutDown)
        {
            DomainLifecycle.Resume(domain);
        }

        return Errno.Ok;
    }
}
