// SPDX-License-Identifier: MIT

using System.Threading;
using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core;

public static unsafe partial class DomainLifecycle
{
    /// <summary><see cref="Domain.ShutdownCode"/> of a domain that is not shut down.</summary>
    public const byte NoShutdownCode = 0xFF;

    /// <summary>Frames between two looks at whether something else wants the CPU.</summary>
    private const uint Slice = 64;

    // Values of Domain.DestructionStage: what is to be done next.
    private const uint StageBegin = 0;
    private const uint StageStopped = 1;
    private const uint StageEvents = 2;
    private const uint StageGrants = 3;
    private const uint StageVcpus = 4;
    private const uint StageTables = 5;
    private const uint StageFrames = 6;
    private const uint StageDone = 7;

    /// <summary>
    /// Destroys the domain, a slice at a time.
    /// </summary>
    /// <returns>Ok: done, or done before. Again: gave way, to be called again.</returns>
    /// <remarks>Precondition: the caller holds a reference, is no vCPU of the domain, and holds no lock.</remarks>
    public static Errno Kill(Domain* domain)
    {
        // Two toolstacks that destroy the same domain take turns.
        if (Interlocked.CompareExchange(ref domain->IsBeingDestroyed, 1, 0) != 0)
        {
            return Errno.Again;
        }

        bool gone = false;
        while (domain->DestructionStage != StageDone && RunStage(domain))
        {
            domain->DestructionStage++;
            domain->DestructionCursor = 0;
            domain->DestructionTable = 0;
            gone = domain->DestructionStage == StageDone;
        }

        bool isDone = domain->DestructionStage == StageDone;
        Volatile.Write(ref domain->IsBeingDestroyed, 0);
        if (gone)
        {
            // Daemons that have the domain's frames mapped let go of them now.
            TellTools();
            _ = DomainTable.Put(domain);
        }

        return isDone ? Errno.Ok : Errno.Again;
    }

    /// <summary>The last frame of a dying domain has gone.</summary>
    public static void OnLastPageFreed(Domain* domain) => _ = DomainTable.Put(domain);

    /// <summary>The last reference has gone, and with it the domain from the table.</summary>
    public static void Release(Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                VcpuScheduling.ReleaseVcpu(vcpu);
                GuestTime.ReleaseVcpu(vcpu);
                DomainFactory.FreeVcpu(vcpu);
            }
        }

        GuestTime.ReleaseDomain(domain);
        GrantDomain.Release(domain);
        EventDomain.Release(domain);

        // Foreign mappings may still show the frame; it is freed with the last of them.
        DomainPages.Unshare(domain->SharedInfo, domain);
        domain->SharedInfo = null;
        DomainFactory.Free(domain);
        TellTools();
    }

    /// <summary>True when the stage is complete.</summary>
    private static bool RunStage(Domain* domain) => domain->DestructionStage switch
    {
        StageBegin => Begin(domain),
        StageStopped => AreVcpusStopped(domain),
        StageEvents => EventDomain.Destroy(domain) && ReleaseInterrupts(domain),
        StageGrants => GrantDomain.Destroy(domain),
        StageVcpus => ReleaseVcpus(domain),
        StageTables => ReleaseTables(domain),
        _ => ReleaseFrames(domain),
    };

    private static bool Begin(Domain* domain)
    {
        domain->PageLock.Acquire();
        domain->IsDying = true;
        bool hasMemory = domain->TotalPages != 0;
        ulong claimed = domain->OutstandingPages;
        domain->OutstandingPages = 0;
        domain->PageLock.Release();

        // Who had begun to make a table of a frame, not knowing yet, is done with it: the stage of tables must see all of them.
        domain->MmuLock.Acquire();
        domain->MmuLock.Release();

        _ = PageAllocator.TryClaim(-(long)claimed);
        Events.VirtualIrq.ClearHandlers(domain);
        VcpuScheduling.SleepAll(domain);
        if (!hasMemory)
        {
            // No frame will ever be the last one. The caller and existence keep the structure.
            _ = DomainTable.Put(domain);
        }

        return true;
    }

    private static bool AreVcpusStopped(Domain* domain)
    {
        if (VcpuScheduling.AreAllStopped(domain))
        {
            return true;
        }

        // Another CPU takes a moment; but the caller's guest need not stand still for long.
        for (int turn = 0; turn < 100; turn++)
        {
            Machine.SpinWait();
            if (VcpuScheduling.AreAllStopped(domain))
            {
                return true;
            }
        }

        return false;
    }

    private static bool ReleaseVcpus(Domain* domain)
    {
        while (domain->DestructionCursor < domain->MaxVcpuCount)
        {
            Vcpu* vcpu = domain->VcpuOf(domain->DestructionCursor);
            if (vcpu != null && !ReleaseVcpu(vcpu))
            {
                return false;
            }

            domain->DestructionCursor++;
            if (Preemption.IsDue())
            {
                return false;
            }
        }

        return true;
    }

    private static bool ReleaseVcpu(Vcpu* vcpu)
    {
        while (PageTables.HasParked(vcpu))
        {
            PageTables.ContinueParked(vcpu);
            if (PageTables.HasParked(vcpu) && Preemption.IsDue())
            {
                return false;
            }
        }

        if (!VcpuRoots.Release(vcpu))
        {
            return false;
        }

        DescriptorTables.Release(vcpu);
        VcpuInfoFrame.Release(vcpu);
        return true;
    }

    /// <summary>
    /// Looks at every frame once: cursor is how many have been looked at plus one. A pin holds a type reference; a
    /// table whose
    /// validation gave way for good holds a reference to itself. Both are turned into an ordinary release.
    /// </summary>
    private static bool ReleaseTables(Domain* domain)
    {
        if (domain->DestructionTable != 0 && !ReleaseTable(domain, new Mfn(domain->DestructionTable)))
        {
            return false;
        }

        while (NextFrame(domain, takeOwnReference: false, out PageInfo* page))
        {
            if ((page->Type & (PageType.Pinned | PageType.Partial)) != 0 && !TakeTableApart(domain, page))
            {
                return false;
            }

            if ((domain->DestructionCursor & (Slice - 1)) == 0 && Preemption.IsDue())
            {
                return false;
            }
        }

        return true;
    }

    private static bool TakeTableApart(Domain* domain, PageInfo* page)
    {
        domain->MmuLock.Acquire();
        ulong type = page->Type;
        bool isOurs = page->Owner == domain->Id;
        bool isPinned = isOurs && (type & PageType.Pinned) != 0;
        bool isHalfValidated = isOurs && (type & PageType.Partial) != 0 && (type & PageType.CountMask) == 0;
        if (isPinned)
        {
            page->Type = type & ~PageType.Pinned;
        }
        else if (isHalfValidated)
        {
            page->Type = type | 1;
        }

        domain->MmuLock.Release();
        return !(isPinned || isHalfValidated) || ReleaseTable(domain, FrameTable.FrameOf(page));
    }

    /// <summary>Drops a type reference and a reference that are destruction's own. False: gave way, the table is
    /// noted.</summary>
    private static bool ReleaseTable(Domain* domain, Mfn table)
    {
        domain->MmuLock.Acquire();
        TableResult result = PageTables.Put(domain, FrameTable.Page(table));
        domain->MmuLock.Release();
        domain->DestructionTable = result == TableResult.Done ? 0 : table.Raw;
        return result == TableResult.Done;
    }

    private static bool ReleaseFrames(Domain* domain)
    {
        while (NextFrame(domain, takeOwnReference: true, out PageInfo* page))
        {
            if (page != null)
            {
                PageReference.Put(page);
            }

            if ((domain->DestructionCursor & (Slice - 1)) == 0 && Preemption.IsDue())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// The frame at the head of the list, which goes to its end, until each has had its turn; the cursor counts
    /// what is left, plus
    /// one. Frames that are freed meanwhile only let some come twice.
    /// </summary>
    /// <param name="takeOwnReference">Gives the frame only together with the owner's reference, else null: the
    /// owner had let
    /// go, and somebody else has it mapped. While the lock is held the frame is the domain's; afterwards only a
    /// reference says so.</param>
    private static bool NextFrame(Domain* domain, bool takeOwnReference, out PageInfo* page)
    {
        page = null;
        domain->PageLock.Acquire();
        if (domain->DestructionCursor == 0)
        {
            domain->DestructionCursor = domain->TotalPages + 1;
        }

        bool exists = domain->DestructionCursor > 1 && !domain->FirstPage.IsNone;
        if (exists)
        {
            domain->DestructionCursor--;
            page = FrameTable.Page(domain->FirstPage);
            DomainPages.MoveFirstToEnd(domain);
            if (takeOwnReference && !DomainPages.TakeOwnReference(page))
            {
                page = null;
            }
        }

        domain->PageLock.Release();
        return exists;
    }

    private static bool ReleaseInterrupts(Domain* domain)
    {
        Interrupts.PhysicalIrqs.ReleaseAll(domain);
        Console.ConsoleOps.Flush(domain);
        return true;
    }
}
