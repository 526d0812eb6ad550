// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Writes the image of a domain that has suspended itself: all records in their order.</summary>
internal sealed class DomainImageWriter
{
    private const int GuestBits = 64;

    // So few that they are still in the cache when they are hashed and written.
    private const int PagesAtOnce = 16;

    private readonly Hypervisor _hypervisor;
    private readonly DomId _domain;
    private readonly SaveFileWriter _writer;
    private readonly Action<TransferProgress>? _progress;

    public DomainImageWriter(
        Hypervisor hypervisor, DomId domain, SaveFileWriter writer, Action<TransferProgress>? progress)
    {
        _hypervisor = hypervisor;
        _domain = domain;
        _writer = writer;
        _progress = progress;
    }

    /// <summary>Writes everything; returns the number of pages.</summary>
    public int Write(int maximumVcpus, CancellationToken cancellation)
    {
        WriteStaticData();
        byte[] sharedPage = GuestPages.ReadSharedInfo(_hypervisor, _domain);
        GuestPages pages = GuestPages.Read(_hypervisor, _domain, in MemoryMarshal.AsRef<SharedInfo>(sharedPage));
        WriteList(pages);
        WritePages(pages, cancellation);
        WriteTsc();
        _writer.Write(RecordType.SharedInfo, sharedPage);
        for (int vcpu = 0; vcpu < maximumVcpus; vcpu++)
        {
            if (_hypervisor.Domains.TryGetVcpu(_domain, vcpu) is { Online: not 0 })
            {
                WriteVcpu(vcpu, pages);
            }
        }

        return pages.Count;
    }

    private static byte[] VcpuHeader(int vcpu)
    {
        byte[] header = new byte[SaveFileLayout.VcpuHeaderSize];
        BinaryPrimitives.WriteInt32LittleEndian(header, vcpu);
        return header;
    }

    private void WriteStaticData()
    {
        int bits = _hypervisor.States.GetAddressSize(_domain);
        if (bits != GuestBits)
        {
            throw new ToolstackException($"the guest is a {bits}-bit one; only {GuestBits}-bit guests can be saved");
        }

        _writer.Write(RecordType.X86PvInfo, [8, 4, 0, 0, 0, 0, 0, 0]);
        (byte[] leaves, byte[] msrs) = _hypervisor.States.GetCpuPolicy(_domain);
        WriteUnlessEmpty(RecordType.X86CpuidPolicy, leaves);
        WriteUnlessEmpty(RecordType.X86MsrPolicy, msrs);
        _writer.Write(RecordType.StaticDataEnd, []);
    }

    private void WriteUnlessEmpty(RecordType type, byte[] contents)
    {
        if (contents.Length > 0)
        {
            _writer.Write(type, contents);
        }
    }

    private void WriteList(GuestPages pages)
    {
        byte[] body = new byte[8 + (pages.List.ListFrames.Length * sizeof(ulong))];
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4), (uint)(pages.Kinds.Count - 1));
        Span<ulong> frames = MemoryMarshal.Cast<byte, ulong>(body.AsSpan(8));
        for (int index = 0; index < frames.Length; index++)
        {
            frames[index] = pages.Machine.Find(pages.List.ListFrames[index]) ?? throw new ToolstackException(
                $"page {index} of the guest's list of machine frames lies in machine frame "
                + $"{pages.List.ListFrames[index]:x}, which the list itself does not have");
        }

        _writer.Write(RecordType.X86PvP2mFrames, body);
    }

    private void WritePages(GuestPages pages, CancellationToken cancellation)
    {
        int done = 0;
        byte[] kinds = new byte[SaveFileLayout.BatchPages];
        byte[] head = new byte[PageBatch.SizeOf(SaveFileLayout.BatchPages, 0)];
        byte[] copy = new byte[PagesAtOnce * SaveFileLayout.PageSize];
        foreach (ulong[] batch in pages.Batches())
        {
            cancellation.ThrowIfCancellationRequested();
            for (int index = 0; index < batch.Length; index++)
            {
                kinds[index] = pages.Kinds[batch[index]];
            }

            _writer.Begin(RecordType.PageData, PageBatch.SizeOf(batch.Length, batch.Length));
            _writer.Add(head.AsSpan(0, PageBatch.WriteHead(head, batch, kinds)));
            using (NativeRegion memory = pages.Map(_hypervisor, _domain, batch))
            {
                AddPages(pages, batch, kinds, memory.Bytes, copy);
            }

            _writer.End();
            done += batch.Length;
            _progress?.Invoke(new TransferProgress(done, pages.Count));
        }
    }

    /// <summary>
    /// Adds copies of the pages, some at a time: a back end that still works for the guest may write to them meanwhile, and
    /// what is hashed has to be what is written.
    /// </summary>
    private void AddPages(GuestPages pages, ulong[] batch, byte[] kinds, ReadOnlySpan<byte> memory, byte[] copy)
    {
        const int Size = SaveFileLayout.PageSize;
        for (int first = 0; first < batch.Length; first += PagesAtOnce)
        {
            int count = Math.Min(PagesAtOnce, batch.Length - first);
            Span<byte> copied = copy.AsSpan(0, count * Size);
            memory.Slice(first * Size, count * Size).CopyTo(copied);
            for (int index = 0; index < count; index++)
            {
                if (PageKind.TableLevel(kinds[first + index]) is > 0 and int level)
                {
                    ToGuestFrames(pages, level, batch[first + index],
                        MemoryMarshal.Cast<byte, ulong>(copied.Slice(index * Size, Size)));
                }
            }

            _writer.Add(copied);
        }
    }

    private static void ToGuestFrames(GuestPages pages, int level, ulong table, Span<ulong> entries)
    {
        PageTableEntries.ClearHypervisors(level, entries);
        for (int index = 0; index < entries.Length; index++)
        {
            ulong entry = entries[index];
            if ((entry & PageTableEntries.Present) == 0)
            {
                continue;
            }

            if (PageTableEntries.IsLarge(level, entry)
                || pages.Machine.Find(PageTableEntries.FrameOf(entry)) is not { } frame)
            {
                throw new ToolstackException(
                    $"entry {index} of the guest's level-{level} page table in guest frame {table:x} is {entry:x16}, "
                    + "which maps memory that is not the guest's own, such as a device's or another domain's",
                    "Detach devices from the guest before saving it");
            }

            entries[index] = PageTableEntries.WithFrame(entry, frame);
        }
    }

    private void WriteTsc()
    {
        DomCtlTscInfo info = _hypervisor.States.GetTsc(_domain);
        Span<byte> body = stackalloc byte[24];
        body.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(body, info.TscMode);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], info.GtscKhz);
        BinaryPrimitives.WriteUInt64LittleEndian(body[8..], info.ElapsedNsec);
        BinaryPrimitives.WriteUInt32LittleEndian(body[16..], info.Incarnation);
        _writer.Write(RecordType.X86TscInfo, body);
    }

    private void WriteVcpu(int vcpu, GuestPages pages)
    {
        byte[] registers = _hypervisor.States.GetVcpu(_domain, vcpu);
        string? lost = SavedRegisters.ToGuestFrames(registers, pages.Machine.Find);
        if (lost is null && vcpu == 0)
        {
            ulong startInfo = SavedRegisters.StartInfoFrame(registers);
            if (pages.Machine.Find(startInfo) is { } frame)
            {
                SavedRegisters.SetStartInfoFrame(registers, frame);
            }
            else
            {
                lost = $"the start-up page, machine frame {startInfo:x}";
            }
        }

        if (lost is not null)
        {
            throw new ToolstackException($"virtual CPU {vcpu} of the guest names what is not the guest's own: {lost}");
        }

        byte[] header = VcpuHeader(vcpu);
        _writer.Write(RecordType.X86PvVcpuBasic, header, registers);
        _writer.Write(RecordType.X86PvVcpuExtended, header, _hypervisor.States.GetExtended(_domain, vcpu));
        WriteVcpuPart(RecordType.X86PvVcpuXsave, header, _hypervisor.States.GetVectors(_domain, vcpu));
        WriteVcpuPart(RecordType.X86PvVcpuMsrs, header, _hypervisor.States.GetMsrs(_domain, vcpu));
    }

    private void WriteVcpuPart(RecordType type, byte[] header, byte[] state)
    {
        if (state.Length > 0)
        {
            _writer.Write(type, header, state);
        }
    }
}
