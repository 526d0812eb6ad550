// SPDX-License-Identifier: MIT
// Domains and vCPUs live in whole pages of their own, zeroed when they are handed out: a field that is not set here
// is zero.
//
// A domain is born with two references. One stands for its existence and goes when its destruction has done all it
// can, the other for its memory and goes with the last frame (DomainLifecycle.cs).

using System.Runtime.CompilerServices;
using Hypervisor.Core.Control;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>Makes domains and vCPUs.</summary>
public static unsafe class DomainFactory
{
    /// <summary>For <see cref="Create"/>: any number that is free.</summary>
    public const uint FirstFree = 0xFFFF_FFFF;

    /// <summary>vCPUs that have a record in shared_info; later ones register their own.</summary>
    public const uint SharedInfoVcpus = 32;

    private const int InfoSize = 64;

    private static SpinLock s_lock;
    private static uint s_lastId;
    private static ulong s_lastSerial;

    /// <summary>
    /// A domain without memory and vCPUs, paused by the tools, in the table under <paramref name="id"/>.
    /// </summary>
    /// <returns>Null, with Exist: the number is taken; NoMem; Inval: limits beyond what there is.</returns>
    public static Domain* Create(uint id, in DomainLimits limits, out Errno error)
    {
        error = Errno.Inval;
        if ((id != FirstFree && id >= DomainTable.Size) || limits.Vcpus - 1 >= Domain.MaxVcpus)
        {
            return null;
        }

        error = Errno.NoMem;
        Domain* domain = (Domain*)PageAllocator.AllocatePages(OrderOf(sizeof(Domain)));
        if (domain == null)
        {
            return null;
        }

        domain->References = 2;
        domain->FirstPage = Mfn.None;
        domain->LastPage = Mfn.None;
        domain->ShutdownCode = DomainLifecycle.NoShutdownCode;
        domain->IsPausedByTools = true;
        domain->ToolPauses = 1;
        domain->MaxVcpuCount = limits.Vcpus;
        domain->MaxEventChannelPort = limits.EventChannelPort;
        domain->MaxGrantFrames = limits.GrantFrames;
        domain->MaxMaptrackFrames = limits.MaptrackFrames;
        DomainMemory.SetLimit(domain, 1u << OrderOfVcpu());
        domain->SharedInfo = (SharedInfo*)DomainMemory.Allocate(domain, 0);
        domain->CpuidPolicy = (CpuPolicy*)DomainMemory.Allocate(domain, OrderOf(sizeof(CpuPolicy)));
        if (domain->SharedInfo == null || domain->CpuidPolicy == null)
        {
            Free(domain);
            return null;
        }

        domain->SharedInfoFrame = Mfn.OfAddress(Machine.PhysicalOf(domain->SharedInfo));

        // The number is part of what the initialisers write, so it is chosen before them and entered after.
        s_lock.Acquire();
        domain->Serial = ++s_lastSerial;
        error = ChooseId(domain, id);
        if (error == Errno.Ok)
        {
            error = InitialiseParts(domain);
        }

        if (error == Errno.Ok)
        {
            DomainPages.Share(domain->SharedInfo, domain);
            _ = DomainTable.TryAdd(domain);
        }

        s_lock.Release();
        if (error != Errno.Ok)
        {
            Free(domain);
            return null;
        }

        return domain;
    }

    /// <summary>A vCPU that is offline and knows nothing yet.</summary>
    /// <returns>Null, and why: EINVAL: no such number for this domain, or made already; ENOMEM; ENOSPC: the domain's
    /// reservation does not fit once more.</returns>
    public static Vcpu* CreateVcpu(Domain* domain, uint id, out Errno error)
    {
        error = Errno.Inval;
        if (id >= domain->MaxVcpuCount || domain->VcpuOf(id) != null)
        {
            return null;
        }

        error = Errno.NoMem;

        // One block: the structure, a vcpu_info for a vCPU that has none in shared_info, the extended state.
        byte* block = (byte*)DomainMemory.Allocate(domain, OrderOfVcpu());
        if (block == null)
        {
            return null;
        }

        Vcpu* vcpu = (Vcpu*)block;
        vcpu->Traps = (TrapInfo*)DomainMemory.Allocate(domain, 0);
        if (vcpu->Traps == null)
        {
            DomainMemory.Free(domain, block, OrderOfVcpu());
            return null;
        }

        vcpu->Domain = domain;
        vcpu->Id = id;
        vcpu->LoadedOn = Vcpu.NotLoaded;
        vcpu->Offline = true;
        vcpu->InKernelMode = true;
        vcpu->KernelRoot = Mfn.None;
        vcpu->UserRoot = Mfn.None;
        vcpu->InfoFrame = Mfn.None;
        vcpu->ExtendedState = block + InfoOffset + InfoSize;
        vcpu->Info = id < SharedInfoVcpus
            ? domain->SharedInfo->VcpuInfo((int)id)
            : OwnInfo(vcpu);
        vcpu->Info->EventChannelUpcallMask = 1;
        GuestTime.InitialiseVcpu(vcpu);
        GuestTime.Publish(vcpu);
        EventDomain.InitialiseVcpu(vcpu);
        if (!VcpuScheduling.TryInitialise(vcpu))
        {
            FreeVcpu(vcpu);
            error = Errno.NoSpace;
            return null;
        }

        error = Errno.Ok;
        System.Threading.Volatile.Write(ref domain->VcpuPointers[id], (ulong)vcpu);
        domain->VcpuCount++;
        return vcpu;
    }

    /// <summary>The record of a vCPU that no guest can see.</summary>
    internal static VcpuInfo* OwnInfo(Vcpu* vcpu) => (VcpuInfo*)((byte*)vcpu + InfoOffset);

    /// <summary>Frees a vCPU that the scheduler and everybody else has forgotten.</summary>
    internal static void FreeVcpu(Vcpu* vcpu)
    {
        Domain* domain = vcpu->Domain;
        DomainMemory.Free(domain, vcpu->Traps, 0);
        DomainMemory.Free(domain, vcpu, OrderOfVcpu());
    }

    /// <summary>Frees what <see cref="Create"/> allocated itself, the shared frame excepted once it is
    /// shared.</summary>
    internal static void Free(Domain* domain)
    {
        if (domain->SharedInfo != null)
        {
            DomainMemory.Free(domain, domain->SharedInfo, 0);
        }

        if (domain->CpuidPolicy != null)
        {
            DomainMemory.Free(domain, domain->CpuidPolicy, OrderOf(sizeof(CpuPolicy)));
        }

        if (domain->MemoryMap != null)
        {
            DomainMemory.Free(domain, domain->MemoryMap, 0);
        }

        DomainMemory.ExpectNone(domain);

        PageAllocator.FreePages(domain, OrderOf(sizeof(Domain)));
    }

    /// <summary>Least order whose block holds <paramref name="size"/> bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int OrderOf(int size) =>
        size <= (int)MemoryLayout.PageSize
            ? 0
            : Machine.HighestBit((ulong)(size - 1) >> MemoryLayout.PageShift) + 1;

    private static int InfoOffset => (sizeof(Vcpu) + InfoSize - 1) & ~(InfoSize - 1);

    private static int OrderOfVcpu() => OrderOf(InfoOffset + InfoSize + (int)ExtendedState.Size);

    private static Errno InitialiseParts(Domain* domain)
    {
        SystemPolicies.CopyTo(domain);
        GuestTime.InitialiseDomain(domain);
        VcpuScheduling.InitialiseDomain(domain);
        Errno error = EventDomain.Initialise(domain);
        if (error != Errno.Ok)
        {
            return error;
        }

        error = GrantDomain.Initialise(domain);
        if (error != Errno.Ok)
        {
            EventDomain.Release(domain);
            return error;
        }

        Wallclock.Publish(domain);
        return Errno.Ok;
    }

    /// <summary>Numbers are not used again until all of them have had their turn: tools remember them.</summary>
    private static Errno ChooseId(Domain* domain, uint id)
    {
        if (id != FirstFree)
        {
            domain->Id = (ushort)id;
            return DomainTable.Peek(id) == null ? Errno.Ok : Errno.Exist;
        }

        uint candidate = s_lastId;
        for (uint tried = 1; tried < DomainTable.Size; tried++)
        {
            candidate = candidate + 1 < DomainTable.Size ? candidate + 1 : 1;
            if (DomainTable.Peek(candidate) == null)
            {
                s_lastId = candidate;
                domain->Id = (ushort)candidate;
                return Errno.Ok;
            }
        }

        return Errno.NoMem;
    }
}
