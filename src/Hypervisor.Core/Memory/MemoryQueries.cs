// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>Numbers about memory.</summary>
public static unsafe class MemoryQueries
{
    /// <summary>XENMEM_maximum_ram_page: one past the highest frame, as the tools take it.</summary>
    public static HypercallResult MaximumRamPage() => HypercallResult.Value(FrameTable.Frames);

    public static HypercallResult CurrentReservation(Vcpu* vcpu, ulong argument)
    {
        Errno error = Resolve(vcpu, argument, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        ulong pages = domain->TotalPages;
        TargetDomain.Put(vcpu->Domain, domain);
        return HypercallResult.Value(pages);
    }

    public static HypercallResult MaximumReservation(Vcpu* vcpu, ulong argument)
    {
        Errno error = Resolve(vcpu, argument, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        ulong pages = domain->MaxPages;
        TargetDomain.Put(vcpu->Domain, domain);
        return HypercallResult.Value(pages);
    }

    /// <summary>XENMEM_maximum_gpfn: what the guest itself published, as a last frame; zero for none.</summary>
    public static HypercallResult MaximumGpfn(Vcpu* vcpu, ulong argument)
    {
        Errno error = Resolve(vcpu, argument, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        ulong frames = System.Threading.Volatile.Read(ref domain->SharedInfo->Arch.MaxPfn);
        TargetDomain.Put(vcpu->Domain, domain);

        // The guest wrote it: a number that would look like an error is none.
        return HypercallResult.Value(frames == 0 || (long)frames < 0 ? 0 : frames - 1);
    }

    /// <summary>XENMEM_reserved_device_memory_map: no memory is reserved for devices, as nothing translates their
    /// addresses.</summary>
    public static HypercallResult ReservedDeviceMemory(Vcpu* vcpu, ulong argument)
    {
        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        ReservedDeviceMemoryMap map;
        if (!GuestMemory.Read(argument, &map))
        {
            return Errno.Fault;
        }

        map.NrEntries = 0;
        return GuestMemory.Write(argument, &map) ? Errno.Ok : Errno.Fault;
    }

    private static Errno Resolve(Vcpu* vcpu, ulong argument, out Domain* domain)
    {
        domain = null;
        MemoryDomain request;
        return GuestMemory.Read(argument, &request)
            ? TargetDomain.Resolve(vcpu->Domain, request.Domid.Raw, out domain)
            : Errno.Fault;
    }
}
