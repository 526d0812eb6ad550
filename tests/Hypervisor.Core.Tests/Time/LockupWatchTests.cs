// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Apic;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class LockupWatchTests : IDisposable
{
    private const uint IntelSelect = 0x186;
    private const uint IntelCounter = 0xC1;

    private readonly TestSystem _system = new(cpus: 2);

    public LockupWatchTests()
    {
        LockupWatch.Choose(CounterKind.None);
        ApicRegisters.UseMsrs();
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public void Five_looks_and_five_seconds_without_a_beat_are_a_lock_up()
    {
        BeatWatch watch = default;
        ulong now = 7;
        Assert.False(watch.IsStuck(1, now));
        for (int look = 0; look < 4; look++)
        {
            now += 2 * SystemTime.Second;
            Assert.False(watch.IsStuck(1, now)); // too few looks, whatever the time
        }

        Assert.True(watch.IsStuck(1, now + 1));
        Assert.False(watch.IsStuck(2, now + 2)); // it beats again
        for (int look = 0; look < 9; look++)
        {
            now += SystemTime.Second / 2;
            Assert.False(watch.IsStuck(2, now)); // too short a time, however many looks
        }
    }

    [Fact]
    public void A_CPU_that_misses_its_beats_gets_an_NMI_from_the_one_before_it()
    {
        StartOn(0);
        StartOn(1);
        Beat(1); // the last CPU that it does
        Beat(0);
        for (int second = 0; second < 4; second++)
        {
            Beat(0);
            Assert.Equal(0, NmisOf(1));
        }

        Beat(0);
        Assert.Equal(1, NmisOf(1));
        FakeMachine.RunOn(1);
        Assert.True(LockupWatch.OnNmi(Machine.Cpu, out bool isLockedUp));
        Assert.True(isLockedUp);
    }

    [Fact]
    public void One_that_takes_no_NMI_is_reported_by_the_neighbour()
    {
        StartOn(0);
        StartOn(1);
        for (int second = 0; second < 6; second++)
        {
            Beat(0);
        }

        Assert.Equal(1, NmisOf(1));
        HypervisorPanicException panic = Assert.Throws<HypervisorPanicException>(() => Beat(0));
        Assert.Equal("a CPU is locked up", panic.Message);
        Assert.Contains("CPU 1 is locked up and takes no NMI", _system.Machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_beats_again_is_not_accused_any_more_and_others_NMIs_are_not_the_watchs()
    {
        StartOn(0);
        StartOn(1);
        for (int second = 0; second < 6; second++)
        {
            Beat(0);
        }

        Beat(1);
        Assert.False(LockupWatch.OnNmi(Machine.Cpu, out bool isLockedUp));
        Assert.False(isLockedUp);
    }

    [Fact]
    public void One_that_waits_for_a_locked_up_CPU_looks_on_and_is_not_accused_itself()
    {
        StartOn(0);
        StartOn(1);
        for (int second = 0; second < 6; second++)
        {
            Assert.Equal(0, NmisOf(1));
            Wait(0);
        }

        Assert.Equal(1, NmisOf(1));
        Assert.Equal(0, NmisOf(0));
    }

    [Fact]
    public void Two_that_wait_for_each_other_are_found_in_the_end()
    {
        StartOn(0);
        StartOn(1);
        int seconds = 0;
        while (NmisOf(0) + NmisOf(1) == 0 && seconds < 100)
        {
            Wait(0);
            Wait(1, 0);
            seconds++;
        }

        Assert.InRange(seconds, 10, 12);
    }

    [Fact]
    public void A_CPU_that_is_not_under_watch_yet_is_not_accused()
    {
        StartOn(0);
        for (int second = 0; second < 10; second++)
        {
            Beat(0);
        }

        Assert.Equal(0, NmisOf(1));
        FakeMachine.RunOn(1);
        Assert.False(LockupWatch.OnNmi(Machine.Cpu, out _));
    }

    [Theory]
    [InlineData(CpuVendor.Intel, 6u, 0x0730_0404u, 0u, CounterKind.IntelWithGlobalControl)]
    [InlineData(CpuVendor.Intel, 6u, 0x0700_0201u, 0u, CounterKind.Intel)]
    [InlineData(CpuVendor.Intel, 6u, 0x0730_0404u, 1u, CounterKind.None)] // no event for cycles
    [InlineData(CpuVendor.Intel, 6u, 0x0000_0401u, 0u, CounterKind.None)]
    [InlineData(CpuVendor.Intel, 6u, 0x0700_0001u, 0u, CounterKind.None)]
    [InlineData(CpuVendor.Intel, 6u, 0u, 0u, CounterKind.None)]
    [InlineData(CpuVendor.Amd, 0x17u, 0u, 0u, CounterKind.Amd)]
    [InlineData(CpuVendor.Amd, 5u, 0u, 0u, CounterKind.None)]
    [InlineData(CpuVendor.Other, 6u, 0x0730_0404u, 0u, CounterKind.None)]
    public void The_kind_of_counter_follows_from_what_the_processor_states(
        CpuVendor vendor, uint family, uint counters, uint missing, CounterKind kind) =>
        Assert.Equal(kind, CycleCounter.Choose(vendor, family, counters, missing));

    [Fact]
    public void A_counter_that_stands_still_is_none()
    {
        FakeMachine.RunOn(0);
        FakeMachine.Cpu.Msrs[IntelSelect] = 0;
        FakeMachine.Cpu.Msrs[IntelCounter] = 0;
        LockupWatch.Choose(CounterKind.Intel);
        Assert.Equal(CounterKind.None, LockupWatch.Counter);
        Assert.Equal(0ul, FakeMachine.Cpu.Msrs[IntelSelect]);
    }

    [Fact]
    public void A_counter_that_is_missing_is_none()
    {
        FakeMachine.RunOn(0);
        LockupWatch.Choose(CounterKind.Amd);
        Assert.Equal(CounterKind.None, LockupWatch.Counter);
    }

    [Fact]
    public void A_counter_that_overflows_begins_anew_and_counts_the_looks()
    {
        FakeMachine.RunOn(0);
        FakeCpu cpu = FakeMachine.Cpu;
        cpu.Msrs[IntelSelect] = 0;
        cpu.Msrs[IntelCounter] = 0;
        cpu.OnReadMsr = msr => cpu.Msrs[msr] += msr == IntelCounter ? 1ul : 0;
        LockupWatch.Choose(CounterKind.Intel);
        Assert.Equal(CounterKind.Intel, LockupWatch.Counter);
        StartOn(0);
        Assert.Equal(0x0053_003Cul, cpu.Msrs[IntelSelect]); // cycles of both modes, with an interrupt
        Assert.Equal(4ul << 8, cpu.Msrs[0x834]); // NMI

        Assert.False(LockupWatch.OnNmi(Machine.Cpu, out _)); // somebody else's: the counter is still below zero
        for (int look = 0; look < 12; look++)
        {
            cpu.Msrs[IntelCounter] = 5;
            Assert.True(LockupWatch.OnNmi(Machine.Cpu, out bool isLockedUp));
            Assert.Equal(look > 10, isLockedUp);
            Assert.InRange(cpu.Msrs[IntelCounter], 0x8000_0001ul, 0xFFFF_FFFFul);
            _system.Advance(SystemTime.Second / 2);
        }
    }

    private void StartOn(uint cpu)
    {
        FakeMachine.RunOn(cpu);
        Assert.True(LockupWatch.TryStartHere(Machine.Cpu, _system.Allocate<WatchedCpu>()));
    }

    private int NmisOf(uint cpu) => _system.Machine.Nmis.FindAll(number => number == cpu).Count;

    /// <summary>A second goes by, and the CPU waits for something.</summary>
    private void Wait(uint cpu, ulong nanoseconds = SystemTime.Second)
    {
        FakeMachine.RunOn(cpu);
        _system.Advance(nanoseconds);
        LockupWatch.OnWait(Machine.Cpu);
        LockupWatch.OnWait(Machine.Cpu); // once a second is enough
    }

    /// <summary>A second goes by, and the CPU comes to its timers.</summary>
    private void Beat(uint cpu)
    {
        FakeMachine.RunOn(cpu);
        _system.Advance(SystemTime.Second);
        TimerQueue.RunDue(Machine.Cpu);
    }
}
