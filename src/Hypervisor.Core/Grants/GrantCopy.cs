// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>GNTTABOP_copy: bytes from one frame to another; either may be the caller's own, or granted to it.</summary>
public static unsafe class GrantCopy
{
    private const ulong StatusOffset = 32;
    private const nuint StatusLength = 8;
    private const ushort Self = 0x7FF0;

    /// <summary>Carries out one request. False: it cannot be read, or its result not be written.</summary>
    /// <param name="sources">Granter of the sources; <paramref name="targets"/>: of the destinations.</param>
    internal static bool RunOne(Domain* domain, ulong address, ref GranterCache sources, ref GranterCache targets)
    {
        GrantTableCopy request;
        if (!GuestMemory.Read(address, &request))
        {
            return false;
        }

        request.Status = (short)Copy(domain, &request, ref sources, ref targets);
        return GuestMemory.Write(address + StatusOffset, (byte*)&request + StatusOffset, StatusLength);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static GrantStatus Copy(
        Domain* domain, GrantTableCopy* request, ref GranterCache sources, ref GranterCache targets)
    {
        uint length = request->Len;
        if (request->Source.Offset + length > MemoryLayout.PageSize
            || request->Dest.Offset + length > MemoryLayout.PageSize)
        {
            return GrantStatus.BadCopyArg;
        }

        bool fromGrant = (request->Flags & GrantCopyFlags.SourceGrantRef) != 0;
        GrantStatus status = Open(
            domain, &request->Source, fromGrant, write: false, ref sources, out Domain* granter, out Mfn from);
        if (status != GrantStatus.Okay)
        {
            return status;
        }

        bool toGrant = (request->Flags & GrantCopyFlags.DestGrantRef) != 0;
        status = Open(domain, &request->Dest, toGrant, write: true, ref targets, out Domain* receiver, out Mfn to);
        if (status == GrantStatus.Okay)
        {
            byte* target = (byte*)Machine.Direct(to) + request->Dest.Offset;
            Machine.Copy(target, (byte*)Machine.Direct(from) + request->Source.Offset, length);
            Close(&request->Dest, receiver, to, write: true);
        }

        Close(&request->Source, granter, from, write: false);
        return status;
    }

    /// <summary>Takes references to one end of the copy.</summary>
    /// <param name="granter">Null when the frame is the caller's own and not granted.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static GrantStatus Open(
        Domain* domain,
        GrantTableCopyPtr* end,
        bool isGrant,
        bool write,
        ref GranterCache granters,
        out Domain* granter,
        out Mfn mfn)
    {
        granter = null;
        mfn = Mfn.None;
        if (isGrant)
        {
            ushort id = end->Domid.Raw;
            granter = granters.Get(id == Self ? domain->Id : id);
            if (granter == null)
            {
                return GrantStatus.BadDomain;
            }

            GrantStatus status = GrantPins.Take(granter, end->Ref.Raw, domain->Id, write, 1, out uint frame);
            mfn = new Mfn(frame);
            return status;
        }

        if (end->Domid.Raw != Self)
        {
            return GrantStatus.PermissionDenied;
        }

        mfn = new Mfn(end->Gmfn);
        if (!FrameTable.IsValid(mfn))
        {
            return GrantStatus.BadPage;
        }

        PageInfo* page = FrameTable.Page(mfn);
        bool taken = write ? PageReference.TryGetWritable(page, domain) : PageReference.TryGet(page, domain);
        return taken ? GrantStatus.Okay : GrantStatus.BadPage;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Close(GrantTableCopyPtr* end, Domain* granter, Mfn mfn, bool write)
    {
        if (granter != null)
        {
            GrantPins.Drop(granter, end->Ref.Raw, write, 1);
        }
        else if (write)
        {
            PageReference.PutWritable(FrameTable.Page(mfn));
        }
        else
        {
            PageReference.Put(FrameTable.Page(mfn));
        }
    }
}
