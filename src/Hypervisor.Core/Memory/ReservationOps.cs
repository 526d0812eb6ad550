// SPDX-License-Identifier: MIT
// Frames enter and leave a domain in extents of 2^order. These calls answer how many extents are done, whatever
// went wrong with the next one: zero is the general failure. A slice that gives way puts that number above the
// sub-operation, where the next one finds it.

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>XENMEM_populate_physmap, increase_reservation and decrease_reservation.</summary>
public static unsafe class ReservationOps
{
    /// <summary>Largest extents of ordinary domains (2 MiB), and of privileged ones.</summary>
    public const uint MaxOrder = 9;
    public const uint MaxPrivilegedOrder = PageAllocator.MaxOrder;

    private const ulong MaxExtents = uint.MaxValue >> MemoryOps.StartShift;

    /// <summary>Frames between two questions whether something else wants the CPU; an extent is done in one go.</summary>
    private const ulong Slice = 16;

    public static HypercallResult Run(Vcpu* vcpu, ulong command, ulong argument, CpuUserRegs* frame)
    {
        ulong start = command >> MemoryOps.StartShift;
        MemoryReservation reservation;
        if (!GuestMemory.Read(argument, &reservation) || reservation.NrExtents > MaxExtents
            || start >= reservation.NrExtents)
        {
            return HypercallResult.Value(start);
        }

        Domain* caller = vcpu->Domain;
        if (reservation.ExtentOrder > MaxOrderOf(caller)
            || TargetDomain.Resolve(caller, reservation.Domid.Raw, out Domain* domain) != Errno.Ok)
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

                if (!One(domain, operation, reservation, done))
                {
                    break;
                }

                done++;
            }
        }

        TargetDomain.Put(caller, domain);
        return gaveWay
            ? Continuation.With(frame, (ulong)operation | (done << MemoryOps.StartShift), argument)
            : HypercallResult.Value(done);
    }

    public static uint MaxOrderOf(Domain* caller) => caller->IsPrivileged ? MaxPrivilegedOrder : MaxOrder;

    /// <summary>Width of addresses that the flags allow; none is no limit. False: too narrow for any frame.</summary>
    public static bool AddressBits(uint flags, out int bits)
    {
        bits = (int)(flags & 0xFF);
        bits = bits == 0 ? 64 : bits;
        return bits > MemoryLayout.PageShift;
    }

    private static bool One(Domain* domain, MemoryCommand operation, in MemoryReservation reservation, ulong index) =>
        operation switch
        {
            MemoryCommand.PopulatePhysMap => Populate(domain, reservation, index),
            MemoryCommand.IncreaseReservation => Increase(domain, reservation, index),
            _ => Decrease(domain, reservation, index),
        };

    private static bool Populate(Domain* domain, in MemoryReservation reservation, ulong index)
    {
        ulong frame;
        if (!AddressBits(reservation.MemFlags, out int bits)
            || !GuestMemory.ReadElement(reservation.ExtentStart, index, &frame))
        {
            return false;
        }

        int order = (int)reservation.ExtentOrder;
        Mfn first = DomainPages.Allocate(domain, order, bits);
        if (first.IsNone)
        {
            return false;
        }

        SetMachineToPhysical(first, order, frame);
        ulong raw = first.Raw;
        return GuestMemory.WriteElement(reservation.ExtentStart, index, &raw);
    }

    private static bool Increase(Domain* domain, in MemoryReservation reservation, ulong index)
    {
        if (!AddressBits(reservation.MemFlags, out int bits))
        {
            return false;
        }

        int order = (int)reservation.ExtentOrder;
        Mfn first = DomainPages.Allocate(domain, order, bits);
        if (first.IsNone)
        {
            return false;
        }

        // Without a list the domain does not want to know which frames it got.
        ulong raw = first.Raw;
        return reservation.ExtentStart == 0 || GuestMemory.WriteElement(reservation.ExtentStart, index, &raw);
    }

    private static bool Decrease(Domain* domain, in MemoryReservation reservation, ulong index)
    {
        ulong raw;
        if (!GuestMemory.ReadElement(reservation.ExtentStart, index, &raw))
        {
            return false;
        }

        for (ulong page = 0; page < 1UL << (int)reservation.ExtentOrder; page++)
        {
            if (!ReleaseFrame(domain, new Mfn(raw + page)))
            {
                return false;
            }
        }

        return true;
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
