// SPDX-License-Identifier: MIT
//
// The first page tables of a paravirtualized guest map a few contiguous ranges of virtual addresses, each onto
// contiguous guest frames, with 4 KiB entries alone. The tables of one range stand together, highest level first. The
// guest finds its way by the entries, but counts on the top-level table being the first frame of all.
using System;

namespace Dom0.Toolstack.Build;

/// <summary>
/// A contiguous range of virtual addresses, the guest frames under it, and where the tables that map it stand.
/// </summary>
public sealed class PageTableArea
{
    private const int PageShift = 12;
    private const int IndexBits = 9;

    // Index 0 is unused: levels are 1 to 4, as the manuals count them.
    private readonly ulong[] _firstTable = new ulong[5];
    private readonly int[] _tables = new int[5];

    /// <summary>
    /// Plans the tables for the addresses from <paramref name="start"/> up to <paramref name="end"/>.
    /// </summary>
    /// <param name="start">First virtual address, page aligned.</param>
    /// <param name="end">First virtual address behind the range, page aligned.</param>
    /// <param name="firstFrame">Guest frame under <paramref name="start"/>.</param>
    /// <param name="firstTable">Guest frame of the first table.</param>
    /// <param name="hasTop">The top-level table belongs to this range; otherwise another range brings it.</param>
    public PageTableArea(ulong start, ulong end, ulong firstFrame, ulong firstTable, bool hasTop)
    {
        if (end <= start || ((start | end) & 0xfff) != 0)
        {
            throw new ArgumentException($"no range of pages: {start:x} to {end:x}");
        }

        Start = start;
        End = end;
        FirstFrame = firstFrame;
        ulong table = firstTable;
        for (int level = hasTop ? 4 : 3; level >= 1; level--)
        {
            int shift = RegionShift(level);
            _firstTable[level] = table;
            _tables[level] = (int)(((end - 1) >> shift) - (start >> shift) + 1);
            if (level == 4)
            {
                _tables[4] = 1;
            }

            table += (ulong)_tables[level];
        }

        TableCount = (int)(table - firstTable);
    }

    /// <summary>First virtual address.</summary>
    public ulong Start { get; }

    /// <summary>First virtual address behind the range.</summary>
    public ulong End { get; }

    /// <summary>Guest frame under <see cref="Start"/>.</summary>
    public ulong FirstFrame { get; }

    /// <summary>Number of tables, of all levels.</summary>
    public int TableCount { get; }

    /// <summary>Number of tables of one level.</summary>
    public int TablesAt(int level) => _tables[level];

    /// <summary>Guest frame of the table of <paramref name="level"/> with the given index within the range.</summary>
    public ulong TableFrame(int level, int index) => _firstTable[level] + (ulong)index;

    /// <summary>First address that the table of <paramref name="level"/> with the given index covers.</summary>
    public ulong TableStart(int level, int index) =>
        ((Start >> RegionShift(level)) + (ulong)index) << RegionShift(level);

    /// <summary>log2 of the bytes that one whole table of a level maps.</summary>
    public static int RegionShift(int level) => PageShift + (IndexBits * level);

    /// <summary>Index of the entry for an address in the table of a level.</summary>
    public static int EntryIndex(int level, ulong address) =>
        (int)(address >> (PageShift + (IndexBits * (level - 1))) & 511);
}
