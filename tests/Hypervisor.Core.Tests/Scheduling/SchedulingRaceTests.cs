// SPDX-License-Identifier: MIT
// The scheduler's own code on as many host threads as the machine has CPUs, under the host's memory model, which is the
// one that it is written for. In each round all CPUs do something at about the same moment: block, send events, yield, pause.
// Then each does what it was asked for by an interrupt, and nothing else: a CPU that nobody interrupted stays as it
// is. If somebody still waits whom an idle CPU could run, or sleeps with an event pending, a wake-up was lost.

using System;
using System.Threading;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Scheduling;

public sealed unsafe class SchedulingRaceTests : IDisposable
{
    private const int Rounds = 40_000;
    private const int Vcpus = 5;
    private const int Pinned = 2;
    private const uint Port = 1;

    private TestSystem _system;
    private nint[] _vcpus;
    private int[] _kicked;
    private int _arrived;
    private Exception _failure;

    public void Dispose() => _system?.Dispose();

    [Theory]
    [InlineData(PolicyId.Credit, 2)]
    [InlineData(PolicyId.Sedf, 2)]
    [InlineData(PolicyId.Bvt, 2)]
    [InlineData(PolicyId.Credit, 3)]
    [InlineData(PolicyId.Bvt, 4)]
    public void No_wake_up_is_lost_whatever_several_cpus_do_at_once(PolicyId policy, int cpus)
    {
        _system = new TestSystem((uint)cpus);
        Assert.True(PolicySwitch.TryTo(_system.Sched, policy, 0, out _));
        _kicked = new int[cpus];
        _system.Machine.OnKick = cpu => Volatile.Write(ref _kicked[cpu], 1);
        _vcpus = new nint[Vcpus];
        for (int index = 0; index < Vcpus; index++)
        {
            Vcpu* vcpu = _system.AddVcpu(_system.AddDomain((ushort)(index + 1)));
            _vcpus[index] = (nint)vcpu;
            if (index < Pinned)
            {
                // So that CPU 0 has somebody waiting whom others cannot help.
                Assert.Equal(Errno.Ok, VcpuScheduling.SetAffinity(vcpu, CpuMask.Of(0), CpuMask.All));
            }
        }

        Thread[] others = new Thread[cpus - 1];
        for (int cpu = 1; cpu < cpus; cpu++)
        {
            uint number = (uint)cpu;
            others[cpu - 1] = new Thread(() => Guard(() => Play(number, cpus))) { IsBackground = true };
            others[cpu - 1].Start();
        }

        Guard(() => Play(0, cpus));
        foreach (Thread other in others)
        {
            other.Join();
        }

        Assert.Null(_failure);
    }

    /// <summary>A failure on any thread ends all of them.</summary>
    private void Guard(Action play)
    {
        try
        {
            play();
        }
        catch (Exception failure)
        {
            _ = Interlocked.CompareExchange(ref _failure, failure, null);
        }
    }

    private void Play(uint cpu, int cpus)
    {
        FakeMachine.Join(_system.Machine, cpu);
        Random random = new((int)cpu + 1);
        int meetings = 0;
        for (int round = 0; round < Rounds && Volatile.Read(ref _failure) == null; round++)
        {
            Meet(ref meetings, cpus);
            for (int turn = random.Next(200); turn != 0; turn--)
            {
                _ = Volatile.Read(ref _arrived);
            }

            for (int step = 0; step < 2; step++)
            {
                Act(random);
                Pass(cpu);
            }

            Meet(ref meetings, cpus);
            if (cpu == 0)
            {
                Settle((uint)cpus);
                Check((uint)cpus);
                _system.Machine.AdvanceTsc(2_000_000);
                FakeMachine.RunOn(0);
            }
        }
    }

    /// <summary>Waits for all CPUs.</summary>
    private void Meet(ref int meetings, int cpus)
    {
        meetings++;
        _ = Interlocked.Increment(ref _arrived);
        SpinWait wait = default;
        while (Volatile.Read(ref _arrived) < meetings * cpus && Volatile.Read(ref _failure) == null)
        {
            if (wait.Count < 9)
            {
                wait.SpinOnce(-1);
            }
            else
            {
                _ = Thread.Yield();
            }
        }
    }

    private void Act(Random random)
    {
        Vcpu* current = (Vcpu*)Machine.Cpu->Current;
        Vcpu* other = (Vcpu*)_vcpus[random.Next(Vcpus)];
        switch (random.Next(8))
        {
            case 0 when current != null:
                VcpuScheduling.Yield(current);
                break;
            case 1 or 2 or 3:
                TestSystem.Send(other, Port);
                break;
            case 4 when other != current:
                VcpuScheduling.Pause(other);
                VcpuScheduling.Unpause(other);
                break;
            default:
                if (current != null)
                {
                    TakeEvents(current);
                    VcpuScheduling.Block(current);
                }

                break;
        }
    }

    /// <summary>What a guest does in its upcall.</summary>
    private static void TakeEvents(Vcpu* vcpu)
    {
        vcpu->Info->EventChannelUpcallPending = 0;
        _ = Interlocked.Exchange(ref vcpu->Info->EventChannelPendingSel, 0);
        _ = Machine.TestAndClearBit(vcpu->Domain->SharedInfo->EventChannelPending, Port);
    }

    /// <summary>The CPU takes the interrupt if one was sent, and does what was asked of it.</summary>
    private void Pass(uint cpu)
    {
        CpuInfo* info = Machine.Cpu;
        do
        {
            if (Interlocked.Exchange(ref _kicked[cpu], 0) != 0)
            {
                SoftIrqs.Receive(info);
            }

            if ((info->SoftIrqPending & SoftIrq.Schedule) != 0)
            {
                info->SoftIrqPending = 0;
                VcpuScheduling.Reschedule(info);
            }
        }
        while (info->SoftIrqPending != 0 || Volatile.Read(ref _kicked[cpu]) != 0);
    }

    private void Settle(uint cpus)
    {
        for (int round = 0; ; round++)
        {
            Assert.True(round < 100, "the CPUs ask each other for ever");
            bool isBusy = false;
            for (uint cpu = 0; cpu < cpus; cpu++)
            {
                FakeMachine.RunOn(cpu);
                isBusy |= Volatile.Read(ref _kicked[cpu]) != 0 || Machine.Cpu->SoftIrqPending != 0;
                Pass(cpu);
            }

            if (!isBusy)
            {
                return;
            }
        }
    }

    private void Check(uint cpus)
    {
        ulong idle = 0;
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            idle |= _system.Sched->Cpu(cpu)->Running == null ? 1UL << (int)cpu : 0;
        }

        Assert.Equal(idle, _system.Sched->Idle.Bits);
        for (int index = 0; index < Vcpus; index++)
        {
            Vcpu* vcpu = (Vcpu*)_vcpus[index];
            Assert.Equal(VcpuScheduling.IsRunnable(vcpu), vcpu->Sched.IsAwake);
            Assert.True(
                (idle & vcpu->Sched.HardAffinity.Bits) == 0 || !vcpu->Sched.IsAwake || vcpu->Sched.IsRunning,
                $"vCPU {index} waits for CPU {vcpu->Sched.Cpu} while CPUs {idle:x} are idle");
            Assert.True(
                !VcpuScheduling.IsBlocked(vcpu) || vcpu->Info->EventChannelUpcallPending == 0,
                $"vCPU {index} sleeps with an event pending");
        }
    }
}
