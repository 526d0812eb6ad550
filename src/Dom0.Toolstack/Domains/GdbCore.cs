// SPDX-License-Identifier: MIT
//
// A dump as Xen's tools write it is what `crash` reads. gdb knows nothing of guest frames: it wants a core file whose segments lie
// at virtual addresses, and the registers in notes. Both are in the dump: the guest's page tables say which page lies
// at which address. The address space is that of the first virtual CPU that has one; its kernel's half is everybody's.
//
// Page tables are the guest's. A table that is reached again and again, as one that maps itself is, costs a visit each
// time, and visits and segments have a limit; what lies beyond is left out, the kernel's image and half being walked first. A page
// is in the file at eight addresses at most: Linux has the same few at some 330,000 in its vmalloc area.
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Migration;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>What became of a dump.</summary>
/// <param name="File">The core file.</param>
/// <param name="Vcpus">Virtual CPUs, which are gdb's threads.</param>
/// <param name="Segments">Runs of pages at consecutive addresses.</param>
/// <param name="Repeated">Addresses left out because their pages are there at eight others.</param>
/// <param name="IsWhole">Nothing else that the page tables map was left out.</param>
public sealed record GdbCoreResult(string File, int Vcpus, int Segments, int Repeated, bool IsWhole);

/// <summary>Makes core files for gdb of dumps.</summary>
public sealed unsafe class GdbCore
{
    /// <summary>An ELF header counts segments in sixteen bits.</summary>
    private const int MaximumSegments = 65_000;
    private const int MaximumVisits = 200_000;
    private const int MaximumSections = 64;
    private const int MaximumAddresses = 8;
    private const int PageSize = 4096;
    private const int EntriesPerTable = 512;
    private const int FirstKernelSlot = 272;
    private const int ImageSlot = 511;
    private const int HeaderSize = 64;
    private const int SegmentHeaderSize = 56;
    private const int StatusSize = 336;
    private const int StatusPid = 32;
    private const int StatusRegisters = 112;

    private readonly FileStream _dump;
    private readonly Dictionary<string, (long Offset, long Size)> _sections = [];
    private readonly Dictionary<ulong, int> _pageOf = [];
    private readonly List<Segment> _segments = [];
    private byte[] _addresses = [];
    private int _visits;
    private int _repeated;
    private bool _isWhole = true;

    private GdbCore(FileStream dump) => _dump = dump;

    /// <summary>Pages from <paramref name="First"/> on at consecutive addresses.</summary>
    private readonly record struct Segment(ulong Address, int First, int Count);

    /// <summary>Reads a dump and writes a core file that does not exist yet.</summary>
    /// <exception cref="ToolstackException">That is no dump, or the file cannot be written; none is left.</exception>
    public static GdbCoreResult Convert(string dump, string path)
    {
        bool isMade = false;
        try
        {
            using FileStream source = File.OpenRead(dump);
            using FileStream target = new(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                BufferSize = 1 << 16,
            });
            isMade = true;
            return new GdbCore(source).Write(target);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ToolstackException)
        {
            if (isMade)
            {
                File.Delete(path);
            }

            throw failure is ToolstackException
                ? failure
                : new ToolstackException($"cannot make {path} of {dump}: {failure.Message}",
                    "Choose a file that does not exist yet, and make room for the domain's memory", failure);
        }
    }

    private GdbCoreResult Write(FileStream target)
    {
        ReadSections();
        PageEntry[] frames = Read<PageEntry>(".xen_p2m");
        _addresses = new byte[frames.Length];
        for (int page = 0; page < frames.Length; page++)
        {
            _pageOf[frames[page].MachineFrame] = page;
        }

        (_, long bytes) = Section(".xen_pages");
        if (bytes != (long)frames.Length * PageSize)
        {
            throw Wrong("the list of its pages has another length than its pages");
        }

        VcpuGuestContext[] vcpus = Read<VcpuGuestContext>(".xen_prstatus");
        int root = Array.FindIndex(vcpus, vcpu => _pageOf.ContainsKey(vcpu.CtrlReg[3] / PageSize));
        if (root < 0)
        {
            throw Wrong("no virtual CPU has page tables in it");
        }

        // Linux keeps its own half in the upper slots; the hypervisor's entries lie between the two.
        int top = _pageOf[vcpus[root].CtrlReg[3] / PageSize];
        Walk(top, 4, 0, ImageSlot, ImageSlot + 1);
        Walk(top, 4, 0, FirstKernelSlot, ImageSlot);
        Walk(top, 4, 0, 0, EntriesPerTable / 2);
        WriteCore(target, Notes(vcpus));
        return new GdbCoreResult(target.Name, vcpus.Length, _segments.Count, _repeated, _isWhole);
    }

    private void Walk(int table, int level, ulong above, int from, int to)
    {
        if (++_visits > MaximumVisits)
        {
            _isWhole = false;
            return;
        }

        ulong[] entries = new ulong[EntriesPerTable];
        ReadPage(table, MemoryMarshal.AsBytes(entries.AsSpan()));
        for (int index = from; index < to && _isWhole; index++)
        {
            ulong entry = entries[index];
            if ((entry & PageTableEntries.Present) == 0 || PageTableEntries.IsLarge(level, entry)
                || !_pageOf.TryGetValue(PageTableEntries.FrameOf(entry), out int page))
            {
                continue;
            }

            ulong address = above | ((ulong)index << (3 + (9 * level)));
            if (level == 4 && index >= EntriesPerTable / 2)
            {
                address |= 0xffff_0000_0000_0000;
            }

            if (level > 1)
            {
                Walk(page, level - 1, address, 0, EntriesPerTable);
            }
            else
            {
                Add(address, page);
            }
        }
    }

    private void Add(ulong address, int page)
    {
        if (_addresses[page] == MaximumAddresses)
        {
            _repeated++;
            return;
        }

        _addresses[page]++;
        Span<Segment> all = CollectionsMarshal.AsSpan(_segments);
        if (all.Length > 0 && all[^1] is var last && last.Address + ((ulong)last.Count * PageSize) == address
            && last.First + last.Count == page)
        {
            all[^1] = last with { Count = last.Count + 1 };
        }
        else if (all.Length < MaximumSegments)
        {
            _segments.Add(new Segment(address, page, 1));
        }
        else
        {
            _isWhole = false;
        }
    }

    /// <summary>One NT_PRSTATUS for each virtual CPU: gdb's threads are numbered from 1.</summary>
    private static byte[] Notes(VcpuGuestContext[] vcpus)
    {
        using MemoryStream notes = new();
        for (int id = 0; id < vcpus.Length; id++)
        {
            ReadOnlySpan<uint> header = [5, StatusSize, 1];
            notes.Write(MemoryMarshal.AsBytes(header));
            notes.Write("CORE\0\0\0\0"u8);
            byte[] status = new byte[StatusSize];
            _ = BitConverter.TryWriteBytes(status.AsSpan(StatusPid), id + 1);
            MemoryMarshal.AsBytes(Registers(vcpus[id]).AsSpan()).CopyTo(status.AsSpan(StatusRegisters));
            notes.Write(status);
        }

        return notes.ToArray();
    }

    /// <summary>In the order of Linux's <c>user_regs_struct</c>.</summary>
    private static ulong[] Registers(VcpuGuestContext vcpu)
    {
        CpuUserRegs regs = vcpu.UserRegs;
        ulong gsBase = (vcpu.Flags & VgcfFlags.InKernel) != 0 ? vcpu.GsBaseKernel : vcpu.GsBaseUser;
        return
        [
            regs.R15, regs.R14, regs.R13, regs.R12, regs.Rbp, regs.Rbx, regs.R11, regs.R10, regs.R9, regs.R8, regs.Rax, regs.Rcx,
            regs.Rdx, regs.Rsi, regs.Rdi, ulong.MaxValue, regs.Rip, regs.Cs, regs.Rflags, regs.Rsp, regs.Ss, vcpu.FsBase, gsBase,
            regs.Ds, regs.Es, regs.Fs, regs.Gs,
        ];
    }

    private void WriteCore(FileStream target, byte[] notes)
    {
        int headers = HeaderSize + ((_segments.Count + 1) * SegmentHeaderSize);
        long pages = (headers + notes.Length + PageSize - 1) / PageSize * PageSize;
        byte[] header = new byte[HeaderSize];
        "\u007fELF"u8.CopyTo(header);
        header[4] = 2;
        header[5] = 1;
        header[6] = 1;
        Put(header, 16, (ushort)4);
        Put(header, 18, (ushort)62);
        Put(header, 20, 1u);
        Put(header, 32, (ulong)HeaderSize);
        Put(header, 52, (ushort)HeaderSize);
        Put(header, 54, (ushort)SegmentHeaderSize);
        Put(header, 56, (ushort)(_segments.Count + 1));
        target.Write(header);
        target.Write(SegmentHeader(4, headers, 0, notes.Length, 4));
        foreach (Segment segment in _segments)
        {
            target.Write(SegmentHeader(1, pages + ((long)segment.First * PageSize), segment.Address,
                (long)segment.Count * PageSize, PageSize));
        }

        target.Write(notes);
        target.Position = pages;
        (long offset, long size) = Section(".xen_pages");
        _dump.Position = offset;
        byte[] buffer = new byte[1 << 20];
        for (long left = size; left > 0;)
        {
            int count = (int)Math.Min(left, buffer.Length);
            _dump.ReadExactly(buffer, 0, count);
            target.Write(buffer, 0, count);
            left -= count;
        }
    }

    private static byte[] SegmentHeader(uint type, long offset, ulong address, long size, ulong alignment)
    {
        // Readable and writable: gdb would look for read-only segments in the program's own file.
        byte[] header = new byte[SegmentHeaderSize];
        Put(header, 0, type);
        Put(header, 4, type == 1 ? 6u : 0u);
        Put(header, 8, (ulong)offset);
        Put(header, 16, address);
        Put(header, 32, (ulong)size);
        Put(header, 40, (ulong)size);
        Put(header, 48, alignment);
        return header;
    }

    /// <summary>Finds the sections by their names; every number is checked against the file's length.</summary>
    private void ReadSections()
    {
        byte[] header = ReadAt(0, HeaderSize);
        long table = BitConverter.ToInt64(header, 40);
        int count = BitConverter.ToUInt16(header, 60);
        int names = BitConverter.ToUInt16(header, 62);
        if (!header.AsSpan(0, 4).SequenceEqual("\u007fELF"u8) || header[4] != 2 || count > MaximumSections || names >= count)
        {
            throw Wrong("it is no ELF file with sections");
        }

        byte[] headers = ReadAt(table, count * HeaderSize);
        (long Offset, long Size) Of(int index) => (BitConverter.ToInt64(headers, (index * HeaderSize) + 24),
            BitConverter.ToInt64(headers, (index * HeaderSize) + 32));
        (long start, long length) = Of(names);
        byte[] text = ReadAt(start, (int)Math.Clamp(length, 0, PageSize));
        for (int index = 1; index < count; index++)
        {
            uint name = BitConverter.ToUInt32(headers, index * HeaderSize);
            int end = name < text.Length ? Array.IndexOf(text, (byte)0, (int)name) : -1;
            if (end >= 0)
            {
                _sections[Encoding.ASCII.GetString(text, (int)name, end - (int)name)] = Of(index);
            }
        }
    }

    private (long Offset, long Size) Section(string name) =>
        _sections.TryGetValue(name, out (long Offset, long Size) section) && section.Offset >= 0 && section.Size >= 0
        && section.Offset <= _dump.Length && section.Size <= _dump.Length - section.Offset
            ? section
            : throw Wrong($"it has no section {name}, or not all of it");

    private T[] Read<T>(string name)
        where T : unmanaged
    {
        (long offset, long size) = Section(name);
        if (size % sizeof(T) != 0 || size > int.MaxValue)
        {
            throw Wrong($"its section {name} has an odd length");
        }

        return MemoryMarshal.Cast<byte, T>(ReadAt(offset, (int)size)).ToArray();
    }

    private void ReadPage(int page, Span<byte> bytes)
    {
        _dump.Position = Section(".xen_pages").Offset + ((long)page * PageSize);
        _dump.ReadExactly(bytes);
    }

    private byte[] ReadAt(long offset, int count)
    {
        if (offset < 0 || offset > _dump.Length - count)
        {
            throw Wrong("it ends too early");
        }

        byte[] bytes = new byte[count];
        _dump.Position = offset;
        _dump.ReadExactly(bytes);
        return bytes;
    }

    private ToolstackException Wrong(string what) =>
        new($"{_dump.Name} is no dump of a paravirtualized domain: {what}", "Make one with 'xm dump-core'");

    private static void Put<T>(Span<byte> target, int offset, T value)
        where T : unmanaged => Unsafe.WriteUnaligned(ref target[offset], value);
}
