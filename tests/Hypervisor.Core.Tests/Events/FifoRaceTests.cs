// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Threading;
using Hypervisor.Core.Events;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Events;

/// <summary>Deliveries on one CPU, the guest on another.</summary>
public sealed unsafe class FifoRaceTests : IDisposable
{
    private const ushort Self = 0x7FF0;
    private const int Ports = 6;

    private readonly EventBench _bench = new(cpus: 2);
    private readonly FifoGuest _guest;
    private readonly uint[] _blue = new uint[Ports];
    private readonly uint[] _green = new uint[Ports];

    public FifoRaceTests()
    {
        _guest = new FifoGuest(_bench, _bench.Green).Enter();
        for (int index = 0; index < Ports; index++)
        {
            Assert.Equal(0, _bench.AllocateUnbound(_bench.Blue, Self, 2, out _blue[index]));
            Assert.Equal(0, _bench.BindInterdomain(_bench.Green, 1, _blue[index], out _green[index]));
        }

        _ = _guest.Handle();
    }

    public void Dispose() => _bench.Dispose();

    /// <summary>Each event that is sent after the guest took note of the last one arrives, masked meanwhile or
    /// not.</summary>
    [Fact]
    public void No_event_is_lost_to_a_guest_that_masks_and_unlinks_at_the_same_time()
    {
        const int Rounds = 30_000;
        int[] taken = new int[Ports];
        bool ends = false;
        Exception failure = RunBeside(
            () =>
            {
                Random random = new(7);
                while (!Volatile.Read(ref ends))
                {
                    if (_bench.Green->VcpuOf(0)->Info->EventChannelUpcallPending != 0)
                    {
                        foreach (uint port in _guest.Handle())
                        {
                            _ = Interlocked.Increment(ref taken[Array.IndexOf(_green, port)]);
                        }
                    }

                    uint one = _green[random.Next(Ports)];
                    _guest.Mask(one);
                    _guest.Unmask(one);
                }
            },
            () =>
            {
                Random random = new(8);
                int[] sent = new int[Ports];
                for (int round = 0; round < Rounds; round++)
                {
                    int index = random.Next(Ports);
                    while (Volatile.Read(ref taken[index]) != sent[index])
                    {
                        _ = Thread.Yield();
                    }

                    sent[index]++;
                    Assert.True(EventSend.Run(_bench.Blue, _blue[index]).Raw == 0);
                }

                for (int index = 0; index < Ports; index++)
                {
                    while (Volatile.Read(ref taken[index]) != sent[index])
                    {
                        _ = Thread.Yield();
                    }
                }
            },
            () => Volatile.Write(ref ends, true));
        Assert.Null(failure);
    }

    /// <summary>
    /// The guest scribbles over its words and control block. Nothing is written but the guest's own two pages, every
    /// send comes to an end, and afterwards the frames have no references left.
    /// </summary>
    [Fact]
    public void A_guest_that_scribbles_over_its_queues_harms_nobody()
    {
        const int Rounds = 100_000;
        Mfn sentinel = DomainBench.AddFrame(_bench.Blue);
        new Span<byte>(Machine.Direct(sentinel), 4096).Fill(0xA5);
        bool ends = false;
        Exception failure = RunBeside(
            () =>
            {
                Random random = new(9);
                while (!Volatile.Read(ref ends))
                {
                    uint port = _green[random.Next(Ports)];
                    Volatile.Write(ref *_guest.Word(port), (uint)random.NextInt64());
                    Volatile.Write(ref _guest.Control(0)->Head[random.Next(16)], (uint)random.NextInt64());
                    Volatile.Write(ref _guest.Control(0)->Ready, (uint)random.NextInt64());
                }
            },
            () =>
            {
                Random random = new(10);
                for (int round = 0; round < Rounds; round++)
                {
                    int index = random.Next(Ports);
                    Assert.True(EventSend.Run(_bench.Blue, _blue[index]).Raw == 0);
                    if ((round & 255) == 0)
                    {
                        _ = EventBinding.MoveToVcpu(_bench.Green, _green[index], (uint)random.Next(2));
                        _ = FifoControl.SetPriority(_bench.Green, _green[index], (uint)random.Next(16));
                        _ = EventBinding.Unmask(_bench.Green, _green[index]);
                    }
                }
            },
            () => Volatile.Write(ref ends, true));

        Assert.Null(failure);
        Assert.Equal(-1, new Span<byte>(Machine.Direct(sentinel), 4096).IndexOfAnyExcept((byte)0xA5));
        Assert.True(EventDomain.Destroy(_bench.Green));
        List<Mfn> lent = [.. _guest.Pages, _guest.ControlFrame(0), _guest.ControlFrame(1)];
        lent.ForEach(frame => Assert.Equal(1ul, FrameTable.Page(frame)->Count & PageInfo.ReferenceMask));
        lent.ForEach(frame => Assert.Equal(0u, FrameTable.Page(frame)->Type & PageType.CountMask));
    }

    /// <summary>One vCPU leaves the interface and comes back while another sends to itself.</summary>
    [Fact]
    public void A_reset_beside_a_send_leaves_no_trace_in_frames_that_were_given_back()
    {
        Mfn page = _guest.Pages[0];
        Mfn control = _guest.ControlFrame(0);
        bool ends = false;
        Exception failure = RunBeside(
            () =>
            {
                while (!Volatile.Read(ref ends))
                {
                    for (uint port = 1; port < 12; port++)
                    {
                        _ = EventSend.Run(_bench.Green, port);
                        _ = EventBinding.Unmask(_bench.Green, port);
                        _ = EventChannels.IsPending(_bench.Green, port);
                    }
                }
            },
            () =>
            {
                for (int round = 0; round < 2_000; round++)
                {
                    Assert.True(EventDomain.CloseAll(_bench.Green));
                    Assert.Equal(Errno.Ok, FifoControl.Leave(_bench.Green));
                    new Span<byte>(Machine.Direct(page), 4096).Clear();
                    new Span<byte>(Machine.Direct(control), 4096).Clear();
                    for (int port = 0; port < 8; port++)
                    {
                        Assert.Equal(Errno.Ok, EventBinding.Ipi(_bench.Green, 0, out _));
                    }

                    Assert.Equal(-1, new Span<byte>(Machine.Direct(page), 4096).IndexOfAnyExcept((byte)0));
                    Assert.Equal(-1, new Span<byte>(Machine.Direct(control), 4096).IndexOfAnyExcept((byte)0));
                    Assert.Equal(Errno.Ok, FifoControl.Initialise(_bench.Green, 0, control.Raw, 64));
                    Assert.Equal(Errno.Ok, FifoControl.Expand(_bench.Green, page.Raw));
                }
            },
            () => Volatile.Write(ref ends, true));
        Assert.Null(failure);
    }

    /// <summary>Runs the guest on CPU 1 and the other body here; gives the guest's failure.</summary>
    private Exception RunBeside(Action guest, Action here, Action end)
    {
        Exception failure = null;
        FakeMachine machine = _bench.Domains.Machine;
        Thread other = new(() =>
        {
            try
            {
                FakeMachine.Join(machine, 1);
                guest();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        other.Start();
        try
        {
            here();
        }
        finally
        {
            end();
            other.Join();
        }

        return failure;
    }
}
