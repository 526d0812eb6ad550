// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>E820 maps: the machine's, for Domain-0, and those that the tools give to domains.</summary>
public static unsafe class MemoryMapOps
{
    /// <summary>Entries that fit into the page that holds a domain's map.</summary>
    public const uint MaxEntries = (uint)MemoryLayout.PageSize / EntrySize;

    private const uint EntrySize = 20;

    /// <summary>XENMEM_memory_map. NoSys: the domain has none, and makes one region of all its memory.</summary>
    public static HypercallResult Get(Vcpu* vcpu, ulong argument)
    {
        Domain* domain = vcpu->Domain;
        return domain->MemoryMap == null
            ? Errno.NoSys
            : CopyOut(argument, (E820Entry*)domain->MemoryMap, domain->MemoryMapEntries);
    }

    /// <summary>XENMEM_machine_memory_map.</summary>
    public static HypercallResult GetMachine(Vcpu* vcpu, ulong argument) =>
        vcpu->Domain->HasHardwareAccess
            ? CopyOut(argument, HostMemoryMap.Entries, HostMemoryMap.Count)
            : Errno.Perm;

    /// <summary>XENMEM_set_memory_map.</summary>
    public static HypercallResult Set(Vcpu* vcpu, ulong argument)
    {
        ForeignMemoryMap request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.Map.NrEntries > MaxEntries)
        {
            return Errno.Inval;
        }

        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        Errno error = TargetDomain.Resolve(vcpu->Domain, request.Domid.Raw, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        // In place: the domain is being built, and a torn map is the tools' fault.
        if (domain->MemoryMap == null)
        {
            domain->MemoryMap = (byte*)DomainMemory.Allocate(domain, 0);
        }

        if (domain->MemoryMap == null)
        {
            error = Errno.NoMem;
        }
        else if (!GuestMemory.Read(request.Map.Buffer, domain->MemoryMap, request.Map.NrEntries * EntrySize))
        {
            domain->MemoryMapEntries = 0;
            error = Errno.Fault;
        }
        else
        {
            domain->MemoryMapEntries = request.Map.NrEntries;
        }

        TargetDomain.Put(vcpu->Domain, domain);
        return error;
    }

    /// <summary>As many entries as the caller has room for; the request tells how many these are.</summary>
    private static HypercallResult CopyOut(ulong argument, E820Entry* entries, uint count)
    {
        Xen.Abi.MemoryMap request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        request.NrEntries = request.NrEntries < count ? request.NrEntries : count;
        return GuestMemory.Write(request.Buffer, entries, request.NrEntries * EntrySize)
            && GuestMemory.Write(argument, &request)
            ? Errno.Ok
            : Errno.Fault;
    }
}
