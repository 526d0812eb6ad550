// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;
using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Tests;

/// <summary>
/// A machine with memory, schedulers, and domains that have ports, grants, frames and vCPUs. While CR3 is zero guests
/// name physical addresses; page tables, where a test has some, are looked at by the hypervisor alone.
/// </summary>
internal sealed unsafe class DomainBench : IDisposable
{
    /// <summary>A virtual address that <see cref="GivePageTables"/> gives a level-1 table.</summary>
    public const ulong Window = 0x4000_0000;

    public const ulong Unmapped = 0x7FFF_0000_0000;

    private readonly List<nint> _blocks = [];

    public DomainBench(uint cpus = 1, ulong memory = 8 << 20)
    {
        Machine = FakeMachine.Reset(memory, cpus);
        TestSystem.ResetClock();
        SystemTime.Calibrate(1_000_000_000);
        DomainTable.Initialise(Allocate<ulong>(DomainTable.Size));
        ResetAllocator();
        FrameTable.Initialise(memory >> MemoryLayout.PageShift, 40);
        PageAllocator.AddMemory(1, memory >> MemoryLayout.PageShift);
        SchedSystem* system = Allocate<SchedSystem>();
        SchedSystem.Initialise(system, PolicyId.Credit);
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            FakeMachine.RunOn(cpu);
            TimerQueue.Initialise(Hypervisor.Machine.Cpu, Allocate<TimerQueue>());
            VcpuScheduling.InitialiseCpu(Hypervisor.Machine.Cpu, Allocate<CpuScheduler>(), system);
        }

        FakeMachine.RunOn(0);
        Machine.OnFlushRequest = FlushOn;
        Dom0 = AddDomain(0);
        Dom0->IsPrivileged = true;
    }

    /// <summary>Another CPU takes the interrupt at once.</summary>
    private static void FlushOn(uint cpu)
    {
        uint own = FakeMachine.Cpu.Number;
        FakeMachine.RunOn(cpu);
        TlbFlush.Serve(Hypervisor.Machine.Cpu);
        FakeMachine.RunOn(own);
    }

    public FakeMachine Machine { get; }

    public Domain* Dom0 { get; }

    public static Vcpu* VcpuOf(Domain* domain, uint id = 0) => domain->VcpuOf(id);

    /// <summary>A domain with two vCPUs and a frame for arguments.</summary>
    public Domain* AddDomain(ushort id, uint vcpus = 2, uint maxGrantFrames = 8, uint maxMaptrackFrames = 2)
    {
        Domain* domain = Allocate<Domain>();
        domain->Id = id;
        domain->References = 2;
        domain->FirstPage = Mfn.None;
        domain->LastPage = Mfn.None;
        domain->MaxPages = 1024;
        domain->MaxVcpuCount = vcpus;
        domain->MaxEventChannelPort = EventChannelLimits.FifoNrChannels - 1;
        domain->MaxGrantFrames = maxGrantFrames;
        domain->MaxMaptrackFrames = maxMaptrackFrames;
        DomainMemory.SetLimit(domain, 0);
        domain->SharedInfo = (SharedInfo*)DomainMemory.Allocate(domain, 0);
        DomainPages.Share(domain->SharedInfo, domain);
        GuestTime.InitialiseDomain(domain);
        VcpuScheduling.InitialiseDomain(domain);
        Expect(Errno.Ok, EventDomain.Initialise(domain));
        Expect(Errno.Ok, GrantDomain.Initialise(domain));
        _ = DomainTable.TryAdd(domain);
        for (uint vcpu = 0; vcpu < vcpus; vcpu++)
        {
            AddVcpu(domain, vcpu);
        }

        return domain;
    }

    public Vcpu* AddVcpu(Domain* domain, uint id)
    {
        Vcpu* vcpu = Allocate<Vcpu>();
        vcpu->Domain = domain;
        vcpu->Id = id;
        vcpu->Initialised = true;
        vcpu->InKernelMode = true;
        vcpu->LoadedOn = Vcpu.NotLoaded;
        vcpu->Info = domain->SharedInfo->VcpuInfo((int)id);
        EventDomain.InitialiseVcpu(vcpu);
        Xunit.Assert.True(VcpuScheduling.TryInitialise(vcpu));
        domain->VcpuPointers[id] = (ulong)vcpu;
        domain->VcpuCount++;
        return vcpu;
    }

    /// <summary>A frame of the domain.</summary>
    public static Mfn AddFrame(Domain* domain)
    {
        Mfn mfn = DomainPages.Allocate(domain, 0, 64);
        Xunit.Assert.False(mfn.IsNone);
        return mfn;
    }

    /// <summary>Gives vCPU 0 a kernel root whose tables reach <see cref="Window"/>; gives the frame of the level-1
    /// table.</summary>
    public static Mfn GivePageTables(Domain* domain)
    {
        Mfn next = Mfn.None;
        Mfn leaf = Mfn.None;
        for (int level = 1; level <= 4; level++)
        {
            Mfn table = AddFrame(domain);
            if (level == 1)
            {
                leaf = table;
            }
            else
            {
                Entries(table)[Pte.IndexOf(Window, level)] = Pte.Make(next, Pte.Present | Pte.Writable | Pte.User);
            }

            FrameTable.Page(table)->Type = PageType.OfLevel(level) | PageType.Validated | 1;
            next = table;
        }

        domain->VcpuOf(0)->KernelRoot = next;
        return leaf;
    }

    public static ulong* Entries(Mfn table) => (ulong*)Hypervisor.Machine.Direct(table);

    /// <summary>Puts a structure into the frame where the guest may name it; gives its address.</summary>
    public static ulong Put<T>(Mfn frame, T value, int index = 0)
        where T : unmanaged
    {
        ((T*)Hypervisor.Machine.Direct(frame))[index] = value;
        return frame.Address;
    }

    public static T Get<T>(Mfn frame, int index = 0)
        where T : unmanaged => ((T*)Hypervisor.Machine.Direct(frame))[index];

    /// <summary>From now on every preemption point finds that something else wants the CPU.</summary>
    public void MakeBusy(bool busy = true) =>
        Machine.OnInterruptWindow = busy ? () => Hypervisor.Machine.RaiseSoftIrq(SoftIrq.Schedule) : null;

    public void Relax()
    {
        MakeBusy(false);
        Hypervisor.Machine.Cpu->SoftIrqPending = 0;
    }

    public T* Allocate<T>(int count = 1)
        where T : unmanaged
    {
        nuint size = (nuint)(sizeof(T) * count);
        void* block = NativeMemory.AlignedAlloc(size, 64);
        NativeMemory.Clear(block, size);
        _blocks.Add((nint)block);
        return (T*)block;
    }

    public void Dispose()
    {
        foreach (nint block in _blocks)
        {
            NativeMemory.AlignedFree((void*)block);
        }
    }

    private static void Expect(Errno expected, Errno actual) => Xunit.Assert.Equal(expected, actual);

    /// <summary>The allocator's state is static, and is that of the last test's machine.</summary>
    private static void ResetAllocator()
    {
        foreach (string name in new[] { "s_state", "s_lock", "s_ready" })
        {
            FieldInfo field = typeof(PageAllocator).GetField(name, BindingFlags.NonPublic | BindingFlags.Static);
            field.SetValue(null, Activator.CreateInstance(field.FieldType));
        }
    }
}
