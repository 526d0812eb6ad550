// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Scheduling;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Scheduling;

public sealed unsafe class VcpuOpsTests : IDisposable
{
    private const ulong Unmapped = 1UL << 40;

    private readonly TestSystem _system = new(cpus: 2);
    private readonly Domain* _domain;
    private readonly Vcpu* _first;
    private readonly Vcpu* _second;

    public VcpuOpsTests()
    {
        _domain = _system.AddDomain();
        _first = _system.AddVcpu(_domain);
        _ = _system.Pass(0);
        FakeMachine.RunOn(0);
        _second = _system.AddVcpu(_domain, isOnline: false);
    }

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(8)]
    [InlineData(8191)]
    [InlineData(0xFFFFFFFF)]
    public void There_is_no_vcpu_beyond_those_that_were_made(ulong id)
    {
        Assert.Equal(-(long)Errno.NoEnt, Call(VcpuCommand.IsUp, id));
        Assert.Equal(-(long)Errno.NoEnt, Call(VcpuCommand.Up, id));
    }

    [Fact]
    public void Unknown_operations_are_not_implemented() =>
        Assert.Equal(-(long)Errno.NoSys, Call((VcpuCommand)14, 0));

    [Fact]
    public void Up_and_down_are_seen_by_is_up()
    {
        Assert.Equal(1, Call(VcpuCommand.IsUp, 0));
        Assert.Equal(0, Call(VcpuCommand.IsUp, 1));
        Assert.Equal(0, Call(VcpuCommand.Up, 1));
        Assert.Equal(1, Call(VcpuCommand.IsUp, 1));
        Assert.True(_system.Pass(1) == _second);
        FakeMachine.RunOn(0);
        Assert.Equal(0, Call(VcpuCommand.Down, 1));
        Assert.Equal(0, Call(VcpuCommand.IsUp, 1));
        Assert.True(_system.Pass(1) == null);
        Assert.True(VcpuScheduling.IsStopped(_second));
    }

    [Fact]
    public void The_last_vcpu_that_goes_down_switches_the_domain_off()
    {
        Assert.Equal(0, Call(VcpuCommand.Down, 0));
        Assert.True(_domain->IsShutDown);
        Assert.Equal((byte)ShutdownReason.Poweroff, _domain->ShutdownCode);
        Assert.True(_system.Pass(0) == null);
    }

    [Fact]
    public void A_vcpu_without_a_context_does_not_come_up()
    {
        _second->Initialised = false;
        Assert.Equal(-(long)Errno.Inval, Call(VcpuCommand.Up, 1));
    }

    [Fact]
    public void A_context_is_set_once() =>
        Assert.Equal(-(long)Errno.Exist, Call(VcpuCommand.Initialise, 1, 0x4000));

    [Fact]
    public void The_run_state_is_read_of_any_vcpu()
    {
        _system.Advance(100);
        Assert.Equal(0, Call(VcpuCommand.GetRunStateInfo, 1, 0x5000));
        VcpuRunStateInfo* info = _system.At<VcpuRunStateInfo>(0x5000);
        Assert.Equal((int)RunState.Offline, info->State);
        Assert.Equal(100UL, info->Time[(int)RunState.Offline]);
        Assert.Equal(-(long)Errno.Fault, Call(VcpuCommand.GetRunStateInfo, 1, Unmapped));
    }

    [Fact]
    public void Only_the_vcpu_itself_sets_its_one_shot_timer()
    {
        ulong request = _system.Put(new VcpuSetSingleShotTimer { TimeoutAbsNs = 1 });
        Assert.Equal(0, Call(VcpuCommand.SetSingleShotTimer, 0, request));
        Assert.Equal(-(long)Errno.Inval, Call(VcpuCommand.SetSingleShotTimer, 1, request));
        Assert.Equal(0, Call(VcpuCommand.StopSingleShotTimer, 0));
        Assert.False(_first->Time.SingleShot.IsSet);
        Assert.Equal(-(long)Errno.Inval, Call(VcpuCommand.StopSingleShotTimer, 1));
    }

    [Fact]
    public void Stopping_a_periodic_timer_always_succeeds() =>
        Assert.Equal(0, Call(VcpuCommand.StopPeriodicTimer, 1));

    [Fact]
    public void Areas_are_registered_for_any_vcpu()
    {
        ulong request = _system.Put(new VcpuRegisterRunStateMemoryArea { AddrP = 0x5000 });
        Assert.Equal(0, Call(VcpuCommand.RegisterRunStateMemoryArea, 1, request));
        Assert.Equal(0x5000UL, _second->RunstateGuestAddress);
        Assert.Equal((int)RunState.Offline, _system.At<VcpuRunStateInfo>(0x5000)->State);
        request = _system.Put(new VcpuRegisterTimeMemoryArea { AddrP = 0x5100 });
        Assert.Equal(0, Call(VcpuCommand.RegisterVcpuTimeMemoryArea, 1, request));
        Assert.Equal(0x5100UL, _second->TimeAreaGuestAddress);
    }

    [Fact]
    public void An_nmi_marks_the_vcpu_and_ends_its_blocking()
    {
        Assert.Equal(0, Call(VcpuCommand.Up, 1));
        Assert.True(_system.Pass(1) == _second);
        VcpuScheduling.Block(_second);
        Assert.True(_system.Pass(1) == null);
        FakeMachine.RunOn(0);
        Assert.Equal(0, Call(VcpuCommand.SendNmi, 1));
        Assert.Equal(VcpuWork.Nmi, _second->Work);
        Assert.True(_second->NmiPending);
        Assert.True(_system.Pass(1) == _second);
        Assert.Equal(-(long)Errno.Inval, Call(VcpuCommand.SendNmi, 1, 1));
    }

    [Fact]
    public void The_physical_id_is_known_of_pinned_vcpus_of_domain_0_only()
    {
        Assert.Equal(-(long)Errno.Inval, Call(VcpuCommand.GetPhysId, 0, 0x5000));
        _domain->IsPrivileged = true;
        Assert.Equal(-(long)Errno.Inval, Call(VcpuCommand.GetPhysId, 0, 0x5000));
        _first->Sched.HardAffinity = Sched.CpuMask.Of(1);
        _system.Machine.CpuOf(1).Info->LocalApicId = 6;
        Assert.Equal(0, Call(VcpuCommand.GetPhysId, 0, 0x5000));
        Assert.Equal(0x6_0000_0006ul, *_system.At<ulong>(0x5000));
        _first->Sched.HardAffinity = Sched.CpuMask.Of(63);
        Assert.Equal(-(long)Errno.Inval, Call(VcpuCommand.GetPhysId, 0, 0x5000));
    }

    [Fact]
    public void The_physical_id_has_the_number_in_the_MADT_above_the_local_APICs()
    {
        using Acpi.AcpiFirmware firmware = new();
        AcpiTables.Current = firmware.Information;
        try
        {
            firmware.Read();
            _domain->IsPrivileged = true;
            _first->Sched.HardAffinity = Sched.CpuMask.Of(1);
            _system.Machine.CpuOf(1).Info->LocalApicId = 0x1234;
            Assert.Equal(0, Call(VcpuCommand.GetPhysId, 0, 0x5000));
            Assert.Equal(0x7_0000_1234ul, *_system.At<ulong>(0x5000));
        }
        finally
        {
            AcpiTables.Current = null;
        }
    }

    private long Call(VcpuCommand command, ulong id, ulong argument = 0) =>
        VcpuOps.Dispatch(_first, (uint)command, id, argument, &Machine.Cpu->Guest).Raw;
}
