// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Build;
using Dom0.Toolstack.Tests.Fakes;
using Xen.Abi;
using Xunit;

namespace Dom0.Toolstack.Tests.Domains;

public sealed class CoreDumpTests : IDisposable
{
    private const ulong Pages = 1536;
    private const int Word = sizeof(ulong);

    private readonly FakeHypervisor _fake = new();
    private readonly Hypervisor _hypervisor;
    private readonly string _folder = Directory.CreateTempSubdirectory("dump-test-").FullName;
    private readonly PvKernel _kernel = TestKernels.Modern();
    private readonly DomainReference _domain;

    public CoreDumpTests()
    {
        _hypervisor = new Hypervisor(_fake);
        FakeStoreServer server = new();
        server.Put("/local/domain/0/name", "Domain-0");
        _domain = new DomainCreator(_hypervisor, new StoreClient(server)).Create(new DomainConfig
        {
            Name = "guest",
            Uuid = Guid.NewGuid(),
            Kernel = "/boot/k",
            MemoryKib = Pages * 4,
            MaximumMemoryKib = Pages * 4,
            MaximumVcpus = 2,
            OnlineVcpus = [true, true],
            Affinity = [CpuSet.All, CpuSet.All],
        }, _kernel, [1, 2, 3]);
    }

    private string File => Path.Combine(_folder, "core");

    private ref ArchSharedInfo Arch => ref MemoryMarshal.AsRef<SharedInfo>(
        _fake.Frame(_fake.Domains[1].SharedInfo).AsSpan()).Arch;

    public void Dispose()
    {
        _hypervisor.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>What a running kernel says: its list is one array, where the builder put it.</summary>
    private unsafe void TellLinearList()
    {
        VcpuGuestContext context = _fake.Domains[1].Context!.Value;
        Arch.MaxPfn = Pages;
        Arch.P2MCr3 = context.CtrlReg[3];
        Arch.P2MVaddr = _kernel.P2mBase!.Value;
    }

    private static Dictionary<string, byte[]> Sections(byte[] file)
    {
        ulong Long(int at) => BitConverter.ToUInt64(file, at);
        int table = (int)Long(40);
        int count = BitConverter.ToUInt16(file, 60);
        byte[] Content(int index)
        {
            int header = table + (index * 64);
            return file[(int)Long(header + 24)..(int)(Long(header + 24) + Long(header + 32))];
        }

        byte[] names = Content(BitConverter.ToUInt16(file, 62));
        Dictionary<string, byte[]> sections = [];
        for (int index = 1; index < count; index++)
        {
            int name = BitConverter.ToInt32(file, table + (index * 64));
            sections[Encoding.ASCII.GetString(names[name..Array.IndexOf(names, (byte)0, name)])] = Content(index);
        }

        return sections;
    }

    private void AssertWhole(DumpResult result)
    {
        byte[] file = System.IO.File.ReadAllBytes(File);
        Assert.Equal("\u007fELF", Encoding.ASCII.GetString(file, 0, 4));
        Assert.Equal(Pages, result.Pages);
        Dictionary<string, byte[]> sections = Sections(file);
        ulong[] list = MemoryMarshal.Cast<byte, ulong>(sections[".xen_p2m"]).ToArray();
        Assert.Equal(Pages, (ulong)list.Length / 2);
        for (int page = 0; page < (int)Pages; page += 97)
        {
            Assert.Equal((ulong)page, list[page * 2]);
            Assert.Equal(_fake.Frame(list[(page * 2) + 1]), sections[".xen_pages"][(page * 4096)..((page + 1) * 4096)]);
        }

        Assert.Equal(_fake.Frame(_fake.Domains[1].SharedInfo), sections[".xen_shared_info"]);
        Assert.Equal(2 * Marshal.SizeOf<VcpuGuestContext>(), sections[".xen_prstatus"].Length);
        Assert.Equal(_kernel.Entry,
            MemoryMarshal.Read<VcpuGuestContext>(sections[".xen_prstatus"]).UserRegs.Rip);
        ulong[] header = MemoryMarshal.Cast<byte, ulong>(sections[".note.Xen"].AsSpan(16 + 16, 4 * Word)).ToArray();
        Assert.Equal([0xf00febed, 2, Pages, 4096], header);

        // The third note is of the hypervisor, with sizes as Xen's own tool writes them.
        uint[] version = MemoryMarshal.Cast<byte, uint>(sections[".note.Xen"].AsSpan(64, 24)).ToArray();
        Assert.Equal([4, 1280, 0x2000002, 0x6e6558, 4, 0], version);
        Assert.Equal(1384, sections[".note.Xen"].Length);
    }

    [Fact]
    public void A_guest_with_a_linear_list_is_dumped()
    {
        TellLinearList();
        AssertWhole(CoreDump.Write(_hypervisor, 1, File));
    }

    [Fact]
    public void A_guest_with_a_tree_of_frames_is_dumped()
    {
        // The lists are where the builder put them; two more frames become the tree above.
        TellLinearList();
        List<PageEntry> linear = new GuestFrameList(_fake, _hypervisor.Domains.TryGetInfo(1)!).Read();
        ulong[] machine = [.. linear.Select(entry => entry.MachineFrame)];
        ulong[] lists = [.. _fake.Domains[1].Frames.Where(frame =>
            MemoryMarshal.Cast<byte, ulong>(_fake.Frame(frame))[..8].SequenceEqual(machine.AsSpan(0, 8)))];
        ulong list = Assert.Single(lists);
        int first = Array.IndexOf(machine, list);
        ulong top = machine[^1];
        ulong middle = machine[^2];
        MemoryMarshal.Cast<byte, ulong>(_fake.Frame(top).AsSpan())[0] = middle;
        for (int page = 0; page < (int)(Pages / 512); page++)
        {
            MemoryMarshal.Cast<byte, ulong>(_fake.Frame(middle).AsSpan())[page] = machine[first + page];
        }

        Arch.P2MCr3 = 0;
        Arch.PfnToMfnFrameListList = top;
        AssertWhole(CoreDump.Write(_hypervisor, 1, File));
    }

    [Fact]
    public void Frames_that_are_not_the_guests_are_left_out()
    {
        TellLinearList();
        ulong[] machine = [.. new GuestFrameList(_fake, _hypervisor.Domains.TryGetInfo(1)!).Read()
            .Select(entry => entry.MachineFrame)];
        ulong list = _fake.Domains[1].Frames.Single(frame =>
            MemoryMarshal.Cast<byte, ulong>(_fake.Frame(frame))[..8].SequenceEqual(machine.AsSpan(0, 8)));
        Span<ulong> entries = MemoryMarshal.Cast<byte, ulong>(_fake.Frame(list).AsSpan());
        entries[3] = 0x900000;
        entries[4] = ulong.MaxValue;
        entries[5] = (1UL << 62) | 5;
        Assert.Equal(Pages - 3, CoreDump.Write(_hypervisor, 1, File).Pages);
    }

    /// <summary>The bytes that a core file has at a virtual address.</summary>
    private static byte[]? At(byte[] core, ulong address, int count)
    {
        for (int index = 1; index < BitConverter.ToUInt16(core, 56); index++)
        {
            int header = 64 + (index * 56);
            ulong start = BitConverter.ToUInt64(core, header + 16);
            if (address - start < BitConverter.ToUInt64(core, header + 32))
            {
                int offset = (int)(BitConverter.ToUInt64(core, header + 8) + (address - start));
                return core[offset..(offset + count)];
            }
        }

        return null;
    }

    [Fact]
    public void A_core_file_for_gdb_has_memory_at_its_addresses_and_a_thread_for_each_virtual_cpu()
    {
        TellLinearList();
        _ = CoreDump.Write(_hypervisor, 1, File);
        GdbCoreResult result = GdbCore.Convert(File, File + ".gdb");
        Assert.Equal(2, result.Vcpus);
        Assert.Equal(0, result.Repeated);
        Assert.True(result.IsWhole);
        byte[] core = System.IO.File.ReadAllBytes(File + ".gdb");

        // The kernel's first segment was loaded from 0x10 of its file on, whose bytes count up by seven.
        byte[] text = At(core, TestKernels.VirtualBase + 0x100000, 0x3000)!;
        Assert.All(Enumerable.Range(0, 0x3000), index => Assert.Equal((byte)((index + 0x10) * 7), text[index]));

        // The list of machine frames, in the address space and in the dump.
        ulong[] list = MemoryMarshal.Cast<byte, ulong>(At(core, _kernel.P2mBase!.Value, 4096)).ToArray();
        ulong[] pairs = MemoryMarshal.Cast<byte, ulong>(Sections(System.IO.File.ReadAllBytes(File))[".xen_p2m"]).ToArray();
        Assert.All(Enumerable.Range(0, 512), index => Assert.Equal(pairs[(index * 2) + 1], list[index]));
        Assert.Null(At(core, 0x1000, 1));

        // The first note: a status of 336 bytes, thread 1, whose instruction pointer is the 17th register.
        int notes = (int)BitConverter.ToUInt64(core, 64 + 8);
        Assert.Equal(2 * (12 + 8 + 336), (int)BitConverter.ToUInt64(core, 64 + 32));
        Assert.Equal([5u, 336u, 1u], MemoryMarshal.Cast<byte, uint>(core.AsSpan(notes, 12)).ToArray());
        Assert.Equal(1, BitConverter.ToInt32(core, notes + 20 + 32));
        Assert.Equal(_kernel.Entry, BitConverter.ToUInt64(core, notes + 20 + 112 + (16 * Word)));
    }

    /// <summary>As in Linux's vmalloc area: one table of one page, again and again.</summary>
    [Fact]
    public unsafe void A_page_that_is_everywhere_leaves_room_for_the_others()
    {
        TellLinearList();
        ulong[] machine = [.. new GuestFrameList(_fake, _hypervisor.Domains.TryGetInfo(1)!).Read().Select(entry => entry.MachineFrame)];
        ulong leaf = machine[^1];
        ulong middle = machine[^2];
        ulong upper = machine[^3];
        Entries(leaf).Fill((machine[^4] << 12) | 0x21);
        Entries(middle).Fill((leaf << 12) | 0x21);
        Entries(upper)[0] = (middle << 12) | 0x21;
        VcpuGuestContext context = _fake.Domains[1].Context!.Value;
        Entries(context.CtrlReg[3] / 4096)[300] = (upper << 12) | 0x21;

        _ = CoreDump.Write(_hypervisor, 1, File);
        GdbCoreResult result = GdbCore.Convert(File, File + ".gdb");
        Assert.True(result.IsWhole);
        Assert.InRange(result.Repeated, (512 * 512) - 8, 512 * 512);
        byte[] core = System.IO.File.ReadAllBytes(File + ".gdb");
        Assert.NotNull(At(core, TestKernels.VirtualBase + 0x100000, 1));
        Assert.NotNull(At(core, _kernel.P2mBase!.Value, 1));

        Span<ulong> Entries(ulong frame) => MemoryMarshal.Cast<byte, ulong>(_fake.Frame(frame).AsSpan());
    }

    [Fact]
    public unsafe void Page_tables_that_map_themselves_end()
    {
        TellLinearList();
        VcpuGuestContext context = _fake.Domains[1].Context!.Value;
        ulong root = context.CtrlReg[3] / 4096;
        Span<ulong> top = MemoryMarshal.Cast<byte, ulong>(_fake.Frame(root).AsSpan());
        for (int slot = 2; slot < 256; slot++)
        {
            // The list of frames is in slot 1.
            top[slot] = (root << 12) | 0x21;
        }

        _ = CoreDump.Write(_hypervisor, 1, File);
        GdbCoreResult result = GdbCore.Convert(File, File + ".gdb");
        Assert.False(result.IsWhole);

        // The kernel's half is there nevertheless.
        Assert.NotNull(At(System.IO.File.ReadAllBytes(File + ".gdb"), TestKernels.VirtualBase + 0x100000, 1));
    }

    [Fact]
    public void What_is_no_dump_makes_no_core_file_whatever_is_wrong_with_it()
    {
        TellLinearList();
        _ = CoreDump.Write(_hypervisor, 1, File);
        byte[] dump = System.IO.File.ReadAllBytes(File);
        int table = (int)BitConverter.ToUInt64(dump, 40);
        Random random = new(4);
        for (int round = 0; round < 120; round++)
        {
            // Headers are where the numbers are; the first rounds cut the file instead.
            byte[] damaged = round < 40 ? dump[..random.Next(dump.Length)] : [.. dump];
            if (round >= 40)
            {
                int place = round % 2 == 0 ? random.Next(64) : table + random.Next(7 * 64);
                damaged[place] = (byte)random.Next(256);
            }

            System.IO.File.WriteAllBytes(File, damaged);
            try
            {
                _ = GdbCore.Convert(File, File + ".gdb");
                System.IO.File.Delete(File + ".gdb");
            }
            catch (ToolstackException refusal)
            {
                Assert.Contains("no dump of a paravirtualized domain", refusal.Message);
                Assert.False(System.IO.File.Exists(File + ".gdb"));
            }
        }

        Assert.Contains("cannot make", Assert.Throws<ToolstackException>(
            () => GdbCore.Convert(Path.Combine(_folder, "none"), File + ".gdb")).Message);
    }

    [Fact]
    public void A_guest_that_has_not_told_its_list_is_refused_and_no_file_is_left()
    {
        Assert.Contains("has not told where its memory lies",
            Assert.Throws<ToolstackException>(() => CoreDump.Write(_hypervisor, 1, File)).Message);
        Assert.False(System.IO.File.Exists(File));
    }

    [Fact]
    public void A_file_that_exists_is_not_overwritten()
    {
        TellLinearList();
        System.IO.File.WriteAllText(File, "precious");
        Assert.Contains("cannot write the dump",
            Assert.Throws<ToolstackException>(() => CoreDump.Write(_hypervisor, 1, File)).Message);
        Assert.Equal("precious", System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void Whatever_the_guest_says_of_its_list_the_dump_is_bounded_and_ends()
    {
        Random random = new(3);
        TellLinearList();
        ulong root = Arch.P2MCr3;
        for (int round = 0; round < 60; round++)
        {
            Arch.MaxPfn = Odd(random, Pages);
            Arch.P2MCr3 = Odd(random, root);
            Arch.P2MVaddr = Odd(random, _kernel.P2mBase!.Value);
            Arch.PfnToMfnFrameListList = Odd(random, _fake.Domains[1].Frames.First());
            try
            {
                Assert.InRange(new GuestFrameList(_fake, _hypervisor.Domains.TryGetInfo(1)!).Read().Count,
                    1, (int)(Pages * 2) + 1024);
            }
            catch (ToolstackException)
            {
                // Refused.
            }
        }
    }

    [Fact]
    public void The_domain_is_held_still_meanwhile_and_then_goes_on()
    {
        TellLinearList();
        _fake.Domains[1].IsPaused = false;
        _ = DomainDumper.Dump(_hypervisor, _domain, File, isLive: false);
        Assert.False(_fake.Domains[1].IsPaused);
        Assert.Contains("domctl PauseDomain", _fake.Calls);
        _ = Assert.Throws<ToolstackException>(() => DomainDumper.Dump(_hypervisor, new(0, "Domain-0"), File, false));
    }

    private static ulong Odd(Random random, ulong sane) => random.Next(4) switch
    {
        0 => (ulong)random.NextInt64(),
        1 => ulong.MaxValue - (ulong)random.Next(10_000),
        2 => (ulong)random.Next(),
        _ => sane,
    };
}
