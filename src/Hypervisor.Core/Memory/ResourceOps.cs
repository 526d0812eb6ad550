// SPDX-License-Identifier: MIT

using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>XENMEM_acquire_resource: frames of a hypervisor object of another domain, for the tools to map.</summary>
public static unsafe class ResourceOps
{
    /// <summary>
    /// Lists the frames asked for; without a list, tells how many the object can have. The frames are then
    /// mapped like foreign ones, with the domain as their owner.
    /// </summary>
    public static HypercallResult Acquire(Vcpu* vcpu, ulong argument)
    {
        MemAcquireResource request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        if (request.Pad != 0 || (request.FrameList == 0 && (request.NrFrames != 0 || request.Frame != 0)))
        {
            return Errno.Inval;
        }

        if (request.Type != (ushort)MemoryResource.GrantTable || request.Id != (uint)GrantTableResource.Shared)
        {
            return Errno.OpNotSupp;
        }

        Errno error = TargetDomain.Resolve(vcpu->Domain, request.Domid.Raw, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        if (domain->IsDying)
        {
            error = Errno.Inval;
        }
        else if (request.FrameList == 0)
        {
            request.NrFrames = domain->MaxGrantFrames;
            error = GuestMemory.Write(argument, &request) ? Errno.Ok : Errno.Fault;
        }
        else
        {
            error = List(domain, request);
        }

        TargetDomain.Put(vcpu->Domain, domain);
        return error;
    }

    private static Errno List(Domain* domain, in MemAcquireResource request)
    {
        ulong limit = domain->MaxGrantFrames;
        if (request.Frame >= limit || request.NrFrames > limit - request.Frame)
        {
            return Errno.Inval;
        }

        for (uint index = 0; index < request.NrFrames; index++)
        {
            Errno error = GrantResource.Frame(domain, (uint)request.Frame + index, out Mfn mfn);
            if (error != Errno.Ok)
            {
                return error;
            }

            ulong raw = mfn.Raw;
            if (!GuestMemory.WriteElement(request.FrameList, index, &raw))
            {
                return Errno.Fault;
            }
        }

        return Errno.Ok;
    }
}
