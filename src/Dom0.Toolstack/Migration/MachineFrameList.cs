// SPDX-License-Identifier: MIT
//
// A guest tells its tools which machine frame lies under each of its frames, in one of two ways (xen.h,
// arch_shared_info): p2m_cr3 and p2m_vaddr name a page table and an address in it at which the list can be read; or
// pfn_to_mfn_frame_list_list names a page of frames, of pages of frames, of pages of the list. All of it is the guest's
// own writing: each frame is looked at only through mappings that the hypervisor grants for this guest, and whatever
// the list says counts as a claim until the hypervisor has named the frame's type.
using System;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>A guest's list of machine frames.</summary>
public sealed class MachineFrameList
{
    /// <summary>Entries with one of these bits name no frame of the guest's: foreign and identity frames.</summary>
    public const ulong NotOwnBits = 3UL << 62;

    private const int Levels = 4;

    private readonly Hypervisor _hypervisor;
    private readonly DomId _domain;
    private readonly ulong[] _tables = new ulong[Levels + 1];
    private readonly ulong[][] _tableContents = new ulong[Levels + 1][];

    private MachineFrameList(Hypervisor hypervisor, DomId domain, ulong count)
    {
        _hypervisor = hypervisor;
        _domain = domain;
        Entries = new ulong[count];
        ListFrames = new ulong[(count + SaveFileLayout.EntriesPerPage - 1) / SaveFileLayout.EntriesPerPage];
    }

    /// <summary>For each guest frame what the guest says: a machine frame, or something else.</summary>
    public ulong[] Entries { get; }

    /// <summary>The machine frames that the list itself lies in.</summary>
    public ulong[] ListFrames { get; }

    /// <summary>Reads the list of a guest whose shared page is <paramref name="sharedInfo"/>.</summary>
    /// <exception cref="ToolstackException">It has none, or one that cannot be followed.</exception>
    public static MachineFrameList Read(Hypervisor hypervisor, DomId domain, in SharedInfo sharedInfo)
    {
        ulong count = hypervisor.Memory.MaximumGuestFrame(domain) + 1;
        if (count > SaveFileLayout.MaximumFrames)
        {
            throw new ToolstackException($"the guest says that its frames end at {count:x}; up to "
                + $"{SaveFileLayout.MaximumFrames:x} (1 TiB) are possible");
        }

        MachineFrameList list = new(hypervisor, domain, count);
        if (sharedInfo.Arch.P2MCr3 != 0)
        {
            list.FindLinear(sharedInfo.Arch.P2MCr3, sharedInfo.Arch.P2MVaddr);
        }
        else if (sharedInfo.Arch.PfnToMfnFrameListList is not (0 or ulong.MaxValue))
        {
            list.FindTree(sharedInfo.Arch.PfnToMfnFrameListList);
        }
        else
        {
            throw new ToolstackException("the guest has not told where its list of machine frames lies",
                "Wait until its kernel is up, and try again");
        }

        list.ReadEntries();
        return list;
    }

    /// <summary>Does an entry name a frame of the guest's own?</summary>
    public static bool IsOwn(ulong entry) => (entry & NotOwnBits) == 0 && entry < SaveFileLayout.PageFrameMask;

    private void FindLinear(ulong root, ulong address)
    {
        ulong last = address + ((ulong)(ListFrames.Length - 1) * SaveFileLayout.PageSize);
        if ((address & (SaveFileLayout.PageSize - 1)) != 0 || last < address)
        {
            throw new ToolstackException($"the guest puts its list of machine frames at the address {address:x}, where "
                + "it cannot lie");
        }

        for (int page = 0; page < ListFrames.Length; page++)
        {
            ListFrames[page] = Walk(root >> SaveFileLayout.PageShift, address + ((ulong)page * SaveFileLayout.PageSize));
        }
    }

    private ulong Walk(ulong root, ulong address)
    {
        ulong frame = root;
        for (int level = Levels; level > 0; level--)
        {
            if (_tableContents[level] is null || _tables[level] != frame)
            {
                _tableContents[level] = ReadPage(frame, "page table");
                _tables[level] = frame;
            }

            int index = (int)(address >> (SaveFileLayout.PageShift + (9 * (level - 1)))) & 511;
            ulong entry = _tableContents[level][index];
            if ((entry & PageTableEntries.Present) == 0 || PageTableEntries.IsLarge(level, entry)
                || PageTableEntries.IsHypervisors(level, index))
            {
                throw new ToolstackException($"the guest's list of machine frames is not mapped at {address:x} (entry "
                    + $"{index} of the level-{level} page table is {entry:x})");
            }

            frame = PageTableEntries.FrameOf(entry);
        }

        return frame;
    }

    private void FindTree(ulong root)
    {
        ulong[] top = ReadPage(root, "pfn_to_mfn_frame_list_list");
        int pages = (ListFrames.Length + SaveFileLayout.EntriesPerPage - 1) / SaveFileLayout.EntriesPerPage;
        if (pages > top.Length)
        {
            throw new ToolstackException(
                $"the guest has {Entries.Length} frames, more than a list of three levels can name");
        }

        for (int page = 0; page < pages; page++)
        {
            ulong[] frames = ReadPage(top[page], $"entry {page} of pfn_to_mfn_frame_list_list");
            int first = page * SaveFileLayout.EntriesPerPage;
            frames.AsSpan(0, Math.Min(frames.Length, ListFrames.Length - first)).CopyTo(ListFrames.AsSpan(first));
        }
    }

    private void ReadEntries()
    {
        for (int first = 0; first < ListFrames.Length; first += SaveFileLayout.BatchPages)
        {
            int count = Math.Min(SaveFileLayout.BatchPages, ListFrames.Length - first);
            using NativeRegion pages = Map(ListFrames.AsSpan(first, count), "the list of machine frames");
            int start = first * SaveFileLayout.EntriesPerPage;
            pages.As<ulong>()[..Math.Min(count * SaveFileLayout.EntriesPerPage, Entries.Length - start)]
                .CopyTo(Entries.AsSpan(start));
        }
    }

    private ulong[] ReadPage(ulong frame, string what)
    {
        using NativeRegion page = Map([frame], what);
        return MemoryMarshal.Cast<byte, ulong>(page.Bytes[..SaveFileLayout.PageSize]).ToArray();
    }

    private NativeRegion Map(ReadOnlySpan<ulong> frames, string what)
    {
        try
        {
            return _hypervisor.Channel.MapFrames(_domain.Raw, frames, isReadOnly: true);
        }
        catch (XenException refused)
        {
            throw new ToolstackException($"{what} of the guest cannot be read: {refused.Message}", refused.Remedy,
                refused);
        }
    }
}
