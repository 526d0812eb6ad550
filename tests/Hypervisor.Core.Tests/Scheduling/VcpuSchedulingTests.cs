// SPDX-License-Identifier: MIT

using System;
using System.Threading;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Scheduling;

public sealed unsafe class VcpuSchedulingTests : IDisposable
{
    private readonly TestSystem _system = new(cpus: 2);
    private readonly Domain* _domain;

    public VcpuSchedulingTests() => _domain = _system.AddDomain();

    public void Dispose() => _system.Dispose();

    [Fact]
    public void A_vcpu_that_comes_online_runs_with_its_registers_loaded()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        Assert.True(_system.Pass() == vcpu);
        Assert.Equal(vcpu->Registers.Rip, Machine.Cpu->Guest.Rip);
        Assert.Equal(0u, vcpu->LoadedOn);
        Assert.Equal(RunState.Running, vcpu->Time.State);
    }

    [Fact]
    public void Two_vcpus_take_two_cpus()
    {
        Vcpu* first = _system.AddVcpu(_domain);
        Assert.True(_system.Pass(0) == first);
        FakeMachine.RunOn(0);
        Vcpu* second = _system.AddVcpu(_domain);
        Assert.Equal(1, _system.Machine.CpuOf(1).Kicks);
        Assert.True(_system.Pass(1) == second);
    }

    [Fact]
    public void A_blocked_vcpu_leaves_its_registers_where_they_are_and_wakes_without_loading()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
        int loads = FakeMachine.Cpu.Cr3Writes;
        VcpuScheduling.Block(vcpu);
        Assert.True(_system.Pass() == null);
        Assert.Equal(0u, vcpu->LoadedOn);
        Assert.True(Machine.Cpu->Current == null);
        Assert.Equal(RunState.Blocked, vcpu->Time.State);

        TestSystem.Send(vcpu, 1);
        Assert.True(_system.Pass() == vcpu);
        Assert.Equal(loads, FakeMachine.Cpu.Cr3Writes);
    }

    [Fact]
    public void Blocking_unmasks_and_does_not_block_when_an_upcall_is_pending()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
        vcpu->Info->EventChannelUpcallMask = 1;
        vcpu->Info->EventChannelUpcallPending = 1;
        VcpuScheduling.Block(vcpu);
        Assert.Equal(0, vcpu->Info->EventChannelUpcallMask);
        Assert.False(VcpuScheduling.IsBlocked(vcpu));
        Assert.True(_system.Pass() == vcpu);
    }

    [Fact]
    public void An_event_between_the_call_and_the_switch_keeps_the_vcpu_running()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
        VcpuScheduling.Block(vcpu);
        FakeMachine.RunOn(1);
        TestSystem.Send(vcpu, 1);
        Assert.True(_system.Pass(0) == vcpu);
    }

    [Fact]
    public void No_wake_up_is_lost_between_two_processors_at_full_speed()
    {
        const int Rounds = 50_000;
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = VcpuScheduling.SetAffinity(vcpu, CpuMask.Of(0), CpuMask.All);
        Assert.True(_system.Pass(0) == vcpu);
        CpuScheduler* scheduler = CpuScheduler.Of(Machine.Cpu);
        int received = 0;
        Thread sender = new(() =>
        {
            FakeMachine.Join(_system.Machine, 1);
            for (int round = 0; round < Rounds; round++)
            {
                TestSystem.Send(vcpu, 1);
                for (int turn = 0; Volatile.Read(ref received) <= round; turn++)
                {
                    if (turn > 10_000)
                    {
                        _ = Thread.Yield();
                    }
                }
            }
        });

        DateTime limit = DateTime.UtcNow.AddSeconds(20);
        _system.Machine.OnIdle = () =>
        {
            for (int turn = 0; Volatile.Read(ref scheduler->RemoteSoftIrqs) == 0; turn++)
            {
                if (turn > 10_000)
                {
                    _ = Thread.Yield();
                    if (DateTime.UtcNow > limit)
                    {
                        throw new HypervisorPanicException("Lost wake-up");
                    }
                }
            }
        };
        sender.IsBackground = true;
        sender.Start();
        uint delay = 1;
        for (int round = 0; round < Rounds; round++)
        {
            // The event comes at every moment of the way into the call.
            delay = (delay * 1664525) + 1013904223;
            for (uint turn = delay >> 22; turn != 0; turn--)
            {
                _ = Volatile.Read(ref received);
            }

            do
            {
                VcpuScheduling.Block(vcpu);
                SoftIrqs.Run(Machine.Cpu);
            }
            while (vcpu->Info->EventChannelUpcallPending == 0);

            // As a guest does: from the top of the bits to the bottom.
            vcpu->Info->EventChannelUpcallPending = 0;
            vcpu->Info->EventChannelPendingSel = 0;
            _ = Machine.TestAndClearBit(_domain->SharedInfo->EventChannelPending, 1);
            Volatile.Write(ref received, round + 1);
        }

        sender.Join();
        Assert.Equal(Rounds, received);
    }

    [Fact]
    public void A_kick_reaches_a_vcpu_that_runs_on_another_cpu_and_no_other()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        Assert.True(_system.Pass(0) == vcpu);
        VcpuScheduling.Kick(vcpu);
        Assert.Equal(0, _system.Machine.CpuOf(0).Kicks);
        FakeMachine.RunOn(1);
        VcpuScheduling.Kick(vcpu);
        Assert.Equal(1, _system.Machine.CpuOf(0).Kicks);
    }

    [Fact]
    public void Remote_soft_interrupts_kick_once_until_they_are_taken()
    {
        SoftIrqs.RaiseOn(1, SoftIrq.Schedule);
        SoftIrqs.RaiseOn(1, SoftIrq.Schedule);
        Assert.Equal(1, _system.Machine.CpuOf(1).Kicks);
        FakeMachine.RunOn(1);
        SoftIrqs.Receive(Machine.Cpu);
        Assert.Equal(SoftIrq.Schedule, Machine.Cpu->SoftIrqPending);
        FakeMachine.RunOn(0);
        SoftIrqs.RaiseOn(1, SoftIrq.Schedule);
        Assert.Equal(2, _system.Machine.CpuOf(1).Kicks);
    }

    [Fact]
    public void The_idle_loop_sleeps_until_a_timer_wakes_somebody()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
        TimerQueue.Set(&vcpu->Time.SingleShot, 123_456);
        VcpuScheduling.Block(vcpu);
        _system.Machine.OnIdle = null;
        SoftIrqs.Run(Machine.Cpu);
        Assert.True(Machine.Cpu->Current == vcpu);
        Assert.Equal(123_456UL, _system.Machine.Tsc);
        Assert.Equal(123_456UL, VcpuScheduling.IdleTime(0));
    }

    [Fact]
    public void Pauses_nest()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
        FakeMachine.RunOn(1);
        VcpuScheduling.Pause(vcpu);
        VcpuScheduling.Pause(vcpu);
        Assert.True(_system.Pass(0) == null);
        Assert.Equal(RunState.Offline, vcpu->Time.State);
        VcpuScheduling.Unpause(vcpu);
        Assert.True(_system.Pass(0) == null);
        VcpuScheduling.Unpause(vcpu);
        Assert.True(vcpu->Sched.IsAwake);
        _ = _system.Pass(0);
        _ = _system.Pass(1);
        Assert.True(vcpu->Sched.IsRunning);
    }

    [Fact]
    public void One_unpause_too_many_is_the_hypervisor_s_fault()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = Assert.Throws<HypervisorPanicException>(() => VcpuScheduling.Unpause(vcpu));
    }

    [Fact]
    public void A_synchronous_pause_waits_until_the_registers_are_stored()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        Machine.Cpu->Guest.Rip = 0xBEEF;
        FakeMachine.RunOn(1);
        _system.Machine.OnSpinWait = () =>
        {
            _ = _system.Pass(0);
            FakeMachine.RunOn(1);
        };
        VcpuScheduling.PauseSynchronously(vcpu);
        Assert.True(VcpuScheduling.IsStopped(vcpu));
        Assert.Equal(0xBEEFUL, vcpu->Registers.Rip);
    }

    [Fact]
    public void A_blocked_vcpu_that_is_paused_gives_its_registers_up()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        VcpuScheduling.Block(vcpu);
        _ = _system.Pass(0);
        FakeMachine.RunOn(1);
        VcpuScheduling.Pause(vcpu);
        Assert.False(VcpuScheduling.IsStopped(vcpu));
        _ = _system.Pass(0);
        Assert.True(VcpuScheduling.IsStopped(vcpu));
        Assert.Equal(RunState.Blocked, vcpu->Time.State);
    }

    [Fact]
    public void A_paused_vcpu_that_an_event_unblocks_does_not_run()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        VcpuScheduling.Block(vcpu);
        VcpuScheduling.Pause(vcpu);
        TestSystem.Send(vcpu, 1);
        Assert.True(_system.Pass(0) == null);
        VcpuScheduling.Unpause(vcpu);
        _ = _system.Pass(0);
        _ = _system.Pass(1);
        Assert.True(vcpu->Sched.IsRunning);
    }

    [Fact]
    public void What_is_true_of_a_domain_is_true_of_its_vcpus()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
        _domain->IsPausedByTools = true;
        VcpuScheduling.SleepAll(_domain);
        Assert.True(_system.Pass() == null);
        Assert.True(VcpuScheduling.AreAllStopped(_domain));
        _domain->IsPausedByTools = false;
        VcpuScheduling.WakeAll(_domain);
        Assert.True(vcpu->Sched.IsAwake);
        _domain->IsDying = true;
        VcpuScheduling.SleepAll(_domain);
        Assert.False(VcpuScheduling.IsRunnable(vcpu));
        Assert.True(_system.Pass(0) == null);
        Assert.True(_system.Pass(1) == null);
        VcpuScheduling.ReleaseVcpu(vcpu);
    }

    [Fact]
    public void A_new_affinity_moves_a_running_vcpu_with_its_registers()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        Machine.Cpu->Guest.Rax = 0x1234;
        Assert.Equal(Errno.Ok, VcpuScheduling.SetAffinity(vcpu, CpuMask.Of(1), CpuMask.All));
        Assert.True(_system.Pass(0) == null);
        Assert.Equal(Vcpu.NotLoaded, vcpu->LoadedOn);
        Assert.True(_system.Pass(1) == vcpu);
        Assert.Equal(0x1234UL, Machine.Cpu->Guest.Rax);
    }

    [Fact]
    public void A_blocked_vcpu_whose_registers_lie_on_a_forbidden_cpu_wakes_elsewhere()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        VcpuScheduling.Block(vcpu);
        _ = _system.Pass(0);
        _ = VcpuScheduling.SetAffinity(vcpu, CpuMask.Of(1), CpuMask.All);
        TestSystem.Send(vcpu, 1);
        Assert.True(_system.Pass(0) == null);
        Assert.True(_system.Pass(1) == vcpu);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    public void An_affinity_without_a_cpu_is_refused(ulong mask)
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        Assert.Equal(Errno.Inval, VcpuScheduling.SetAffinity(vcpu, new CpuMask(mask), CpuMask.All));
    }

    [Fact]
    public void A_pin_overrides_the_affinity_until_it_is_taken_back()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        Assert.Equal(Errno.Ok, VcpuScheduling.SetAffinity(vcpu, new CpuMask(3), CpuMask.All));
        Assert.Equal(Errno.NoEnt, VcpuScheduling.PinOverride(vcpu, -1));
        Assert.Equal(Errno.Inval, VcpuScheduling.PinOverride(vcpu, 2));
        Assert.Equal(Errno.Inval, VcpuScheduling.PinOverride(vcpu, 64));
        Assert.Equal(Errno.Ok, VcpuScheduling.PinOverride(vcpu, 1));
        Assert.Equal(Errno.Busy, VcpuScheduling.PinOverride(vcpu, 0));
        Assert.Equal(Errno.Busy, VcpuScheduling.SetAffinity(vcpu, new CpuMask(1), CpuMask.All));
        Assert.True(_system.Pass(0) == null);
        Assert.True(_system.Pass(1) == vcpu);
        Assert.Equal(Errno.Ok, VcpuScheduling.PinOverride(vcpu, -1));
        Assert.Equal(3UL, vcpu->Sched.HardAffinity.Bits);
    }

    [Fact]
    public void Yielding_alone_asks_for_nothing()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        VcpuScheduling.Yield(vcpu);
        Assert.Equal(0u, Machine.Cpu->SoftIrqPending);
    }

    [Fact]
    public void Yielding_lets_the_other_one_run()
    {
        Vcpu* first = AddOn(0);
        Vcpu* second = AddOn(0);
        Vcpu* running = _system.Pass(0);
        VcpuScheduling.Yield(running);
        Assert.True(_system.Pass(0) == (running == first ? second : first));
        Assert.Equal(RunState.Runnable, running->Time.State);
    }

    [Fact]
    public void Slices_end_by_the_timer()
    {
        _ = AddOn(0);
        _ = AddOn(0);
        Vcpu* running = _system.Pass(0);
        ulong slice = SystemParameters.Default.TimeSlice;
        _system.Advance(slice);
        Vcpu* next = _system.Pass(0);
        Assert.True(next != null && next != running);
        Assert.Equal(slice, VcpuScheduling.CpuTime(running));
    }

    [Fact]
    public void A_cpu_that_falls_idle_takes_a_vcpu_over_once_its_registers_are_stored()
    {
        Vcpu* first = _system.AddVcpu(_domain);
        Assert.True(_system.Pass(0) == first);
        FakeMachine.RunOn(0);
        Vcpu* second = AddOn(1);
        Assert.True(_system.Pass(1) == second);
        FakeMachine.RunOn(0);
        Vcpu* third = AddOn(0);
        VcpuScheduling.Yield(first);
        Assert.True(_system.Pass(0) == third);
        FakeMachine.RunOn(1);
        VcpuScheduling.Block(second);
        Assert.True(_system.Pass(1) == first);
        Assert.Equal(1u, first->LoadedOn);
    }

    [Fact]
    public void A_vcpu_that_could_still_run_cannot_be_released()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        _ = Assert.Throws<HypervisorPanicException>(() => VcpuScheduling.ReleaseVcpu(vcpu));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Under_random_commands_everything_runs_that_may_and_nothing_that_may_not(int seed)
    {
        const int Count = 6;
        const uint Cpus = 3;
        Random random = new(seed);
        using TestSystem system = new(Cpus);
        Domain* domain = system.AddDomain();
        Vcpu** vcpus = stackalloc Vcpu*[Count];
        for (int index = 0; index < Count; index++)
        {
            FakeMachine.RunOn(0);
            vcpus[index] = system.AddVcpu(domain);
        }

        for (int step = 0; step < 4000; step++)
        {
            FakeMachine.RunOn((uint)random.Next((int)Cpus));
            Vcpu* vcpu = vcpus[random.Next(Count)];
            switch (random.Next(10))
            {
                case 0:
                    VcpuScheduling.Pause(vcpu);
                    break;
                case 1 when vcpu->PauseCount != 0:
                    VcpuScheduling.Unpause(vcpu);
                    break;
                case 2:
                    _ = VcpuScheduling.SetAffinity(vcpu, new CpuMask((ulong)random.Next(1, 8)), CpuMask.All);
                    break;
                case 3:
                    VcpuScheduling.Kick(vcpu);
                    break;
                case 4:
                    domain->IsPausedByTools = !domain->IsPausedByTools;
                    if (domain->IsPausedByTools)
                    {
                        VcpuScheduling.SleepAll(domain);
                    }
                    else
                    {
                        VcpuScheduling.WakeAll(domain);
                    }

                    break;
                case 5:
                    system.Advance((ulong)random.Next(15_000_000));
                    break;
                default:
                    Vcpu* current = (Vcpu*)Machine.Cpu->Current;
                    if (current != null && current->Sched.IsRunning)
                    {
                        // What a guest does of itself.
                        if (random.Next(2) == 0)
                        {
                            VcpuScheduling.Block(current);
                        }
                        else
                        {
                            VcpuScheduling.Yield(current);
                        }
                    }

                    break;
            }

            _ = system.Pass((uint)random.Next((int)Cpus));
            if (step % 10 == 0)
            {
                Settle(system, Cpus);
                CheckPlaces(system, vcpus, Count, Cpus);
            }
        }
    }

    private static void Settle(TestSystem system, uint cpus)
    {
        bool isBusy = true;
        for (int round = 0; isBusy; round++)
        {
            Assert.True(round < 20);
            isBusy = false;
            for (uint cpu = 0; cpu < cpus; cpu++)
            {
                _ = system.Pass(cpu);
            }

            for (uint cpu = 0; cpu < cpus; cpu++)
            {
                CpuInfo* info = system.Machine.CpuOf(cpu).Info;
                isBusy |= info->SoftIrqPending != 0 || CpuScheduler.Of(info)->RemoteSoftIrqs != 0;
            }
        }
    }

    private static void CheckPlaces(TestSystem system, Vcpu** vcpus, int count, uint cpus)
    {
        ulong idle = 0;
        for (uint cpu = 0; cpu < cpus; cpu++)
        {
            SchedCpu* sched = system.Sched->Cpu(cpu);
            CpuInfo* info = system.Machine.CpuOf(cpu).Info;
            Assert.False(sched->Lock.IsHeld);
            idle |= sched->Running == null ? 1UL << (int)cpu : 0;
            Assert.True(sched->Running == null ? info->Current == null : info->Current == sched->Running->Owner);
        }

        Assert.Equal(idle, system.Sched->Idle.Bits);
        for (int index = 0; index < count; index++)
        {
            Vcpu* vcpu = vcpus[index];
            SchedUnit* unit = &vcpu->Sched;
            Assert.Equal(VcpuScheduling.IsRunnable(vcpu), unit->IsAwake);
            Assert.True(!unit->IsRunning || (unit->IsAwake && vcpu->LoadedOn == unit->Cpu));
            Assert.True(!unit->IsRunning || unit->HardAffinity.Contains(unit->Cpu));

            // Who waits, waits because every CPU that it may use is busy.
            Assert.True(!unit->IsAwake || unit->IsRunning || (unit->HardAffinity.Bits & idle) == 0);

            VcpuRunStateInfo info;
            VcpuScheduling.ReadRunState(vcpu, &info);
            Assert.Equal(SystemTime.Now(), info.Time[0] + info.Time[1] + info.Time[2] + info.Time[3]);
        }
    }

    private Vcpu* AddOn(uint cpu)
    {
        FakeMachine.RunOn(cpu);
        Vcpu* vcpu = _system.AddVcpu(_domain, isOnline: false);
        _ = VcpuScheduling.SetAffinity(vcpu, CpuMask.Of(cpu), CpuMask.All);
        vcpu->Offline = false;
        VcpuScheduling.Wake(vcpu);
        _ = VcpuScheduling.SetAffinity(vcpu, CpuMask.All, CpuMask.All);
        return vcpu;
    }
}
