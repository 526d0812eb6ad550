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
        Span<byte> body = _writer.Begin(8 + (pages.List.ListFrames.Length * sizeof(ulong)));
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], (uint)(pages.Kinds.Count - 1));
        Span<ulong> frames = MemoryMarshal.Cast<byte, ulong>(body[8..]);
        for (int index = 0; index < frames.Length; index++)
        {
            frames[index] = pages.Machine.Find(pages.List.ListFrames[index]) ?? throw new ToolstackException(
                $"page {index} of the guest's list of machine frames lies in machine frame "
                + $"{pages.List.ListFrames[index]:x}, which the list itself does not have");
        }

        _writer.Commit(RecordType.X86PvP2mFrames, body.Length);
    }

    private void WritePages(GuestPages pages, CancellationToken cancellation)
    {
        int done = 0;
        byte[] kinds = new byte[SaveFileLayout.BatchPages];
        foreach (ulong[] batch in pages.Batches())
        {
            cancellation.ThrowIfCancellationRequested();
            Span<byte> body = _writer.Begin(PageBatch.SizeOf(batch.Length, batch.Length));
            for (int index = 0; index < batch.Length; index++)
            {
                kinds[index] = pages.Kinds[batch[index]];
            }

            int at = PageBatch.WriteHead(body, batch, kinds);
            using (NativeRegion memory = pages.Map(_hypervisor, _domain, batch))
            {
                memory.Bytes[..(batch.Length * SaveFileLayout.PageSize)].CopyTo(body[at..]);
            }

            for (int index = 0; index < batch.Length; index++)
            {
                if (PageKind.TableLevel(kinds[index]) is > 0 and int level)
                {
                    Span<byte> page = body.Slice(at + (index * SaveFileLayout.PageSize), SaveFileLayout.PageSize);
                    ToGuestFrames(pages, level, batch[index], MemoryMarshal.Cast<byte, ulong>(page));
                }
            }

            _writer.Commit(RecordType.PageData, body.Length);
            done += batch.Length;
            _progress?.Invoke(new TransferProgress(done, pages.Count));
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
        Span<byte> body = _writer.Begin(24);
        BinaryPrimitives.WriteUInt32LittleEndian(body, info.TscMode);
        BinaryPrimitives.WriteUInt32LittleEndian(body[4..], info.GtscKhz);
        BinaryPrimitives.WriteUInt64LittleEndian(body[8..], info.ElapsedNsec);
        BinaryPrimitives.WriteUInt32LittleEndian(body[16..], info.Incarnation);
        _writer.Commit(RecordType.X86TscInfo, body.Length);
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
