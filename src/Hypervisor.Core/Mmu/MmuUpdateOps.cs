// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Hypercall mmu_update: a list of checked page-table writes and machine-to-physical writes.</summary>
public static unsafe class MmuUpdateOps
{
    /// <summary><c>MMU_UPDATE_PREEMPTED</c>: the call continues an earlier one.</summary>
    private const uint Preempted = 0x8000_0000;
    private const uint PreemptionInterval = 16;
    private const uint Self = 0x7FF0;

    /// <param name="requests">Guest address of <c>struct mmu_update</c> entries.</param>
    /// <param name="doneAddress">Guest address that receives how many were done, or 0.</param>
    /// <param name="domains">Bits 15:0 whose frames, bits 31:16 whose tables plus one (0: the caller's).</param>
    [SkipLocalsInit]
    public static HypercallResult Run(
        Vcpu* vcpu, ulong requests, uint count, ulong doneAddress, uint domains, CpuUserRegs* frame)
    {
        uint done = 0;
        if ((count & Preempted) != 0)
        {
            count &= ~Preempted;
            if (doneAddress != 0 && GuestMemory.Read(doneAddress, &done) == false)
            {
                return Errno.Fault;
            }
        }

        Domain* caller = vcpu->Domain;
        Domain* tableOwner = caller;
        Domain* pageOwner = caller;
        if (domains != Self)
        {
            Errno refused = PageOwner.Resolve(caller, domains & 0xFFFF, out pageOwner);
            if (refused != Errno.Ok)
            {
                return refused;
            }

            if (domains >> 16 != 0)
            {
                refused = PageOwner.Resolve(caller, (domains >> 16) - 1, out tableOwner);
                if (refused != Errno.Ok)
                {
                    PageOwner.Put(caller, pageOwner);
                    return refused;
                }
            }
        }

        Errno error = Errno.Ok;
        bool preempted = false;
        uint index = 0;
        tableOwner->MmuLock.Acquire();
        for (; index < count; index++)
        {
            if ((index & (PreemptionInterval - 1)) == PreemptionInterval - 1 && Preemption.IsDue())
            {
                preempted = true;
                break;
            }

            MmuUpdate request;
            if (!GuestMemory.Read(requests + ((ulong)index * 16), &request))
            {
                error = Errno.Fault;
                break;
            }

            TableResult result = (request.Ptr & 3) == (ulong)MmuUpdateType.MachPhysUpdate
                ? UpdateMachineToPhysical(pageOwner, request)
                : UpdateEntry(vcpu, tableOwner, pageOwner, request);
            if (result == TableResult.Done)
            {
                continue;
            }

            if (result == TableResult.Preempted)
            {
                preempted = true;
            }
            else
            {
                error = Errno.Inval;
            }

            break;
        }

        tableOwner->MmuLock.Release();
        if (domains != Self)
        {
            PageOwner.Put(caller, tableOwner);
            PageOwner.Put(caller, pageOwner);
        }

        done += index;
        if (doneAddress != 0 && !GuestMemory.Write(doneAddress, &done))
        {
            error = Errno.Fault;
        }

        return preempted && error == Errno.Ok
            ? Continuation.With(
                frame, requests + ((ulong)index * 16), (count - index) | Preempted, doneAddress, domains)
            : error;
    }

    private static TableResult UpdateEntry(Vcpu* vcpu, Domain* tableOwner, Domain* pageOwner, in MmuUpdate request)
    {
        Mfn mfn = Mfn.OfAddress(request.Ptr);
        if (!FrameTable.IsValid(mfn))
        {
            return TableResult.Refused;
        }

        PageInfo* page = FrameTable.Page(mfn);
        ulong type = page->Type;
        if (page->Owner != tableOwner->Id)
        {
            return TableResult.Refused;
        }

        ulong* slot = (ulong*)Machine.Direct(request.Ptr & ~7UL);
        bool preserve = (request.Ptr & 3) == (ulong)MmuUpdateType.PtUpdatePreserveAd;
        if ((type & PageType.Validated) != 0 && (type & PageType.CountMask) != 0)
        {
            int level = PageType.LevelOf(type);
            if (level == 1)
            {
                return EntryUpdate.Leaf(tableOwner, pageOwner, slot, request.Val, preserve) == Errno.Ok
                    ? TableResult.Done
                    : TableResult.Refused;
            }

            if (level != 0)
            {
                return PageTables.HasParked(vcpu)
                    ? TableResult.Preempted
                    : EntryUpdate.Table(
                        vcpu,
                        tableOwner,
                        level,
                        (int)(request.Ptr & MemoryLayout.PageMask) >> 3,
                        slot,
                        request.Val,
                        preserve);
            }
        }

        // Not a table: a plain store, for which the frame must be writable memory.
        if (!PageReference.TryGetWritable(page, tableOwner))
        {
            return TableResult.Refused;
        }

        Volatile.Write(ref *slot, request.Val);
        PageReference.PutWritable(page);
        return TableResult.Done;
    }

    private static TableResult UpdateMachineToPhysical(Domain* owner, in MmuUpdate request)
    {
        Mfn mfn = Mfn.OfAddress(request.Ptr);
        if (!FrameTable.IsValid(mfn))
        {
            return TableResult.Refused;
        }

        PageInfo* page = FrameTable.Page(mfn);
        if (!PageReference.TryGet(page, owner))
        {
            return TableResult.Refused;
        }

        Machine.MachineToPhysical[mfn.Raw] = request.Val;
        PageReference.Put(page);
        return TableResult.Done;
    }
}
