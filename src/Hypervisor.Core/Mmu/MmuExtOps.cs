// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Hypercall mmuext_op: pinning, base pointers, flushes, LDT.</summary>
public static unsafe class MmuExtOps
{
    private const uint Preempted = 0x8000_0000;
    private const uint Self = 0x7FF0;

    [SkipLocalsInit]
    public static HypercallResult Run(
        Vcpu* vcpu, ulong operations, uint count, ulong doneAddress, uint domainId, CpuUserRegs* frame)
    {
        uint done = 0;
        if ((count & Preempted) != 0)
        {
            count &= ~Preempted;
            if (doneAddress != 0 && !GuestMemory.Read(doneAddress, &done))
            {
                return Errno.Fault;
            }
        }

        Domain* caller = vcpu->Domain;
        Domain* owner = caller;
        if (domainId != Self)
        {
            Errno refused = PageOwner.Resolve(caller, domainId, out owner);
            if (refused != Errno.Ok)
            {
                return refused;
            }
        }

        Errno error = Errno.Ok;
        bool preempted = false;
        uint index = 0;
        for (; index < count; index++)
        {
            if (PageTables.HasParked(vcpu) || (index != 0 && Preemption.IsDue()))
            {
                preempted = true;
                break;
            }

            MmuExtOp operation;
            if (!GuestMemory.Read(operations + ((ulong)index * 24), &operation))
            {
                error = Errno.Fault;
                break;
            }

            error = One(vcpu, owner, operation);
            if (error == Errno.Restart)
            {
                error = Errno.Ok;
                preempted = true;
                break;
            }

            if (error != Errno.Ok)
            {
                break;
            }
        }

        PageOwner.Put(caller, owner);
        done += index;
        if (doneAddress != 0 && !GuestMemory.Write(doneAddress, &done))
        {
            error = Errno.Fault;
        }

        return preempted && error == Errno.Ok
            ? Continuation.With(
                frame, operations + ((ulong)index * 24), (count - index) | Preempted, doneAddress, domainId)
            : error;
    }

    /// <returns>Restart: gave way, the same request is to be made again.</returns>
    private static Errno One(Vcpu* vcpu, Domain* owner, in MmuExtOp operation)
    {
        switch ((MmuExtCommand)operation.Cmd)
        {
            case MmuExtCommand.PinL1Table:
            case MmuExtCommand.PinL2Table:
            case MmuExtCommand.PinL3Table:
            case MmuExtCommand.PinL4Table:
                return Pin(owner, new Mfn(operation.Arg1Mfn), (int)operation.Cmd + 1);
            case MmuExtCommand.UnpinTable:
                return Unpin(vcpu, owner, new Mfn(operation.Arg1Mfn));
            case MmuExtCommand.NewBasePtr:
                return owner == vcpu->Domain
                    ? VcpuRoots.SetKernel(vcpu, new Mfn(operation.Arg1Mfn))
                    : Errno.Perm;
            case MmuExtCommand.NewUserBasePtr:
                return owner == vcpu->Domain
                    ? VcpuRoots.SetUser(vcpu, new Mfn(operation.Arg1Mfn))
                    : Errno.Perm;
            case MmuExtCommand.TlbFlushLocal:
                TlbFlush.Local();
                return Errno.Ok;
            case MmuExtCommand.InvlpgLocal:
                Machine.InvalidatePage(operation.Arg1LinearAddr);
                return Errno.Ok;
            case MmuExtCommand.TlbFlushMulti:
            case MmuExtCommand.TlbFlushAll:
                TlbFlush.Domain(vcpu->Domain);
                return Errno.Ok;
            case MmuExtCommand.InvlpgMulti:
            case MmuExtCommand.InvlpgAll:
                TlbFlush.DomainPage(vcpu->Domain, operation.Arg1LinearAddr);
                return Errno.Ok;
            case MmuExtCommand.FlushCache:
            case MmuExtCommand.FlushCacheGlobal:
                if (!vcpu->Domain->HasHardwareAccess)
                {
                    return Errno.Access;
                }

                Machine.WriteBackCaches();
                return Errno.Ok;
            case MmuExtCommand.SetLdt:
                return owner == vcpu->Domain
                    ? DescriptorTables.SetLdt(vcpu, operation.Arg1LinearAddr, operation.Arg2NrEnts)
                    : Errno.Perm;
            case MmuExtCommand.ClearPage:
            case MmuExtCommand.CopyPage:
                return ClearOrCopy(owner, operation);
            default:
                return Errno.NoSys;
        }
    }

    /// <summary>Validates a table and keeps it validated until it is unpinned.</summary>
    /// <returns>Inval: not valid, or pinned already. Restart: gave way.</returns>
    public static Errno Pin(Domain* owner, Mfn mfn, int level)
    {
        owner->MmuLock.Acquire();
        TableResult result = PageTables.Get(owner, mfn, level);
        Errno error = Errno.Ok;
        if (result != TableResult.Done)
        {
            error = result == TableResult.Preempted ? Errno.Restart : Errno.Inval;
        }
        else
        {
            PageInfo* page = FrameTable.Page(mfn);
            if ((page->Type & PageType.Pinned) != 0)
            {
                // Already pinned: the references just taken are not the last ones.
                _ = PageTables.Put(owner, page);
                error = Errno.Inval;
            }
            else
            {
                page->Type |= PageType.Pinned;
            }
        }

        owner->MmuLock.Release();
        return error;
    }

    private static Errno Unpin(Vcpu* vcpu, Domain* owner, Mfn mfn)
    {
        if (!FrameTable.IsValid(mfn))
        {
            return Errno.Inval;
        }

        owner->MmuLock.Acquire();
        PageInfo* page = FrameTable.Page(mfn);
        Errno error = Errno.Inval;
        if (page->Owner == owner->Id && (page->Type & PageType.Pinned) != 0)
        {
            page->Type &= ~PageType.Pinned;
            PageTables.PutOrPark(vcpu, owner, page);
            error = Errno.Ok;
        }

        owner->MmuLock.Release();
        return error;
    }

    private static Errno ClearOrCopy(Domain* owner, in MmuExtOp operation)
    {
        Mfn target = new(operation.Arg1Mfn);
        if (!FrameTable.IsValid(target) || !PageReference.TryGetWritable(FrameTable.Page(target), owner))
        {
            return Errno.Inval;
        }

        Errno error = Errno.Ok;
        if (operation.Cmd == (uint)MmuExtCommand.ClearPage)
        {
            Machine.Zero(Machine.Direct(target), (nuint)MemoryLayout.PageSize);
        }
        else
        {
            Mfn source = new(operation.Arg2SrcMfn);
            if (FrameTable.IsValid(source) && PageReference.TryGet(FrameTable.Page(source), owner))
            {
                Machine.Copy(Machine.Direct(target), Machine.Direct(source), (nuint)MemoryLayout.PageSize);
                PageReference.Put(FrameTable.Page(source));
            }
            else
            {
                error = Errno.Inval;
            }
        }

        PageReference.PutWritable(FrameTable.Page(target));
        return error;
    }
}
