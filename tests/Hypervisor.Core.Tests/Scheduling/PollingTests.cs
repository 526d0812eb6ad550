// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Scheduling;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Scheduling;

public sealed unsafe class PollingTests : IDisposable
{
    private const ulong Ports = 0x6000;

    private readonly TestSystem _system = new();
    private readonly Domain* _domain;
    private readonly Vcpu* _vcpu;

    public PollingTests()
    {
        _domain = _system.AddDomain();
        _vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
        _vcpu->Info->EventChannelUpcallMask = 1;
        for (int word = 0; word < 64; word++)
        {
            _domain->SharedInfo->EventChannelMask[word] = ulong.MaxValue;
        }
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public void A_port_that_is_pending_already_ends_the_poll_at_once()
    {
        TestSystem.Send(_vcpu, 9);
        Assert.Equal(0, Poll(0, 8, 9).Raw);
        Assert.False(VcpuScheduling.IsBlocked(_vcpu));
        Assert.Equal(0UL, _domain->Events.Pollers[0]);
        Assert.True(_system.Pass() == _vcpu);
    }

    [Fact]
    public void A_masked_port_wakes_a_vcpu_that_takes_no_upcalls()
    {
        Assert.Equal(0, Poll(0, 9).Raw);
        Assert.True(_system.Pass() == null);
        TestSystem.Send(_vcpu, 9);
        Assert.True(_system.Pass() == _vcpu);
        Assert.Equal(0UL, _domain->Events.Pollers[0]);
        Assert.Equal(0, _vcpu->Info->EventChannelUpcallPending);
    }

    [Fact]
    public void Who_polls_one_port_sleeps_through_another_s_event()
    {
        _ = Poll(0, 9);
        _ = _system.Pass();
        TestSystem.Send(_vcpu, 10);
        Assert.True(_system.Pass() == null);
    }

    [Fact]
    public void Who_polls_several_wakes_at_any_of_them()
    {
        _ = Poll(0, 9, 10, 11);
        _ = _system.Pass();
        TestSystem.Send(_vcpu, 11);
        Assert.True(_system.Pass() == _vcpu);
    }

    [Fact]
    public void An_upcall_that_can_be_taken_ends_the_poll()
    {
        _vcpu->Info->EventChannelUpcallMask = 0;
        _vcpu->Info->EventChannelUpcallPending = 1;
        _ = Poll(0, 9);
        Assert.True(_system.Pass() == _vcpu);
    }

    [Fact]
    public void The_deadline_ends_the_poll()
    {
        _ = Poll(5_000, 9);
        _system.Advance(4_999);
        Assert.True(_system.Pass() == null);
        _system.Advance(1);
        Assert.True(_system.Pass() == _vcpu);
    }

    [Fact]
    public void A_poll_without_ports_is_a_sleep_until_the_deadline()
    {
        _ = Poll(5_000);
        Assert.True(_system.Pass() == null);
        _system.Advance(5_000);
        Assert.True(_system.Pass() == _vcpu);
    }

    [Fact]
    public void A_deadline_of_an_earlier_poll_does_not_end_a_later_one()
    {
        _ = Poll(5_000, 9);
        _ = _system.Pass();
        TestSystem.Send(_vcpu, 9);
        _ = _system.Pass();
        TestSystem.ClearEvents(_vcpu);
        _ = Poll(0, 9);
        Assert.True(_system.Pass() == null);
        _system.Advance(10_000);
        Assert.True(_system.Pass() == null);
    }

    [Fact]
    public void A_deadline_of_a_poll_does_not_end_a_block()
    {
        _ = Poll(5_000, 9);
        _ = _system.Pass();
        TestSystem.Send(_vcpu, 9);
        _ = _system.Pass();
        TestSystem.ClearEvents(_vcpu);
        VcpuScheduling.Block(_vcpu);
        _system.Advance(10_000);
        Assert.True(_system.Pass() == null);
    }

    [Fact]
    public void Wrong_requests_are_refused_and_do_not_block()
    {
        Assert.Equal(-(long)Errno.Inval, Poll(0, 9, 4096).Raw);
        Assert.Equal(-(long)Errno.Inval, Poll(0, new uint[129]).Raw);
        Assert.Equal(-(long)Errno.Fault, Polling.Poll(_vcpu, 1UL << 40).Raw);
        SchedPoll request = new() { Ports = 1UL << 40, NrPorts = 2 };
        Assert.Equal(-(long)Errno.Fault, Polling.Poll(_vcpu, _system.Put(request)).Raw);
        request.NrPorts = 1;
        Assert.Equal(-(long)Errno.Fault, Polling.Poll(_vcpu, _system.Put(request)).Raw);
        Assert.False(VcpuScheduling.IsBlocked(_vcpu));
        Assert.Equal(0UL, _domain->Events.Pollers[0]);
        Assert.True(_system.Pass() == _vcpu);
    }

    private HypercallResult Poll(ulong timeout, params uint[] ports)
    {
        for (int index = 0; index < ports.Length; index++)
        {
            _system.At<uint>(Ports)[index] = ports[index];
        }

        return Polling.Poll(
            _vcpu, _system.Put(new SchedPoll { Ports = Ports, NrPorts = (uint)ports.Length, Timeout = timeout }));
    }
}
