// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Events;
using Hypervisor.Core.Scheduling;
using Hypervisor.Sched;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Events;

public sealed unsafe class EventDeliveryTests : IDisposable
{
    private readonly EventBench _bench = new(cpus: 2);
    private readonly uint _blue;
    private readonly uint _green;
    private readonly Vcpu* _target;

    public EventDeliveryTests()
    {
        (_blue, _green) = _bench.Join();
        _target = _bench.Green->VcpuOf(0);
    }

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_masked_port_becomes_pending_and_tells_nobody()
    {
        EventBench.Mask(_bench.Green, _green);

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.True(EventBench.IsPending(_bench.Green, _green));
        Assert.Equal(0ul, _target->Info->EventChannelPendingSel);
        Assert.Equal(0, _target->Info->EventChannelUpcallPending);
    }

    [Fact]
    public void Unmasking_tells_what_is_pending()
    {
        EventBench.Mask(_bench.Green, _green);
        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));

        Assert.Equal(0, _bench.Unmask(_bench.Green, _green));
        Assert.True(EventBench.IsTold(_bench.Green, _green));
        Assert.Equal(0ul, _bench.Green->SharedInfo->EventChannelMask[0]);
        Assert.Equal(-(long)Errno.Inval, _bench.Unmask(_bench.Green, 256));
    }

    [Fact]
    public void Unmasking_what_is_not_pending_or_not_masked_tells_nothing()
    {
        EventBench.Mask(_bench.Green, _green);
        Assert.Equal(0, _bench.Unmask(_bench.Green, _green));
        Assert.Equal(0, _target->Info->EventChannelUpcallPending);

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        _target->Info->EventChannelPendingSel = 0;
        _target->Info->EventChannelUpcallPending = 0;
        Assert.Equal(0, _bench.Unmask(_bench.Green, _green));
        Assert.Equal(0, _target->Info->EventChannelUpcallPending);
    }

    [Fact]
    public void A_vCPU_that_runs_elsewhere_is_kicked_once()
    {
        RunOnOtherCpu();

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.Equal(1, _bench.Domains.Machine.CpuOf(1).Kicks);

        // The guest has taken the upcall but not yet looked at the word.
        _target->Info->EventChannelUpcallPending = 0;
        _bench.Green->SharedInfo->EventChannelPending[0] = 0;
        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.Equal(1, _bench.Domains.Machine.CpuOf(1).Kicks);
        Assert.True(EventBench.IsPending(_bench.Green, _green));
    }

    [Fact]
    public void A_blocked_vCPU_wakes()
    {
        VcpuScheduling.Wake(_target);
        VcpuScheduling.Block(_target);
        Assert.True(VcpuScheduling.IsBlocked(_target));

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.False(VcpuScheduling.IsBlocked(_target));
    }

    [Fact]
    public void A_blocked_vCPU_sleeps_through_a_masked_event()
    {
        EventBench.Mask(_bench.Green, _green);
        VcpuScheduling.Block(_target);

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.True(VcpuScheduling.IsBlocked(_target));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void A_vCPU_that_polls_the_port_wakes_though_it_is_masked(uint offset, bool wakes)
    {
        EventBench.Mask(_bench.Green, _green);
        _target->Sched.IsBlocked = 1;
        _target->Sched.PolledPort = _green + offset;
        _bench.Green->Events.Pollers[0] = 1ul << (int)_target->Id;

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.Equal(wakes, !VcpuScheduling.IsBlocked(_target));
    }

    [Fact]
    public void A_vCPU_that_polls_several_ports_wakes_at_any()
    {
        EventBench.Mask(_bench.Green, _green);
        Vcpu* poller = _bench.Green->VcpuOf(1);
        poller->Sched.IsBlocked = 1;
        poller->Sched.PolledPort = SchedUnit.NoPort;
        _bench.Green->Events.Pollers[0] = 1ul << (int)poller->Id;

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.False(VcpuScheduling.IsBlocked(poller));
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(1, 0, true)]
    [InlineData(1, 1, false)]
    [InlineData(0, 1, false)]
    public void An_upcall_is_pending_unless_masked(byte pending, byte mask, bool expected)
    {
        _target->Info->EventChannelUpcallPending = pending;
        _target->Info->EventChannelUpcallMask = mask;

        Assert.Equal(expected, EventDelivery.HasPendingUpcall(_target));
    }

    [Fact]
    public void After_the_record_has_moved_the_guest_looks_at_every_word()
    {
        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        VcpuInfo* moved = _bench.Domains.Allocate<VcpuInfo>();

        // The copy was made before the event.
        _target->Info = moved;
        EventDelivery.AfterInfoMoved(_target);

        Assert.Equal(ulong.MaxValue, moved->EventChannelPendingSel);
        Assert.Equal(1, moved->EventChannelUpcallPending);
        Assert.True(EventBench.IsPending(_bench.Green, _green));
    }

    [Fact]
    public void After_the_record_has_moved_a_blocked_vCPU_wakes()
    {
        VcpuScheduling.Block(_target);
        EventDelivery.AfterInfoMoved(_target);

        Assert.False(VcpuScheduling.IsBlocked(_target));
    }

    [Fact]
    public void A_record_that_moves_during_the_delivery_is_told_too()
    {
        RunOnOtherCpu();
        VcpuInfo* moved = _bench.Domains.Allocate<VcpuInfo>();
        _bench.Domains.Machine.OnKick = _ => _target->Info = moved;

        Assert.Equal(0, _bench.Send(_bench.Blue, _blue));
        Assert.Equal(1ul, moved->EventChannelPendingSel);
        Assert.Equal(1, moved->EventChannelUpcallPending);
    }

    [Fact]
    public void An_event_for_a_vCPU_that_was_never_made_harms_nobody()
    {
        Domain* empty = _bench.Domains.AddDomain(5, vcpus: 0);
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Dom0, 5, 0, out uint port));
        Assert.Equal(0, _bench.BindInterdomain(_bench.Dom0, 5, port, out uint local));

        Assert.Equal(0, _bench.Send(_bench.Dom0, local));
        Core.Events.VirtualIrq.RaiseGlobal(empty, (uint)Xen.Abi.VirtualIrq.Console);
        Assert.Equal(0, _bench.Close(_bench.Dom0, local));
    }

    private void RunOnOtherCpu()
    {
        _target->LoadedOn = 1;
        _target->Sched.IsRunning = true;
    }
}
