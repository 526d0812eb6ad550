// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Boot;
using Xunit;

namespace Hypervisor.Core.Tests.Boot;

public sealed unsafe class Multiboot1Tests
{
    private const int Structure = 0x1000;
    private const uint Everything = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9 | 1 << 11 | 1 << 12;

    private static BootMemory Sound()
    {
        BootMemory memory = new();
        memory.Write32(Structure, Everything);
        memory.Write32(Structure + 4, 639);
        memory.Write32(Structure + 8, 0x7FC00);
        memory.Write32(Structure + 16, 0x2000);
        memory.WriteText(0x2000, "/boot/xen dom0_mem=512M");
        memory.Write32(Structure + 20, 2);
        memory.Write32(Structure + 24, 0x3000);
        memory.Write32(0x3000, 0x8000);
        memory.Write32(0x3004, 0x8800);
        memory.Write32(0x3008, 0x2100);
        memory.WriteText(0x2100, "vmlinuz console=hvc0");
        memory.Write32(0x3010, 0x9000);
        memory.Write32(0x3014, 0xA001);
        memory.Write32(Structure + 44, 48);
        memory.Write32(Structure + 48, 0x4000);
        memory.Write32(0x4000, 20);
        memory.Write64(0x400C, 0x9FC00);
        memory.Write32(0x4014, 1);
        memory.Write32(0x4018, 20);
        memory.Write64(0x401C, 0x100000);
        memory.Write64(0x4024, 0x1FF00000);
        memory.Write32(0x402C, 1);
        memory.Write32(Structure + 64, 0x2200);
        memory.WriteText(0x2200, "GRUB 2.06");
        memory.Write16(Structure + 80, 0x118);
        memory.Write64(Structure + 88, 0xFD000000);
        memory.Write32(Structure + 96, 4096);
        memory.Write32(Structure + 100, 1024);
        memory.Write32(Structure + 104, 768);
        memory.Write8(Structure + 108, 32);
        memory.Write8(Structure + 109, 1);
        memory.Write8(Structure + 110, 16);
        memory.Write8(Structure + 111, 8);
        memory.Write8(Structure + 112, 8);
        memory.Write8(Structure + 113, 8);
        memory.Write8(Structure + 115, 8);
        return memory;
    }

    [Fact]
    public void Everything_that_a_loader_passes_is_read()
    {
        using BootMemory memory = Sound();

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic1));

        BootInformation* found = memory.Information;
        Assert.Equal(1, found->MultibootVersion);
        Assert.Equal("dom0_mem=512M", BootMemory.Text(found->CommandLine));
        Assert.Equal("GRUB 2.06", BootMemory.Text(found->LoaderName));
        Assert.Equal(2, found->ModuleCount);
        Assert.Equal(0x8000UL, found->Module(0).Start);
        Assert.Equal(0x800UL, found->Module(0).Length);
        Assert.Equal("vmlinuz console=hvc0", BootMemory.Text(found->Module(0).CommandLine));
        Assert.Equal(0xA001UL, found->Module(1).End);
        Assert.Equal(0, found->Module(1).CommandLine.Length);
        Assert.Equal(2, found->MemoryMap.Count);
        Assert.Equal(0x9FC00UL, found->MemoryMap[0].Length);
        Assert.Equal(0x20000000UL, found->MemoryMap[1].End);
        Assert.Equal(FramebufferKind.DirectColour, found->Framebuffer.Kind);
        Assert.Equal(1024u, found->Framebuffer.Width);
        Assert.Equal(16, found->Framebuffer.RedPosition);
        Assert.Equal(0x118, found->Framebuffer.VbeMode);
    }

    [Fact]
    public void Names_of_files_that_other_loaders_put_in_front_are_left_out()
    {
        using BootMemory memory = Sound();
        memory.WriteText(0x2200, "qemu");

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic1));

        BootInformation* found = memory.Information;
        Assert.Equal("dom0_mem=512M", BootMemory.Text(found->CommandLine));
        Assert.Equal("console=hvc0", BootMemory.Text(found->Module(0).CommandLine));
        Assert.Equal(0, found->Module(1).CommandLine.Length);
    }

    [Fact]
    public void Texts_survive_the_loaders_memory()
    {
        using BootMemory memory = Sound();

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic1));
        memory.WriteText(0x2000, "overwritten");

        Assert.Equal("dom0_mem=512M", BootMemory.Text(memory.Information->CommandLine));
    }

    [Fact]
    public void Without_a_map_the_two_bios_sizes_serve()
    {
        using BootMemory memory = Sound();
        memory.Write32(Structure, 1);

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic1));

        Assert.Equal(2, memory.Information->MemoryMap.Count);
        Assert.Equal(639UL << 10, memory.Information->MemoryMap[0].End);
        Assert.Equal(0x100000UL, memory.Information->MemoryMap[1].Base);
        Assert.Equal(0x7FC00UL << 10, memory.Information->MemoryMap[1].Length);
    }

    [Fact]
    public void Without_any_memory_the_map_is_missed() =>
        Refuses(BootError.MemoryMapMissing, memory => memory.Write32(Structure, 0));

    [Fact]
    public void A_map_without_ram_is_refused() => Refuses(BootError.MemoryMapWithoutRam, memory =>
    {
        memory.Write32(0x4014, 2);
        memory.Write32(0x402C, 5);
    });

    [Fact]
    public void A_structure_at_the_end_of_memory_is_out_of_reach()
    {
        using BootMemory memory = Sound();

        Assert.Equal(BootError.InformationOutOfReach, memory.Parse(MultibootInfo.Magic1, BootMemory.Size - 87));
        Assert.Equal(BootError.InformationOutOfReach, memory.Parse(MultibootInfo.Magic1, ulong.MaxValue));
        Assert.Equal(BootError.InformationOutOfReach, memory.Parse(MultibootInfo.Magic1, 0));
    }

    [Fact]
    public void Another_magic_number_is_refused()
    {
        using BootMemory memory = Sound();

        Assert.Equal(BootError.NotMultiboot, memory.Parse(0x12345678));
    }

    [Fact]
    public void A_command_line_out_of_reach_is_refused() =>
        Refuses(BootError.CommandLineOutOfReach, memory => memory.Write32(Structure + 16, BootMemory.Size));

    [Fact]
    public void A_command_line_that_runs_to_the_end_of_memory_is_refused() =>
        Refuses(BootError.CommandLineNotTerminated, memory =>
        {
            memory.Write32(Structure + 16, BootMemory.Size - 1);
            memory.Write8(BootMemory.Size - 1, (byte)'x');
        });

    [Fact]
    public void A_command_line_longer_than_the_store_is_refused() => Refuses(BootError.TextsTooLong, memory =>
    {
        for (int i = 0x9800; i < 0xFF00; i++)
        {
            memory.Write8(i, (byte)'x');
        }

        memory.Write32(Structure + 16, 0x9800);
    });

    [Fact]
    public void A_seventeenth_module_is_refused() =>
        Refuses(BootError.TooManyModules, memory => memory.Write32(Structure + 20, 17));

    [Fact]
    public void A_module_list_out_of_reach_is_refused() =>
        Refuses(BootError.ModuleListOutOfReach, memory => memory.Write32(Structure + 24, BootMemory.Size - 31));

    [Fact]
    public void A_module_that_ends_before_it_begins_is_refused() =>
        Refuses(BootError.ModuleBackwards, memory => memory.Write32(0x3004, 0x7FFF));

    [Fact]
    public void A_module_beyond_reachable_memory_is_refused() =>
        Refuses(BootError.ModuleOutOfReach, memory => memory.Write32(0x3004, 0xFFFFFFFF));

    [Fact]
    public void A_map_out_of_reach_is_refused() =>
        Refuses(BootError.MemoryMapOutOfReach, memory => memory.Write32(Structure + 44, 0xFFFFFFF0));

    [Theory]
    [InlineData(0u)]
    [InlineData(19u)]
    [InlineData(0xFFFFFFFCu)]
    [InlineData(45u)]
    public void A_map_entry_of_impossible_size_is_refused(uint size) =>
        Refuses(BootError.MemoryMapEntrySizeWrong, memory => memory.Write32(0x4000, size));

    [Fact]
    public void A_map_of_1025_entries_is_refused() => Refuses(BootError.MemoryMapTooLong, memory =>
    {
        memory.Write32(Structure + 44, 1025 * 24);
        memory.Write32(Structure + 48, 0x9800);
        for (int i = 0; i < 1025; i++)
        {
            memory.Write32(0x9800 + (i * 24), 20);
            memory.Write64(0x9800 + (i * 24) + 12, 0x1000);
        }
    });

    [Fact]
    public void A_framebuffer_narrower_than_its_row_is_refused() =>
        Refuses(BootError.FramebufferWrong, memory => memory.Write32(Structure + 96, 4095));

    [Fact]
    public void A_colour_outside_its_pixel_is_refused() =>
        Refuses(BootError.FramebufferWrong, memory => memory.Write8(Structure + 110, 25));

    private delegate void Mangle(BootMemory memory);

    private static void Refuses(BootError expected, Mangle mangle)
    {
        using BootMemory memory = Sound();
        mangle(memory);
        Assert.Equal(expected, memory.Parse(MultibootInfo.Magic1));
        Assert.True(BootErrors.Describe(expected).Length > 10);
        Assert.False(BootErrors.Describe(expected).SequenceEqual("unknown error"u8));
    }
}
