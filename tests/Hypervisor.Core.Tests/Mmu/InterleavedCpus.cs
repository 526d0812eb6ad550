// SPDX-License-Identifier: MIT
// Four CPUs on one machine: Domain-0's tools, two vCPUs of a hostile guest, and one of another domain with which the guest
// trades grants. In rounds each makes a few requests while the others make theirs, in turns that the seed decides
// (LockStep); between any two steps TranslationModel looks, and after each round everything is counted from scratch.
// At last the guest is destroyed while the tools and the other domain go on, and all memory must be back.
//
// A request's random numbers follow from the seed, its CPU and its number, so that leaving one out changes none of the
// others: that is how a failure is made small.

using System;
using System.Collections.Generic;
using Hypervisor.Core.Diagnostics;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>One life of such a machine.</summary>
internal sealed unsafe class InterleavedCpus
{
    public const int Cpus = 4;
    public const int Rounds = 10;
    public const int RequestsInRound = 5;

    private const int Tools = 0;
    private const int OtherCpu = 3;
    private const int RequestsBesideDestruction = 15;
    private const uint Self = 0x7FF0;
    private const ulong FirstFrame = 0x100;

    private readonly int _seed;
    private readonly Func<int, int, bool> _isLeftOut;
    private readonly TestHost _host;
    private readonly TranslationModel _translations;
    private readonly LockStep _steps;
    private readonly HostileDomain _guest;
    private readonly HostileDomain _other;
    private readonly HostileVcpu[] _vcpus;
    private readonly HostileVcpu _secondTool;
    private readonly ulong _toolsTable;
    private readonly ulong _lonely;
    private readonly ulong _before;

    /// <param name="seed">Decides everything.</param>
    /// <param name="isLeftOut">Requests (CPU and number) that are not made.</param>
    public InterleavedCpus(int seed, Func<int, int, bool> isLeftOut)
    {
        _seed = seed;
        _isLeftOut = isLeftOut;
        _host = new TestHost(memory: 3 << 20, cpus: Cpus);
        _host.Machine.IsGuestMemoryPhysical = true;
        Vcpu* second = DomainFactory.CreateVcpu(_host.Dom0, 1, out _);
        _before = PageAllocator.FreeFrames;
        _guest = new HostileDomain(_host.AddDomain(16, vcpus: 2), 16);
        _other = new HostileDomain(_host.AddDomain(14), 14);
        _guest.Peer = _other;
        _other.Peer = _guest;
        _guest.WriteGrants();
        _other.WriteGrants();
        _toolsTable = TestHost.Populate(_host.Dom0, 1)[0].Raw;
        _lonely = TestHost.Populate(_host.Dom0, 1)[0].Raw;
        _vcpus =
        [
            new HostileVcpu(_host, 0, _host.Caller, _guest, _lonely),
            new HostileVcpu(_host, 1, _guest.Domain->VcpuOf(0), _guest, _lonely),
            new HostileVcpu(_host, 2, _guest.Domain->VcpuOf(1), _guest, _lonely),
            new HostileVcpu(_host, 3, _other.Domain->VcpuOf(0), _other, _lonely),
        ];
        _secondTool = new HostileVcpu(_host, 4, second, _guest, _lonely);
        Boot();

        // Nobody remembers anything; from here on a CPU flushes when it comes to it.
        for (uint cpu = 0; cpu < Cpus; cpu++)
        {
            FakeMachine.RunOn(cpu);
            Hypervisor.Machine.Cpu->FlushWanted = 0;
            TlbFlush.Local();
        }

        FakeMachine.RunOn(0);
        _translations = new TranslationModel(_host.Machine, FirstFrame);
        _steps = new LockStep(_host.Machine, _translations.Observe);
        _host.Machine.OnFlushRequest = _ => { };
        _host.Machine.OnRootLoaded = _translations.Forget;
        _host.Machine.OnInterruptWindow = OnInterruptWindow;
    }

    /// <summary>Spoils the machine, to see that it is noticed.</summary>
    public Action<InterleavedCpus> Sabotage { get; set; }

    public FakeMachine Machine => _host.Machine;

    public List<ulong> GuestFrames => _guest.Frames;

    /// <summary>What was done, in the order of the ends.</summary>
    public List<string> Log { get; } = [];

    /// <summary>Requests that were made.</summary>
    public List<(int Cpu, int Number)> Made { get; } = [];

    /// <summary>Where each CPU was when another one failed.</summary>
    public List<string> Ends => _steps.Ends;

    public long Steps => _steps.Steps;

    public long Switches => _steps.Switches;

    /// <summary>Lives to the end, or throws what is wrong.</summary>
    public void Run()
    {
        Sabotage?.Invoke(this);
        _steps.Run(Play);
        FakeMachine.RunOn(0);
        _host.Machine.OnInterruptWindow = null;
        TestHost.Run(_host.Caller);
        _vcpus[Tools].Random = null;
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, _other.Id));
        Assert.Equal(0, _vcpus[Tools].Extended(MmuExtCommand.UnpinTable, _toolsTable, Self));
        Assert.Equal(1, _vcpus[Tools].Reservation(MemoryCommand.DecreaseReservation, _toolsTable, Self));
        Assert.Equal(1, _vcpus[Tools].Reservation(MemoryCommand.DecreaseReservation, _lonely, Self));
        Assert.Equal(_before, PageAllocator.FreeFrames);
        Assert.DoesNotContain("not given back", _host.Machine.Console, StringComparison.Ordinal);
        Assert.True(DomainTable.Peek(_guest.Id) == null && DomainTable.Peek(_other.Id) == null, "a domain is left");
    }

    private void Boot()
    {
        for (uint cpu = 0; cpu < Cpus; cpu++)
        {
            FakeMachine.RunOn(cpu);
            Load(_vcpus[cpu].Vcpu);
            if (cpu == Tools)
            {
                Assert.Equal(0, _vcpus[cpu].Extended(MmuExtCommand.PinL1Table, _toolsTable, Self));
            }
            else
            {
                _vcpus[cpu].Boot();
            }
        }

        FakeMachine.RunOn(0);
    }

    private void Play(uint cpu)
    {
        HostileVcpu vcpu = _vcpus[cpu];
        int number = 0;
        for (int round = 0; round < Rounds; round++)
        {
            int current = round;
            _steps.Meet(() => Shuffle(current));
            for (int index = 0; index < RequestsInRound; index++)
            {
                Make(cpu, vcpu, number++);
            }

            vcpu.FinishParked();
            _steps.Meet(CountAnew);
        }

        _steps.Meet(() => Shuffle(Rounds));
        PlayDestruction(cpu, vcpu, number);
        _steps.Meet(CountAnew);
        Unload(OtherCpu, cpu, vcpu.Vcpu);
    }

    private void PlayDestruction(uint cpu, HostileVcpu vcpu, int number)
    {
        if (cpu == Tools)
        {
            vcpu.Random = RandomOf(cpu, number);
            Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, _guest.Id));
            return;
        }

        if (cpu != OtherCpu)
        {
            // The scheduler takes a dying domain's vCPUs off when they come out of the hypervisor.
            Domain* domain = _guest.Domain;
            while (!System.Threading.Volatile.Read(ref domain->IsDying))
            {
                Make(cpu, vcpu, number++);
            }

            vcpu.FinishParked();
            Unload((int)cpu, cpu, vcpu.Vcpu);
        }

        if (cpu == 1)
        {
            Load(_secondTool.Vcpu);
            vcpu = _secondTool;
        }

        for (int index = 0; index < RequestsBesideDestruction && cpu != 2; index++)
        {
            Make(cpu, vcpu, number++);
        }

        if (cpu != 2)
        {
            vcpu.FinishParked();
        }
    }

    private void Make(uint cpu, HostileVcpu vcpu, int number)
    {
        TlbFlush.Serve(Hypervisor.Machine.Cpu);
        _steps.Progress();
        vcpu.Random = RandomOf(cpu, number);
        if (_isLeftOut((int)cpu, number))
        {
            _steps.Wait();
            return;
        }

        Made.Add(((int)cpu, number));
        vcpu.FinishParked();
        bool isTool = vcpu == _secondTool || cpu == Tools;
        string what = isTool ? vcpu.ToolsRequest(_toolsTable) : vcpu.Request();
        Log.Add($"CPU {cpu} request {number}: {what}");
    }

    private void CountAnew()
    {
        _host.Machine.ClearConsole();
        Hypervisor.Machine.Cpu->SoftIrqPending = 0;
        Assert.True(Recount.TryRun(out _, out ulong mismatches), "no memory to count in");
        Assert.True(mismatches == 0, _host.Machine.Console);
    }

    /// <summary>Some rounds go to and fro at nearly every step, some hardly ever.</summary>
    private void Shuffle(int round)
    {
        Random random = new(HashCode.Of(_seed, round, -1));
        _steps.Shuffle(random.Next(), 2 << random.Next(6));
    }

    private void OnInterruptWindow()
    {
        TlbFlush.Serve(Hypervisor.Machine.Cpu);
        Random random = _vcpus[FakeMachine.Cpu.Number].Random;
        if (random != null && random.Next(3) == 0)
        {
            Hypervisor.Machine.Cpu->SoftIrqPending |= SoftIrq.Schedule;
        }
    }

    private Random RandomOf(uint cpu, int number) => new(HashCode.Of(_seed, (int)cpu, number));

    private static void Load(Vcpu* vcpu)
    {
        TestHost.Run(vcpu);
        vcpu->LoadedOn = FakeMachine.Cpu.Number;
        Hypervisor.Machine.Cpu->Cr3 = vcpu->KernelRoot.IsNone ? 0 : vcpu->Cr3Kernel;
    }

    private static void Unload(int wanted, uint cpu, Vcpu* vcpu)
    {
        if (cpu != wanted)
        {
            return;
        }

        DescriptorTables.EmptyLdtWindow(vcpu->Domain);
        Hypervisor.Machine.Cpu->Cr3 = 0;
        TlbFlush.Local();
        Hypervisor.Machine.Cpu->Current = null;
        Hypervisor.Machine.Cpu->Loaded = null;
        System.Threading.Volatile.Write(ref vcpu->LoadedOn, Vcpu.NotLoaded);
    }

    /// <summary>The same on every machine, which System.HashCode is not.</summary>
    private static class HashCode
    {
        public static int Of(int a, int b, int c)
        {
            ulong mixed = ((ulong)(uint)a << 32) ^ ((ulong)(uint)b << 20) ^ (uint)c;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58_476D_1CE4_E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D0_49BB_1331_11EB;
            return (int)(mixed >> 33);
        }
    }
}
