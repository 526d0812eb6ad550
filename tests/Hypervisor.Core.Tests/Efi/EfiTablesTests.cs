// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Efi;
using Hypervisor.Core.Tests.Boot;
using Xunit;

namespace Hypervisor.Core.Tests.Efi;

public sealed unsafe class EfiTablesTests
{
    private const uint ConventionalType = 7;
    private const uint RuntimeDataType = 6;
    private const ulong Runtime = 1UL << 63;

    [Fact]
    public void What_Domain_0_may_ask_for_is_copied()
    {
        using EfiMemory memory = new();
        _ = memory.AddDescriptor(ConventionalType, 0x8000, 4, 0x1F);

        Assert.Equal(EfiError.Ok, memory.Read());

        EfiFirmware* firmware = memory.Firmware;
        Assert.Equal((2u << 16) | 70, firmware->Revision);
        Assert.Equal((2u << 16) | 80, firmware->RuntimeRevision);
        Assert.Equal(0x10000u, firmware->FirmwareRevision);
        Assert.Equal(((ulong)EfiMemory.ConfigurationAt, 2u), (firmware->Configuration, firmware->ConfigurationEntries));
        Assert.Equal(4, firmware->VendorLength);
        Assert.Equal('E', (char)firmware->Vendor[3]);
        Assert.True(firmware->TryFind(0xBFFF, out EfiMemoryRange range));
        Assert.Equal((0x8000UL, 0xC000UL, 7UL, 0x1FUL), (range.Start, range.End, range.Type, range.Attributes));
        Assert.False(firmware->TryFind(0xC000, out _));
    }

    [Fact]
    public void The_firmwares_memory_is_no_RAM_any_more()
    {
        using EfiMemory memory = new();
        _ = memory.AddDescriptor(ConventionalType, 0x6000, 1);
        _ = memory.AddDescriptor(RuntimeDataType, 0x8000, 2, Runtime);
        _ = memory.AddDescriptor(ConventionalType, 0xA000, 1, Runtime);

        Assert.Equal(EfiError.Ok, memory.Read());

        MemoryMap* map = &memory.Information->MemoryMap;
        Assert.Equal(BootError.Ok, map->Normalise());
        Assert.True(map->IsAll(0x6000, 0x8000, MemoryType.Ram));
        Assert.True(map->IsAll(0x8000, 0xB000, MemoryType.Reserved));
        Assert.False(map->IsAll(EfiMemory.SystemTableAt, EfiMemory.SystemTableAt + 1, MemoryType.Ram));
        Assert.False(map->IsAll(EfiMemory.ConfigurationAt, EfiMemory.ConfigurationAt + 1, MemoryType.Ram));
        Assert.False(map->IsAll(EfiMemory.VendorAt, EfiMemory.VendorAt + 1, MemoryType.Ram));
    }

    [Fact]
    public void The_root_pointer_is_found_where_the_loader_passed_none()
    {
        using EfiMemory memory = new();

        Assert.Equal(EfiError.Ok, memory.Read());

        Assert.Equal(36, memory.Information->RsdpLength);
        Assert.Equal((byte)'R', memory.Information->Rsdp[0]);
    }

    [Fact]
    public void A_root_pointer_of_the_loader_is_kept()
    {
        using EfiMemory memory = new();
        memory.Information->RsdpLength = 20;

        Assert.Equal(EfiError.Ok, memory.Read());

        Assert.Equal(20, memory.Information->RsdpLength);
    }

    [Fact]
    public void The_newer_root_pointer_wins_in_either_order()
    {
        Guid old = new("eb9d2d30-2d88-11d3-9a16-0090273fc14d");
        foreach (ulong address in new ulong[] { 0x5100, BootMemory.Size - 4 })
        {
            using EfiMemory memory = new();
            memory.WriteConfiguration(0, old, address);
            Assert.Equal(EfiError.Ok, memory.Read());
            Assert.Equal(36, memory.Information->RsdpLength);
        }
    }

    [Fact]
    public void A_machine_without_EFI_is_told_from_one_that_is_broken()
    {
        using EfiMemory memory = new();
        memory.Information->EfiSystemTable64 = 0;
        Assert.Equal(EfiError.NoSystemTable, memory.Read());
    }

    [Theory]
    [InlineData(BootMemory.Size - 119UL)]
    [InlineData(0xFFFF_FFFF_FFFF_FFF0UL)]
    public void A_system_table_out_of_reach_is_refused(ulong address)
    {
        using EfiMemory memory = new();
        memory.Information->EfiSystemTable64 = address;
        Assert.Equal(EfiError.SystemTableOutOfReach, memory.Read());
    }

    [Theory]
    [InlineData(0, 0u)]
    [InlineData(12, 119u)]
    public void What_is_no_system_table_is_refused(int at, uint value)
    {
        using EfiMemory memory = new();
        memory.Bytes.Write32(EfiMemory.SystemTableAt + at, value);
        Assert.Equal(EfiError.NotASystemTable, memory.Read());
    }

    [Theory]
    [InlineData(0x1_0000_0002UL, (ulong)EfiMemory.ConfigurationAt)]
    [InlineData(1025UL, (ulong)EfiMemory.ConfigurationAt)]
    [InlineData(2UL, BootMemory.Size - 47UL)]
    [InlineData(2UL, 0xFFFF_FFFF_FFFF_FFFFUL)]
    public void A_configuration_table_out_of_reach_is_refused(ulong count, ulong address)
    {
        using EfiMemory memory = new();
        memory.Bytes.Write64(EfiMemory.SystemTableAt + 104, count);
        memory.Bytes.Write64(EfiMemory.SystemTableAt + 112, address);
        Assert.Equal(EfiError.ConfigurationOutOfReach, memory.Read());
    }

    [Theory]
    [InlineData(39u)]
    [InlineData(44u)]
    [InlineData(0u)]
    [InlineData(8192u)]
    public void Descriptors_of_impossible_size_are_refused(uint size)
    {
        using EfiMemory memory = new();
        memory.Information->EfiDescriptorSize = size;
        Assert.Equal(EfiError.MemoryMapWrong, memory.Read());
    }

    [Theory]
    [InlineData(0x1001UL, 1UL)]
    [InlineData(0x1000UL, 0x10_0000_0000_0000UL)]
    [InlineData(0xFFFF_FFFF_FFFF_F000UL, 2UL)]
    public void A_descriptor_that_is_not_whole_pages_or_wraps_is_refused(ulong start, ulong pages)
    {
        using EfiMemory memory = new();
        _ = memory.AddDescriptor(ConventionalType, start, pages);
        Assert.Equal(EfiError.MemoryMapWrong, memory.Read());
    }

    [Fact]
    public void A_map_out_of_reach_is_refused()
    {
        using EfiMemory memory = new();
        memory.Information->EfiMapAddress = BootMemory.Size - 8;
        memory.Information->EfiMapLength = 48;
        Assert.Equal(EfiError.MemoryMapOutOfReach, memory.Read());
    }

    [Fact]
    public void Descriptors_beyond_the_room_are_counted()
    {
        using EfiMemory memory = new();
        for (uint index = 0; index < EfiFirmware.MaxRanges + 3; index++)
        {
            _ = memory.AddDescriptor(ConventionalType, (ulong)index << 20, 1);
        }

        Assert.Equal(EfiError.Ok, memory.Read());
        Assert.Equal((EfiFirmware.MaxRanges, 3u), (memory.Firmware->RangeCount, memory.Firmware->LostRanges));
    }

    [Fact]
    public void A_vendor_or_runtime_table_out_of_reach_is_left_out()
    {
        using EfiMemory memory = new();
        memory.Bytes.Write64(EfiMemory.SystemTableAt + 24, ulong.MaxValue);
        memory.Bytes.Write64(EfiMemory.SystemTableAt + 88, BootMemory.Size - 8);
        Assert.Equal(EfiError.Ok, memory.Read());
        Assert.Equal((0, 0u), (memory.Firmware->VendorLength, memory.Firmware->RuntimeRevision));
    }

    [Fact]
    public void A_vendor_without_an_end_is_cut()
    {
        using EfiMemory memory = new();
        for (int at = EfiMemory.VendorAt; at < BootMemory.Size; at += 2)
        {
            if (at is < EfiMemory.RuntimeAt or >= 0x6000)
            {
                memory.Bytes.Write16(at, 'x');
            }
        }

        memory.Bytes.Write64(EfiMemory.SystemTableAt + 24, 0x6000);
        Assert.Equal(EfiError.Ok, memory.Read());
        Assert.Equal(EfiFirmware.MaxVendor, memory.Firmware->VendorLength);
    }
}
