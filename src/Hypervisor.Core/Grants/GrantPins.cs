// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>Takes grants into use and lets them go; the protocol is told in <see cref="GrantTable"/>.</summary>
public static unsafe class GrantPins
{
    /// <summary>A granter that changes its entry all the time is not waited for longer than this.</summary>
    private const int MarkAttempts = 5;

    /// <summary>
    /// Pins the entry <paramref name="reference"/> of <paramref name="granter"/> once, for <paramref name="grantee"/>,
    /// and takes <paramref name="holds"/> references to its frame.
    /// </summary>
    /// <returns>
    /// BadGntref: no such entry. GeneralError: not granted to the grantee, or not for writing, or the frame cannot be
    /// written. BadPage: the entry names no memory of the granter. Eagain: the entry changed too often. BadDomain: the
    /// granter is dying. NoSpace: too many pins.
    /// </returns>
    internal static GrantStatus Take(
        Domain* granter, uint reference, ushort grantee, bool write, int holds, out uint frame)
    {
        frame = 0;
        granter->Grants.Lock.Acquire();
        uint count = GrantTable.CountOf(granter);
        GrantStatus status = granter->Grants.IsClosed ? GrantStatus.BadDomain : GrantStatus.BadGntref;
        if (reference < count && !granter->Grants.IsClosed)
        {
            reference = GuestIndex.Mask(reference, count);
            ActiveGrant* active = GrantTable.Active(granter, reference);
            status = Pin(granter, reference, active, grantee, write);
            if (status == GrantStatus.Okay)
            {
                frame = active->Frame;
                status = Hold(granter, frame, write, holds);
                if (status != GrantStatus.Okay)
                {
                    Unpin(granter, reference, active, write);
                }
            }
        }

        granter->Grants.Lock.Release();
        return status;
    }

    /// <summary>Undoes a <see cref="Take"/>, or what is left of it.</summary>
    internal static void Drop(Domain* granter, uint reference, bool write, int holds)
    {
        granter->Grants.Lock.Acquire();
        ActiveGrant* active = GrantTable.Active(granter, reference);
        PageInfo* page = FrameTable.Page(new Mfn(active->Frame));
        Unpin(granter, reference, active, write);
        granter->Grants.Lock.Release();

        // With the last reference the granter itself may go: it is not touched from here on.
        for (int hold = 0; hold < holds; hold++)
        {
            Release(page, write);
        }
    }

    /// <summary>
    /// Copies between a granted frame and memory of the hypervisor's choice, without recording it as a pin: the use has
    /// ended when the granter's lock is released.
    /// </summary>
    /// <param name="write">Into the granted frame.</param>
    /// <returns>As <see cref="Take"/>.</returns>
    /// <remarks>Under the granter's lock. Offset and length stay within the frame.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static GrantStatus CopyThrough(
        Domain* granter, uint reference, ushort grantee, bool write, uint offset, void* memory, uint length)
    {
        uint count = GrantTable.CountOf(granter);
        if (reference >= count)
        {
            return GrantStatus.BadGntref;
        }

        if (granter->Grants.IsClosed)
        {
            return GrantStatus.BadDomain;
        }

        reference = GuestIndex.Mask(reference, count);
        ActiveGrant* active = GrantTable.Active(granter, reference);
        GrantEntryV1* shared = GrantTable.Shared(granter, reference);
        uint bits = GrantEntryFlags.Reading | (write ? GrantEntryFlags.Writing : 0u);
        Mfn mfn;
        if (!active->IsPinned)
        {
            // The first attempt of Mark.
            uint seen = Volatile.Read(ref *(uint*)shared);
            if ((seen & Relevant(write)) != Wanted(grantee))
            {
                return GrantStatus.GeneralError;
            }

            if (Interlocked.CompareExchange(ref *(uint*)shared, seen | bits, seen) != seen)
            {
                GrantStatus status = Mark(shared, grantee, write);
                if (status != GrantStatus.Okay)
                {
                    return status;
                }
            }

            mfn = new Mfn(Volatile.Read(ref shared->Frame));
        }
        else
        {
            GrantStatus status = JoinPinned(active, shared, grantee, write);
            if (status != GrantStatus.Okay)
            {
                return status;
            }

            // What mappings have set stays set.
            bits = write && active->Writers == 0 ? GrantEntryFlags.Writing : 0u;
            mfn = new Mfn(active->Frame);
        }

        GrantStatus held = GrantStatus.BadPage;
        PageInfo* page = FrameTable.Page(mfn);
        if (FrameTable.IsValid(mfn) && (held = TryHold(page, granter, write)) == GrantStatus.Okay)
        {
            byte* frame = (byte*)Machine.Direct(mfn) + offset;
            Machine.Copy(write ? frame : memory, write ? memory : frame, length);
            Unmark(shared, bits);
            Release(page, write);
            return GrantStatus.Okay;
        }

        Unmark(shared, bits);
        return held;
    }

    /// <summary>Uses an entry that mappings have pinned: it is theirs that is believed.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static GrantStatus JoinPinned(ActiveGrant* active, GrantEntryV1* shared, ushort grantee, bool write)
    {
        if (active->Domain != grantee)
        {
            return GrantStatus.GeneralError;
        }

        return write && active->Writers == 0 ? Mark(shared, grantee, write: true) : GrantStatus.Okay;
    }

    /// <summary>The frame of a pinned entry, which does not change.</summary>
    internal static Mfn FrameOf(Domain* granter, uint reference) =>
        new(GrantTable.Active(granter, reference)->Frame);

    private static GrantStatus Pin(
        Domain* granter, uint reference, ActiveGrant* active, ushort grantee, bool write)
    {
        GrantEntryV1* shared = GrantTable.Shared(granter, reference);
        GrantStatus status = active->IsPinned
            ? JoinPinned(active, shared, grantee, write)
            : Mark(shared, grantee, write);
        if (status != GrantStatus.Okay)
        {
            return status;
        }

        if (!active->IsPinned)
        {
            active->Frame = Volatile.Read(ref shared->Frame);
            active->Domain = grantee;
        }

        ref uint pins = ref (write ? ref active->Writers : ref active->Readers);
        if (pins == uint.MaxValue)
        {
            return GrantStatus.NoSpace;
        }

        pins++;
        return GrantStatus.Okay;
    }

    private static void Unpin(Domain* granter, uint reference, ActiveGrant* active, bool write)
    {
        int ended = 0;
        if (!write)
        {
            active->Readers--;
        }
        else if (--active->Writers == 0)
        {
            ended = GrantEntryFlags.Writing;
        }

        if (!active->IsPinned)
        {
            ended |= GrantEntryFlags.Reading;
        }

        if (ended != 0)
        {
            Unmark(GrantTable.Shared(granter, reference), (uint)ended);
        }
    }

    /// <summary>Says in the shared entry that it is in use, if it permits this use at the very moment.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static GrantStatus Mark(GrantEntryV1* shared, ushort grantee, bool write)
    {
        uint bits = GrantEntryFlags.Reading | (write ? GrantEntryFlags.Writing : 0u);
        uint seen = Volatile.Read(ref *(uint*)shared);
        for (int attempt = 0; attempt < MarkAttempts; attempt++)
        {
            if ((seen & Relevant(write)) != Wanted(grantee))
            {
                return GrantStatus.GeneralError;
            }

            uint found = Interlocked.CompareExchange(ref *(uint*)shared, seen | bits, seen);
            if (found == seen)
            {
                return GrantStatus.Okay;
            }

            seen = found;
        }

        return GrantStatus.Eagain;
    }

    /// <summary>What matters of an entry's first word, which has the flags in its lower half and the grantee in the
    /// upper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Relevant(bool write) =>
        GrantEntryFlags.TypeMask | 0xFFFF_0000 | (write ? GrantEntryFlags.ReadOnly : 0u);

    /// <summary>And what that must be.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Wanted(ushort grantee) => GrantEntryFlags.PermitAccess | ((uint)grantee << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Unmark(GrantEntryV1* shared, uint bits)
    {
        uint seen = Volatile.Read(ref *(uint*)shared);
        if (bits == 0 || Interlocked.CompareExchange(ref *(uint*)shared, seen & ~bits, seen) == seen)
        {
            return;
        }

        UnmarkAgain(shared, bits);
    }

    /// <summary>The granter was faster: single bits are cleared without regard to the others.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void UnmarkAgain(GrantEntryV1* shared, uint bits)
    {
        for (; bits != 0; bits &= bits - 1)
        {
            _ = Machine.TestAndClearBit(shared, (ulong)Machine.LowestBit(bits));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static GrantStatus Hold(Domain* granter, uint frame, bool write, int holds)
    {
        Mfn mfn = new(frame);
        if (!FrameTable.IsValid(mfn))
        {
            return GrantStatus.BadPage;
        }

        PageInfo* page = FrameTable.Page(mfn);
        for (int held = 0; held < holds; held++)
        {
            GrantStatus status = TryHold(page, granter, write);
            if (status != GrantStatus.Okay)
            {
                while (held-- > 0)
                {
                    Release(page, write);
                }

                return status;
            }
        }

        return GrantStatus.Okay;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static GrantStatus TryHold(PageInfo* page, Domain* granter, bool write)
    {
        if (!PageReference.TryGet(page, granter))
        {
            return GrantStatus.BadPage;
        }

        if ((Volatile.Read(ref page->Count) & PageInfo.HypervisorFrame) != 0)
        {
            PageReference.Put(page);
            return GrantStatus.BadPage;
        }

        if (write && !PageReference.TryGetWritableType(page))
        {
            PageReference.Put(page);
            return GrantStatus.GeneralError;
        }

        return GrantStatus.Okay;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Release(PageInfo* page, bool write)
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
