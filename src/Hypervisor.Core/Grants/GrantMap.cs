// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>GNTTABOP_map_grant_ref.</summary>
public static unsafe class GrantMap
{
    private const ulong StatusOffset = 16;
    private const nuint StatusLength = 16;

    /// <summary>References that a mapping for CPUs takes: its record's, and the page-table entry's.</summary>
    private const int HostHolds = 2;

    /// <summary>Carries out one request. False: it cannot be read, or its result not be written.</summary>
    [SkipLocalsInit]
    internal static bool RunOne(Vcpu* vcpu, ulong address, ref GranterCache granters)
    {
        GrantTableMapGrantRef request;
        if (!GuestMemory.Read(address, &request))
        {
            return false;
        }

        Domain* granter = granters.Get(vcpu->Domain, request.Dom.Raw);
        request.Status = (short)(granter == null ? GrantStatus.BadDomain : Map(vcpu, granter, &request));
        return GuestMemory.Write(address + StatusOffset, (byte*)&request + StatusOffset, StatusLength);
    }

    private static GrantStatus Map(Vcpu* vcpu, Domain* granter, GrantTableMapGrantRef* request)
    {
        uint flags = request->Flags;
        if ((flags & (GrantMapFlags.HostMap | GrantMapFlags.DeviceMap)) == 0)
        {
            return GrantStatus.BadGntref;
        }

        Domain* domain = vcpu->Domain;
        Mapping* mapping = GrantMappings.Allocate(domain, out uint handle);
        if (mapping == null)
        {
            return GrantStatus.NoSpace;
        }

        uint reference = request->Ref.Raw;
        bool write = (flags & GrantMapFlags.ReadOnly) == 0;
        GrantStatus status = GrantStatus.Okay;
        uint frame = 0;
        if ((flags & GrantMapFlags.DeviceMap) != 0)
        {
            status = GrantPins.Take(granter, reference, domain->Id, write, 1, out frame);
        }

        if (status == GrantStatus.Okay && (flags & GrantMapFlags.HostMap) != 0)
        {
            status = MapHost(vcpu, granter, request, write, out frame);
            if (status != GrantStatus.Okay && (flags & GrantMapFlags.DeviceMap) != 0)
            {
                GrantPins.Drop(granter, reference, write, 1);
            }
        }

        if (status != GrantStatus.Okay)
        {
            GrantMappings.Free(domain, mapping, handle);
            return status;
        }

        request->Handle = handle;
        request->DevBusAddr = new Mfn(frame).Address;
        mapping->Reference = reference;
        mapping->Granter = granter->Id;
        GrantMappings.Publish(domain, mapping, StateOf(flags));
        return GrantStatus.Okay;
    }

    private static GrantStatus MapHost(
        Vcpu* vcpu, Domain* granter, GrantTableMapGrantRef* request, bool write, out uint frame)
    {
        uint reference = request->Ref.Raw;
        GrantStatus status = GrantPins.Take(granter, reference, vcpu->Domain->Id, write, HostHolds, out frame);
        if (status != GrantStatus.Okay)
        {
            return status;
        }

        bool containsPte = (request->Flags & GrantMapFlags.ContainsPte) != 0;
        ulong entry = Pte.Make(new Mfn(frame), PteFlags(request->Flags, write));
        if (GrantPte.Map(vcpu, request->HostAddr, containsPte, entry) == Errno.Ok)
        {
            return GrantStatus.Okay;
        }

        GrantPins.Drop(granter, reference, write, HostHolds);
        return GrantStatus.BadVirtAddr;
    }

    /// <summary>
    /// The entry's flags. Accessed and dirty are set beforehand: a guest that saves either in its own bookkeeping must
    /// not be surprised by the processor. GNTMAP_application_map changes nothing: kernel and processes of a PV guest
    /// share a ring.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong PteFlags(uint flags, bool write)
    {
        const ulong Always = Pte.Present | Pte.User | Pte.Accessed | Pte.Dirty;
        const int FirstAvailable = 9; // three bits for software
        ulong available = ((flags & GrantMapFlags.GuestAvailMask) >> 16) & 7;
        return Always | (write ? Pte.Writable : 0) | (available << FirstAvailable);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static MappingState StateOf(uint flags) =>
        ((flags & GrantMapFlags.HostMap) != 0 ? MappingState.Host : 0)
        | ((flags & GrantMapFlags.DeviceMap) != 0 ? MappingState.Device : 0)
        | ((flags & GrantMapFlags.ReadOnly) != 0 ? MappingState.ReadOnly : 0)
        | ((flags & GrantMapFlags.ContainsPte) != 0 ? MappingState.ContainsPte : 0);
}
