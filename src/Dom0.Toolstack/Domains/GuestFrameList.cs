// SPDX-License-Identifier: MIT
//
// Which machine frame is under which guest frame: only the guest knows, and keeps a list. A kernel of today offers it as
// one array in its own address space (p2m_vaddr under p2m_cr3), older ones as a tree of frames. Every number on the way is the
// guest's: frames are mapped through the hypervisor, which refuses what is not the guest's, and counts are bounded by
// what the domain may have.
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>A guest frame and the machine frame under it, as dump files have them.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct PageEntry(ulong GuestFrame, ulong MachineFrame);

/// <summary>Reads a paravirtualized guest's list of its frames.</summary>
internal sealed class GuestFrameList
{
    private const int EntriesPerPage = 512;
    private const ulong AddressMask = 0x000f_ffff_ffff_f000;
    private const ulong Present = 1;
    private const ulong LargePage = 0x80;

    // Set in entries of frames that are not the guest's memory: foreign, or mapped one to one.
    private const ulong NotMemory = 3UL << 62;

    private readonly IHypercallChannel _channel;
    private readonly DomainInfo _info;
    private readonly Dictionary<ulong, ulong[]> _tables = [];

    /// <summary>Reads the list of a domain that is held still.</summary>
    public GuestFrameList(IHypercallChannel channel, DomainInfo info)
    {
        _channel = channel;
        _info = info;
    }

    /// <summary>All frames of the list that may be memory.</summary>
    /// <exception cref="ToolstackException">The guest has no list that can be read.</exception>
    public List<PageEntry> Read()
    {
        ulong[] shared = ReadPage(_info.SharedInfoFrame) ?? throw Unreadable();
        ArchSharedInfo arch = MemoryMarshal.AsRef<SharedInfo>(MemoryMarshal.AsBytes(shared.AsSpan())).Arch;

        // Holes double the list at most; what lies beyond was written by a guest out of its mind.
        ulong limit = Math.Min(arch.MaxPfn, (Math.Max(_info.MaximumPages, _info.TotalPages) * 2) + EntriesPerPage);
        List<PageEntry> entries = [];
        for (ulong first = 0; first < limit; first += EntriesPerPage)
        {
            ulong? frame = arch.P2MCr3 != 0
                ? Translate(arch.P2MCr3, arch.P2MVaddr + (first * sizeof(ulong)))
                : Descend(arch.PfnToMfnFrameListList, first);
            if (frame is not { } list || ReadPage(list) is not { } page)
            {
                continue;
            }

            for (ulong index = 0; index < EntriesPerPage && first + index < limit; index++)
            {
                ulong machine = page[index];
                if ((machine & NotMemory) == 0)
                {
                    entries.Add(new PageEntry(first + index, machine));
                }
            }
        }

        return entries.Count > 0 ? entries : throw Unreadable();
    }

    private ToolstackException Unreadable() => new(
        $"domain {_info.Id} has not told where its memory lies",
        "Its kernel did not come far enough to be dumped");

    /// <summary>The frame under a virtual address, by the guest's page tables.</summary>
    private ulong? Translate(ulong root, ulong address)
    {
        ulong frame = (root & AddressMask) >> 12;
        for (int level = 4; level >= 1; level--)
        {
            if (Table(frame) is not { } table)
            {
                return null;
            }

            ulong entry = table[(address >> (3 + (9 * level))) & (EntriesPerPage - 1)];
            if ((entry & Present) == 0 || (level > 1 && (entry & LargePage) != 0))
            {
                return null;
            }

            frame = (entry & AddressMask) >> 12;
        }

        return frame;
    }

    /// <summary>The frame that holds the list's entries from <paramref name="first"/> on, by the tree of frames.</summary>
    private ulong? Descend(ulong root, ulong first)
    {
        ulong page = first / EntriesPerPage;
        return page / EntriesPerPage < EntriesPerPage && Table(root) is { } top
            && Table(top[page / EntriesPerPage]) is { } middle
            ? middle[page % EntriesPerPage]
            : null;
    }

    private ulong[]? Table(ulong frame)
    {
        if (!_tables.TryGetValue(frame, out ulong[]? table))
        {
            table = ReadPage(frame);
            if (table is null)
            {
                return null;
            }

            _tables[frame] = table;
        }

        return table;
    }

    private ulong[]? ReadPage(ulong frame)
    {
        Span<int> errors = stackalloc int[1];
        errors.Clear();
        using NativeRegion page = _channel.MapForReading((ushort)_info.Id, [frame], errors);
        return errors[0] == 0 ? page.As<ulong>()[..EntriesPerPage].ToArray() : null;
    }
}
