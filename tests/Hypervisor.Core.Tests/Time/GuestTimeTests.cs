// SPDX-License-Identifier: MIT

using System;
using System.Threading;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class GuestTimeTests : IDisposable
{
    private const ulong Area = 0x5000;
    private const ulong Unmapped = 1UL << 40;

    private readonly TestSystem _system = new();
    private readonly Domain* _domain;
    private readonly Vcpu* _vcpu;

    public GuestTimeTests()
    {
        _domain = _system.AddDomain();
        _vcpu = _system.AddVcpu(_domain);
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public void The_version_is_even_after_an_update_and_never_the_same()
    {
        GuestTime.Publish(_vcpu);
        uint first = _vcpu->Info->Time.Version;
        GuestTime.Publish(_vcpu);
        Assert.Equal(0u, first & 1);
        Assert.Equal(first + 2, _vcpu->Info->Time.Version);
    }

    [Fact]
    public void A_guest_that_scribbles_over_the_version_gets_an_even_one_again()
    {
        _vcpu->Info->Time.Version = 0xFFFFFFFF;
        GuestTime.Publish(_vcpu);
        Assert.Equal(0u, _vcpu->Info->Time.Version);
    }

    [Fact]
    public void Whoever_reads_by_the_version_never_sees_half_a_record()
    {
        // Each calibration gives a new base, at which time (1 GHz) equals ticks.
        VcpuTimeInfo* record = &_vcpu->Info->Time;
        bool stop = false;
        bool torn = false;
        int seen = 0;
        Thread reader = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                uint version = Volatile.Read(ref record->Version);
                ulong timestamp = Volatile.Read(ref record->TscTimestamp);
                ulong time = Volatile.Read(ref record->SystemTime);
                if ((version & 1) == 0 && Volatile.Read(ref record->Version) == version)
                {
                    torn |= timestamp != time;
                    seen++;
                }
            }
        });
        reader.Start();
        for (int round = 0; round < 200_000; round++)
        {
            _system.Machine.AdvanceTsc(977);
            SystemTime.Calibrate(1_000_000_000);
            GuestTime.Publish(_vcpu);
        }

        Volatile.Write(ref stop, true);
        reader.Join();
        Assert.False(torn);
        Assert.True(seen > 0);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, PvClockFlags.TscStableBit)]
    public void The_stable_flag_is_what_boot_found(bool isStable, byte flags)
    {
        SystemTime.IsTscStable = isStable;
        GuestTime.Publish(_vcpu);
        Assert.Equal(flags, _vcpu->Info->Time.Flags);
    }

    [Fact]
    public void A_time_area_gets_a_copy_at_once_and_may_be_taken_back()
    {
        GuestTime.Publish(_vcpu);
        Assert.Equal(Errno.Ok, RegisterTimeArea(Area));
        VcpuTimeInfo* copy = _system.At<VcpuTimeInfo>(Area);
        Assert.Equal(_vcpu->Info->Time.TscToSystemMul, copy->TscToSystemMul);
        Assert.Equal(_vcpu->Info->Time.TscShift, copy->TscShift);
        Assert.Equal(2u, copy->Version);
        Assert.Equal(Errno.Ok, RegisterTimeArea(0));
        Assert.Equal(0UL, _vcpu->TimeAreaGuestAddress);
    }

    [Fact]
    public void A_time_area_that_is_not_mapped_is_refused()
    {
        Assert.Equal(Errno.Fault, RegisterTimeArea(Unmapped));
        Assert.Equal(Errno.Fault, RegisterTimeArea(MemoryLayout.HypervisorStart));
        Assert.Equal(Errno.Fault, GuestTime.RegisterTimeArea(_vcpu, Unmapped));
        Assert.Equal(0UL, _vcpu->TimeAreaGuestAddress);
    }

    [Fact]
    public void The_run_state_area_follows_the_vcpu_in_and_out()
    {
        Assert.True(_system.Pass() == _vcpu);
        _ = Register(Area);
        VcpuRunStateInfo* area = _system.At<VcpuRunStateInfo>(Area);
        Assert.Equal((int)RunState.Running, area->State);

        _system.Advance(1000);
        VcpuScheduling.Block(_vcpu);
        Assert.True(_system.Pass() == null);
        Assert.Equal((int)RunState.Blocked, area->State);
        Assert.Equal(1000UL, area->Time[(int)RunState.Running]);

        _system.Advance(500);
        VcpuScheduling.Unblock(_vcpu);
        Assert.True(_system.Pass() == _vcpu);
        Assert.Equal((int)RunState.Running, area->State);
        Assert.Equal(500UL, area->Time[(int)RunState.Blocked]);
        Assert.Equal(SystemTime.Now(), area->StateEntryTime);
    }

    [Fact]
    public void With_the_assist_the_update_flag_is_gone_when_the_area_is_consistent()
    {
        _domain->VmAssist = 1 << (int)VmAssistType.RunStateUpdateFlag;
        Assert.True(_system.Pass() == _vcpu);
        _ = Register(Area);
        VcpuScheduling.Block(_vcpu);
        _ = _system.Pass();
        Assert.Equal(0UL, _system.At<VcpuRunStateInfo>(Area)->StateEntryTime & RunStateFlags.Update);
        Assert.Equal((int)RunState.Blocked, _system.At<VcpuRunStateInfo>(Area)->State);
    }

    [Fact]
    public void With_the_assist_a_reader_never_takes_half_an_update_for_a_whole_one()
    {
        _domain->VmAssist = 1 << (int)VmAssistType.RunStateUpdateFlag;
        Assert.True(_system.Pass() == _vcpu);
        _ = Register(Area);
        VcpuRunStateInfo* area = _system.At<VcpuRunStateInfo>(Area);
        bool stop = false;
        bool torn = false;
        int seen = 0;
        Thread reader = new(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                ulong entry = Volatile.Read(ref area->StateEntryTime);
                ulong sum = 0;
                for (int state = 0; state < 4; state++)
                {
                    sum += Volatile.Read(ref area->Time[state]);
                }

                if ((entry & RunStateFlags.Update) == 0 && Volatile.Read(ref area->StateEntryTime) == entry)
                {
                    // Time does not pass between a change of state and its publication here.
                    torn |= sum != entry;
                    seen++;
                }
            }
        });
        reader.Start();
        for (int round = 0; round < 100_000; round++)
        {
            _system.Machine.AdvanceTsc(13);
            RunStates.Change(&_vcpu->Time, (RunState)(round & 1), SystemTime.Now());
            GuestTime.OnSwitchedOut(_vcpu);
        }

        Volatile.Write(ref stop, true);
        reader.Join();
        Assert.False(torn);
        Assert.True(seen > 0);
    }

    [Fact]
    public void For_a_vcpu_in_user_mode_the_area_is_reached_through_the_kernel_s_tables()
    {
        Assert.True(_system.Pass() == _vcpu);
        _ = Register(Area);
        _vcpu->InKernelMode = false;
        FakeMachine.Cpu.Cr3 = 0x9000;
        _vcpu->Cr3Kernel = 0;
        int writes = FakeMachine.Cpu.Cr3Writes;
        _system.Advance(77);
        GuestTime.OnSwitchedOut(_vcpu);
        Assert.Equal(writes + 2, FakeMachine.Cpu.Cr3Writes);
        Assert.Equal(0x9000UL, FakeMachine.Cpu.Cr3);
        Assert.Equal(77UL, _system.At<VcpuRunStateInfo>(Area)->Time[(int)RunState.Running]);
    }

    [Fact]
    public void A_run_state_area_that_is_not_mapped_is_refused()
    {
        Assert.Equal(Errno.Fault, Register(Unmapped));
        Assert.Equal(0UL, _vcpu->RunstateGuestAddress);
    }

    [Fact]
    public void A_run_state_area_that_vanishes_later_does_no_harm()
    {
        Assert.True(_system.Pass() == _vcpu);
        _vcpu->RunstateGuestAddress = Unmapped;
        VcpuScheduling.Block(_vcpu);
        Assert.True(_system.Pass() == null);
    }

    private Errno RegisterTimeArea(ulong address) =>
        GuestTime.RegisterTimeArea(_vcpu, _system.Put(new VcpuRegisterTimeMemoryArea { AddrP = address }));

    private Errno Register(ulong address) =>
        GuestTime.RegisterRunStateArea(_vcpu, _system.Put(new VcpuRegisterRunStateMemoryArea { AddrP = address }));
}
