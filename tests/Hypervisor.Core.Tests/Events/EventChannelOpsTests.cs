// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Events;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Interrupts;
using Xen.Abi;
using Xunit;
using Virq = Xen.Abi.VirtualIrq;

namespace Hypervisor.Core.Tests.Events;

public sealed unsafe class EventChannelOpsTests : IDisposable
{
    private const ushort Self = 0x7FF0;
    private const ushort Nobody = 77;

    private readonly EventBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void An_unbound_port_waits_for_the_domain_it_names()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out uint port));

        Assert.Equal(1u, port);
        Assert.Equal(0, _bench.Status(_bench.Blue, Self, port, out EventChannelStatus status));
        Assert.Equal((uint)EventChannelState.Unbound, status.Status);
        Assert.Equal(2, status.UnboundDom.Raw);
    }

    [Fact]
    public void DOMID_SELF_as_remote_is_the_caller()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Dom0, 1, Self, out uint port));

        Assert.Equal(0, _bench.Status(_bench.Blue, Self, port, out EventChannelStatus status));
        Assert.Equal(0, status.UnboundDom.Raw);
    }

    [Fact]
    public void Only_the_privileged_act_for_others()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Dom0, 1, 2, out uint port));
        Assert.Equal(-(long)Errno.Perm, _bench.AllocateUnbound(_bench.Green, 1, 2, out _));
        Assert.Equal(-(long)Errno.Perm, _bench.Status(_bench.Green, 1, port, out _));
        Assert.Equal(0, _bench.Status(_bench.Dom0, 1, port, out _));
        EventChannelReset reset = new() { Dom = new DomId(1) };
        Assert.Equal(-(long)Errno.Perm, _bench.Call(_bench.Green, EventChannelCommand.Reset, ref reset));
    }

    [Fact]
    public void A_domain_that_does_not_exist_is_ESRCH()
    {
        Assert.Equal(-(long)Errno.Srch, _bench.AllocateUnbound(_bench.Dom0, Nobody, 2, out _));
        Assert.Equal(-(long)Errno.Srch, _bench.Status(_bench.Dom0, Nobody, 1, out _));
        Assert.Equal(-(long)Errno.Srch, _bench.BindInterdomain(_bench.Blue, Nobody, 1, out _));
        Assert.Equal(-(long)Errno.Srch, _bench.BindInterdomain(_bench.Blue, 0x7FF2, 1, out _));
    }

    [Fact]
    public void Both_ends_of_a_channel_know_each_other()
    {
        (uint blue, uint green) = _bench.Join();

        Assert.Equal(0, _bench.Status(_bench.Blue, Self, blue, out EventChannelStatus status));
        Assert.Equal((uint)EventChannelState.Interdomain, status.Status);
        Assert.Equal(2, status.InterdomainDom.Raw);
        Assert.Equal(green, status.InterdomainPort.Raw);
        Assert.Equal(0, _bench.Status(_bench.Green, Self, green, out status));
        Assert.Equal(1, status.InterdomainDom.Raw);
        Assert.Equal(blue, status.InterdomainPort.Raw);
    }

    [Fact]
    public void A_binding_is_announced_to_who_made_it()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out uint port));
        Assert.Equal(0, _bench.BindInterdomain(_bench.Green, 1, port, out uint local));

        Assert.True(EventBench.IsPending(_bench.Green, local));
        Assert.True(EventBench.IsTold(_bench.Green, local));
        Assert.False(EventBench.IsPending(_bench.Blue, port));
    }

    [Fact]
    public void Nobody_binds_to_a_port_that_does_not_wait_for_him()
    {
        (uint blue, _) = _bench.Join();
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out uint waiting));

        Assert.Equal(-(long)Errno.Inval, _bench.BindInterdomain(_bench.Dom0, 1, waiting, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindInterdomain(_bench.Green, 1, blue, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindInterdomain(_bench.Green, 1, 0, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindInterdomain(_bench.Green, 1, 200, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindInterdomain(_bench.Green, 1, 4096, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindInterdomain(_bench.Green, 1, uint.MaxValue, out _));
        Assert.Equal(1u, _bench.Green->Events.PortsInUse);
        Assert.Equal(0u, _bench.Dom0->Events.PortsInUse);
    }

    [Fact]
    public void A_domain_may_be_its_own_peer()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, Self, out uint one));
        Assert.Equal(0, _bench.BindInterdomain(_bench.Blue, Self, one, out uint other));
        EventBench.ClearEvents(_bench.Blue);

        Assert.Equal(0, _bench.Send(_bench.Blue, one));
        Assert.True(EventBench.IsPending(_bench.Blue, other));
        Assert.False(EventBench.IsPending(_bench.Blue, one));
        Assert.Equal(0, _bench.Close(_bench.Blue, other));
        Assert.Equal(EventChannelState.Unbound, _bench.StateOf(_bench.Blue, one));
    }

    [Fact]
    public void A_send_raises_the_peers_port()
    {
        (uint blue, uint green) = _bench.Join();

        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.True(EventBench.IsPending(_bench.Green, green));
        Assert.True(EventBench.IsTold(_bench.Green, green));
        Assert.False(EventBench.IsPending(_bench.Blue, blue));
    }

    [Fact]
    public void A_send_before_the_peer_comes_or_after_it_went_is_lost()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out uint port));
        Assert.Equal(0, _bench.Send(_bench.Blue, port));
        Assert.Equal(0, _bench.BindInterdomain(_bench.Green, 1, port, out uint peer));
        Assert.Equal(0, _bench.Close(_bench.Green, peer));

        Assert.Equal(0, _bench.Send(_bench.Blue, port));
        Assert.False(EventBench.IsPending(_bench.Green, peer));
    }

    [Fact]
    public void Only_channels_and_IPIs_are_sent_on()
    {
        Assert.Equal(0, _bench.BindVirq(_bench.Blue, Virq.Timer, 0, out uint timer));

        Assert.Equal(-(long)Errno.Inval, _bench.Send(_bench.Blue, timer));
        Assert.Equal(-(long)Errno.Inval, _bench.Send(_bench.Blue, 0));
        Assert.Equal(-(long)Errno.Inval, _bench.Send(_bench.Blue, 9));
        Assert.Equal(-(long)Errno.Inval, _bench.Send(_bench.Blue, 256));
        Assert.Equal(-(long)Errno.Inval, _bench.Send(_bench.Blue, uint.MaxValue));
    }

    [Fact]
    public void An_IPI_comes_back_to_the_vCPU_it_was_bound_to()
    {
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 1, out uint port));
        Assert.Equal(-(long)Errno.NoEnt, _bench.BindIpi(_bench.Blue, 2, out _));
        Assert.Equal(-(long)Errno.NoEnt, _bench.BindIpi(_bench.Blue, uint.MaxValue, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindVcpu(_bench.Blue, port, 0));

        Assert.Equal(0, _bench.Send(_bench.Blue, port));
        Assert.True(EventBench.IsTold(_bench.Blue, port, vcpu: 1));
        Assert.False(EventBench.IsTold(_bench.Blue, port, vcpu: 0));
        Assert.Equal(EventChannelState.Ipi, _bench.StateOf(_bench.Blue, port));
    }

    [Fact]
    public void A_timer_interrupt_binds_once_for_each_vCPU()
    {
        Assert.Equal(0, _bench.BindVirq(_bench.Blue, Virq.Timer, 0, out uint first));
        Assert.Equal(0, _bench.BindVirq(_bench.Blue, Virq.Timer, 1, out uint second));
        Assert.Equal(-(long)Errno.Exist, _bench.BindVirq(_bench.Blue, Virq.Timer, 1, out _));
        Assert.Equal(-(long)Errno.NoEnt, _bench.BindVirq(_bench.Blue, Virq.Timer, 2, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindVcpu(_bench.Blue, second, 0));

        Core.Events.VirtualIrq.Raise(_bench.Blue->VcpuOf(1), (uint)Virq.Timer);
        Assert.True(EventBench.IsTold(_bench.Blue, second, vcpu: 1));
        Assert.False(EventBench.IsPending(_bench.Blue, first));
        Assert.Equal(0, _bench.Status(_bench.Blue, Self, second, out EventChannelStatus status));
        Assert.Equal((uint)EventChannelState.Virq, status.Status);
        Assert.Equal((uint)Virq.Timer, status.Virq);
        Assert.Equal(1u, status.Vcpu);
    }

    [Fact]
    public void A_global_interrupt_binds_on_vCPU_0_and_moves()
    {
        Assert.Equal(-(long)Errno.Inval, _bench.BindVirq(_bench.Dom0, Virq.DomExc, 1, out _));
        Assert.Equal(0, _bench.BindVirq(_bench.Dom0, Virq.DomExc, 0, out uint port));
        Assert.Equal(0, _bench.BindVcpu(_bench.Dom0, port, 1));

        Core.Events.VirtualIrq.RaiseGlobal((uint)Virq.DomExc);
        Assert.True(EventBench.IsTold(_bench.Dom0, port, vcpu: 1));
        Assert.False(EventBench.IsTold(_bench.Dom0, port, vcpu: 0));

        Assert.Equal(0, _bench.Close(_bench.Dom0, port));
        Assert.Equal(0, _bench.BindVirq(_bench.Dom0, Virq.DomExc, 0, out _));
    }

    [Fact]
    public void A_virtual_interrupt_that_does_not_exist_is_refused()
    {
        Assert.Equal(-(long)Errno.Inval, _bench.BindVirq(_bench.Blue, (Virq)24, 0, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindVirq(_bench.Blue, (Virq)uint.MaxValue, 0, out _));
    }

    [Fact]
    public void A_virtual_interrupt_that_nobody_has_bound_is_lost()
    {
        Core.Events.VirtualIrq.Raise(_bench.Blue->VcpuOf(0), (uint)Virq.Timer);
        Core.Events.VirtualIrq.RaiseGlobal((uint)Virq.DomExc);
        Assert.Equal(0, _bench.BindVirq(_bench.Blue, Virq.Timer, 0, out uint port));
        Assert.Equal(0, _bench.Close(_bench.Blue, port));
        Core.Events.VirtualIrq.Raise(_bench.Blue->VcpuOf(0), (uint)Virq.Timer);

        Assert.False(EventBench.IsPending(_bench.Blue, port));
        Assert.Equal(0, EventBench.Info(_bench.Blue)->EventChannelUpcallPending);
    }

    [Fact]
    public void A_channel_tells_the_vCPU_it_was_moved_to()
    {
        (uint blue, uint green) = _bench.Join();

        Assert.Equal(-(long)Errno.NoEnt, _bench.BindVcpu(_bench.Green, green, 2));
        Assert.Equal(-(long)Errno.Inval, _bench.BindVcpu(_bench.Green, green + 1, 1));
        Assert.Equal(-(long)Errno.Inval, _bench.BindVcpu(_bench.Green, 0, 1));
        Assert.Equal(-(long)Errno.Inval, _bench.BindVcpu(_bench.Green, 5000, 1));
        Assert.Equal(0, _bench.BindVcpu(_bench.Green, green, 1));
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.True(EventBench.IsTold(_bench.Green, green, vcpu: 1));
        Assert.False(EventBench.IsTold(_bench.Green, green, vcpu: 0));
    }

    [Fact]
    public void A_reused_port_tells_vCPU_0_again()
    {
        (_, uint green) = _bench.Join();
        Assert.Equal(0, _bench.BindVcpu(_bench.Green, green, 1));
        Assert.Equal(0, _bench.Close(_bench.Green, green));

        Assert.Equal(0, _bench.AllocateUnbound(_bench.Green, Self, 0, out uint again));
        Assert.Equal(green, again);
        Assert.Equal(0, _bench.Status(_bench.Green, Self, again, out EventChannelStatus status));
        Assert.Equal(0u, status.Vcpu);
    }

    [Fact]
    public void Closing_leaves_the_peer_waiting_for_another_binding()
    {
        (uint blue, uint green) = _bench.Join();

        Assert.Equal(0, _bench.Close(_bench.Green, green));
        Assert.Equal(0, _bench.Status(_bench.Blue, Self, blue, out EventChannelStatus status));
        Assert.Equal((uint)EventChannelState.Unbound, status.Status);
        Assert.Equal(2, status.UnboundDom.Raw);
        Assert.Equal(EventChannelState.Closed, _bench.StateOf(_bench.Green, green));
        Assert.Equal(0, _bench.BindInterdomain(_bench.Green, 1, blue, out green));
        EventBench.ClearEvents(_bench.Green);
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.True(EventBench.IsPending(_bench.Green, green));
    }

    [Fact]
    public void A_port_that_is_not_bound_cannot_be_closed()
    {
        (_, uint green) = _bench.Join();
        Assert.Equal(0, _bench.Close(_bench.Green, green));

        Assert.Equal(-(long)Errno.Inval, _bench.Close(_bench.Green, green));
        Assert.Equal(-(long)Errno.Inval, _bench.Close(_bench.Green, 0));
        Assert.Equal(-(long)Errno.Inval, _bench.Close(_bench.Green, 4095));
        Assert.Equal(-(long)Errno.Inval, _bench.Close(_bench.Green, uint.MaxValue));
    }

    [Fact]
    public void What_was_pending_does_not_outlive_the_port()
    {
        (uint blue, uint green) = _bench.Join();
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.Equal(0, _bench.Close(_bench.Green, green));
        Assert.False(EventBench.IsPending(_bench.Green, green));

        // A stray bit, as a send that ran beside the close leaves it.
        _bench.Green->SharedInfo->EventChannelPending[0] |= 1ul << (int)green;
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Green, Self, 0, out uint again));
        Assert.Equal(green, again);
        Assert.False(EventBench.IsPending(_bench.Green, again));
    }

    [Fact]
    public void The_lowest_free_port_is_taken()
    {
        for (uint expected = 1; expected <= 5; expected++)
        {
            Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint port));
            Assert.Equal(expected, port);
        }

        Assert.Equal(0, _bench.Close(_bench.Blue, 4));
        Assert.Equal(0, _bench.Close(_bench.Blue, 2));
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint low));
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint high));
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint next));
        Assert.Equal((2u, 4u, 6u), (low, high, next));
    }

    [Fact]
    public void The_tools_limit_the_ports()
    {
        _bench.Blue->MaxEventChannelPort = 3;
        for (uint expected = 1; expected <= 3; expected++)
        {
            Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out uint port));
            Assert.Equal(expected, port);
        }

        Assert.Equal(-(long)Errno.NoSpace, _bench.AllocateUnbound(_bench.Blue, Self, 2, out _));
        Assert.Equal(-(long)Errno.NoSpace, _bench.BindVirq(_bench.Blue, Virq.Timer, 0, out _));
        Assert.Equal(-(long)Errno.NoSpace, _bench.BindIpi(_bench.Blue, 0, out _));
        Assert.Equal(0u, _bench.Blue->VcpuOf(0)->Events.VirqPorts[0]);
    }

    [Fact]
    public void The_table_grows_to_all_ports_that_the_interface_can_show()
    {
        for (uint expected = 1; expected < EventChannelLimits.TwoLevelNrChannels; expected++)
        {
            Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint port));
            Assert.Equal(expected, port);
        }

        Assert.Equal(-(long)Errno.NoSpace, _bench.BindIpi(_bench.Blue, 0, out _));
        Assert.Equal(0, _bench.Send(_bench.Blue, 4095));
        Assert.True(EventBench.IsPending(_bench.Blue, 4095));
        Assert.Equal(1ul << 63, EventBench.Info(_bench.Blue)->EventChannelPendingSel);
        Assert.Equal(0, _bench.Close(_bench.Blue, 300));
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint again));
        Assert.Equal(300u, again);
    }

    [Fact]
    public void Without_memory_for_more_ports_there_are_no_more()
    {
        for (uint port = 1; port < 256; port++)
        {
            Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out _));
        }

        while (PageAllocator.AllocatePages(0) != null)
        {
        }

        Assert.Equal(-(long)Errno.NoMem, _bench.BindIpi(_bench.Blue, 0, out _));
        Assert.Equal(0, _bench.Close(_bench.Blue, 255));
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint last));
        Assert.Equal(255u, last);
    }

    [Fact]
    public void An_argument_that_cannot_be_read_is_a_fault()
    {
        foreach (EventChannelCommand command in new[]
        {
            EventChannelCommand.BindInterdomain, EventChannelCommand.BindVirq, EventChannelCommand.BindPirq,
            EventChannelCommand.Close, EventChannelCommand.Send, EventChannelCommand.Status,
            EventChannelCommand.AllocUnbound, EventChannelCommand.BindIpi, EventChannelCommand.BindVcpu,
            EventChannelCommand.Unmask, EventChannelCommand.Reset, EventChannelCommand.InitControl,
            EventChannelCommand.ExpandArray, EventChannelCommand.SetPriority,
        })
        {
            Assert.Equal(-(long)Errno.Fault, _bench.CallAt(_bench.Blue, command, DomainBench.Unmapped));
            Assert.Equal(-(long)Errno.Fault, _bench.CallAt(_bench.Blue, command, MemoryLayout.DirectMap));
        }
    }

    [Fact]
    public void Unknown_commands_are_not_there()
    {
        foreach (uint command in new uint[] { 14, 15, uint.MaxValue })
        {
            Assert.Equal(-(long)Errno.NoSys, _bench.CallAt(_bench.Blue, (EventChannelCommand)command, 0));
        }
    }

    [Fact]
    public void A_port_whose_number_cannot_be_told_is_given_back()
    {
        // The argument is readable but in a page that is read-only to the guest.
        Mfn leaf = DomainBench.GivePageTables(_bench.Blue);
        Mfn argument = DomainBench.AddFrame(_bench.Blue);
        DomainBench.Entries(leaf)[0] = Pte.Make(argument, Pte.Present | Pte.User);
        FakeMachine.Cpu.Info->Cr3 = _bench.Blue->VcpuOf(0)->KernelRoot.Address;
        FakeMachine.Cpu.Cr3 = _bench.Blue->VcpuOf(0)->KernelRoot.Address;
        DomainBench.Put(argument, new EventChannelBindVirq { Virq = (uint)Virq.Timer });
        Assert.Equal(
            -(long)Errno.Fault, _bench.CallAt(_bench.Blue, EventChannelCommand.BindVirq, DomainBench.Window));

        Assert.Equal(0u, _bench.Blue->Events.PortsInUse);
        Assert.Equal(0u, _bench.Blue->VcpuOf(0)->Events.VirqPorts[0]);
    }

    [Fact]
    public void A_physical_interrupt_without_the_right_to_it_is_refused_and_its_port_given_back()
    {
        InitialiseInterrupts();

        Assert.Equal(-(long)Errno.Inval, _bench.BindPirq(_bench.Blue, 5, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindPirq(_bench.Blue, PirqHooks.Limit, out _));
        Assert.Equal(-(long)Errno.Inval, _bench.BindPirq(_bench.Blue, uint.MaxValue, out _));
        Assert.Equal(0u, _bench.Blue->Events.PortsInUse);
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint first));
        Assert.Equal(1u, first);
    }

    [Fact]
    public void A_physical_interrupt_raises_the_port_it_is_bound_to()
    {
        InitialiseInterrupts();
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapPin(_bench.Dom0, 5));
        Assert.Equal(0, _bench.BindPirq(_bench.Dom0, 5, out uint port));
        Assert.Equal(-(long)Errno.Exist, _bench.BindPirq(_bench.Dom0, 5, out _));

        EventDelivery.RaisePirq(_bench.Dom0, 5);
        Assert.True(EventBench.IsTold(_bench.Dom0, port));
        Assert.Equal(0, _bench.Status(_bench.Dom0, Self, port, out EventChannelStatus status));
        Assert.Equal((uint)EventChannelState.Pirq, status.Status);
        Assert.Equal(5u, status.Pirq);
        Assert.Equal(0, _bench.BindVcpu(_bench.Dom0, port, 1));
        Assert.Equal(0, _bench.Unmask(_bench.Dom0, port));

        Assert.Equal(0, _bench.Close(_bench.Dom0, port));
        EventDelivery.RaisePirq(_bench.Dom0, 5);
        Assert.False(EventBench.IsPending(_bench.Dom0, port));
        Assert.Equal(0, _bench.BindPirq(_bench.Dom0, 5, out _));
    }

    [Fact]
    public void A_physical_interrupt_follows_the_vcpu_that_is_told_of_it()
    {
        using EventBench bench = new(cpus: 2);
        InitialiseInterrupts();
        bench.Dom0->VcpuOf(0)->Sched.Cpu = 0;
        bench.Dom0->VcpuOf(1)->Sched.Cpu = 1;
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapPin(bench.Dom0, 5));
        Assert.Equal(0, bench.BindPirq(bench.Dom0, 5, out uint port));
        Assert.Equal(0u, FakeInterrupts.Current.Pins[5].Destination);

        Assert.Equal(0, bench.BindVcpu(bench.Dom0, port, 1));
        Assert.Equal(1u, FakeInterrupts.Current.Pins[5].Destination);
        Assert.Equal(0, bench.BindVcpu(bench.Dom0, port, 0));
        Assert.Equal(0u, FakeInterrupts.Current.Pins[5].Destination);

        // It is bound where vCPU 0 is at that moment.
        Assert.Equal(0, bench.Close(bench.Dom0, port));
        bench.Dom0->VcpuOf(0)->Sched.Cpu = 1;
        Assert.Equal(0, bench.BindPirq(bench.Dom0, 5, out _));
        Assert.Equal(1u, FakeInterrupts.Current.Pins[5].Destination);
    }

    [Fact]
    public void Reset_closes_every_port_a_slice_at_a_time()
    {
        (_, uint green) = _bench.Join();
        for (int ipi = 0; ipi < 300; ipi++)
        {
            Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out _));
        }

        _bench.Domains.MakeBusy();
        EventChannelReset reset = new() { Dom = new DomId(Self) };
        long result = _bench.Call(_bench.Blue, EventChannelCommand.Reset, ref reset);
        Assert.Equal(HypercallResult.Preempted.Raw, result);
        Assert.Equal((ulong)EventChannelCommand.Reset, _bench.Frame.Rdi);
        Assert.InRange(_bench.Blue->Events.PortsInUse, 200u, 300u);

        int calls = 1;
        while (result == HypercallResult.Preempted.Raw && calls < 100)
        {
            result = _bench.CallAt(_bench.Blue, (EventChannelCommand)_bench.Frame.Rdi, _bench.Frame.Rsi);
            calls++;
        }

        Assert.Equal(0, result);
        Assert.InRange(calls, 3, 10);
        Assert.Equal(0u, _bench.Blue->Events.PortsInUse);
        Assert.Equal(EventChannelState.Unbound, _bench.StateOf(_bench.Green, green));
        Assert.Equal(0, _bench.BindIpi(_bench.Blue, 0, out uint first));
        Assert.Equal(1u, first);
    }

    [Fact]
    public void Tools_reset_a_domain_only_while_it_is_paused()
    {
        _ = _bench.Join();
        EventChannelReset reset = new() { Dom = new DomId(1) };

        Assert.Equal(-(long)Errno.Inval, _bench.Call(_bench.Dom0, EventChannelCommand.Reset, ref reset));
        Assert.Equal(1u, _bench.Blue->Events.PortsInUse);
        _bench.Blue->IsPausedByTools = true;
        Assert.Equal(0, _bench.Call(_bench.Dom0, EventChannelCommand.Reset, ref reset));
        Assert.Equal(0u, _bench.Blue->Events.PortsInUse);
    }

    [Fact]
    public void The_status_of_a_port_without_entry_is_refused_and_of_a_free_one_closed()
    {
        Assert.Equal(EventChannelState.Closed, _bench.StateOf(_bench.Blue, 1));
        Assert.Equal(EventChannelState.Closed, _bench.StateOf(_bench.Blue, 0));
        Assert.Equal(-(long)Errno.Inval, _bench.Status(_bench.Blue, Self, 256, out _));
    }

    private void InitialiseInterrupts()
    {
        _ = FakeInterrupts.Reset();

        // Never freed: the destruction of domains in later tests looks into the table.
        IrqTable.Initialise(System.Runtime.InteropServices.NativeMemory.AllocZeroed((nuint)IrqTable.MemorySize));
    }
}
