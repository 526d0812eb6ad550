// SPDX-License-Identifier: MIT
//
// A guest's memory as an ELF file of the form that Xen's tools write ("xen dump-core format" 0.1): sections and no
// segments. .xen_p2m has a pair (guest frame, machine frame) for each page of .xen_pages, in the same order.
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>Writes a paravirtualized domain's memory and virtual CPUs to a file.</summary>
public sealed unsafe class CoreDump
{
    private const int PageSize = 4096;
    private const int Batch = 256;
    private const ulong PvMagic = 0xf00febed;
    private const ulong FormatVersion = 1;
    private const uint NoteNone = 0x2000000;
    private const uint NoteHeader = 0x2000001;
    private const uint NoteVersion = 0x2000002;
    private const uint NoteFormat = 0x2000003;

    private readonly Hypervisor _hypervisor;
    private readonly DomId _domain;
    private readonly Stream _file;
    private readonly List<(string Name, uint Type, long Offset, long Size, long EntrySize)> _sections = [];

    private CoreDump(Hypervisor hypervisor, int domid, Stream file)
    {
        _hypervisor = hypervisor;
        _domain = new DomId((ushort)domid);
        _file = file;
    }

    /// <summary>Writes the dump of a domain that is held still, to a file that does not exist yet.</summary>
    /// <exception cref="ToolstackException">It cannot be read or written; no file is left.</exception>
    public static DumpResult Write(Hypervisor hypervisor, int domid, string path)
    {
        bool isMade = false;
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } directory)
            {
                _ = Directory.CreateDirectory(directory);
            }

            FileStreamOptions options = new()
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                BufferSize = 1 << 16,
            };
            using FileStream file = new(path, options);
            isMade = true;
            ulong pages = new CoreDump(hypervisor, domid, file).Write();
            return new DumpResult(path, pages);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ToolstackException)
        {
            if (isMade)
            {
                File.Delete(path);
            }

            throw failure is ToolstackException
                ? failure
                : new ToolstackException($"cannot write the dump {path}: {failure.Message}",
                    "Choose another file, and make room for the domain's memory", failure);
        }
    }

    private ulong Write()
    {
        DomainInfo info = _hypervisor.Domains.TryGetInfo(_domain.Raw)
            ?? throw new ToolstackException($"domain {_domain.Raw} does not exist any more");
        List<PageEntry> frames = new GuestFrameList(_hypervisor.Channel, info).Read();
        int vcpus = info.MaximumVcpuId + 1;

        // The count in the notes is known when the pages are written; the header comes last.
        _file.SetLength(PageSize);
        _file.Position = PageSize;
        List<PageEntry> written = WritePages(frames);
        AddSection(".xen_p2m", 1, MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(written)), sizeof(PageEntry));
        AddSection(".xen_prstatus", 1, ReadVcpus(vcpus), sizeof(VcpuGuestContext));
        AddSection(".xen_shared_info", 1, ReadSharedInfo(info), PageSize);
        AddSection(".note.Xen", 7, Notes((ulong)vcpus, (ulong)written.Count), 0);
        WriteTables();
        return (ulong)written.Count;
    }

    private List<PageEntry> WritePages(List<PageEntry> frames)
    {
        long start = _file.Position;
        List<PageEntry> written = [];
        ulong[] machine = new ulong[Batch];
        int[] errors = new int[Batch];
        for (int first = 0; first < frames.Count; first += Batch)
        {
            Progress.Report("writing its memory", first, frames.Count);
            int count = Math.Min(Batch, frames.Count - first);
            for (int index = 0; index < count; index++)
            {
                machine[index] = frames[first + index].MachineFrame;
            }

            errors.AsSpan().Clear();
            using NativeRegion region = _hypervisor.Channel.MapForReading(
                _domain.Raw, machine.AsSpan(0, count), errors.AsSpan(0, count));
            for (int index = 0; index < count; index++)
            {
                // The list is the guest's own word: a frame that is not its memory is left out.
                if (errors[index] == 0)
                {
                    _file.Write(region.Page(index));
                    written.Add(frames[first + index]);
                }
            }
        }

        _sections.Add((".xen_pages", 1, start, _file.Position - start, PageSize));
        return written;
    }

    private byte[] ReadVcpus(int count)
    {
        int size = sizeof(VcpuGuestContext);
        byte[] contexts = new byte[count * size];
        using NativeRegion context = _hypervisor.Channel.Allocate(size);
        for (int vcpu = 0; vcpu < count; vcpu++)
        {
            if (_hypervisor.Domains.TryGetVcpuContext(_domain, vcpu, context))
            {
                context.Bytes[..size].CopyTo(contexts.AsSpan(vcpu * size));
            }
        }

        return contexts;
    }

    private byte[] ReadSharedInfo(DomainInfo info)
    {
        int[] errors = new int[1];
        using NativeRegion page = _hypervisor.Channel.MapForReading(_domain.Raw, [info.SharedInfoFrame], errors);
        return errors[0] == 0 ? page.Bytes[..PageSize].ToArray() : new byte[PageSize];
    }

    private byte[] Notes(ulong vcpus, ulong pages)
    {
        using MemoryStream notes = new();
        Note(notes, NoteNone, []);
        Note(notes, NoteHeader, Words(PvMagic, vcpus, pages, PageSize));
        Note(notes, NoteVersion, Version());
        Note(notes, NoteFormat, Words(FormatVersion));
        return notes.ToArray();
    }

    /// <summary>What <c>xen_version</c> says, field by field; readers of the format insist on it.</summary>
    private byte[] Version()
    {
        VersionControl version = _hypervisor.Version;
        (int major, int minor) = version.Version();
        (string compiler, string by, string domain, string date) = version.CompileInfo();
        return
        [
            .. Words((ulong)major, (ulong)minor), .. Text(version.ExtraVersion(), 16), .. Text(compiler, 64),
            .. Text(by, 16), .. Text(domain, 32), .. Text(date, 32), .. Text(version.Capabilities(), 1024),
            .. Text(version.ChangeSet(), 64), .. Words(version.VirtualStart(), (ulong)version.PageSize()),
        ];
    }

    private static byte[] Words(params ReadOnlySpan<ulong> words) => MemoryMarshal.AsBytes(words).ToArray();

    private static byte[] Text(string text, int size)
    {
        byte[] field = new byte[size];
        ReadOnlySpan<byte> bytes = Encoding.UTF8.GetBytes(text);
        bytes[..Math.Min(bytes.Length, size - 1)].CopyTo(field);
        return field;
    }

    private static void Note(MemoryStream notes, uint type, ReadOnlySpan<byte> descriptor)
    {
        ReadOnlySpan<uint> header = [4, (uint)descriptor.Length, type];
        notes.Write(MemoryMarshal.AsBytes(header));
        notes.Write("Xen\0"u8);
        notes.Write(descriptor);
    }

    private void AddSection(string name, uint type, ReadOnlySpan<byte> content, long entrySize)
    {
        _sections.Add((name, type, _file.Position, content.Length, entrySize));
        _file.Write(content);
    }

    /// <summary>Section names, section headers, and the file's header that points there.</summary>
    private void WriteTables()
    {
        StringBuilder names = new("\0");
        List<int> nameOffsets = [];
        foreach ((string name, _, _, _, _) in _sections)
        {
            nameOffsets.Add(names.Length);
            _ = names.Append(name).Append('\0');
        }

        nameOffsets.Add(names.Length);
        _ = names.Append(".shstrtab\0");
        AddSection(".shstrtab", 3, Encoding.ASCII.GetBytes(names.ToString()), 0);
        _file.Position = (_file.Position + 7) & ~7L;
        long table = _file.Position;
        _file.Write(new byte[64]);
        byte[] header = new byte[64];
        for (int index = 0; index < _sections.Count; index++)
        {
            (_, uint type, long offset, long size, long entrySize) = _sections[index];
            header.AsSpan().Clear();
            Put(header, 0, (uint)nameOffsets[index]);
            Put(header, 4, type);
            Put(header, 24, (ulong)offset);
            Put(header, 32, (ulong)size);
            Put(header, 48, index == 0 ? (ulong)PageSize : 8UL);
            Put(header, 56, (ulong)entrySize);
            _file.Write(header);
        }

        // ELF64, little endian, a core file of x86-64.
        Span<byte> file = stackalloc byte[64];
        file.Clear();
        "\u007fELF"u8.CopyTo(file);
        file[4] = 2;
        file[5] = 1;
        file[6] = 1;
        Put(file, 16, (ushort)4);
        Put(file, 18, (ushort)62);
        Put(file, 20, 1u);
        Put(file, 40, (ulong)table);
        Put(file, 52, (ushort)64);
        Put(file, 58, (ushort)64);
        Put(file, 60, (ushort)(_sections.Count + 1));
        Put(file, 62, (ushort)_sections.Count);
        _file.Position = 0;
        _file.Write(file);
    }

    private static void Put<T>(Span<byte> target, int offset, T value)
        where T : unmanaged => Unsafe.WriteUnaligned(ref target[offset], value);
}
