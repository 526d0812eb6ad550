// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>The memory of a domain that is being restored.</summary>
internal sealed class RestoredMemory
{
    private const int PopulateExtents = 4096;
    private const ulong Nothing = ulong.MaxValue;
    private const ulong IdentityBit = 1UL << 62;

    private readonly Hypervisor _hypervisor;
    private readonly DomId _domain;
    private readonly SavedDomain _saved;
    private readonly ulong[] _machineFrames;

    public RestoredMemory(Hypervisor hypervisor, DomId domain, SavedDomain saved)
    {
        _hypervisor = hypervisor;
        _domain = domain;
        _saved = saved;
        _machineFrames = new ulong[saved.Frames.Count];
        Array.Fill(_machineFrames, Nothing);
    }

    /// <summary>The machine frame under a guest frame, which has one.</summary>
    public ulong MachineFrame(ulong frame) => TryMachineFrame(frame) ?? throw new ToolstackException(
        $"the file changed while it was read: guest frame {frame:x} is named and has no memory");

    /// <summary>Allocates a machine frame for each guest frame of the file.</summary>
    public void Populate(PvDomainBuilder builder)
    {
        ulong pages = (ulong)_saved.Pages;
        try
        {
            _hypervisor.Memory.Claim(_domain, pages);
        }
        catch (XenException refused) when (refused.Errno == LibcErrno.NoMemory)
        {
            throw builder.NotEnough(pages, refused);
        }
        catch (XenException unknown) when (unknown.Errno is LibcErrno.NotImplemented or LibcErrno.NotSupported)
        {
            // A hypervisor without claims still has memory; running out then shows below.
        }

        foreach (ulong[] frames in _saved.Frames.WithMemory().Chunk(PopulateExtents))
        {
            ulong[] machine = [.. frames];
            int populated = _hypervisor.Memory.Populate(_domain, machine, 0);
            if (populated < frames.Length)
            {
                throw builder.NotEnough(pages, new XenException(LibcErrno.NoMemory, "memory_op populate_physmap",
                    $"guest frame {frames[populated]:x}"));
            }

            for (int index = 0; index < frames.Length; index++)
            {
                _machineFrames[frames[index]] = machine[index];
            }
        }

        _hypervisor.Memory.Claim(_domain, 0);
    }

    /// <summary>Writes all pages, and then the guest's list of machine frames anew.</summary>
    public void Fill(SaveFileReader reader, Action<TransferProgress>? progress, CancellationToken cancellation)
    {
        _ = reader.ReadOpening();
        int done = 0;
        while (reader.ReadRecord())
        {
            if (reader.Type != RecordType.PageData)
            {
                continue;
            }

            cancellation.ThrowIfCancellationRequested();
            if (PageBatch.Read(reader.Body, _saved.Frames.Count, out PageBatch batch) is { } reason)
            {
                throw reader.Refuse(reason);
            }

            if (batch.Pages > 0)
            {
                WriteBatch(batch);
                done += batch.Pages;
                progress?.Invoke(new TransferProgress(Math.Min(done, _saved.Pages), _saved.Pages));
            }
        }

        WriteList();
    }

    /// <summary>Tells the guest, in its start-up page, what is new.</summary>
    public unsafe void WriteStartInfo(DomainRings rings, ulong sharedInfo)
    {
        using NativeRegion page = Map([_saved.StartInfoFrame]);
        ref StartInfo info = ref page.Value<StartInfo>();
        info.NrPages = _saved.Frames.Count;
        info.SharedInfo = sharedInfo << SaveFileLayout.PageShift;
        info.Flags &= StartInfoFlags.VirtP2M4tools;
        info.StoreMfn = rings.StoreFrame;
        info.StoreEventChannel = rings.StorePort;
        info.ConsoleDomUMfn = rings.ConsoleFrame;
        info.ConsoleDomUEventChannel = rings.ConsolePort;
    }

    /// <summary>
    /// Brings back what the guest left in its shared page. There are no event channels yet, so none is pending and all
    /// are masked; the wall clock stays as the hypervisor has set it; and where the list of machine frames lies, the
    /// guest says again when it runs.
    /// </summary>
    public unsafe void WriteSharedInfo(ulong frame)
    {
        SharedInfo old = MemoryMarshal.Read<SharedInfo>(_saved.SharedInfo);
        using NativeRegion page = _hypervisor.Channel.MapFrames(_domain.Raw, [frame]);
        ref SharedInfo info = ref page.Value<SharedInfo>();
        fixed (SharedInfo* shared = &info)
        {
            new Span<ulong>(old.RawVcpuInfo, 32 * 8).CopyTo(new Span<ulong>(shared->RawVcpuInfo, 32 * 8));
            new Span<ulong>(shared->EventChannelPending, 64).Clear();
            new Span<ulong>(shared->EventChannelMask, 64).Fill(ulong.MaxValue);
            for (int vcpu = 0; vcpu < VcpuLimits.LegacyMaxVcpus; vcpu++)
            {
                shared->VcpuInfo(vcpu)->EventChannelPendingSel = 0;
            }
        }

        info.Arch = old.Arch;
        info.Arch.MaxPfn = _saved.Frames.Count;
        info.Arch.PfnToMfnFrameListList = 0;
        info.Arch.P2MCr3 = 0;
        info.Arch.P2MGeneration = 0;
    }

    /// <summary>Pins what was pinned.</summary>
    public void Pin()
    {
        foreach (ulong frame in _saved.Frames.WithMemory())
        {
            byte kind = _saved.Frames[frame];
            if (PageKind.IsPinned(kind))
            {
                _hypervisor.Mmu.Pin(_domain, MachineFrame(frame), PageKind.TableLevel(kind));
            }
        }
    }

    private ulong? TryMachineFrame(ulong frame) =>
        frame < (ulong)_machineFrames.Length && _machineFrames[frame] != Nothing ? _machineFrames[frame] : null;

    private NativeRegion Map(ReadOnlySpan<ulong> frames)
    {
        ulong[] machine = new ulong[frames.Length];
        for (int index = 0; index < machine.Length; index++)
        {
            machine[index] = MachineFrame(frames[index]);
        }

        return _hypervisor.Channel.MapFrames(_domain.Raw, machine);
    }

    private void WriteBatch(PageBatch batch)
    {
        ulong[] frames = new ulong[batch.Pages];
        byte[] kinds = new byte[batch.Pages];
        int page = 0;
        for (int index = 0; index < batch.Count; index++)
        {
            if (PageKind.HasContents(batch.Kind(index)))
            {
                (frames[page], kinds[page]) = (batch.Frame(index), batch.Kind(index));
                page++;
            }
        }

        // A record may be longer than what one mapping should hold.
        for (int first = 0; first < frames.Length; first += SaveFileLayout.BatchPages)
        {
            int count = Math.Min(SaveFileLayout.BatchPages, frames.Length - first);
            using NativeRegion memory = Map(frames.AsSpan(first, count));
            for (int index = 0; index < count; index++)
            {
                Span<byte> target = memory.Page(index);
                batch.Page(first + index).CopyTo(target);
                if (PageKind.TableLevel(kinds[first + index]) is > 0 and int level)
                {
                    ToMachineFrames(level, MemoryMarshal.Cast<byte, ulong>(target));
                }
            }
        }
    }

    private void ToMachineFrames(int level, Span<ulong> entries)
    {
        PageTableEntries.ClearHypervisors(level, entries);
        foreach (ref ulong entry in entries)
        {
            if ((entry & PageTableEntries.Present) != 0)
            {
                entry = PageTableEntries.WithFrame(entry, MachineFrame(PageTableEntries.FrameOf(entry)));
            }
        }
    }

    /// <summary>
    /// Frames without memory become invalid, but for those that the guest calls identical to machine addresses, which
    /// are holes on every host.
    /// </summary>
    private void WriteList()
    {
        for (int first = 0; first < _saved.ListFrames.Length; first += SaveFileLayout.BatchPages)
        {
            int count = Math.Min(SaveFileLayout.BatchPages, _saved.ListFrames.Length - first);
            using NativeRegion memory = Map(_saved.ListFrames.AsSpan(first, count));
            Span<ulong> entries = memory.As<ulong>()[..(count * SaveFileLayout.EntriesPerPage)];
            for (int index = 0; index < entries.Length; index++)
            {
                ulong frame = ((ulong)first * SaveFileLayout.EntriesPerPage) + (ulong)index;
                bool isIdentity = (entries[index] & MachineFrameList.NotOwnBits) == IdentityBit;
                entries[index] = TryMachineFrame(frame) ?? (isIdentity ? entries[index] : Nothing);
            }
        }
    }
}
