// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using Hypervisor.Core.Events;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Events;

public sealed unsafe class FifoEventTests : IDisposable
{
    private const ushort Self = 0x7FF0;

    private readonly EventBench _bench = new();
    private readonly FifoGuest _guest;

    public FifoEventTests() => _guest = new FifoGuest(_bench, _bench.Green);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void An_event_is_appended_to_the_queue_of_its_priority_and_told()
    {
        _guest.Enter();
        (uint blue, uint green) = Join();

        Assert.Equal(0, _bench.Send(_bench.Blue, blue));

        Assert.Equal(FifoGuest.Pending | FifoGuest.Linked, *_guest.Word(green));
        Assert.Equal(1u << 7, _guest.Control(0)->Ready);
        Assert.Equal(green, _guest.Control(0)->Head[7]);
        Assert.Equal(1, EventBench.Info(_bench.Green)->EventChannelUpcallPending);
        Assert.Equal(0ul, EventBench.Info(_bench.Green)->EventChannelPendingSel);
        Assert.Equal(0ul, _bench.Green->SharedInfo->EventChannelPending[0]);
        Assert.Equal([green], _guest.Handle());
        Assert.Equal(0u, *_guest.Word(green));
    }

    [Fact]
    public void Ports_come_by_priority_and_in_the_order_of_their_events()
    {
        _guest.Enter();
        uint[] ports = Ipis(6);
        Assert.Equal(0, SetPriority(ports[4], 0));
        Assert.Equal(0, SetPriority(ports[5], 15));

        foreach (uint port in new[] { ports[5], ports[2], ports[0], ports[4], ports[1], ports[2], ports[3] })
        {
            Assert.Equal(0, _bench.Send(_bench.Green, port));
        }

        Assert.Equal([ports[4], ports[2], ports[0], ports[1], ports[3], ports[5]], _guest.Handle());
        Assert.Equal(0, _bench.Send(_bench.Green, ports[3]));
        Assert.Equal([ports[3]], _guest.Handle());
    }

    [Fact]
    public void A_masked_port_is_pending_only_and_told_when_it_is_unmasked()
    {
        _guest.Enter();
        (uint blue, uint green) = Join();
        _guest.Mask(green);

        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.Equal(FifoGuest.Pending | FifoGuest.Masked, *_guest.Word(green));
        Assert.Equal(0u, _guest.Control(0)->Ready);
        Assert.Equal(0, EventBench.Info(_bench.Green)->EventChannelUpcallPending);

        _guest.Unmask(green);
        Assert.Equal(1, EventBench.Info(_bench.Green)->EventChannelUpcallPending);
        Assert.Equal([green], _guest.Handle());
        _guest.Mask(green);
        Assert.Equal(0, _bench.Unmask(_bench.Green, green));
        Assert.Equal((0u, 0u), (*_guest.Word(green), _guest.Control(0)->Ready));
    }

    [Fact]
    public void Events_that_come_before_their_words_wait_for_them()
    {
        (uint blue, uint green) = Join();
        (uint early, uint raised) = _bench.Join();
        Assert.Equal(0, _bench.Send(_bench.Blue, early));
        Assert.Equal(0, _guest.Initialise(0));
        EventBench.ClearEvents(_bench.Green);

        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.True(EventBench.IsPending(_bench.Green, green));
        Assert.True(EventBench.IsPending(_bench.Green, raised));
        Assert.Equal(0, EventBench.Info(_bench.Green)->EventChannelUpcallPending);

        Assert.Equal(0, _guest.Expand());
        Assert.Equal(1, EventBench.Info(_bench.Green)->EventChannelUpcallPending);
        Assert.Equal([green, raised], _guest.Handle());
        Assert.False(EventBench.IsPending(_bench.Green, green));
    }

    [Fact]
    public void A_vCPU_without_queues_is_not_told()
    {
        Assert.Equal(0, _guest.Initialise(0));
        Assert.Equal(0, _guest.Expand());
        Assert.Equal(0, _bench.BindIpi(_bench.Green, 1, out uint port));

        Assert.Equal(0, _bench.Send(_bench.Green, port));
        Assert.Equal(FifoGuest.Pending, *_guest.Word(port));
        Assert.Equal(0, _guest.Initialise(1));
        Assert.Equal(0, _bench.Unmask(_bench.Green, port));
        Assert.Equal([port], _guest.Handle(1));
    }

    [Fact]
    public void A_port_that_moves_leaves_the_queue_it_was_last_in()
    {
        _guest.Enter();
        (uint blue, uint green) = Join();
        uint other = Ipis(1)[0];
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.Equal([green], _guest.Handle());

        Assert.Equal(0, _bench.BindVcpu(_bench.Green, green, 1));
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.Equal(0, _bench.Send(_bench.Green, other));

        Assert.Equal([green], _guest.Handle(1));
        Assert.Equal([other], _guest.Handle());

        // The same between priorities.
        Assert.Equal(0, SetPriority(green, 3));
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.Equal(1u << 3, _guest.Control(1)->Ready);
        Assert.Equal([green], _guest.Handle(1));
    }

    [Fact]
    public void A_port_that_moves_while_it_is_linked_stays_in_its_queue()
    {
        _guest.Enter();
        (uint blue, uint green) = Join();
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.Equal(0, _bench.BindVcpu(_bench.Green, green, 1));
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));

        Assert.Empty(_guest.Handle(1));
        Assert.Equal([green], _guest.Handle());
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.Equal([green], _guest.Handle(1));
    }

    [Fact]
    public void A_port_that_stands_in_a_queue_is_not_given_again()
    {
        _guest.Enter();
        uint[] ports = Ipis(3);
        Assert.Equal(0, _bench.Send(_bench.Green, ports[1]));
        Assert.Equal(0, _bench.Close(_bench.Green, ports[1]));

        uint fourth = Ipis(1)[0];
        Assert.Equal(ports[2] + 1, fourth);
        Assert.Empty(_guest.Handle());
        Assert.Equal(ports[1], Ipis(1)[0]);
        Assert.Equal(fourth + 1, Ipis(1)[0]);
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Assert.Equal(-(long)Errno.OpNotSupp, _guest.Expand());
        Assert.Equal(-(long)Errno.NoSys, SetPriority(Ipis(1)[0], 3));
        Mfn frame = DomainBench.AddFrame(_bench.Green);
        Assert.Equal(-(long)Errno.NoEnt, Initialise(frame.Raw, 0, 2));
        Assert.Equal(-(long)Errno.NoEnt, Initialise(frame.Raw, 0, uint.MaxValue));
        Assert.Equal(-(long)Errno.Inval, Initialise(frame.Raw, 4, 0));
        Assert.Equal(-(long)Errno.Inval, Initialise(frame.Raw, 4096 - 64, 0));
        Assert.Equal(-(long)Errno.Inval, Initialise(frame.Raw, 0xFFFF_FFF8, 0));
        Assert.Equal(-(long)Errno.Inval, Initialise(DomainBench.AddFrame(_bench.Blue).Raw, 0, 0));
        Assert.Equal(-(long)Errno.Inval, Initialise(ulong.MaxValue, 0, 0));
        Assert.Equal(-(long)Errno.Inval, Initialise(DomainBench.GivePageTables(_bench.Green).Raw, 0, 0));
        Assert.Equal(0u, FrameTable.Page(frame)->Type & PageType.CountMask);
        Assert.True(_bench.Green->Events.Fifo == null);

        Assert.Equal(0, Initialise(frame.Raw, 4096 - 72, 0));
        Assert.Equal(-(long)Errno.Inval, Initialise(frame.Raw, 0, 0));
        Assert.Equal(1u, FrameTable.Page(frame)->Type & PageType.CountMask);
        Assert.Equal(-(long)Errno.Inval, SetPriority(1, 16));
        Assert.Equal(-(long)Errno.Inval, SetPriority(5000, 1));
        EventChannelExpandArray request = new() { ArrayGfn = DomainBench.AddFrame(_bench.Blue).Raw };
        Assert.Equal(-(long)Errno.Inval, _bench.Call(_bench.Green, EventChannelCommand.ExpandArray, ref request));
        Assert.Equal(0u, _bench.Green->Events.Fifo->PageCount);
    }

    [Fact]
    public void Every_port_of_the_interface_can_be_used_and_no_more()
    {
        _bench.Green->MaxPages = 4096;
        _guest.Enter((int)DomainFifo.MaxPages);
        Assert.Equal(-(long)Errno.NoSpace, _guest.Expand());
        for (uint expected = 1; expected < EventChannelLimits.FifoNrChannels; expected++)
        {
            Assert.Equal(Errno.Ok, EventBinding.Ipi(_bench.Green, 0, out uint port));
            Assert.Equal(expected, port);
        }

        Assert.Equal(-(long)Errno.NoSpace, _bench.BindIpi(_bench.Green, 0, out _));
        Assert.Equal(0, _bench.Send(_bench.Green, 131_071));
        Assert.Equal(0, _bench.Send(_bench.Green, 70_000));
        Assert.Equal([131_071u, 70_000u], _guest.Handle());

        // The two-level interface cannot show them.
        Assert.Equal(0, Reset());
        Assert.Equal(-(long)Errno.Inval, _bench.Send(_bench.Green, 131_071));
        Assert.Equal(-(long)Errno.Inval, _bench.Unmask(_bench.Green, 4096));
        Assert.False(EventChannels.IsValidPort(_bench.Green, 4096));
        Assert.Equal(4096u, _bench.Green->Events.PortCount);
        ulong free = PageAllocator.FreeFrames;
        for (uint port = 1; port < EventChannelLimits.TwoLevelNrChannels; port++)
        {
            Assert.Equal(Errno.Ok, EventBinding.Ipi(_bench.Green, 0, out _));
        }

        Assert.Equal(-(long)Errno.NoSpace, _bench.BindIpi(_bench.Green, 0, out _));
        Assert.Equal(free, PageAllocator.FreeFrames);
    }

    [Fact]
    public void A_reset_leads_back_to_the_two_level_interface_and_gives_all_frames_back()
    {
        _guest.Enter(2);
        (uint blue, _) = Join();
        List<Mfn> lent = [.. _guest.Pages, _guest.ControlFrame(0), _guest.ControlFrame(1)];
        lent.ForEach(frame => Assert.Equal(1u, FrameTable.Page(frame)->Type & PageType.CountMask));

        Assert.Equal(0, Reset());
        lent.ForEach(frame => Assert.Equal(0u, FrameTable.Page(frame)->Type & PageType.CountMask));
        lent.ForEach(frame => Assert.Equal(1ul, FrameTable.Page(frame)->Count & PageInfo.ReferenceMask));
        Assert.True(_bench.Green->Events.Fifo == null);

        Assert.Equal(0, _bench.BindInterdomain(_bench.Green, 1, blue, out uint green));
        Assert.True(EventBench.IsTold(_bench.Green, green));
        _guest.Enter();
        Assert.Equal(0, _bench.Send(_bench.Blue, blue));
        Assert.True(EventBench.IsPending(_bench.Green, green));
    }

    [Fact]
    public void The_end_of_a_domain_lets_go_of_what_it_lent()
    {
        _guest.Enter();
        _ = Join();
        Mfn page = _guest.Pages[0];
        FrameTable.Page(page)->Count &= ~PageInfo.Allocated;
        PageReference.Put(FrameTable.Page(page));
        Assert.Equal(_bench.Green->Id, FrameTable.Page(page)->Owner);

        ulong before = PageAllocator.FreeFrames;
        Assert.True(EventDomain.Destroy(_bench.Green));
        Assert.Equal(before + 2, PageAllocator.FreeFrames);
    }

    private (uint Blue, uint Green) Join()
    {
        Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out uint blue));
        Assert.Equal(0, _bench.BindInterdomain(_bench.Green, 1, blue, out uint green));
        EventBench.ClearEvents(_bench.Green);
        if (_guest.Pages.Count != 0)
        {
            _ = _guest.Handle();
        }

        return (blue, green);
    }

    private uint[] Ipis(int count)
    {
        uint[] ports = new uint[count];
        for (int index = 0; index < count; index++)
        {
            Assert.Equal(0, _bench.BindIpi(_bench.Green, 0, out ports[index]));
        }

        return ports;
    }

    private long SetPriority(uint port, uint priority)
    {
        EventChannelSetPriority request = new() { Port = new EventPort(port), Priority = priority };
        return _bench.Call(_bench.Green, EventChannelCommand.SetPriority, ref request);
    }

    private long Initialise(ulong frame, uint offset, uint vcpu)
    {
        EventChannelInitControl request = new() { ControlGfn = frame, Offset = offset, Vcpu = vcpu };
        return _bench.Call(_bench.Green, EventChannelCommand.InitControl, ref request);
    }

    private long Reset()
    {
        EventChannelReset request = new() { Dom = new DomId(Self) };
        return _bench.Call(_bench.Green, EventChannelCommand.Reset, ref request);
    }
}
