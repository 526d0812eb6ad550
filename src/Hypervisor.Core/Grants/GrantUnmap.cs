// SPDX-License-Identifier: MIT
// Unmapping goes in two steps, so that a batch needs one flush: every request removes its page-table entry and puts
// its handle into a list that runs through the handles themselves; then the TLBs are flushed; then pins and
// references are dropped.

using System.Runtime.CompilerServices;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>GNTTABOP_unmap_grant_ref.</summary>
public unsafe struct GrantUnmap
{
    private const uint EndOfBatch = 0xFFFF_FFFF;
    private const ulong StatusOffset = 16;
    private const nuint StatusLength = 8;
    private const MappingState Mapped = MappingState.Host | MappingState.Device;
    private const MappingState Dropping = MappingState.DropHost | MappingState.DropDevice;

    private uint _first;
    private bool _mustFlush;

    internal static GrantUnmap Begin() => new() { _first = EndOfBatch };

    /// <summary>Carries out the first step of one request. False: it cannot be read, or its result not be
    /// written.</summary>
    [SkipLocalsInit]
    internal bool RunOne(Vcpu* vcpu, ulong address)
    {
        GrantTableUnmapGrantRef request;
        if (!GuestMemory.Read(address, &request))
        {
            return false;
        }

        Mapping* mapping = GrantMappings.TryClaim(vcpu->Domain, request.Handle);
        request.Status = (short)(mapping == null ? GrantStatus.BadHandle : Remove(vcpu, mapping, &request));
        return GuestMemory.Write(address + StatusOffset, (byte*)&request + StatusOffset, StatusLength);
    }

    /// <summary>The second step of all requests.</summary>
    internal void Finish(Domain* domain)
    {
        if (_mustFlush)
        {
            TlbFlush.Domain(domain);
        }

        while (_first != EndOfBatch)
        {
            uint handle = _first;
            Mapping* mapping = GrantMappings.At(&domain->Grants, handle);
            _first = mapping->Next;
            LetGo(domain, mapping, handle);
        }
    }

    /// <summary>Drops what the mapping still holds of what is in <paramref name="what"/>.</summary>
    internal static void DropPins(Mapping* mapping, MappingState what)
    {
        bool write = (mapping->State & MappingState.ReadOnly) == 0;
        if ((mapping->State & what & MappingState.Host) != 0)
        {
            GrantPins.Drop(GranterOf(mapping), mapping->Reference, write, 1);
        }

        if ((mapping->State & what & MappingState.Device) != 0)
        {
            GrantPins.Drop(GranterOf(mapping), mapping->Reference, write, 1);
        }
    }

    private GrantStatus Remove(Vcpu* vcpu, Mapping* mapping, GrantTableUnmapGrantRef* request)
    {
        MappingState state = mapping->State;
        Mfn frame = GrantPins.FrameOf(GranterOf(mapping), mapping->Reference);
        bool dropHost = request->HostAddr != 0 && (state & MappingState.Host) != 0;
        bool dropDevice = request->DevBusAddr != 0 && (state & MappingState.Device) != 0;
        GrantStatus status = GrantStatus.Okay;
        if (dropDevice && Mfn.OfAddress(request->DevBusAddr) != frame)
        {
            status = GrantStatus.BadDevAddr;
        }
        else if (dropHost)
        {
            bool containsPte = (state & MappingState.ContainsPte) != 0;
            bool writable = (state & MappingState.ReadOnly) == 0;
            Errno error = GrantPte.Unmap(vcpu, request->HostAddr, containsPte, frame, writable);
            status = error == Errno.Ok ? GrantStatus.Okay : GrantStatus.GeneralError;
        }

        if (status != GrantStatus.Okay || !(dropHost || dropDevice))
        {
            GrantMappings.Publish(vcpu->Domain, mapping, state & ~MappingState.Busy);
            return status;
        }

        // Still busy, so that it is nobody else's, it waits for the flush.
        mapping->State = state
            | (dropHost ? MappingState.DropHost : 0)
            | (dropDevice ? MappingState.DropDevice : 0);
        mapping->Next = _first;
        _first = request->Handle;
        _mustFlush |= dropHost;
        return GrantStatus.Okay;
    }

    private static void LetGo(Domain* domain, Mapping* mapping, uint handle)
    {
        MappingState dropped = ((mapping->State & MappingState.DropHost) != 0 ? MappingState.Host : 0)
            | ((mapping->State & MappingState.DropDevice) != 0 ? MappingState.Device : 0);
        MappingState left = mapping->State & ~(dropped | Dropping | MappingState.Busy);
        DropPins(mapping, dropped);
        if ((left & Mapped) == 0)
        {
            GrantMappings.Free(domain, mapping, handle);
        }
        else
        {
            GrantMappings.Publish(domain, mapping, left);
        }
    }

    /// <summary>Exists: the mapping holds a reference to one of its frames.</summary>
    private static Domain* GranterOf(Mapping* mapping) => DomainTable.Peek(mapping->Granter);
}
