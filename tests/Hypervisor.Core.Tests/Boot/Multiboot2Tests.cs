// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Boot;
using Xunit;

namespace Hypervisor.Core.Tests.Boot;

public sealed unsafe class Multiboot2Tests
{
    private const int Structure = 0x1000;

    /// <summary>Appends tags one after another and closes the list.</summary>
    private sealed class TagList(BootMemory memory)
    {
        public int Position { get; private set; } = Structure + 8;

        public int Add(uint type, int size)
        {
            int tag = Position;
            memory.Write32(tag, type);
            memory.Write32(tag + 4, (uint)size);
            Position += (size + 7) & ~7;
            return tag;
        }

        public void AddText(uint type, int head, string text)
        {
            int tag = Add(type, head + text.Length + 1);
            memory.WriteText(tag + head, text);
        }

        public void Close()
        {
            _ = Add(0, 8);
            memory.Write32(Structure, (uint)(Position - Structure));
        }
    }

    private static void AddMap(BootMemory memory, TagList tags, params (ulong Base, ulong Length, uint Type)[] entries)
    {
        int tag = tags.Add(6, 16 + (24 * entries.Length));
        memory.Write32(tag + 8, 24);
        for (int i = 0; i < entries.Length; i++)
        {
            memory.Write64(tag + 16 + (24 * i), entries[i].Base);
            memory.Write64(tag + 24 + (24 * i), entries[i].Length);
            memory.Write32(tag + 32 + (24 * i), entries[i].Type);
        }
    }

    [Fact]
    public void Everything_that_a_loader_passes_is_read()
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        tags.AddText(1, 8, "dom0_mem=512M");
        tags.AddText(2, 8, "GRUB 2.06");
        int module = tags.Position;
        tags.AddText(3, 16, "vmlinuz");
        memory.Write32(module + 8, 0x8000);
        memory.Write32(module + 12, 0x9000);
        int basic = tags.Add(4, 16);
        memory.Write32(basic + 8, 640);
        memory.Write32(basic + 12, 0x1000);
        AddMap(memory, tags, (0x100000, 0x1000000, 1), (0x2000000, 0x1000, 77));
        int frame = tags.Add(8, 38);
        memory.Write64(frame + 8, 0xB8000);
        memory.Write32(frame + 16, 160);
        memory.Write32(frame + 20, 80);
        memory.Write32(frame + 24, 25);
        memory.Write8(frame + 28, 16);
        memory.Write8(frame + 29, 2);
        int efi = tags.Add(12, 16);
        memory.Write64(efi + 8, 0x7F00_1234);
        int oldRsdp = tags.Add(14, 28);
        memory.WriteText(oldRsdp + 8, "RSD PTR ");
        int newRsdp = tags.Add(15, 44);
        memory.WriteText(newRsdp + 8, "RSD PTR ");
        int loadBase = tags.Add(21, 12);
        memory.Write32(loadBase + 8, 0x200000);
        tags.Add(99, 9);
        tags.Close();

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic2));

        BootInformation* found = memory.Information;
        Assert.Equal("dom0_mem=512M", BootMemory.Text(found->CommandLine));
        Assert.Equal("GRUB 2.06", BootMemory.Text(found->LoaderName));
        Assert.Equal("vmlinuz", BootMemory.Text(found->Module(0).CommandLine));
        Assert.Equal(0x1000UL, found->Module(0).Length);
        Assert.Equal(2, found->MemoryMap.Count);
        Assert.Equal(MemoryType.Reserved, found->MemoryMap[1].Type);
        Assert.Equal(FramebufferKind.EgaText, found->Framebuffer.Kind);
        Assert.Equal(0x7F00_1234UL, found->EfiSystemTable64);
        Assert.Equal(36, found->RsdpLength);
        Assert.Equal((byte)'R', found->Rsdp[0]);
        Assert.Equal(0x200000UL, found->LoadBase);
        Assert.Equal((ulong)tags.Position, found->InformationEnd);
    }

    [Fact]
    public void An_EFI_map_serves_where_no_other_is()
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int tag = tags.Add(17, 16 + (48 * 5));
        memory.Write32(tag + 8, 48);
        memory.Write32(tag + 12, 1);
        (uint Type, ulong Start, ulong Pages)[] entries =
        [
            (7, 0x1000, 0x9F), (3, 0x100000, 0x10), (4, 0x110000, 0x10), (9, 0x7000000, 4), (6, 0x7004000, 2),
        ];
        for (int i = 0; i < entries.Length; i++)
        {
            memory.Write32(tag + 16 + (48 * i), entries[i].Type);
            memory.Write64(tag + 24 + (48 * i), entries[i].Start);
            memory.Write64(tag + 40 + (48 * i), entries[i].Pages);
        }

        tags.Close();

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic2));

        MemoryMap* map = &memory.Information->MemoryMap;
        Assert.Equal(4, map->Count);
        Assert.Equal(0x20000UL, (*map)[1].Length);
        Assert.Equal(MemoryType.AcpiReclaimable, (*map)[2].Type);
        Assert.Equal(MemoryType.Reserved, (*map)[3].Type);
    }

    private static void AddModule(BootMemory memory, TagList tags, uint start, uint end, string words)
    {
        int module = tags.Position;
        tags.AddText(3, 16, words);
        memory.Write32(module + 8, start);
        memory.Write32(module + 12, end);
    }

    [Theory]
    [InlineData("placeholder dom0_mem=512M", "dom0_mem=512M")]
    [InlineData("/boot/xen  dom0_mem=512M", "dom0_mem=512M")]
    [InlineData("/boot/xen", "")]
    [InlineData("dom0_mem=512M /x", "dom0_mem=512M /x")]
    [InlineData("placeholders", "placeholders")]
    [InlineData("", "")]
    public void A_name_in_front_of_the_words_is_left_out(string words, string expected)
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        tags.AddText(2, 8, "GRUB 2.06-13+deb12u2");
        tags.AddText(1, 8, words);
        AddModule(memory, tags, 0x8000, 0x9000, words);
        AddMap(memory, tags, (0x1000, 0x10000, 1));
        tags.Close();

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic2));

        Assert.Equal(expected, BootMemory.Text(memory.Information->CommandLine));
        Assert.Equal(expected, BootMemory.Text(memory.Information->Module(0).CommandLine));
    }

    [Fact]
    public void Of_a_tag_that_is_there_twice_the_last_counts_but_for_memory_and_modules()
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        tags.AddText(1, 8, "one");
        tags.AddText(1, 8, "two");
        AddModule(memory, tags, 0x8000, 0x9000, "a");
        AddModule(memory, tags, 0x9000, 0x9000, "b");
        AddModule(memory, tags, 0x9000, 0xA000, "c");
        AddMap(memory, tags, (0x1000, 0x10000, 1));
        AddMap(memory, tags, (0x1000, 0x10000, 1));
        tags.Close();

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic2));

        Assert.Equal("two", BootMemory.Text(memory.Information->CommandLine));
        Assert.Equal(3, memory.Information->ModuleCount);
        Assert.Equal(BootError.Ok, memory.Information->MemoryMap.Normalise());
        Assert.Equal(0x10000UL, memory.Information->MemoryMap.TotalRam);
    }

    [Theory]
    [InlineData(0x8000u, 0x9000u, BootError.ModulesOverlap)]
    [InlineData(0x8FFFu, 0xA000u, BootError.ModulesOverlap)]
    [InlineData(0x7000u, 0xC000u, BootError.ModulesOverlap)]
    [InlineData(0x9000u, 0x8000u, BootError.ModuleBackwards)]
    [InlineData(0x9000u, BootMemory.Size + 1u, BootError.ModuleOutOfReach)]
    [InlineData(0xFFFFFFFFu, 0xFFFFFFFFu, BootError.ModuleOutOfReach)]
    public void A_module_where_it_cannot_be_is_refused(uint start, uint end, BootError expected)
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        AddModule(memory, tags, 0x8000, 0x9000, "first");
        AddModule(memory, tags, start, end, "second");
        AddMap(memory, tags, (0x1000, 0x10000, 1));
        tags.Close();

        Assert.Equal(expected, memory.Parse(MultibootInfo.Magic2));
    }

    [Fact]
    public void Pixels_and_their_VBE_mode_are_read()
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int vbe = tags.Add(7, 784);
        memory.Write16(vbe + 8, 0x4118);
        memory.Write32(vbe + 16 + 10, 0x21);
        memory.Write16(vbe + 528, 0xFB);
        WritePixels(memory, tags);
        AddMap(memory, tags, (0x1000, 0x10000, 1));
        tags.Close();

        Assert.Equal(BootError.Ok, memory.Parse(MultibootInfo.Magic2));

        Framebuffer screen = memory.Information->Framebuffer;
        Assert.Equal((FramebufferKind.DirectColour, 0xFD00_0000UL), (screen.Kind, screen.Address));
        Assert.Equal((4096u, 1024u, 768u, (byte)32), (screen.Pitch, screen.Width, screen.Height, screen.BitsPerPixel));
        Assert.Equal((16, 8, 8, 8), (screen.RedPosition, screen.RedSize, screen.GreenPosition, screen.GreenSize));
        Assert.Equal((0x4118, 0x21u, 0xFB), (screen.VbeMode, screen.VbeCapabilities, screen.VbeModeAttributes));
    }

    [Theory]
    [InlineData(16, 4095u)]
    [InlineData(16, 0xFFFFFFFFu)]
    [InlineData(20, 0u)]
    [InlineData(20, 0x40000001u)]
    [InlineData(24, 0u)]
    [InlineData(24, 0xFFFFFFFFu)]
    [InlineData(8, 0u)]
    [InlineData(12, 0xFFFFFFFFu)]
    public void Pixels_of_impossible_form_are_refused(int at, uint value)
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int frame = WritePixels(memory, tags);
        memory.Write32(frame + at, value);
        AddMap(memory, tags, (0x1000, 0x10000, 1));
        tags.Close();

        Assert.Equal(BootError.FramebufferWrong, memory.Parse(MultibootInfo.Magic2));
    }

    [Theory]
    [InlineData(80u, BootError.Ok)]
    [InlineData(79u, BootError.FramebufferWrong)]
    public void Sixteen_colours_in_planes_are_no_error(uint pitch, BootError expected)
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int frame = WritePixels(memory, tags);
        memory.Write64(frame + 8, 0xA0000);
        memory.Write32(frame + 16, pitch);
        memory.Write32(frame + 20, 640);
        memory.Write32(frame + 24, 480);
        memory.Write8(frame + 28, 4);
        memory.Write8(frame + 29, 0);
        AddMap(memory, tags, (0x1000, 0x10000, 1));
        tags.Close();

        Assert.Equal(expected, memory.Parse(MultibootInfo.Magic2));
        if (expected == BootError.Ok)
        {
            Assert.Equal(FramebufferKind.Indexed, memory.Information->Framebuffer.Kind);
        }
    }

    private static int WritePixels(BootMemory memory, TagList tags)
    {
        int frame = tags.Add(8, 38);
        memory.Write64(frame + 8, 0xFD00_0000);
        memory.Write32(frame + 16, 4096);
        memory.Write32(frame + 20, 1024);
        memory.Write32(frame + 24, 768);
        memory.Write8(frame + 28, 32);
        memory.Write8(frame + 29, 1);
        byte[] colours = [16, 8, 8, 8, 0, 8];
        for (int i = 0; i < colours.Length; i++)
        {
            memory.Write8(frame + 32 + i, colours[i]);
        }

        return frame;
    }

    [Theory]
    [InlineData(47u)]
    [InlineData(0u)]
    [InlineData(8192u)]
    public void An_EFI_map_with_impossible_descriptors_is_refused(uint size)
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int tag = tags.Add(17, 16 + 96);
        memory.Write32(tag + 8, size);
        tags.Close();

        Assert.Equal(BootError.EfiMapWrong, memory.Parse(MultibootInfo.Magic2));
    }

    [Fact]
    public void A_misaligned_structure_is_refused()
    {
        using BootMemory memory = new();

        Assert.Equal(BootError.InformationMisaligned, memory.Parse(MultibootInfo.Magic2, Structure + 4));
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(15u)]
    [InlineData(0xFFFFFFFFu)]
    public void An_impossible_total_is_refused(uint total)
    {
        using BootMemory memory = new();
        memory.Write32(Structure, total);

        Assert.Equal(BootError.InformationSizeWrong, memory.Parse(MultibootInfo.Magic2));
    }

    [Fact]
    public void A_total_beyond_memory_is_refused()
    {
        using BootMemory memory = new();
        memory.Write32(Structure, BootMemory.Size);

        Assert.Equal(BootError.InformationOutOfReach, memory.Parse(MultibootInfo.Magic2));
    }

    [Theory]
    [InlineData(0u, BootError.TagTooShort)]
    [InlineData(7u, BootError.TagTooShort)]
    [InlineData(0xFFFFFFFFu, BootError.TagBeyondEnd)]
    [InlineData(0xFFFFFFF9u, BootError.TagBeyondEnd)]
    public void A_tag_of_impossible_size_is_refused(uint size, BootError expected)
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int tag = tags.Add(99, 16);
        tags.Close();
        memory.Write32(tag + 4, size);

        Assert.Equal(expected, memory.Parse(MultibootInfo.Magic2));
    }

    [Theory]
    [InlineData(3u, 16)]
    [InlineData(4u, 12)]
    [InlineData(6u, 12)]
    [InlineData(7u, 32)]
    [InlineData(8u, 24)]
    [InlineData(12u, 12)]
    [InlineData(14u, 20)]
    [InlineData(15u, 28)]
    [InlineData(17u, 12)]
    [InlineData(21u, 8)]
    public void A_tag_too_short_for_its_type_is_refused(uint type, int size)
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        tags.Add(type, size);
        tags.Close();

        Assert.Equal(BootError.TagTooShort, memory.Parse(MultibootInfo.Magic2));
    }

    [Fact]
    public void A_list_without_an_end_is_refused()
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        tags.Add(99, 16);
        memory.Write32(Structure, (uint)(tags.Position - Structure));

        Assert.Equal(BootError.EndTagMissing, memory.Parse(MultibootInfo.Magic2));
    }

    [Fact]
    public void A_string_that_fills_its_tag_without_an_end_is_refused()
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int tag = tags.Add(1, 12);
        memory.WriteText(tag + 8, "abcd");
        tags.Close();

        Assert.Equal(BootError.CommandLineNotTerminated, memory.Parse(MultibootInfo.Magic2));
    }

    [Fact]
    public void A_map_with_tiny_entries_is_refused()
    {
        using BootMemory memory = new();
        TagList tags = new(memory);
        int tag = tags.Add(6, 64);
        memory.Write32(tag + 8, 0);
        tags.Close();

        Assert.Equal(BootError.MemoryMapEntrySizeWrong, memory.Parse(MultibootInfo.Magic2));
    }

    [Fact]
    public void Random_nonsense_never_reads_outside_and_always_answers()
    {
        Random random = new(4711);
        for (int round = 0; round < 3000; round++)
        {
            using BootMemory memory = new();
            for (int i = 0; i < 512; i += 4)
            {
                uint value = (uint)random.Next(5) switch
                {
                    0 => (uint)random.Next(),
                    1 => uint.MaxValue - (uint)random.Next(64),
                    _ => (uint)random.Next(40),
                };
                memory.Write32(BootMemory.Size - 512 + i, value);
            }

            memory.Write32(BootMemory.Size - 512, (uint)random.Next(8, 520));
            BootError second = memory.Parse(MultibootInfo.Magic2, BootMemory.Size - 512);
            BootError first = memory.Parse(MultibootInfo.Magic1, BootMemory.Size - 512);
            Assert.True(Enum.IsDefined(first) && Enum.IsDefined(second));
        }
    }
}
