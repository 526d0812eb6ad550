// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Diagnostics;
using Hypervisor.Core.Interrupts;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Interrupts;

[Collection("Interrupt table")]
public sealed unsafe class IrqTableTests : IDisposable
{
    private readonly InterruptBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private FakePin Pin(uint gsi) => _bench.Controllers.Pins[gsi];

    private void BindPin(Domain* domain, uint gsi, bool share = false)
    {
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapPin(domain, gsi));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Bind(domain, gsi, share));
    }

    [Fact]
    public void Binding_programs_and_unmasks_the_pin_and_closing_masks_it()
    {
        BindPin(_bench.Dom0, 17);

        Assert.InRange(Pin(17).Vector, 0x20, 0xEF);
        Assert.True(Pin(17).IsLevel && Pin(17).IsActiveLow && !Pin(17).IsMasked);
        PhysicalIrqs.Unbind(_bench.Dom0, 17);
        Assert.True(Pin(17).IsMasked);
    }

    [Fact]
    public void ISA_pins_signal_by_edges_unless_an_override_says_otherwise()
    {
        BindPin(_bench.Dom0, 4);
        Assert.False(Pin(4).IsLevel || Pin(4).IsActiveLow);

        AcpiInformation* acpi = stackalloc AcpiInformation[1];
        *acpi = default;
        IrqTable.ApplyOverrides(acpi);
        Assert.Equal(Errno.Ok, PhysicalIrqs.SetMode(9, isLevel: true, isActiveLow: false));
        BindPin(_bench.Dom0, 9);
        Assert.True(Pin(9).IsLevel && !Pin(9).IsActiveLow);
    }

    [Fact]
    public void Overrides_that_make_no_sense_change_nothing_and_sound_ones_beside_them_count()
    {
        using Acpi.AcpiFirmware firmware = new();
        firmware.WriteMadt(
            [0, 8, 0, 0, 1, 0, 0, 0],
            [1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0],
            [1, 12, 5, 0, 0, 0x10, 0xC0, 0xFE, 24, 0, 0, 0], // a second controller
            [2, 10, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0], // a pin beyond all controllers
            [2, 10, 0, 200, 5, 0, 0, 0, 0x0F, 0], // no ISA interrupt
            [2, 10, 7, 6, 6, 0, 0, 0, 0x0F, 0], // no ISA bus
            [2, 10, 0, 7, 7, 0, 0, 0, 0x0A, 0], // reserved ways to signal
            [2, 10, 0, 9, 9, 0, 0, 0, 0x0D, 0],
            [2, 10, 0, 9, 10, 0, 0, 0, 0x0F, 0]); // stated twice: the first counts
        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(2, firmware.Information->IoApicCount);
        Assert.Equal(24u, firmware.Information->IoApic(1).GsiBase);

        IrqTable.ApplyOverrides(firmware.Information);

        foreach (uint gsi in (uint[])[3, 5, 6, 7, 10])
        {
            BindPin(_bench.Dom0, gsi);
            Assert.False(Pin(gsi).IsLevel || Pin(gsi).IsActiveLow);
        }

        BindPin(_bench.Dom0, 9);
        Assert.True(Pin(9).IsLevel && !Pin(9).IsActiveLow);
    }

    [Fact]
    public void A_level_pin_stays_masked_until_its_domain_ends_the_interrupt()
    {
        BindPin(_bench.Dom0, 17);

        IrqTable.Handle(Pin(17).Vector);

        Assert.True(Pin(17).IsMasked);
        Assert.Equal(1, _bench.Controllers.EndOfInterrupts);
        Assert.Equal(Errno.Ok, PhysicalIrqs.End(_bench.Dom0, 17));
        Assert.False(Pin(17).IsMasked);
        IrqTable.Handle(Pin(17).Vector);
        PhysicalIrqs.OnUnmask(_bench.Dom0, 17);
        Assert.False(Pin(17).IsMasked);
    }

    [Fact]
    public void An_edge_pin_is_never_masked_for_delivery()
    {
        BindPin(_bench.Dom0, 4);

        IrqTable.Handle(Pin(4).Vector);
        IrqTable.Handle(Pin(4).Vector);

        Assert.False(Pin(4).IsMasked);
        Assert.Equal(2, _bench.Controllers.EndOfInterrupts);
    }

    [Fact]
    public void A_shared_line_waits_for_every_domain()
    {
        BindPin(_bench.Dom0, 18, share: true);
        BindPin(_bench.Guest, 18, share: true);

        IrqTable.Handle(Pin(18).Vector);
        _ = PhysicalIrqs.End(_bench.Dom0, 18);
        _ = PhysicalIrqs.End(_bench.Dom0, 18);
        Assert.True(Pin(18).IsMasked);
        _ = PhysicalIrqs.End(_bench.Guest, 18);
        Assert.False(Pin(18).IsMasked);
    }

    [Fact]
    public void A_domain_that_goes_no_longer_holds_the_line()
    {
        BindPin(_bench.Dom0, 18, share: true);
        BindPin(_bench.Guest, 18, share: true);
        IrqTable.Handle(Pin(18).Vector);
        _ = PhysicalIrqs.End(_bench.Dom0, 18);

        PhysicalIrqs.ReleaseAll(_bench.Guest);

        Assert.False(Pin(18).IsMasked);
        Assert.Equal(Errno.Inval, PhysicalIrqs.End(_bench.Guest, 18));
    }

    [Fact]
    public void Sharing_needs_the_consent_of_both()
    {
        BindPin(_bench.Dom0, 19, share: false);
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapPin(_bench.Guest, 19));

        Assert.Equal(Errno.Busy, PhysicalIrqs.Bind(_bench.Guest, 19, true));
        Assert.Equal(Errno.Busy, PhysicalIrqs.Bind(_bench.Dom0, 19, true));
    }

    [Fact]
    public void Without_the_right_nothing_can_be_bound_ended_or_unmapped()
    {
        Assert.Equal(Errno.Inval, PhysicalIrqs.Bind(_bench.Guest, 17, true));
        Assert.Equal(Errno.Inval, PhysicalIrqs.End(_bench.Guest, 17));
        Assert.Equal(Errno.Inval, PhysicalIrqs.Unmap(_bench.Guest, 17));
        Assert.Equal(Errno.Inval, PhysicalIrqs.MapPin(_bench.Guest, 24));
        Assert.Equal(Errno.Inval, PhysicalIrqs.MapPin(_bench.Guest, 300));
        Assert.Equal(Errno.Inval, PhysicalIrqs.Bind(_bench.Guest, uint.MaxValue, true));
        PhysicalIrqs.Unbind(_bench.Guest, uint.MaxValue);
        PhysicalIrqs.OnUnmask(_bench.Guest, 511);
    }

    [Fact]
    public void Vectors_differ_leave_out_the_gates_of_guests_and_come_back()
    {
        bool[] used = new bool[256];
        for (uint gsi = 0; gsi < FakeInterrupts.GsiCount; gsi++)
        {
            BindPin(_bench.Dom0, gsi);
            Assert.False(used[Pin(gsi).Vector]);
            used[Pin(gsi).Vector] = true;
        }

        int count = (int)FakeInterrupts.GsiCount;
        while (true)
        {
            IrqDescriptor* irq = IrqTable.TakeMessage(IrqKind.Msi);
            if (irq == null)
            {
                break;
            }

            Assert.False(used[irq->Vector]);
            used[irq->Vector] = true;
            count++;
        }

        Assert.Equal(0xF0 - 0x20 - 2, count);
        Assert.False(used[0x80] || used[0x82]);
        int vector = Pin(5).Vector;
        Assert.Equal(Errno.Ok, PhysicalIrqs.Unmap(_bench.Dom0, 5));
        Assert.Equal(vector, IrqTable.TakeMessage(IrqKind.Msi)->Vector);
    }

    [Fact]
    public void A_stray_interrupt_is_counted_and_acknowledged()
    {
        IrqTable.Handle(0x77);

        Assert.Equal(1UL, IrqTable.Strays);
        Assert.Equal(1, _bench.Controllers.EndOfInterrupts);
    }

    [Fact]
    public void A_storm_is_held_back_until_the_next_tick()
    {
        BindPin(_bench.Dom0, 4);
        for (int i = 0; i < 4097; i++)
        {
            IrqTable.Handle(Pin(4).Vector);
        }

        Assert.True(Pin(4).IsMasked);
        Assert.Contains("storms", _bench.Machine.Console, StringComparison.Ordinal);
        IrqThrottle.Tick();
        Assert.False(Pin(4).IsMasked);
    }

    [Fact]
    public void Many_interrupts_over_time_are_no_storm()
    {
        BindPin(_bench.Dom0, 4);
        for (int i = 0; i < 20000; i++)
        {
            IrqTable.Handle(Pin(4).Vector);
            _bench.Machine.AdvanceTsc(10_000);
        }

        Assert.False(Pin(4).IsMasked);
    }

    [Fact]
    public void What_the_hypervisor_serves_no_domain_gets()
    {
        Assert.True(IrqTable.TryBindInternal(4, InternalIrq.Console, 0));

        IrqTable.Handle(Pin(4).Vector);

        Assert.Equal(1, _bench.Controllers.ConsoleInterrupts);
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapPin(_bench.Dom0, 4)); // Linux maps all legacy pins, in use or not
        Assert.Equal(Errno.Busy, PhysicalIrqs.Bind(_bench.Dom0, 4, share: true));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Unmap(_bench.Dom0, 4));
        IrqTable.Handle(Pin(4).Vector);
        Assert.Equal(2, _bench.Controllers.ConsoleInterrupts);
        BindPin(_bench.Dom0, 3);
        Assert.False(IrqTable.TryBindInternal(3, InternalIrq.Console, 0));
    }

    [Fact]
    public void An_interrupt_follows_the_vCPU_that_serves_it()
    {
        FakeMachine machine = FakeMachine.Reset(cpus: 2);
        machine.CpuOf(1).Info->LocalApicId = 6;
        BindPin(_bench.Dom0, 17);

        PhysicalIrqs.SetCpu(_bench.Dom0, 17, 1);

        Assert.Equal(6u, Pin(17).Destination);
        Assert.False(Pin(17).IsMasked);
    }

    [Fact]
    public void The_dump_names_every_interrupt()
    {
        BindPin(_bench.Dom0, 17);
        IrqTable.Handle(Pin(17).Vector);

        InterruptDump.Print();

        Assert.Contains("irq 17 vector ", _bench.Machine.Console, StringComparison.Ordinal);
        Assert.Contains(" level CPU 0 count 1 d0 in flight", _bench.Machine.Console, StringComparison.Ordinal);
    }
}
