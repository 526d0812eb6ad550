// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Interrupts;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Interrupts;

[Collection("Interrupt table")]
public sealed unsafe class IrqThrottleTests : IDisposable
{
    private readonly InterruptBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private FakePin Pin(uint gsi) => _bench.Controllers.Pins[gsi];

    private void BindPin(Domain* domain, uint gsi, bool share = false)
    {
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapPin(domain, gsi));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Bind(domain, gsi, share));
    }

    private void Storm(uint gsi)
    {
        for (uint i = 0; i <= IrqThrottle.Limit; i++)
        {
            IrqTable.Handle(Pin(gsi).Vector);
            _ = PhysicalIrqs.End(_bench.Dom0, gsi);
        }
    }

    [Fact]
    public void A_level_that_nobody_deasserts_is_held_back_although_it_is_ended_each_time()
    {
        BindPin(_bench.Dom0, 17);

        Storm(17);

        Assert.True(Pin(17).IsMasked);
        Assert.Contains("irq 17 storms: 4097 in ", _bench.Machine.Console, StringComparison.Ordinal);
        _ = PhysicalIrqs.End(_bench.Dom0, 17);
        Assert.True(Pin(17).IsMasked);
        IrqThrottle.Tick();
        Assert.False(Pin(17).IsMasked);
    }

    [Fact]
    public void A_storming_level_that_is_in_flight_is_unmasked_by_its_end_and_not_before()
    {
        BindPin(_bench.Dom0, 17);
        for (uint i = 0; i < IrqThrottle.Limit; i++)
        {
            IrqTable.Handle(Pin(17).Vector);
            _ = PhysicalIrqs.End(_bench.Dom0, 17);
        }

        IrqTable.Handle(Pin(17).Vector);
        IrqThrottle.Tick();
        Assert.True(Pin(17).IsMasked);
        _ = PhysicalIrqs.End(_bench.Dom0, 17);
        Assert.False(Pin(17).IsMasked);
    }

    [Fact]
    public void What_the_hypervisor_serves_is_held_back_too()
    {
        Assert.True(IrqTable.TryBindInternal(4, InternalIrq.Console, 0));

        for (uint i = 0; i <= IrqThrottle.Limit; i++)
        {
            IrqTable.Handle(Pin(4).Vector);
        }

        Assert.True(Pin(4).IsMasked);
        IrqThrottle.Tick();
        Assert.False(Pin(4).IsMasked);
    }

    [Fact]
    public void The_log_tells_of_the_first_second_fourth_time()
    {
        BindPin(_bench.Dom0, 4);
        for (int round = 0; round < 5; round++)
        {
            Storm(4);
            IrqThrottle.Tick();
        }

        int lines = _bench.Machine.Console.Split("irq 4 storms").Length - 1;
        Assert.Equal(3, lines);
    }

    [Fact]
    public void A_message_without_a_mask_is_switched_off_and_on_again()
    {
        _bench.Space[InterruptBench.MsiAt + 2] = 0x81; // enabled, 64-bit addresses
        _bench.Space[InterruptBench.MsiAt + 3] = 0; // no mask bits
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapMessage(_bench.Dom0, InterruptBench.Device, false, 0, 0, out uint pirq));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Bind(_bench.Dom0, pirq, false));
        int vector = _bench.Space[InterruptBench.MsiAt + 12];

        for (uint i = 0; i <= IrqThrottle.Limit; i++)
        {
            IrqTable.Handle(vector);
        }

        Assert.Equal(0, _bench.Space[InterruptBench.MsiAt + 2] & 1);
        IrqThrottle.Tick();
        Assert.Equal(1, _bench.Space[InterruptBench.MsiAt + 2] & 1);
    }

    [Fact]
    public void A_message_with_a_mask_is_masked()
    {
        Assert.Equal(
            Errno.Ok,
            PhysicalIrqs.MapMessage(_bench.Dom0, InterruptBench.Device, true, 2, 0, out uint pirq));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Bind(_bench.Dom0, pirq, false));
        Assert.Equal(0u, _bench.TableEntry(2)[3] & 1);

        for (uint i = 0; i <= IrqThrottle.Limit; i++)
        {
            IrqTable.Handle((int)_bench.TableEntry(2)[2]);
        }

        Assert.Equal(1u, _bench.TableEntry(2)[3] & 1);
        IrqThrottle.Tick();
        Assert.Equal(0u, _bench.TableEntry(2)[3] & 1);
    }

    [Fact]
    public void A_domain_that_never_ends_a_shared_line_loses_its_say_after_a_while()
    {
        BindPin(_bench.Dom0, 18, share: true);
        BindPin(_bench.Guest, 18, share: true);
        IrqTable.Handle(Pin(18).Vector);
        _ = PhysicalIrqs.End(_bench.Dom0, 18);

        _bench.Machine.AdvanceTsc(IrqThrottle.Patience - 1_000_000);
        IrqThrottle.Tick();
        Assert.True(Pin(18).IsMasked);
        _bench.Machine.AdvanceTsc(2_000_000);
        IrqThrottle.Tick();
        Assert.False(Pin(18).IsMasked);
        Assert.Contains("irq 18: domain 3 does not end it", _bench.Machine.Console, StringComparison.Ordinal);
    }

    [Fact]
    public void A_domain_alone_on_its_line_may_take_its_time()
    {
        BindPin(_bench.Dom0, 18, share: true);
        IrqTable.Handle(Pin(18).Vector);

        _bench.Machine.AdvanceTsc(IrqThrottle.Patience * 4);
        IrqThrottle.Tick();

        Assert.True(Pin(18).IsMasked);
    }

    [Fact]
    public void Spurious_and_stray_vectors_are_counted()
    {
        IrqTable.CountSpurious();
        IrqTable.Handle(0x99);

        Assert.Equal((1UL, 1UL), (IrqTable.Spurious, IrqTable.Strays));
    }
}
