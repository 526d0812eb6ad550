// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using Hypervisor.Core.Control;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Lifecycle;

/// <summary>
/// A machine that has booted as far as Domain-0: memory, frame table, policies, schedulers. The calling vCPU is
/// Domain-0's
/// first. The first MiB is nobody's; as long as CR3 is zero guests see physical memory, so requests are put there.
/// </summary>
internal sealed unsafe class TestHost
{
    public const ulong RequestAddress = 0x4000;
    public const ulong BufferAddress = 0x8000;
    public const ulong ListAddress = 0x1_0000;

    private const ulong FirstFrame = 0x100;

    private static readonly FieldInfo[] s_locks =
    [
        .. typeof(PageAllocator).Assembly.GetTypes()
            .SelectMany(type => type.GetFields(BindingFlags.NonPublic | BindingFlags.Static))
            .Where(field => field.FieldType == typeof(SpinLock)),
    ];

    public TestHost(ulong memory = 8 << 20, uint cpus = 1, ulong firstFrame = FirstFrame)
    {
        Machine = FakeMachine.Reset(memory, cpus);
        TestSystem.ResetClock();
        SystemTime.Calibrate(1_000_000_000);
        ResetAllocator();
        ulong frames = memory >> MemoryLayout.PageShift;
        FrameTable.Initialise(frames, 40);
        PageAllocator.AddMemory(firstFrame, frames);
        DomainTable.Initialise((ulong*)PageAllocator.AllocatePages(6));
        PageOwner.Initialise((Domain*)PageAllocator.AllocatePages(1));
        HypervisorSlots.Initialise((ulong*)PageAllocator.AllocatePages(0));
        ExtendedState.Initialise(832, 7);
        DescribeProcessor(Machine);
        Assert(SystemPolicies.Initialise());
        SystemPolicies.Complete(speculationControls: false);
        SchedSystem* system = (SchedSystem*)PageAllocator.AllocatePages(1);
        SchedSystem.Initialise(system, PolicyId.Credit);
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            FakeMachine.RunOn(cpu);
            FakeMachine.Cpu.Xcr0 = 7;
            FakeMachine.Cpu.Msrs[Msr.FsBase] = 0;
            FakeMachine.Cpu.Msrs[Msr.GsBase] = 0;
            FakeMachine.Cpu.Msrs[Msr.KernelGsBase] = 0;
            TimerQueue.Initialise(Hypervisor.Machine.Cpu, (TimerQueue*)PageAllocator.AllocatePages(0));
            VcpuScheduling.InitialiseCpu(
                Hypervisor.Machine.Cpu, (CpuScheduler*)PageAllocator.AllocatePages(0), system);
        }

        FakeMachine.RunOn(0);
        Dom0 = DomainFactory.Create(0, DomainLimits.OfVcpus(2), out _);
        Dom0->IsPrivileged = true;
        Dom0->HasHardwareAccess = true;
        Dom0->MaxPages = frames;
        Caller = DomainFactory.CreateVcpu(Dom0, 0, out _);
        Run(Caller);
    }

    public FakeMachine Machine { get; }

    public Domain* Dom0 { get; }

    /// <summary>Domain-0's first vCPU.</summary>
    public Vcpu* Caller { get; }

    /// <summary>An unprivileged domain with one vCPU that never ran.</summary>
    public Domain* AddDomain(ulong maxPages = 256, uint vcpus = 1)
    {
        Domain* domain = DomainFactory.Create(DomainFactory.FirstFree, DomainLimits.OfVcpus(vcpus), out _);
        domain->MaxPages = maxPages;
        for (uint id = 0; id < vcpus; id++)
        {
            Assert(DomainFactory.CreateVcpu(domain, id, out _) != null);
        }

        return domain;
    }

    /// <summary>From now on requests come from this vCPU.</summary>
    public static void Run(Vcpu* vcpu)
    {
        Hypervisor.Machine.Cpu->Current = vcpu;
        Hypervisor.Machine.Cpu->Loaded = vcpu;
    }

    /// <summary>Puts a structure where the guest may name it; gives its address.</summary>
    public ulong Put<T>(T value, ulong address = RequestAddress)
        where T : unmanaged
    {
        *(T*)(Machine.Memory + address) = value;
        return address;
    }

    public T* At<T>(ulong address = RequestAddress)
        where T : unmanaged => (T*)(Machine.Memory + address);

    /// <summary>Puts a list of words where the guest may name it.</summary>
    public ulong PutList(ulong address, params ulong[] words)
    {
        for (int index = 0; index < words.Length; index++)
        {
            At<ulong>(address)[index] = words[index];
        }

        return address;
    }

    /// <summary>Gives the domain some frames.</summary>
    public static Mfn[] Populate(Domain* domain, int count)
    {
        Mfn[] frames = new Mfn[count];
        for (int index = 0; index < count; index++)
        {
            frames[index] = DomainPages.Allocate(domain, 0, 64);
            Assert(!frames[index].IsNone);
        }

        return frames;
    }

    /// <summary>Makes the call as often as it gives way, as the guest's instruction would be executed
    /// again.</summary>
    public delegate HypercallResult Call(CpuUserRegs* frame);

    public static long Complete(CpuUserRegs start, Call call)
    {
        CpuUserRegs frame = start;
        while (true)
        {
            Hypervisor.Machine.Cpu->SoftIrqPending = 0;
            HypercallResult result = call(&frame);
            if (!result.IsPreempted)
            {
                return result.Raw;
            }
        }
    }

    public long DomCtl(DomCtlCommand command, uint domain, Action fill = null)
    {
        DomCtl* request = At<DomCtl>();
        request->Cmd = (uint)command;
        request->InterfaceVersion = DomCtlInterface.Version;
        request->Domain = new DomId((ushort)domain);
        fill?.Invoke();
        return Complete(default, frame => DomCtlOps.Dispatch(Caller, RequestAddress, frame));
    }

    public long SysCtl(SysCtlCommand command)
    {
        SysCtl* request = At<SysCtl>();
        request->Cmd = (uint)command;
        request->InterfaceVersion = SysCtlInterface.Version;
        return Complete(default, frame => SysCtlOps.Dispatch(Caller, RequestAddress, frame));
    }

    /// <summary>Statics are those of the last test's machine, which may have died in the middle of anything.</summary>
    private static void ResetAllocator()
    {
        const BindingFlags Private = BindingFlags.NonPublic | BindingFlags.Static;
        FieldInfo state = typeof(PageAllocator).GetField("s_state", Private);
        state.SetValue(null, Activator.CreateInstance(state.FieldType));
        typeof(PageAllocator).GetField("s_ready", Private).SetValue(null, false);
        foreach (FieldInfo staticLock in s_locks)
        {
            staticLock.SetValue(null, default(SpinLock));
        }
    }

    private static void DescribeProcessor(FakeMachine machine)
    {
        Dictionary<(uint, uint), (uint, uint, uint, uint)> leaves = machine.CpuidLeaves;
        leaves[(0, 0)] = (0xD, 0x756E_6547, 0x6C65_746E, 0x4965_6E69);
        leaves[(1, 0)] = (0x000806EA, 0x0002_0800, 0x1400_0000 | 0x0098_2203, 0x178B_FBFF);
        leaves[(7, 0)] = (0, 0x0000_0129, 0, 0);
        leaves[(0xD, 0)] = (7, 832, 832, 0);
        leaves[(0xD, 1)] = (1, 832, 0, 0);
        leaves[(0xD, 2)] = (256, 576, 0, 0);
        leaves[(0x8000_0000, 0)] = (0x8000_0008, 0, 0, 0);
        leaves[(0x8000_0001, 0)] = (0, 0, 0x21, 0x2C10_0800);
        leaves[(0x8000_0008, 0)] = (0x3028, 0, 0, 0);
    }

    private static void Assert(bool condition) => Xunit.Assert.True(condition);
}
