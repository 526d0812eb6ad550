// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Reflection;
using System.Runtime.InteropServices;
using Hypervisor.Core.Events;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Scheduling;

/// <summary> A machine whose CPUs have timer queues and schedulers, and domains with vCPUs, made by hand: nothing but
/// what time and scheduling need. A tick of the time stamp counter is a nanosecond, unless the test wants another
/// rate. </summary>
internal sealed unsafe class TestSystem : IDisposable
{
    private readonly List<nint> _blocks = [];

    public TestSystem(uint cpus = 1, ulong tscHz = 1_000_000_000)
    {
        Machine = FakeMachine.Reset(memory: 1 << 20, cpus);
        ResetClock();
        SystemTime.Calibrate(tscHz);
        DomainTable.Initialise(Allocate<ulong>(DomainTable.Size));
        Sched = Allocate<SchedSystem>();
        SchedSystem.Initialise(Sched, PolicyId.Credit);
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            FakeMachine.RunOn(cpu);
            FakeMachine.Cpu.Msrs[Msr.FsBase] = 0;
            FakeMachine.Cpu.Msrs[Msr.GsBase] = 0;
            FakeMachine.Cpu.Msrs[Msr.KernelGsBase] = 0;
            TimerQueue.Initialise(Hypervisor.Machine.Cpu, Allocate<TimerQueue>());
            VcpuScheduling.InitialiseCpu(Hypervisor.Machine.Cpu, Allocate<CpuScheduler>(), Sched);
        }

        FakeMachine.RunOn(0);
    }

    public FakeMachine Machine { get; }

    public SchedSystem* Sched { get; }

    /// <summary>Puts the clock back into the state before boot.</summary>
    public static void ResetClock()
    {
        foreach (string field in new[] { "s_scale", "s_base", "s_baseTsc" })
        {
            typeof(SystemTime).GetField(field, BindingFlags.NonPublic | BindingFlags.Static).SetValue(null, 0UL);
        }

        SystemTime.IsTscStable = false;
    }

    public Domain* AddDomain(ushort id = 1)
    {
        Domain* domain = Allocate<Domain>();
        domain->Id = id;
        domain->References = 2;
        domain->ShutdownCode = DomainLifecycle.NoShutdownCode;
        domain->SharedInfo = (SharedInfo*)Hypervisor.Machine.Direct((ulong)(0x10 + id) << 12);
        domain->MaxVcpuCount = 8;
        domain->Events.Buckets = (EventChannel**)Allocate<ulong>(1);
        domain->Events.Buckets[0] = Allocate<EventChannel>(256);
        domain->Events.PortCount = 256;
        GuestTime.InitialiseDomain(domain);
        VcpuScheduling.InitialiseDomain(domain);
        _ = DomainTable.TryAdd(domain);
        return domain;
    }

    /// <summary>A vCPU that has a context; port n + 1 of its domain is its VIRQ_TIMER.</summary>
    public Vcpu* AddVcpu(Domain* domain, bool isOnline = true)
    {
        Vcpu* vcpu = Allocate<Vcpu>();
        vcpu->Domain = domain;
        vcpu->Id = domain->VcpuCount;
        vcpu->Offline = true;
        vcpu->Initialised = true;
        vcpu->InKernelMode = true;
        vcpu->LoadedOn = Vcpu.NotLoaded;
        vcpu->ExtendedState = Allocate<byte>(4096);
        vcpu->Info = domain->SharedInfo->VcpuInfo((int)vcpu->Id);
        vcpu->Registers.Rip = 0x1000 + vcpu->Id + ((ulong)domain->Id << 32);
        GuestTime.InitialiseVcpu(vcpu);
        VcpuTimers.StopPeriodic(vcpu);
        Xunit.Assert.True(VcpuScheduling.TryInitialise(vcpu));
        vcpu->Events.VirqPorts[(int)Xen.Abi.VirtualIrq.Timer] = vcpu->Id + 1;
        EventChannel* channel = domain->Events.Buckets[0] + vcpu->Id + 1;
        channel->State = PortState.Virq;
        channel->NotifyVcpu = (byte)vcpu->Id;
        domain->VcpuPointers[vcpu->Id] = (ulong)vcpu;
        domain->VcpuCount++;
        if (isOnline)
        {
            vcpu->Offline = false;
            VcpuScheduling.Wake(vcpu);
        }

        return vcpu;
    }

    /// <summary>The CPU passes through the hypervisor; gives the vCPU that it comes back with, or null when it would
    /// idle.</summary>
    public Vcpu* Pass(uint cpu = 0)
    {
        FakeMachine.RunOn(cpu);
        Machine.OnIdle = () => throw new IdleException();
        try
        {
            SoftIrqs.Run(Hypervisor.Machine.Cpu);
            return (Vcpu*)Hypervisor.Machine.Cpu->Current;
        }
        catch (IdleException)
        {
            return null;
        }
    }

    /// <summary>Lets nanoseconds pass (at 1 GHz); timers that come due interrupt their CPUs.</summary>
    public void Advance(ulong ticks)
    {
        Machine.AdvanceTsc(ticks);
        for (uint cpu = 0; cpu < Machine.CpuCount; cpu++)
        {
            FakeCpu fake = Machine.CpuOf(cpu);
            if (fake.ArmedTimer != 0 && fake.ArmedTimer <= Machine.Tsc)
            {
                fake.ArmedTimer = 0;
                fake.Info->SoftIrqPending |= SoftIrq.Timer;
            }
        }
    }

    /// <summary>Makes a port pending as a sender would.</summary>
    public static void Send(Vcpu* vcpu, uint port) => EventDelivery.SetPending(vcpu, port);

    /// <summary>The guest takes note of all its events.</summary>
    public static void ClearEvents(Vcpu* vcpu)
    {
        vcpu->Info->EventChannelUpcallPending = 0;
        vcpu->Info->EventChannelPendingSel = 0;
        for (int word = 0; word < 64; word++)
        {
            vcpu->Domain->SharedInfo->EventChannelPending[word] = 0;
        }
    }

    /// <summary>Puts a structure where the guest may name it; gives its address.</summary>
    public ulong Put<T>(T value, ulong address = 0x4000)
        where T : unmanaged
    {
        *(T*)(Machine.Memory + address) = value;
        return address;
    }

    public T* At<T>(ulong address)
        where T : unmanaged => (T*)(Machine.Memory + address);

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

    private sealed class IdleException : Exception
    {
    }
}
