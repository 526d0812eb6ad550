// SPDX-License-Identifier: MIT
// XENMEM_exchange: a domain gives frames and gets as many of another shape, mostly contiguous ones with low
// addresses for a device. The lists are worked off in groups: the smallest numbers of extents on both sides that
// make the same number of frames. A group is exchanged as a whole or not at all:
//
//   get      the new extents are allocated; as long as they are being zeroed nothing else has happened, and the call may give way
//   take     each frame given leaves the domain's list, if nothing but the owner refers to it
//   commit   new frames enter the domain, the old ones are freed; after this nothing is undone
//
// Frames taken and extents got hang in two lists through their own frame-table entries.

using System.Threading;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>Exchange of a domain's frames.</summary>
public static unsafe class ExchangeOps
{
    /// <summary>Extents zeroed between two questions whether something else wants the CPU.</summary>
    private const uint ZeroedSlice = 16;

    public static HypercallResult Run(Vcpu* vcpu, ulong command, ulong argument, CpuUserRegs* frame)
    {
        MemoryExchange exchange;
        if (!GuestMemory.Read(argument, &exchange))
        {
            return Errno.Fault;
        }

        Domain* caller = vcpu->Domain;
        uint inOrder = exchange.In.ExtentOrder;
        uint outOrder = exchange.Out.ExtentOrder;
        if (inOrder > ReservationOps.MaxOrder || outOrder > ReservationOps.MaxOrder)
        {
            return Errno.Perm;
        }

        if (exchange.In.NrExtents > uint.MaxValue || exchange.Out.NrExtents > uint.MaxValue
            || exchange.In.NrExtents << (int)inOrder != exchange.Out.NrExtents << (int)outOrder
            || exchange.In.Domid != exchange.Out.Domid || exchange.NrExchanged > exchange.In.NrExtents
            || !ReservationOps.AddressBits(exchange.Out.MemFlags, out int bits))
        {
            return Errno.Inval;
        }

        uint groupOrder = inOrder > outOrder ? inOrder : outOrder;
        ulong inGroup = 1UL << (int)(groupOrder - inOrder);
        if ((exchange.NrExchanged & (inGroup - 1)) != 0)
        {
            return Errno.Inval;
        }

        Errno error = TargetDomain.Resolve(caller, exchange.In.Domid.Raw, out Domain* domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        bool gaveWay = false;
        while (exchange.NrExchanged + inGroup <= exchange.In.NrExtents)
        {
            if (exchange.NrExchanged != 0 && Preemption.IsDue())
            {
                gaveWay = true;
                break;
            }

            error = One(domain, exchange, inGroup, groupOrder, bits, out bool committed, out gaveWay);
            exchange.NrExchanged += committed ? inGroup : 0;
            if (error != Errno.Ok || gaveWay)
            {
                break;
            }
        }

        TargetDomain.Put(caller, domain);
        ulong countAddress = argument + ((ulong)(&exchange.NrExchanged) - (ulong)(&exchange));
        if (!GuestMemory.Write(countAddress, &exchange.NrExchanged))
        {
            return Errno.Fault;
        }

        return gaveWay ? Continuation.With(frame, command, argument) : error;
    }

    private static Errno One(
        Domain* domain, in MemoryExchange exchange, ulong inGroup, uint groupOrder, int bits, out bool committed,
        out bool gaveWay)
    {
        committed = false;
        gaveWay = false;
        int outOrder = (int)exchange.Out.ExtentOrder;
        ulong outGroup = 1UL << (int)(groupOrder - exchange.Out.ExtentOrder);
        PageInfo* got = null;
        uint zeroed = 0;
        for (ulong extent = 0; extent < outGroup; extent++)
        {
            Mfn first = PageAllocator.AllocateForDomain(
                outOrder, bits, domain, fromClaim: false, mayGiveWay: true, out gaveWay);
            if (first.IsNone)
            {
                FreeExtents(domain, got, outOrder);
                return gaveWay ? Errno.Ok : Errno.NoMem;
            }

            // What is zeroed by now has the domain's contents when it comes again, so each slice gets further.
            bool wasZeroed = FrameTable.Page(first)->Type == PageInfo.Zeroed;
            Push(ref got, FrameTable.Page(first));
            if (wasZeroed && (++zeroed & (ZeroedSlice - 1)) == 0 && extent + 1 < outGroup && Preemption.IsDue())
            {
                FreeExtents(domain, got, outOrder);
                gaveWay = true;
                return Errno.Ok;
            }
        }

        PageInfo* taken = null;
        Errno error = TakeGroup(domain, exchange, inGroup, ref taken);
        if (error != Errno.Ok)
        {
            Restore(domain, taken);
            FreeExtents(domain, got, outOrder);
            return error;
        }

        committed = true;
        FreeTaken(taken);
        ulong outIndex = (exchange.NrExchanged << (int)exchange.In.ExtentOrder) >> outOrder;
        while (got != null)
        {
            Mfn first = FrameTable.FrameOf(Pop(ref got));
            DomainPages.AssignReplacement(domain, first, outOrder);
            ulong frame;
            ulong raw = first.Raw;
            if (!GuestMemory.ReadElement(exchange.Out.ExtentStart, outIndex, &frame))
            {
                error = Errno.Fault;
            }
            else
            {
                ReservationOps.SetMachineToPhysical(first, outOrder, frame);
                error = GuestMemory.WriteElement(exchange.Out.ExtentStart, outIndex, &raw) ? error : Errno.Fault;
            }

            outIndex++;
        }

        return error;
    }

    /// <summary>Takes the group's frames out of the domain, which keeps the claim to as many.</summary>
    private static Errno TakeGroup(Domain* domain, in MemoryExchange exchange, ulong inGroup, ref PageInfo* taken)
    {
        for (ulong extent = 0; extent < inGroup; extent++)
        {
            ulong raw;
            if (!GuestMemory.ReadElement(exchange.In.ExtentStart, exchange.NrExchanged + extent, &raw))
            {
                return Errno.Fault;
            }

            for (ulong page = 0; page < 1UL << (int)exchange.In.ExtentOrder; page++)
            {
                Mfn mfn = new(raw + page);
                if (!FrameTable.IsValid(mfn) || !DomainPages.TryTake(domain, FrameTable.Page(mfn)))
                {
                    return Errno.Inval;
                }

                Push(ref taken, FrameTable.Page(mfn));
            }
        }

        return Errno.Ok;
    }

    private static void Restore(Domain* domain, PageInfo* taken)
    {
        while (taken != null)
        {
            // It comes back without a type, as if it were new: no CPU may remember it as writable any more.
            PageInfo* page = Pop(ref taken);
            TlbFlush.BeforeReuse(page->FlushStamp);
            DomainPages.AssignReplacement(domain, FrameTable.FrameOf(page), 0);
        }
    }

    private static void FreeTaken(PageInfo* taken)
    {
        while (taken != null)
        {
            PageInfo* page = Pop(ref taken);
            page->FlushStamp = TlbFlush.Clock;
            Machine.MachineToPhysical[FrameTable.FrameOf(page).Raw] = DomainPages.InvalidMachineToPhysical;
            PageAllocator.FreeDomainFrame(page, 0);
        }
    }

    /// <summary>The extents are free again, with contents that the domain may see.</summary>
    private static void FreeExtents(Domain* domain, PageInfo* got, int order)
    {
        while (got != null)
        {
            PageAllocator.FreeExtent(FrameTable.FrameOf(Pop(ref got)), order, domain->Serial);
        }
    }

    private static void Push(ref PageInfo* list, PageInfo* page)
    {
        page->Next = list == null ? FrameTable.EndOfList : (uint)FrameTable.FrameOf(list).Raw;
        list = page;
    }

    private static PageInfo* Pop(ref PageInfo* list)
    {
        PageInfo* page = list;
        list = page->Next == FrameTable.EndOfList ? null : FrameTable.Page(new Mfn(page->Next));
        return page;
    }
}
