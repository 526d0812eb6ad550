// SPDX-License-Identifier: MIT
//
// Reads a whole file and believes nothing in it. What passes here can be restored as far as numbers go: every frame that
// a page table, a virtual CPU, the start-up page or the list of machine frames names is in the file, every count fits its
// record, every record that is needed stands where it must. Whether page tables are lawful is the hypervisor's to say
// when they are pinned. Nothing is created before this has read the last byte.
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Checks the file of a saved domain.</summary>
public sealed class SavedDomainChecker
{
    private readonly SaveFileReader _reader;
    private readonly SavedDomain _domain;
    private readonly List<(long Offset, int Frames)> _batches = [];
    private bool _hasInfo;
    private bool _isStaticDone;
    private long _listOffset;
    private long _sharedOffset;

    private SavedDomainChecker(SaveFileReader reader)
    {
        _reader = reader;
        _domain = new SavedDomain { Opening = reader.ReadOpening() };
    }

    /// <summary>Reads <paramref name="stream"/> to its end; <paramref name="name"/> is for messages.</summary>
    /// <exception cref="SaveFileException">It is damaged, or cannot be restored here.</exception>
    public static SavedDomain Check(Stream stream, string name, Action<long>? progress = null)
    {
        SaveFileReader reader = new(stream, name);
        SavedDomainChecker checker = new(reader);
        while (reader.ReadRecord())
        {
            string contents = checker.Read();
            checker._domain.Records.Add(new SaveRecordSummary(reader.Offset, RecordNames.Of(reader.Type),
                reader.BodyLength, reader.Checksum?.ToString("x16"), contents));
            progress?.Invoke(reader.Offset);
        }

        checker.Finish();
        return checker._domain;
    }

    private string Read() => _reader.Type switch
    {
        RecordType.X86PvInfo => ReadInfo(),
        RecordType.X86CpuidPolicy => ReadPolicy(SaveFileLayout.LeafSize, "CPUID leaves",
            () => _domain.Leaves, bytes => _domain.Leaves = bytes),
        RecordType.X86MsrPolicy => ReadPolicy(SaveFileLayout.PolicyMsrSize, "MSRs",
            () => _domain.PolicyMsrs, bytes => _domain.PolicyMsrs = bytes),
        RecordType.StaticDataEnd => ReadStaticEnd(),
        RecordType.X86PvP2mFrames => ReadList(),
        RecordType.PageData => ReadPages(),
        RecordType.X86TscInfo => ReadTsc(),
        RecordType.SharedInfo => ReadSharedInfo(),
        RecordType.X86PvVcpuBasic => ReadVcpu(),
        RecordType.X86PvVcpuExtended => ReadVcpuPart(SaveFileLayout.MaximumExtended, 1,
            (vcpu, bytes) => vcpu.Extended = bytes),
        RecordType.X86PvVcpuXsave => ReadVcpuPart(SaveFileLayout.MaximumXsave, 1,
            (vcpu, bytes) => vcpu.Vectors = bytes),
        RecordType.X86PvVcpuMsrs => ReadVcpuPart(SaveFileLayout.PageSize, SaveFileLayout.MsrSize,
            (vcpu, bytes) => vcpu.Msrs = bytes),
        RecordType.HvmContext or RecordType.HvmParams => throw _reader.Refuse("a paravirtualized domain has no such record"),
        RecordType.Checkpoint or RecordType.CheckpointDirtyPfnList => throw _reader.Refuse(
            "this is a stream of checkpoints and not one saved domain"),
        RecordType.Verify => throw _reader.Refuse("pages that are sent twice, for debugging of migration, are not restored"),
        _ => throw _reader.Refuse("it is required for restoring the domain, and not understood"),
    };

    private string ReadInfo()
    {
        RequireLength(8);
        RequireFirst(!_hasInfo);
        (int width, int levels) = (_reader.Body[0], _reader.Body[1]);
        if (width != 8 || levels != 4)
        {
            throw _reader.Refuse($"the guest has words of {width} bytes and {levels} levels of page tables; only 8 and 4 "
                + "run here");
        }

        _hasInfo = true;
        return "64-bit, 4 levels";
    }

    private string ReadPolicy(int entrySize, string what, Func<byte[]> get, Action<byte[]> set)
    {
        if (_isStaticDone)
        {
            throw _reader.Refuse("it stands behind STATIC_DATA_END");
        }

        RequireFirst(get().Length == 0);
        int length = _reader.BodyLength;
        if (length == 0 || length % entrySize != 0 || length > 64 * SaveFileLayout.PageSize)
        {
            throw _reader.Refuse($"it has {length} bytes; whole entries of {entrySize} are wanted");
        }

        set(_reader.Body.ToArray());
        return $"{length / entrySize} {what}";
    }

    private string ReadStaticEnd()
    {
        RequireLength(0);
        RequireFirst(!_isStaticDone);
        RequireInfo();
        _isStaticDone = true;
        return "";
    }

    private string ReadList()
    {
        RequireInfo();
        RequireFirst(_listOffset == 0);
        if (_domain.Opening.ImageVersion >= SaveFileLayout.ImageVersion && !_isStaticDone)
        {
            throw _reader.Refuse("it stands before STATIC_DATA_END");
        }

        _isStaticDone = true;
        ReadOnlySpan<byte> body = _reader.Body;
        RequireAtLeast(8);
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(body);
        uint last = BinaryPrimitives.ReadUInt32LittleEndian(body[4..]);
        if (first != 0 || last >= SaveFileLayout.MaximumFrames)
        {
            throw _reader.Refuse($"its list is of the guest frames {first:x} to {last:x}; it must begin with 0 and end "
                + $"below {SaveFileLayout.MaximumFrames:x}");
        }

        int count = (int)(last / SaveFileLayout.EntriesPerPage) + 1;
        RequireLength(8 + (count * sizeof(ulong)));
        ulong[] frames = MemoryMarshal.Cast<byte, ulong>(body[8..]).ToArray();
        int wrong = Array.FindIndex(frames, frame => frame > last);
        if (wrong >= 0)
        {
            throw _reader.Refuse($"page {wrong} of the list lies in guest frame {frames[wrong]:x}, and the last one is "
                + $"{last:x}");
        }

        _listOffset = _reader.Offset;
        _domain.ListFrames = frames;
        _domain.Frames = new FrameKinds((ulong)last + 1);
        return $"guest frames 0 to {last:x}";
    }

    private string ReadPages()
    {
        if (_listOffset == 0)
        {
            throw _reader.Refuse("it stands before X86_PV_P2M_FRAMES");
        }

        if (_domain.Vcpus.Count > 0)
        {
            throw _reader.Refuse("it stands behind the virtual CPUs");
        }

        if (PageBatch.Read(_reader.Body, _domain.Frames.Count, out PageBatch batch) is { } reason)
        {
            throw _reader.Refuse(reason);
        }

        int page = 0;
        int tables = 0;
        for (int index = 0; index < batch.Count; index++)
        {
            byte kind = batch.Kind(index);
            _domain.Frames[batch.Frame(index)] = kind;
            if (!PageKind.HasContents(kind))
            {
                continue;
            }

            ReadOnlySpan<byte> contents = batch.Page(page++);
            if (PageKind.TableLevel(kind) is > 0 and int level)
            {
                tables++;
                ReadTable(level, batch.Frame(index), MemoryMarshal.Cast<byte, ulong>(contents));
            }
        }

        _batches.Add((_reader.Offset, batch.Count));
        return $"{page} pages, {tables} of them page tables";
    }

    private void ReadTable(int level, ulong frame, ReadOnlySpan<ulong> entries)
    {
        for (int index = 0; index < entries.Length; index++)
        {
            ulong entry = entries[index];
            if ((entry & PageTableEntries.Present) == 0 || PageTableEntries.IsHypervisors(level, index))
            {
                continue;
            }

            ulong target = PageTableEntries.FrameOf(entry);
            if (target >= _domain.Frames.Count || PageTableEntries.IsLarge(level, entry))
            {
                throw _reader.Refuse($"entry {index} of the level-{level} page table in guest frame {frame:x} is "
                    + $"{entry:x16}, which " + (target >= _domain.Frames.Count
                        ? "names a frame that the domain cannot have" : "maps a large page"));
            }

            _domain.Frames.MarkReferenced(target);
        }
    }

    private string ReadTsc()
    {
        RequireLength(24);
        RequireFirst(_domain.Tsc is null);
        ReadOnlySpan<byte> body = _reader.Body;
        DomCtlTscInfo info = new()
        {
            TscMode = BinaryPrimitives.ReadUInt32LittleEndian(body),
            GtscKhz = BinaryPrimitives.ReadUInt32LittleEndian(body[4..]),
            ElapsedNsec = BinaryPrimitives.ReadUInt64LittleEndian(body[8..]),
            Incarnation = BinaryPrimitives.ReadUInt32LittleEndian(body[16..]),
        };
        if (info.TscMode > 3)
        {
            throw _reader.Refuse($"{info.TscMode} is no mode of the time stamp counter");
        }

        _domain.Tsc = info;
        return $"mode {info.TscMode}, {info.GtscKhz} kHz";
    }

    private string ReadSharedInfo()
    {
        RequireLength(SaveFileLayout.PageSize);
        RequireFirst(_sharedOffset == 0);
        _sharedOffset = _reader.Offset;
        _domain.SharedInfo = _reader.Body.ToArray();
        return "";
    }

    private int ReadVcpuNumber()
    {
        RequireAtLeast(SaveFileLayout.VcpuHeaderSize);
        uint vcpu = BinaryPrimitives.ReadUInt32LittleEndian(_reader.Body);
        int count = _domain.Opening.Config.Config.MaximumVcpus;
        return vcpu < count
            ? (int)vcpu
            : throw _reader.Refuse($"it is of virtual CPU {vcpu}, and the configuration has {count}");
    }

    private string ReadVcpu()
    {
        int vcpu = ReadVcpuNumber();
        if (_batches.Count == 0)
        {
            throw _reader.Refuse("it stands before the pages");
        }

        RequireLength(SaveFileLayout.VcpuHeaderSize + SaveFileLayout.VcpuSize);
        RequireFirst(!_domain.Vcpus.ContainsKey(vcpu));
        _domain.Vcpus[vcpu] = new SavedVcpu
        {
            Offset = _reader.Offset,
            Registers = _reader.Body[SaveFileLayout.VcpuHeaderSize..].ToArray(),
        };
        return $"virtual CPU {vcpu}";
    }

    private string ReadVcpuPart(int limit, int entrySize, Action<SavedVcpu, byte[]> set)
    {
        int number = ReadVcpuNumber();
        if (!_domain.Vcpus.TryGetValue(number, out SavedVcpu? vcpu))
        {
            throw _reader.Refuse($"it stands before X86_PV_VCPU_BASIC of virtual CPU {number}");
        }

        int length = _reader.BodyLength - SaveFileLayout.VcpuHeaderSize;
        if (length > limit || length % entrySize != 0)
        {
            throw _reader.Refuse($"it has {length} bytes of state; up to {limit}"
                + (entrySize > 1 ? $" in entries of {entrySize}" : "") + " are possible");
        }

        set(vcpu, _reader.Body[SaveFileLayout.VcpuHeaderSize..].ToArray());
        return $"virtual CPU {number}";
    }

    /// <summary>What can only be seen when all of the file is known; the reader stands behind END.</summary>
    private void Finish()
    {
        Require(_listOffset != 0, "X86_PV_P2M_FRAMES");
        Require(_batches.Count > 0, "PAGE_DATA");
        Require(_sharedOffset != 0, "SHARED_INFO");
        Require(_domain.Vcpus.ContainsKey(0), "X86_PV_VCPU_BASIC of virtual CPU 0");
        foreach (ulong frame in _domain.Frames.WithMemory())
        {
            _domain.Pages++;
            _domain.PageTables += PageKind.TableLevel(_domain.Frames[frame]) > 0 ? 1 : 0;
        }

        ulong room = _domain.Opening.Config.Config.MaximumMemoryKib / 4;
        if ((ulong)_domain.Pages > room)
        {
            throw _reader.Refuse("PAGE_DATA", _batches[0].Offset,
                $"the file holds {_domain.Pages} pages, and the configuration allows {room}");
        }

        if (_domain.Frames.FirstMissing() is { } missing)
        {
            throw _reader.Refuse("PAGE_DATA", FindReference(missing),
                $"a page table maps guest frame {missing:x}, of which the file holds no page");
        }

        foreach (ulong frame in _domain.ListFrames)
        {
            if (_domain.Frames[frame] != PageKind.Plain)
            {
                throw _reader.Refuse("X86_PV_P2M_FRAMES", _listOffset,
                    $"the list lies in guest frame {frame:x}, which is no ordinary page of the file");
            }
        }

        foreach ((int number, SavedVcpu vcpu) in _domain.Vcpus)
        {
            if (SavedRegisters.Check(vcpu.Registers, _domain.Frames) is { } reason)
            {
                throw _reader.Refuse("X86_PV_VCPU_BASIC", vcpu.Offset, $"virtual CPU {number}: {reason}");
            }
        }

        FindStartInfo();
    }

    private void FindStartInfo()
    {
        SavedVcpu first = _domain.Vcpus[0];
        ulong frame = SavedRegisters.StartInfoFrame(first.Registers);
        if (frame >= _domain.Frames.Count || _domain.Frames[frame] != PageKind.Plain)
        {
            throw _reader.Refuse("X86_PV_VCPU_BASIC", first.Offset,
                $"the start-up page would lie in guest frame {frame:x}, which is no ordinary page of the file");
        }

        (long offset, byte[] page) = ReadPage(frame);
        StartInfo info = MemoryMarshal.Read<StartInfo>(page);
        _domain.StartInfoFrame = frame;
        _domain.StoreFrame = info.StoreMfn;
        _domain.ConsoleFrame = info.ConsoleDomUMfn;
        foreach ((string ring, ulong ringFrame) in new[] { ("store", info.StoreMfn), ("console", info.ConsoleDomUMfn) })
        {
            if (ringFrame >= _domain.Frames.Count || _domain.Frames[ringFrame] != PageKind.Plain)
            {
                throw _reader.Refuse("PAGE_DATA", offset, $"the start-up page in guest frame {frame:x} puts the ring of "
                    + $"the {ring} into guest frame {ringFrame:x}, which is no ordinary page of the file");
            }
        }
    }

    /// <summary>The last contents that the file gives a frame, and where the record with them begins.</summary>
    private (long Offset, byte[] Page) ReadPage(ulong frame)
    {
        byte[] page = new byte[SaveFileLayout.PageSize];
        for (int batch = _batches.Count - 1; batch >= 0; batch--)
        {
            (long offset, int count) = _batches[batch];
            ulong[] entries = ReadEntries(offset, count);
            for (int index = count - 1; index >= 0; index--)
            {
                if ((entries[index] & SaveFileLayout.PageFrameMask) == frame
                    && PageKind.HasContents((byte)(entries[index] >> SaveFileLayout.PageTypeShift)))
                {
                    _reader.ReadAt(PageOffset(offset, entries, index), page);
                    return (offset, page);
                }
            }
        }

        throw new InvalidOperationException($"frame {frame:x} has contents, and no record has them");
    }

    private ulong[] ReadEntries(long offset, int count)
    {
        ulong[] entries = new ulong[count];
        _reader.ReadAt(offset + SaveFileLayout.RecordHeaderSize + 8, MemoryMarshal.AsBytes(entries.AsSpan()));
        return entries;
    }

    private static long PageOffset(long offset, ulong[] entries, int index)
    {
        long pages = 0;
        for (int before = 0; before < index; before++)
        {
            pages += PageKind.HasContents((byte)(entries[before] >> SaveFileLayout.PageTypeShift)) ? 1 : 0;
        }

        return offset + SaveFileLayout.RecordHeaderSize + PageBatch.SizeOf(entries.Length, 0)
            + (pages * SaveFileLayout.PageSize);
    }

    /// <summary>The record with a page table that maps a frame.</summary>
    private long FindReference(ulong frame)
    {
        byte[] page = new byte[SaveFileLayout.PageSize];
        foreach ((long offset, int count) in _batches)
        {
            ulong[] entries = ReadEntries(offset, count);
            for (int index = 0; index < count; index++)
            {
                int level = PageKind.TableLevel((byte)(entries[index] >> SaveFileLayout.PageTypeShift));
                if (level == 0)
                {
                    continue;
                }

                _reader.ReadAt(PageOffset(offset, entries, index), page);
                foreach (ulong entry in MemoryMarshal.Cast<byte, ulong>(page))
                {
                    if ((entry & PageTableEntries.Present) != 0 && PageTableEntries.FrameOf(entry) == frame)
                    {
                        return offset;
                    }
                }
            }
        }

        return _batches[0].Offset;
    }

    private void Require(bool isThere, string record)
    {
        if (!isThere)
        {
            throw _reader.Refuse($"the file has no {record}, without which no domain can be restored");
        }
    }

    private void RequireInfo()
    {
        if (!_hasInfo)
        {
            throw _reader.Refuse("it stands before X86_PV_INFO");
        }
    }

    private void RequireFirst(bool isFirst)
    {
        if (!isFirst)
        {
            throw _reader.Refuse("it is the second of its kind");
        }
    }

    private void RequireLength(int length)
    {
        if (_reader.BodyLength != length)
        {
            throw _reader.Refuse($"it has {_reader.BodyLength} bytes, and {length} are wanted");
        }
    }

    private void RequireAtLeast(int length)
    {
        if (_reader.BodyLength < length)
        {
            throw _reader.Refuse($"it has {_reader.BodyLength} bytes, and {length} at least are wanted");
        }
    }
}
