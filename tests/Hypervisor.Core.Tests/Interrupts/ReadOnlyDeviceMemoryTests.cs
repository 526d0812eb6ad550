// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Pci;
using Hypervisor.Core.Traps;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Interrupts;

[Collection("Interrupt table")]
public sealed unsafe class ReadOnlyDeviceMemoryTests : IDisposable
{
    private const ulong ConfigSpace = 0x100000;
    private const ulong Root = 0x300000;
    private const ulong Window = 0x40_0000_0000;

    private readonly InterruptBench _bench = new();
    private readonly AcpiInformation* _acpi;

    public ReadOnlyDeviceMemoryTests()
    {
        _bench.Dom0->HasHardwareAccess = true;
        _acpi = (AcpiInformation*)System.Runtime.InteropServices.NativeMemory.AllocZeroed((nuint)sizeof(AcpiInformation));
        _ = _acpi->TryAdd(new AcpiConfigSpace { Address = ConfigSpace, FirstBus = 0, LastBus = 0 });
    }

    public void Dispose()
    {
        AcpiTables.Current = null;
        System.Runtime.InteropServices.NativeMemory.Free(_acpi);
        _bench.Dispose();
    }

    private static ulong Entry(ulong physical) => physical | Pte.Present | Pte.Writable | Pte.CacheDisable;

    [Fact]
    public void A_function_that_is_announced_has_its_table_kept_from_writes()
    {
        Assert.False(ReadOnlyDeviceMemory.HasPage(Mfn.OfAddress(InterruptBench.Table)));
        _bench.Put(new PhysDevPciDeviceAdd { DevFn = 3 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.PciDeviceAdd));

        ulong entry = Entry(InterruptBench.Table);
        Assert.Equal(Errno.Ok, LeafEntries.Get(_bench.Dom0, _bench.Dom0, ref entry));
        Assert.Equal(0UL, entry & Pte.Writable);
        ulong other = Entry(InterruptBench.Table + 0x1000);
        Assert.Equal(Errno.Ok, LeafEntries.Get(_bench.Dom0, _bench.Dom0, ref other));
        Assert.NotEqual(0UL, other & Pte.Writable);

        _bench.Put(new PhysDevPciDevice { DevFn = 3 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.PciDeviceRemove));
        Assert.False(ReadOnlyDeviceMemory.HasPage(Mfn.OfAddress(InterruptBench.Table)));
    }

    [Fact]
    public void Preparing_keeps_the_table_and_releasing_gives_it_back_unless_it_is_in_use()
    {
        _bench.Put(new PhysDevPciDevice { DevFn = 3 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.PrepareMsix));
        Assert.True(ReadOnlyDeviceMemory.HasPage(Mfn.OfAddress(InterruptBench.Table)));
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapMessage(_bench.Dom0, InterruptBench.Device, true, 0, 0, out uint pirq));
        Assert.Equal(-(long)Errno.Busy, _bench.Call(PhysDevCommand.ReleaseMsix));
        Assert.Equal(Errno.Ok, PhysicalIrqs.Unmap(_bench.Dom0, pirq));
        Assert.Equal(0, _bench.Call(PhysDevCommand.ReleaseMsix));
        Assert.False(ReadOnlyDeviceMemory.HasPage(Mfn.OfAddress(InterruptBench.Table)));
    }

    [Fact]
    public void A_message_in_use_is_kept_wherever_its_table_went()
    {
        BitConverter.TryWriteBytes(_bench.Space.AsSpan(0x14), 0x380000u | 4);
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapMessage(_bench.Dom0, InterruptBench.Device, true, 0, 0, out _));
        Assert.True(ReadOnlyDeviceMemory.HasPage(Mfn.OfAddress(0x380000)));
        Assert.False(ReadOnlyDeviceMemory.HasPage(Mfn.OfAddress(InterruptBench.Table)));
    }

    [Fact]
    public void The_list_of_ranges_has_an_end()
    {
        uint kept = 0;
        while (ReadOnlyDeviceMemory.Add(kept, 0x1000_0000 + (kept * 0x1000UL), 16))
        {
            kept++;
        }

        Assert.Equal(256u, kept);
        Assert.True(ReadOnlyDeviceMemory.Add(3, 0x1000_3000, 16)); // known already
        ReadOnlyDeviceMemory.Remove(7);
        Assert.False(ReadOnlyDeviceMemory.HasPage(Mfn.OfAddress(0x1000_7000)));
        Assert.True(ReadOnlyDeviceMemory.Add(999, 0x2000_0000, 16));
        Assert.False(ReadOnlyDeviceMemory.Add(1000, ulong.MaxValue - 3, 16));
        Assert.False(ReadOnlyDeviceMemory.Add(1000, 0x3000_0000, 0));
    }

    [Theory]
    [InlineData(0x800, 0)] // the table
    [InlineData(0x830, 0)]
    [InlineData(0x840, 0xAABBCCDD)] // behind its four entries
    [InlineData(0x10, 0xAABBCCDD)] // other registers in the page
    public void A_store_to_the_page_reaches_all_but_the_table(int offset, uint expected)
    {
        _bench.Put(new PhysDevPciDevice { DevFn = 3 });
        Assert.Equal(0, _bench.Call(PhysDevCommand.PrepareMsix));

        Assert.True(Store(InterruptBench.Table, offset));

        Assert.Equal(expected, *(uint*)(_bench.Machine.Memory + InterruptBench.Table + (ulong)offset));
    }

    [Theory]
    [InlineData(0x3C, true)]
    [InlineData(InterruptBench.MsiAt + 4, false)]
    [InlineData(InterruptBench.MsiAt + 12, false)]
    [InlineData(InterruptBench.MsiAt + 16, false)]
    public void A_store_to_configuration_space_in_memory_is_as_one_by_the_ports(int register, bool arrives)
    {
        Assert.True(ReadOnlyDeviceMemory.Add(ReadOnlyDeviceMemory.NoDevice, ConfigSpace, 1 << 20));
        Assert.Equal(Errno.Ok, PhysicalIrqs.MapMessage(_bench.Dom0, InterruptBench.Device, false, 0, 0, out _));
        uint before = BitConverter.ToUInt32(_bench.Space, register);
        AcpiTables.Current = _acpi;

        Assert.True(Store(ConfigSpace + 0x3000, register));

        uint after = BitConverter.ToUInt32(_bench.Space, register);
        Assert.Equal(arrives ? 0xAABBCCDD : before, after);
    }

    [Fact]
    public void A_store_beyond_what_ports_reach_goes_to_the_device()
    {
        Assert.True(ReadOnlyDeviceMemory.Add(ReadOnlyDeviceMemory.NoDevice, ConfigSpace, 1 << 20));
        AcpiTables.Current = _acpi;

        Assert.True(Store(ConfigSpace + 0x3000, 0x104));

        Assert.Equal(0xAABBCCDDu, *(uint*)(_bench.Machine.Memory + ConfigSpace + 0x3104));
    }

    [Fact]
    public void What_is_not_protected_is_the_guests_own_fault()
    {
        Assert.False(Store(InterruptBench.Table + 0x5000, 0));
    }

    /// <summary>MOV [RDI], EAX in the kernel of Domain-0, whose tables map the page read-only.</summary>
    private bool Store(ulong page, int offset)
    {
        byte* memory = _bench.Machine.Memory;
        ulong* At(ulong table) => (ulong*)(memory + table);
        const ulong Flags = Pte.Present | Pte.Writable | Pte.User;
        At(Root)[(Window >> 39) & 511] = (Root + 0x1000) | Flags;
        At(Root + 0x1000)[(Window >> 30) & 511] = (Root + 0x2000) | Flags;
        At(Root + 0x2000)[(Window >> 21) & 511] = (Root + 0x3000) | Flags;
        At(Root + 0x3000)[0] = page | Pte.Present | Pte.User;
        FakeMachine.Cpu.Msrs[Msr.FsBase] = 0;
        FakeMachine.Cpu.Msrs[Msr.GsBase] = 0;
        _bench.Vcpu->KernelRoot = Mfn.OfAddress(Root);
        CpuUserRegs frame = default;
        frame.Rip = InterruptBench.Argument;
        frame.Rax = 0xAABBCCDD;
        frame.Rdi = Window + (ulong)offset;
        memory[frame.Rip] = 0x89;
        memory[frame.Rip + 1] = 0x07;
        bool done = DeviceWrite.TryEmulate(_bench.Vcpu, &frame, frame.Rdi);
        Assert.Equal(InterruptBench.Argument + (done ? 2u : 0u), frame.Rip);
        return done;
    }
}
