// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;

namespace Dom0.Toolstack.Build;

/// <summary>Fills the first page tables of a paravirtualized guest.</summary>
public static class PageTableWriter
{
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong Accessed = 0x20;
    private const ulong Dirty = 0x40;

    /// <summary>
    /// Writes the tables of all areas. Frames for which <paramref name="isTable"/> holds are mapped read-only: the
    /// hypervisor refuses a table that its guest could write to.
    /// </summary>
    public static void Write(IGuestFrames memory, ReadOnlySpan<PageTableArea> areas, Func<ulong, bool> isTable)
    {
        PageTableArea top = areas[0];
        ulong[] topEntries = new ulong[512];
        foreach (PageTableArea area in areas)
        {
            for (int index = 0; index < area.TablesAt(3); index++)
            {
                ref ulong entry = ref topEntries[PageTableArea.EntryIndex(4, area.TableStart(3, index))];
                if (entry != 0)
                {
                    throw new ToolstackException(
                        $"the kernel wants two ranges under one top-level entry, at {area.TableStart(3, index):x}",
                        "Use a kernel whose ELF notes place the P2M list elsewhere");
                }

                entry = TableEntry(memory, area.TableFrame(3, index));
            }

            WriteLevels(memory, area, isTable);
        }

        memory.Write(top.TableFrame(4, 0) << 12, MemoryMarshal.AsBytes(topEntries.AsSpan()));
    }

    private static void WriteLevels(IGuestFrames memory, PageTableArea area, Func<ulong, bool> isTable)
    {
        ulong[] entries = new ulong[512];
        for (int level = 3; level >= 1; level--)
        {
            for (int index = 0; index < area.TablesAt(level); index++)
            {
                Array.Clear(entries);
                if (level == 1)
                {
                    FillLeaves(memory, area, index, entries, isTable);
                }
                else
                {
                    FillTables(memory, area, level, index, entries);
                }

                memory.Write(area.TableFrame(level, index) << 12, MemoryMarshal.AsBytes(entries.AsSpan()));
            }
        }
    }

    private static void FillTables(IGuestFrames memory, PageTableArea area, int level, int index, ulong[] entries)
    {
        ulong tableStart = area.TableStart(level, index);
        for (int child = 0; child < area.TablesAt(level - 1); child++)
        {
            ulong childStart = area.TableStart(level - 1, child);
            if (childStart >> PageTableArea.RegionShift(level) == tableStart >> PageTableArea.RegionShift(level))
            {
                entries[PageTableArea.EntryIndex(level, childStart)] =
                    TableEntry(memory, area.TableFrame(level - 1, child));
            }
        }
    }

    private static void FillLeaves(
        IGuestFrames memory, PageTableArea area, int index, ulong[] entries, Func<ulong, bool> isTable)
    {
        ulong tableStart = area.TableStart(1, index);
        for (int slot = 0; slot < 512; slot++)
        {
            // Unsigned wrap-around keeps the last 2 MiB of the address space right: compare distances, not ends.
            ulong address = tableStart + ((ulong)slot << 12);
            if (address < area.Start || address - area.Start >= area.End - area.Start)
            {
                continue;
            }

            ulong frame = area.FirstFrame + ((address - area.Start) >> 12);
            ulong access = isTable(frame) ? Present | User | Accessed : Present | User | Accessed | Writable;
            entries[slot] = memory.MachineFrame(frame) << 12 | access;
        }
    }

    private static ulong TableEntry(IGuestFrames memory, ulong frame) =>
        memory.MachineFrame(frame) << 12 | Present | Writable | User | Accessed | Dirty;
}
