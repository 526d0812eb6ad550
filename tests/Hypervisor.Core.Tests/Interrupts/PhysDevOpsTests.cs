// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Pci;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Interrupts;

[Collection("Interrupt table")]
public sealed unsafe class PhysDevOpsTests : IDisposable
{
    private const int Self = 0x7FF0;
    private readonly InterruptBench _bench = new();

    public void Dispose() => _bench.Dispose();

    private static PhysDevMapPirq Request(MapPirqType type, int entry = 0, ulong table = 0) => new()
    {
        Domid = new DomId(Self),
        Type = (int)type,
        Index = -1,
        Pirq = -1,
        DevFn = 3,
        EntryNr = entry,
        TableBase = table,
    };

    private long Map(PhysDevMapPirq request, out int pirq)
    {
        _bench.Put(request);
        long result = _bench.Call(PhysDevCommand.MapPirq);
        pirq = _bench.Get<PhysDevMapPirq>().Pirq;
        return result;
    }

    private uint Config32(int register) => BitConverter.ToUInt32(_bench.Space, register);

    [Fact]
    public void A_GSI_is_set_up_mapped_queried_and_unmapped()
    {
        _bench.Put(new PhysDevSetupGsi { Gsi = 16, Triggering = 1, Polarity = 0 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.SetupGsi));
        Assert.Equal(-(long)Errno.Exist, _bench.Call(PhysDevCommand.SetupGsi));

        PhysDevMapPirq request = Request(MapPirqType.Gsi);
        request.Index = 16;
        Assert.Equal(0, Map(request, out int pirq));
        Assert.Equal(16, pirq);
        Assert.Equal(Errno.Ok, PhysicalIrqs.Bind(_bench.Dom0, 16, false));
        Assert.True(_bench.Controllers.Pins[16].IsLevel && !_bench.Controllers.Pins[16].IsActiveLow);

        _bench.Put(new PhysDevIrqStatusQuery { Irq = 16, Flags = 77 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.IrqStatusQuery));
        Assert.Equal(IrqStatusFlags.NeedsEoi, _bench.Get<PhysDevIrqStatusQuery>().Flags);

        IrqTable.Handle(_bench.Controllers.Pins[16].Vector);
        _bench.Put(new PhysDevEoi { Irq = 16 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.Eoi));
        Assert.False(_bench.Controllers.Pins[16].IsMasked);

        _bench.Put(new PhysDevUnmapPirq { Domid = new DomId(Self), Pirq = 16 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.UnmapPirq));
        Assert.Equal(-(long)Errno.Inval, _bench.Call(PhysDevCommand.UnmapPirq));
        Assert.True(_bench.Controllers.Pins[16].IsMasked);
    }

    [Theory]
    [InlineData(16, 17)]
    [InlineData(-1, -1)]
    [InlineData(24, 24)]
    [InlineData(int.MinValue, -1)]
    [InlineData(300, -1)]
    public void A_GSI_that_is_none_or_wants_another_number_is_refused(int index, int pirq)
    {
        PhysDevMapPirq request = Request(MapPirqType.Gsi);
        request.Index = index;
        request.Pirq = pirq;

        Assert.Equal(-(long)Errno.Inval, Map(request, out _));
    }

    [Fact]
    public void MSI_is_written_by_the_hypervisor_and_protected()
    {
        Assert.Equal(0, Map(Request(MapPirqType.MsiSeg), out int pirq));

        Assert.True(pirq >= 256);
        Assert.Equal(0xFEE00000u, Config32(InterruptBench.MsiAt + 4));
        Assert.Equal(0u, Config32(InterruptBench.MsiAt + 8));
        int vector = _bench.Space[InterruptBench.MsiAt + 12];
        Assert.InRange(vector, 0x20, 0xEF);
        Assert.Equal(1u, Config32(InterruptBench.MsiAt + 16));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Bind(_bench.Dom0, (uint)pirq, false));
        Assert.Equal(0u, Config32(InterruptBench.MsiAt + 16));

        uint latch = 0x8000_0000 | InterruptBench.DeviceLatch;
        PciConfig.WriteLatched(latch | InterruptBench.MsiAt + 4, 0, 4, 0xFEE01000);
        PciConfig.WriteLatched(latch | InterruptBench.MsiAt + 12, 0, 1, 0x30);
        PciConfig.WriteLatched(latch | InterruptBench.MsiAt + 16, 3, 1, 0xFF);
        Assert.Equal(0xFEE00000u, Config32(InterruptBench.MsiAt + 4));
        Assert.Equal(vector, _bench.Space[InterruptBench.MsiAt + 12]);
        Assert.Equal(0u, Config32(InterruptBench.MsiAt + 16));
        PciConfig.WriteLatched(latch | InterruptBench.MsiAt, 2, 2, 0x181);
        Assert.Equal(0x81, _bench.Space[InterruptBench.MsiAt + 2]);

        IrqTable.Handle(vector);
        Assert.Equal(0UL, IrqTable.Strays);
        Assert.Equal(-(long)Errno.Busy, Map(Request(MapPirqType.Msi), out _));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Unmap(_bench.Dom0, (uint)pirq));
        Assert.Equal(1u, Config32(InterruptBench.MsiAt + 16));
        PciConfig.WriteLatched(latch | InterruptBench.MsiAt + 4, 0, 4, 0x1234);
        Assert.Equal(0x1234u, Config32(InterruptBench.MsiAt + 4));
    }

    [Fact]
    public void MSI_X_is_written_into_the_table_and_restored_after_a_reset()
    {
        Assert.Equal(0, Map(Request(MapPirqType.MsiSeg, 2, InterruptBench.Table), out int pirq));

        uint* entry = _bench.TableEntry(2);
        Assert.Equal(0xFEE00000u, entry[0]);
        Assert.InRange(entry[2], 0x20u, 0xEFu);
        Assert.Equal(1u, entry[3]);
        Assert.Equal(Errno.Ok, PhysicalIrqs.Bind(_bench.Dom0, (uint)pirq, true));
        Assert.Equal(0u, entry[3]);

        uint data = entry[2];
        entry[0] = entry[1] = entry[2] = entry[3] = 0xFFFF_FFFF;
        _bench.Put(new PhysDevPciDevice { DevFn = 3 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.RestoreMsiExt));
        Assert.Equal(0xFEE00000u, entry[0]);
        Assert.Equal(0u, entry[1]);
        Assert.Equal(data, entry[2]);
        Assert.Equal(0xFFFF_FFFEu, entry[3]);
        Assert.Equal(-(long)Errno.Busy, _bench.Call(PhysDevCommand.ReleaseMsix));

        Assert.Equal(0, _bench.Call(PhysDevCommand.PciDeviceRemove));
        Assert.Equal(0xFFFF_FFFFu, entry[3]);
        Assert.Equal(0, _bench.Call(PhysDevCommand.ReleaseMsix));
        Assert.Equal(-(long)Errno.Srch, _bench.Call(PhysDevCommand.RestoreMsiExt));
        Assert.False(PhysicalIrqs.IsMapped(_bench.Dom0, (uint)pirq));
    }

    [Fact]
    public void Messages_that_cannot_be_are_refused()
    {
        Assert.Equal(-(long)Errno.Inval, Map(Request(MapPirqType.MsiSeg, 4, InterruptBench.Table), out _));
        Assert.Equal(-(long)Errno.Inval, Map(Request(MapPirqType.MsiSeg, -1, InterruptBench.Table), out _));
        Assert.Equal(-(long)Errno.OpNotSupp, Map(Request(MapPirqType.MultiMsi, 2), out _));
        Assert.Equal(-(long)Errno.Inval, Map(Request((MapPirqType)9), out _));

        PhysDevMapPirq other = Request(MapPirqType.MsiSeg);
        other.DevFn = 4;
        Assert.Equal(-(long)Errno.NoDev, Map(other, out _));
        other = Request(MapPirqType.MsiSeg);
        other.Bus = 1 << 16;
        Assert.Equal(-(long)Errno.NoDev, Map(other, out _));
        other = Request(MapPirqType.MsiSeg);
        other.Pirq = 300;
        Assert.Equal(-(long)Errno.Inval, Map(other, out _));

        _bench.Space[4] = 0;
        Assert.Equal(-(long)Errno.NxIo, Map(Request(MapPirqType.MsiSeg, 1, InterruptBench.Table), out _));
        _bench.Space[4] = 2;
        _bench.Space[0x34] = 0x44;
        _bench.Space[0x44] = 1;
        _bench.Space[0x45] = 0x44;
        Assert.Equal(-(long)Errno.NoDev, Map(Request(MapPirqType.Msi), out _));
    }

    [Fact]
    public void A_single_message_of_a_block_is_granted()
    {
        Assert.Equal(0, Map(Request(MapPirqType.MultiMsi, 1), out int pirq));
        Assert.Equal(1, _bench.Get<PhysDevMapPirq>().EntryNr);
        Assert.True(PhysicalIrqs.IsMapped(_bench.Dom0, (uint)pirq));
    }

    [Fact]
    public void A_domain_gets_what_Domain_0_maps_for_it()
    {
        PhysDevMapPirq request = Request(MapPirqType.Gsi);
        request.Index = 20;
        request.Domid = new DomId(3);
        Assert.Equal(0, Map(request, out _));
        Assert.True(PhysicalIrqs.IsMapped(_bench.Guest, 20));
        Assert.False(PhysicalIrqs.IsMapped(_bench.Dom0, 20));

        request.Domid = new DomId(99);
        Assert.Equal(-(long)Errno.Srch, Map(request, out _));
    }

    [Fact]
    public void Whoever_is_not_privileged_gets_nowhere()
    {
        _bench.Vcpu->Domain = _bench.Guest;
        foreach (PhysDevCommand command in Enum.GetValues<PhysDevCommand>())
        {
            long expected = command switch
            {
                PhysDevCommand.SetIopl or PhysDevCommand.SetIoBitmap or PhysDevCommand.IrqStatusQuery => 0,
                PhysDevCommand.Eoi => -(long)Errno.Inval,
                PhysDevCommand.PirqEoiGmfnV1 or PhysDevCommand.PirqEoiGmfnV2 or PhysDevCommand.GetFreePirq =>
                    -(long)Errno.NoSys,
                _ => -(long)Errno.Perm,
            };
            Assert.Equal(expected, _bench.Call(command));
        }
    }

    [Fact]
    public void Every_argument_that_cannot_be_read_is_a_fault()
    {
        foreach (PhysDevCommand command in Enum.GetValues<PhysDevCommand>())
        {
            long result = _bench.Call(command, InterruptBench.Unmapped);
            long expected = command switch
            {
                PhysDevCommand.PirqEoiGmfnV1 or PhysDevCommand.PirqEoiGmfnV2 or PhysDevCommand.GetFreePirq =>
                    -(long)Errno.NoSys,
                PhysDevCommand.FreeIrqVector => 0,
                _ => -(long)Errno.Fault,
            };
            Assert.Equal(expected, result);
        }
    }

    [Fact]
    public void Port_privileges_belong_to_the_vCPU()
    {
        _bench.Put(new PhysDevSetIopl { Iopl = 3 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.SetIopl));
        Assert.Equal(3, _bench.Vcpu->IoPrivilegeLevel);
        _bench.Put(new PhysDevSetIopl { Iopl = 4 });
        Assert.Equal(-(long)Errno.Inval, _bench.Call(PhysDevCommand.SetIopl));

        _bench.Put(new PhysDevSetIoBitmap { Bitmap = 0x5000, NrPorts = 65536 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.SetIoBitmap));
        Assert.Equal(0x5000UL, _bench.Vcpu->IoBitmap);
        _bench.Put(new PhysDevSetIoBitmap { Bitmap = 0x5000, NrPorts = 65537 });
        Assert.Equal(-(long)Errno.Inval, _bench.Call(PhysDevCommand.SetIoBitmap));
        _bench.Put(new PhysDevSetIoBitmap { Bitmap = MemoryLayout.HypervisorStart - 1, NrPorts = 8 });
        Assert.Equal(-(long)Errno.Inval, _bench.Call(PhysDevCommand.SetIoBitmap));
    }

    [Fact]
    public void Registers_of_the_IO_APIC_are_shown_and_not_given()
    {
        _bench.Put(new PhysDevApic { ApicPhysbase = 0xFEC00000, Reg = 1 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.ApicRead));
        Assert.Equal(0x170011u, _bench.Get<PhysDevApic>().Value);
        Assert.Equal(-(long)Errno.Perm, _bench.Call(PhysDevCommand.ApicWrite));
        _bench.Put(new PhysDevApic { ApicPhysbase = 0xFEE00000, Reg = 1 });
        Assert.Equal(-(long)Errno.Inval, _bench.Call(PhysDevCommand.ApicRead));
    }

    [Fact]
    public void PCI_functions_are_looked_at_before_they_are_taken_note_of()
    {
        _bench.Put(new PhysDevPciDeviceAdd { DevFn = 3 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.PciDeviceAdd));
        Assert.Equal(0, _bench.Call(PhysDevCommand.PrepareMsix));
        _bench.Put(new PhysDevPciDeviceAdd { DevFn = 5 });
        Assert.Equal(-(long)Errno.NoDev, _bench.Call(PhysDevCommand.PciDeviceAdd));
        Assert.Equal(-(long)Errno.NoDev, _bench.Call(PhysDevCommand.PrepareMsix));
    }
}
