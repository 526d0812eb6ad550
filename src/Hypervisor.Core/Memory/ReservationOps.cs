// SPDX-License-Identifier: MIT
// Frames enter and leave a domain in extents of 2^order. These calls answer how many extents are done, whatever
// went wrong with the next one: zero is the general failure. A slice that gives way puts that number above the
// sub-operation, where the next one finds it; above that, how many frames of the next extent have left already. An extent
// of which the memory is not zeroed yet has not begun: what has been zeroed of it is remembered with the free frames.

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>XENMEM_populate_physmap, increase_reservation and decrease_reservation.</summary>
public static unsafe class ReservationOps
{
    /// <summary>Largest extents: 2 MiB. To give one to a domain takes as long as a hypercall may keep a CPU.</summary>
    public const uint MaxOrder = 9;

    private const ulong MaxExtents = uint.MaxValue >> MemoryOps.StartShift;
    private const int FramesShift = 32;

    /// <summary>Frames between two questions whether something else wants the CPU.</summary>
    private const ulong Slice = 16;

    private enum Outcome
    {
        Done,
        Failed,
        GaveWay,
    }

    public static HypercallResult Run(Vcpu* vcpu, ulong command, ulong argument, CpuUserRegs* frame)
    {
        ulong start = (command & uint.MaxValue) >> MemoryOps.StartShift;
        ulong frames = command >> FramesShift;
        MemoryReservation reservation;
        if (!GuestMemory.Read(argument, &reservation) || reservation.NrExtents > MaxExtents
            || start >= reservation.NrExtents || reservation.ExtentOrder > MaxOrder
            || frames >> (int)reservation.ExtentOrder != 0)
        {
            return HypercallResult.Value(start);
        }

        Domain* caller = vcpu->Domain;
        if (TargetDomain.Resolve(caller, reservation.Domid.Raw, out Domain* domain) != Errno.Ok)
        {
            return HypercallResult.Value(start);
        }

        MemoryCommand operation = (MemoryCommand)(command & ((1UL << MemoryOps.StartShift) - 1));
        ulong slice = Slice >> (int)reservation.ExtentOrder;
        ulong mask = slice == 0 ? 0 : slice - 1;
        ulong done = start;
        bool gaveWay = false;
        if (!domain->IsDying)
        {
            while (done < reservation.NrExtents)
            {
                if (done != start && ((done - start) & mask) == 0 && Preemption.IsDue())
                {
                    gaveWay = true;
                    break;
                }

                Outcome outcome = One(domain, operation, reservation, done, ref frames);
                gaveWay = outcome == Outcome.GaveWay;
                if (outcome != Outcome.Done)
                {
                    break;
                }

                frames = 0;
                done++;
            }
        }

        TargetDomain.Put(caller, domain);
        return gaveWay
            ? Continuation.With(
                frame, (ulong)operation | (done << MemoryOps.StartShift) | (frames << FramesShift), argument)
            : HypercallResult.Value(done);
    }

    /// <summary>Width of addresses that the flags allow; none is no limit. False: too narrow for any frame.</summary>
    public static bool AddressBits(uint flags, out int bits)
    {
        bits = (int)(flags & 0xFF);
        bits = bits == 0 ? 64 : bits;
        return bits > MemoryLayout.PageShift;
    }

    /// <param name="domain">Whose memory.</param>
    /// <param name="operation">Which way.</param>
    /// <param name="reservation">The request.</param>
    /// <param name="index">Which extent.</param>
    /// <param name="frames">Frames of the extent that are done.</param>
    private static Outcome One(
        Domain* domain, MemoryCommand operation, in MemoryReservation reservation, ulong index, ref ulong frames) =>
        operation switch
        {
            MemoryCommand.PopulatePhysMap => Populate(domain, reservation, index),
            MemoryCommand.IncreaseReservation => Increase(domain, reservation, index),
            _ => Decrease(domain, reservation, index, ref frames),
        };

    private static Outcome OutcomeOf(bool isDone) => isDone ? Outcome.Done : Outcome.Failed;

    private static Outcome Populate(Domain* domain, in MemoryReservation reservation, ulong index)
    {
        ulong frame;
        if (!AddressBits(reservation.MemFlags, out int bits)
            || !GuestMemory.ReadElement(reservation.ExtentStart, index, &frame))
        {
            return Outcome.Failed;
        }

        int order = (int)reservation.ExtentOrder;
        Mfn first = DomainPages.Allocate(domain, order, bits, mayGiveWay: true, out bool gaveWay);
        if (first.IsNone)
        {
            return gaveWay ? Outcome.GaveWay : Outcome.Failed;
        }

        SetMachineToPhysical(first, order, frame);
        ulong raw = first.Raw;
        return OutcomeOf(GuestMemory.WriteElement(reservation.ExtentStart, index, &raw));
    }

    private static Outcome Increase(Domain* domain, in MemoryReservation reservation, ulong index)
    {
        if (!AddressBits(reservation.MemFlags, out int bits))
        {
            return Outcome.Failed;
        }

        int order = (int)reservation.ExtentOrder;
        Mfn first = DomainPages.Allocate(domain, order, bits, mayGiveWay: true, out bool gaveWay);
        if (first.IsNone)
        {
            return gaveWay ? Outcome.GaveWay : Outcome.Failed;
        }

        // Without a list the domain does not want to know which frames it got.
        ulong raw = first.Raw;
        return OutcomeOf(
            reservation.ExtentStart == 0 || GuestMemory.WriteElement(reservation.ExtentStart, index, &raw));
    }

    private static Outcome Decrease(Domain* domain, in MemoryReservation reservation, ulong index, ref ulong frames)
    {
        ulong raw;
        if (!GuestMemory.ReadElement(reservation.ExtentStart, index, &raw))
        {
            return Outcome.Failed;
        }

        ulong begun = frames;
        for (; frames < 1UL << (int)reservation.ExtentOrder; frames++)
        {
            if (frames != begun && ((frames - begun) & (Slice - 1)) == 0 && Preemption.IsDue())
            {
                return Outcome.GaveWay;
            }

            if (!ReleaseFrame(domain, new Mfn(raw + frames)))
            {
                return Outcome.Failed;
            }
        }

        return Outcome.Done;
    }

    /// <summary>The owner lets go of a frame, which stays as long as anything refers to it.</summary>
    private static bool ReleaseFrame(Domain* domain, Mfn mfn)
    {
        if (!FrameTable.IsValid(mfn))
        {
            return false;
        }

        // The reference holds the frame in the domain while the owner's own one is looked for. Frames that the
        // hypervisor shares have none.
        PageInfo* page = FrameTable.Page(mfn);
        if (!PageReference.TryGet(page, domain))
        {
            return false;
        }

        bool released = DomainPages.Release(page);
        PageReference.Put(page);
        return released;
    }

    internal static void SetMachineToPhysical(Mfn first, int order, ulong frame)
    {
        for (ulong page = 0; page < 1UL << order; page++)
        {
            Machine.MachineToPhysical[(first + page).Raw] = frame + page;
        }
    }
}
