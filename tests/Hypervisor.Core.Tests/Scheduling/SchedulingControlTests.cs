// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Scheduling;
using Hypervisor.Sched;
using Xen.Abi;
using Xen.Abi.Extensions;
using Xunit;

namespace Hypervisor.Core.Tests.Scheduling;

public sealed unsafe class SchedulingControlTests : IDisposable
{
    private readonly TestSystem _system = new(cpus: 2);
    private readonly Domain* _domain;
    private SchedulingOp _request;

    public SchedulingControlTests() => _domain = _system.AddDomain(3);

    public void Dispose() => _system.Dispose();

    [Fact]
    public void A_vcpu_that_runs_goes_on_running_under_another_policy()
    {
        Vcpu* vcpu = _system.AddVcpu(_domain);
        Assert.True(_system.Pass(0) == vcpu);
        int loads = FakeMachine.Cpu.Cr3Writes;
        Assert.Equal(Errno.Ok, Switch(SchedulingPolicy.Bvt));
        Assert.Equal(1u, _request.Vcpus);
        Assert.Equal(SchedulingPolicy.Bvt, Policy());
        Assert.True(_system.Pass(0) == vcpu);
        Assert.Equal(RunState.Running, vcpu->Time.State);
        Assert.Equal(loads, FakeMachine.Cpu.Cr3Writes);
    }

    [Fact]
    public void Who_waits_sleeps_or_runs_is_found_under_each_policy()
    {
        for (int index = 0; index < 4; index++)
        {
            _ = _system.AddVcpu(_domain);
        }

        _ = _system.Pass(0);
        _ = _system.Pass(1);
        foreach (SchedulingPolicy policy in new[] { SchedulingPolicy.Sedf, SchedulingPolicy.Bvt, SchedulingPolicy.Credit })
        {
            Assert.Equal(Errno.Ok, Switch(policy));
            ulong[] before = Times();
            for (int turn = 0; turn < 40; turn++)
            {
                _ = _system.Pass(0);
                _ = _system.Pass(1);
                _system.Advance(5_000_000);
            }

            ulong[] after = Times();
            for (int index = 0; index < 4; index++)
            {
                Assert.InRange(after[index] - before[index], 30_000_000UL, 200_000_000UL);
            }
        }
    }

    [Fact]
    public void A_switch_that_cannot_keep_reservations_is_refused()
    {
        for (int index = 0; index < 3; index++)
        {
            _ = _system.AddVcpu(_domain);
        }

        _request = new SchedulingOp { Op = SchedulingCommand.SetDomain, Policy = SchedulingPolicy.Sedf, Domain = 3 };
        _request.Sedf = new SedfReservation { Period = 10_000_000, Slice = 6_000_000, Weight = 1 };
        Assert.Equal(Errno.Ok, Run());
        Assert.Equal(Errno.NoSpace, Switch(SchedulingPolicy.Sedf));
        Assert.Equal(SchedulingPolicy.Credit, Policy());
        Assert.Equal(Errno.Inval, Switch((SchedulingPolicy)3));
        _request = new SchedulingOp { Op = SchedulingCommand.GetDomain, Policy = SchedulingPolicy.Sedf, Domain = 3 };
        Assert.Equal(Errno.Ok, Run());
        Assert.Equal(6_000_000UL, _request.Sedf.Slice);
    }

    [Fact]
    public void An_affinity_that_leaves_no_room_for_the_reservation_changes_nothing()
    {
        Vcpu* first = _system.AddVcpu(_domain);
        Vcpu* second = _system.AddVcpu(_domain);
        _request = new SchedulingOp { Op = SchedulingCommand.SetDomain, Policy = SchedulingPolicy.Sedf, Domain = 3 };
        _request.Sedf = new SedfReservation { Period = 10_000_000, Slice = 6_000_000, Weight = 1 };
        Assert.Equal(Errno.Ok, Run());
        Assert.Equal(Errno.Ok, Switch(SchedulingPolicy.Sedf));
        CpuMask taken = CpuMask.Of(first->Sched.Home);
        Assert.Equal(Errno.Ok, VcpuScheduling.SetAffinity(first, taken, CpuMask.All));
        Assert.Equal(Errno.NoSpace, VcpuScheduling.SetAffinity(second, taken, CpuMask.Of(0)));
        Assert.Equal(CpuMask.All, second->Sched.HardAffinity);
        Assert.Equal(CpuMask.All, second->Sched.SoftAffinity);
    }

    [Theory]
    [InlineData(SchedulingPolicy.Credit)]
    [InlineData(SchedulingPolicy.Sedf)]
    [InlineData(SchedulingPolicy.Bvt)]
    [InlineData((SchedulingPolicy)3)]
    [InlineData((SchedulingPolicy)uint.MaxValue)]
    public void Values_out_of_range_are_refused(SchedulingPolicy policy)
    {
        // All zero is right for nobody: no weight, no period, no advance.
        _request = new SchedulingOp { Op = SchedulingCommand.SetDomain, Policy = policy, Domain = 3 };
        Assert.Equal(Errno.Inval, Run());
        _request.Domain = 77;
        _request.Op = SchedulingCommand.GetDomain;
        Assert.Equal(policy <= SchedulingPolicy.Bvt ? Errno.Srch : Errno.Inval, Run());
        _request.Op = SchedulingCommand.SetMachine;
        Assert.Equal(Errno.Inval, Run());
        _request.Op = (SchedulingCommand)6;
        Assert.Equal(Errno.Inval, Run());
    }

    [Theory]
    [InlineData(PolicyId.Credit)]
    [InlineData(PolicyId.Sedf)]
    [InlineData(PolicyId.Bvt)]
    public void A_cpu_that_is_taken_out_loses_no_vcpu(PolicyId policy)
    {
        Assert.Equal(Errno.Ok, Switch((SchedulingPolicy)policy));
        Vcpu* bound = _system.AddVcpu(_domain);
        Vcpu* free = _system.AddVcpu(_domain);
        Assert.Equal(Errno.Ok, VcpuScheduling.SetAffinity(bound, CpuMask.Of(1), CpuMask.All));
        Settle();
        Assert.Equal(1u, bound->LoadedOn);
        Assert.Equal(Errno.Ok, VcpuScheduling.SetCpuOnline(1, isOnline: false));
        Settle();
        Assert.True(_system.Pass(1) == null);
        Assert.Equal(0u, bound->Sched.Cpu);
        Assert.Equal(0u, free->Sched.Cpu);
        Assert.True(bound->Sched.IsAwake && free->Sched.IsAwake);
        Assert.Equal(Errno.Inval, VcpuScheduling.SetCpuOnline(0, isOnline: false));
        Assert.Equal(Errno.Ok, VcpuScheduling.SetCpuOnline(1, isOnline: true));
        Settle();
        Assert.Equal(1u, bound->Sched.Cpu);
        Assert.Equal(Errno.Inval, VcpuScheduling.SetCpuOnline(63, isOnline: true));
        Assert.Equal(Errno.Inval, VcpuScheduling.SetCpuOnline(uint.MaxValue, isOnline: false));
    }

    private void Settle()
    {
        for (int turn = 0; turn < 8; turn++)
        {
            _ = _system.Pass(0);
            _ = _system.Pass(1);
            _system.Advance(20_000_000);
        }

        FakeMachine.RunOn(0);
    }

    private ulong[] Times()
    {
        ulong[] times = new ulong[4];
        for (uint index = 0; index < 4; index++)
        {
            times[index] = VcpuScheduling.CpuTime(_domain->VcpuOf(index));
        }

        return times;
    }

    private SchedulingPolicy Policy()
    {
        _request = new SchedulingOp { Op = SchedulingCommand.GetPolicy };
        Assert.Equal(Errno.Ok, Run());
        return _request.Policy;
    }

    private Errno Switch(SchedulingPolicy policy)
    {
        FakeMachine.RunOn(0);
        _request = new SchedulingOp { Op = SchedulingCommand.SetPolicy, Policy = policy };
        return Run();
    }

    private Errno Run()
    {
        fixed (SchedulingOp* request = &_request)
        {
            return (Errno)(-Core.Control.SchedulingControl.Run(request).Raw);
        }
    }
}
