// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Dom0.Toolstack.Build;
using Xen.Abi;
using Xunit;

namespace Dom0.Toolstack.Tests.Build;

public sealed class PvLayoutTests
{
    private const ulong Pages = 4096;
    private static readonly byte[] s_ramdisk = [.. Enumerable.Range(0, 10_000).Select(index => (byte)(index * 3))];

    public static TheoryData<bool> Kinds => new(true, false);

    private static PvKernel Kernel(bool isModern) => isModern ? TestKernels.Modern() : TestKernels.Classic();

    private static FakeGuestFrames Write(PvKernel kernel, PvLayout layout)
    {
        FakeGuestFrames memory = new(Pages);
        PvImageWriter.Write(memory, kernel, layout, s_ramdisk, new StartParameters
        {
            Pages = Pages,
            SharedInfoFrame = 0x777,
            StorePort = 1,
            ConsolePort = 2,
            RamdiskSize = (ulong)s_ramdisk.Length,
            CommandLine = "console=hvc0",
        });
        return memory;
    }

    private static StartInfo StartInfoOf(FakeGuestFrames memory, PvLayout layout) =>
        System.Runtime.InteropServices.MemoryMarshal.Read<StartInfo>(memory.Bytes(layout.StartInfoFrame << 12, 4096));

    [Fact]
    public void A_modern_kernel_gets_its_P2M_list_and_ramdisk_behind_the_mapping()
    {
        PvLayout layout = PvLayout.Plan(TestKernels.Modern(), (ulong)s_ramdisk.Length, Pages);
        Assert.Equal(0x106UL, layout.KernelEndFrame);
        Assert.Equal(0x106UL, layout.StartInfoFrame);
        Assert.Equal(0x107UL, layout.StoreFrame);
        Assert.Equal(0x108UL, layout.ConsoleFrame);
        Assert.Equal(0x109UL, layout.KernelArea.TableFrame(4, 0));
        Assert.Equal(1024UL, layout.MappedFrames);
        Assert.Equal(1024UL, layout.P2mFrame);

        // 4096 entries are 8 pages; one table for each of three levels follows them.
        Assert.Equal(11UL, layout.P2mFrames);
        Assert.Equal(1035UL, layout.RamdiskFrame);
        Assert.Equal(1038UL, layout.UsedFrames);
    }

    [Fact]
    public void A_classic_kernel_gets_everything_behind_itself_in_the_promised_order()
    {
        PvLayout layout = PvLayout.Plan(TestKernels.Classic(), (ulong)s_ramdisk.Length, Pages);
        Assert.Equal(0x106UL, layout.RamdiskFrame);
        Assert.Equal(0x109UL, layout.P2mFrame);
        Assert.Equal(0x111UL, layout.StartInfoFrame);
        Assert.Equal(0x114UL, layout.KernelArea.TableFrame(4, 0));
        Assert.Equal(0x114UL + (ulong)layout.KernelArea.TableCount, layout.StackFrame);
        Assert.Null(layout.P2mArea);
        Assert.Equal(layout.MappedFrames, layout.UsedFrames);
    }

    [Theory]
    [InlineData(0x100000UL, 5)]
    [InlineData(0x800000UL, 9)]
    [InlineData(0x3f00000UL, 35)]
    [InlineData(0x40000000UL, 518)]
    public void The_mapping_ends_on_4_MiB_with_room_for_its_tables_and_the_padding(ulong kernelEnd, int tables)
    {
        PvKernel kernel = TestKernels.Modern() with { Segments = [new PvSegment(0x1000, 0, 0, kernelEnd - 0x1000)] };
        PvLayout layout = PvLayout.Plan(kernel, 0, 1 << 20);
        Assert.Equal(0UL, layout.MappedFrames % 1024);
        Assert.True(layout.MappedFrames << 12 >= ((layout.StackFrame + 1) << 12) + (512 * 1024));
        Assert.Equal(tables, layout.KernelArea.TableCount);
        Assert.Equal(layout.MappedFrames / 512, (ulong)layout.KernelArea.TablesAt(1));
    }

    [Fact]
    public void Too_little_memory_is_refused_with_the_amount_that_is_needed()
    {
        ToolstackException refusal = Assert.Throws<ToolstackException>(
            () => PvLayout.Plan(TestKernels.Modern(), 4 << 20, 1024));
        Assert.Contains("4 MiB are too few", refusal.Message);
        Assert.Contains("take 9 MiB", refusal.Message);
    }

    [Fact]
    public void A_segment_that_no_guest_can_hold_is_refused()
    {
        PvKernel kernel = TestKernels.Modern() with { Segments = [new PvSegment(ulong.MaxValue - 4096, 0, 0, 8192)] };
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => PvLayout.Plan(kernel, 0, Pages));
        Assert.Contains("no guest can hold", refusal.Message);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_address_of_the_mapping_leads_to_its_frame_and_none_beyond(bool isModern)
    {
        PvKernel kernel = Kernel(isModern);
        PvLayout layout = PvLayout.Plan(kernel, (ulong)s_ramdisk.Length, Pages);
        FakeGuestFrames memory = Write(kernel, layout);
        ulong top = layout.KernelArea.TableFrame(4, 0);
        for (ulong frame = 0; frame < layout.MappedFrames; frame++)
        {
            ulong leaf = memory.Leaf(top, layout.VirtualAddress(frame));
            Assert.Equal(memory.MachineFrame(frame), leaf >> 12);
            Assert.Equal(layout.IsTable(frame) ? 0x25UL : 0x27UL, leaf & 0xfff);
        }

        Assert.Equal(0UL, memory.Leaf(top, layout.VirtualAddress(layout.MappedFrames)));
        Assert.Equal(0UL, memory.Leaf(top, 0));
        Assert.Equal(0UL, memory.Leaf(top, TestKernels.VirtualBase - 4096));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void No_page_table_is_mapped_writable_anywhere(bool isModern)
    {
        PvKernel kernel = Kernel(isModern);
        PvLayout layout = PvLayout.Plan(kernel, (ulong)s_ramdisk.Length, Pages);
        FakeGuestFrames memory = Write(kernel, layout);
        List<ulong> tables = [];
        List<ulong> writable = [];
        void Walk(ulong frame, int level)
        {
            tables.Add(frame);
            for (ulong index = 0; index < 512; index++)
            {
                ulong entry = memory.Word((frame << 12) + (index * 8));
                if ((entry & 1) == 0)
                {
                    Assert.Equal(0UL, entry);
                    continue;
                }

                ulong next = FakeGuestFrames.GuestFrame(entry >> 12);
                if (level > 1)
                {
                    Walk(next, level - 1);
                }
                else if ((entry & 2) != 0)
                {
                    writable.Add(next);
                }
            }
        }

        Walk(layout.KernelArea.TableFrame(4, 0), 4);
        Assert.Equal(layout.Areas.Sum(area => area.TableCount), tables.Count);
        Assert.Equal(tables.Count, tables.Distinct().Count());
        Assert.Empty(tables.Intersect(writable));
        Assert.All(tables, frame => Assert.True(layout.IsTable(frame)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_P2M_list_is_readable_where_start_info_says(bool isModern)
    {
        PvKernel kernel = Kernel(isModern);
        PvLayout layout = PvLayout.Plan(kernel, (ulong)s_ramdisk.Length, Pages);
        FakeGuestFrames memory = Write(kernel, layout);
        StartInfo info = StartInfoOf(memory, layout);
        Assert.Equal(isModern ? 0x8000000000UL : layout.VirtualAddress(layout.P2mFrame), info.MfnList);
        Assert.Equal(isModern ? layout.P2mFrame : 0, info.FirstP2MPfn);
        Assert.Equal(isModern ? layout.P2mFrames : 0, info.NrP2MFrames);
        ulong top = layout.KernelArea.TableFrame(4, 0);
        foreach (ulong frame in (ulong[])[0, 1, 511, 512, Pages - 1])
        {
            ulong address = info.MfnList + (frame * 8);
            ulong page = FakeGuestFrames.GuestFrame(memory.Leaf(top, address) >> 12);
            Assert.Equal(memory.MachineFrame(frame), memory.Word((page << 12) + (address & 0xfff)));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public unsafe void Start_info_describes_the_layout(bool isModern)
    {
        PvKernel kernel = Kernel(isModern);
        PvLayout layout = PvLayout.Plan(kernel, (ulong)s_ramdisk.Length, Pages);
        FakeGuestFrames memory = Write(kernel, layout);
        StartInfo info = StartInfoOf(memory, layout);
        Assert.Equal("xen-3.0-x86_64", Encoding.ASCII.GetString(info.Magic, 14));
        Assert.Equal("console=hvc0", Encoding.ASCII.GetString((byte*)info.CmdLine, 12));
        Assert.Equal(0, info.CmdLine[12]);
        Assert.Equal(Pages, info.NrPages);
        Assert.Equal(0x777000UL, info.SharedInfo);
        Assert.Equal(memory.MachineFrame(layout.StoreFrame), info.StoreMfn);
        Assert.Equal(memory.MachineFrame(layout.ConsoleFrame), info.ConsoleDomUMfn);
        Assert.Equal(1u, info.StoreEventChannel);
        Assert.Equal(2u, info.ConsoleDomUEventChannel);
        Assert.Equal(layout.VirtualAddress(layout.KernelArea.TableFrame(4, 0)), info.PtBase);
        Assert.Equal((ulong)layout.KernelArea.TableCount, info.NrPtFrames);
        Assert.Equal((ulong)s_ramdisk.Length, info.ModLen);
        Assert.Equal(isModern ? layout.RamdiskFrame : layout.VirtualAddress(layout.RamdiskFrame), info.ModStart);
        Assert.Equal(StartInfoFlags.VirtP2M4tools | (isModern ? StartInfoFlags.ModStartPfn : 0), info.Flags);
    }

    [Fact]
    public void Kernel_and_ramdisk_arrive_whole_and_what_the_file_lacks_is_zero()
    {
        PvKernel kernel = TestKernels.Modern();
        PvLayout layout = PvLayout.Plan(kernel, (ulong)s_ramdisk.Length, Pages);
        FakeGuestFrames memory = Write(kernel, layout);
        Assert.Equal(kernel.File.Slice(0x10, 0x3000).ToArray(), memory.Bytes(0x100000, 0x3000).ToArray());
        Assert.Equal(kernel.File.Slice(0x3010, 0x800).ToArray(), memory.Bytes(0x103000, 0x800).ToArray());
        Assert.Equal(new byte[0x1c00], memory.Bytes(0x103800, 0x1c00).ToArray());
        Assert.Equal(s_ramdisk, memory.Bytes(layout.RamdiskFrame << 12, (ulong)s_ramdisk.Length).ToArray());
        Assert.Equal(new byte[4096], memory.Bytes(layout.StoreFrame << 12, 4096).ToArray());
        Assert.Equal(new byte[4096], memory.Bytes(layout.ConsoleFrame << 12, 4096).ToArray());
    }

    [Fact]
    public unsafe void The_first_virtual_CPU_starts_at_the_entry_with_start_info_in_RSI()
    {
        PvKernel kernel = TestKernels.Modern();
        PvLayout layout = PvLayout.Plan(kernel, 0, Pages);
        FakeGuestFrames memory = new(Pages);
        VcpuGuestContext context = default;
        VcpuContextWriter.Fill(ref context, kernel, layout, memory);
        Assert.Equal(kernel.Entry, context.UserRegs.Rip);
        Assert.Equal(layout.VirtualAddress(layout.StartInfoFrame), context.UserRegs.Rsi);
        Assert.Equal(layout.VirtualAddress(layout.StackFrame) + 4096, context.UserRegs.Rsp);
        Assert.Equal(0x200UL, context.UserRegs.Rflags);
        Assert.Equal(0xe033, context.UserRegs.Cs);
        Assert.Equal(0xe02b, context.UserRegs.Ss);
        Assert.Equal(memory.MachineFrame(layout.KernelArea.TableFrame(4, 0)) << 12, context.CtrlReg[3]);
        Assert.Equal(VgcfFlags.InKernel | VgcfFlags.Online, context.Flags);
    }

    [Fact]
    public void Two_ranges_under_one_top_level_entry_are_refused()
    {
        PvKernel kernel = TestKernels.Modern() with { P2mBase = TestKernels.VirtualBase - (1UL << 30) };
        PvLayout layout = PvLayout.Plan(kernel, 0, Pages);
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => Write(kernel, layout));
        Assert.Contains("one top-level entry", refusal.Message);
    }
}
