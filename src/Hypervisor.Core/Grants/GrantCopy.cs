// SPDX-License-Identifier: MIT
// Back ends copy between a frame of their own and one granted to them, and that is made quick: the granter's lock is
// held from the look at the entry to the end of the copy, so that the use need not be recorded anywhere but in the
// entry's own bits. Copies between two grants would need two locks at once; they pin both entries as a mapping does.

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
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
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
        bool toGrant = (request->Flags & GrantCopyFlags.DestGrantRef) != 0;
        if (fromGrant == toGrant)
        {
            return BetweenAny(domain, request, fromGrant, ref sources, ref targets);
        }

        return fromGrant
            ? FromGrant(domain, GranterOf(domain, &request->Source, ref sources), request)
            : ToGrant(domain, GranterOf(domain, &request->Dest, ref targets), request);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static GrantStatus FromGrant(Domain* domain, Domain* granter, GrantTableCopy* request) =>
        WithOwn(domain, granter, &request->Source, &request->Dest, request->Len, toGrant: false);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static GrantStatus ToGrant(Domain* domain, Domain* granter, GrantTableCopy* request) =>
        WithOwn(domain, granter, &request->Dest, &request->Source, request->Len, toGrant: true);

    /// <summary>Between a frame of the caller and one granted to it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static GrantStatus WithOwn(
        Domain* domain,
        Domain* granter,
        GrantTableCopyPtr* granted,
        GrantTableCopyPtr* own,
        uint length,
        bool toGrant)
    {
        if (granter == null)
        {
            return GrantStatus.BadDomain;
        }

        if (own->Domid.Raw != Self)
        {
            return GrantStatus.PermissionDenied;
        }

        Mfn mine = new(own->Gmfn);
        if (!FrameTable.IsValid(mine) || !TryHoldOwn(FrameTable.Page(mine), domain, write: !toGrant))
        {
            return GrantStatus.BadPage;
        }

        granter->Grants.Lock.Acquire();
        GrantStatus status = GrantPins.CopyThrough(
            granter,
            granted->Ref.Raw,
            domain->Id,
            toGrant,
            granted->Offset,
            (byte*)Machine.Direct(mine) + own->Offset,
            length);
        granter->Grants.Lock.Release();
        LetGoOfOwn(FrameTable.Page(mine), write: !toGrant);
        return status;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static GrantStatus BetweenAny(
        Domain* domain,
        GrantTableCopy* request,
        bool areGrants,
        ref GranterCache sources,
        ref GranterCache targets)
    {
        GrantStatus status = Open(
            domain, &request->Source, areGrants, write: false, ref sources, out Domain* granter, out Mfn from);
        if (status != GrantStatus.Okay)
        {
            return status;
        }

        status = Open(domain, &request->Dest, areGrants, write: true, ref targets, out Domain* receiver, out Mfn to);
        if (status == GrantStatus.Okay)
        {
            byte* target = (byte*)Machine.Direct(to) + request->Dest.Offset;
            Machine.Copy(target, (byte*)Machine.Direct(from) + request->Source.Offset, request->Len);
            Close(&request->Dest, receiver, to, write: true);
        }

        Close(&request->Source, granter, from, write: false);
        return status;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Domain* GranterOf(Domain* domain, GrantTableCopyPtr* end, ref GranterCache granters)
    {
        ushort id = end->Domid.Raw;
        return id == Self ? domain : granters.Get(domain, id);
    }

    /// <summary>Takes references to one end of the copy.</summary>
    /// <param name="granter">Null when the frame is the caller's own and not granted.</param>
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
            granter = GranterOf(domain, end, ref granters);
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

        return TryHoldOwn(FrameTable.Page(mfn), domain, write) ? GrantStatus.Okay : GrantStatus.BadPage;
    }

    private static void Close(GrantTableCopyPtr* end, Domain* granter, Mfn mfn, bool write)
    {
        if (granter != null)
        {
            GrantPins.Drop(granter, end->Ref.Raw, write, 1);
        }
        else
        {
            LetGoOfOwn(FrameTable.Page(mfn), write);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryHoldOwn(PageInfo* page, Domain* domain, bool write) =>
        write ? PageReference.TryGetWritable(page, domain) : PageReference.TryGet(page, domain);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LetGoOfOwn(PageInfo* page, bool write)
    {
        if (write)
        {
            PageReference.PutWritable(page);
        }
        else
        {
            PageReference.Put(page);
        }
    }
}
