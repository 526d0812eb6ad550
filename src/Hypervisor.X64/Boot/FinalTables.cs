// SPDX-License-Identifier: MIT
// The hypervisor's own page tables, in place of the boot stub's. Each part of the image gets its rights and no more: text
// executable, constants readable, data writable; no page is both writable and executable. The direct map covers RAM (and
// what firmware keeps in it), with the largest pages that fit and that the processor has.

using Hypervisor.Core.Boot;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Traps;

namespace Hypervisor.X64.Boot;

/// <summary>Builds the address space that every root table shares.</summary>
public static unsafe class FinalTables
{
    private const ulong Table = Pte.Present | Pte.Writable | Pte.Accessed;
    private const ulong Data = Pte.Present | Pte.Writable | Pte.Accessed | Pte.Dirty | Pte.Global;
    private const ulong Code = Pte.Present | Pte.Accessed | Pte.Global;
    private const ulong OneGigabyte = 1UL << 30;

    private static ulong* s_root;
    private static ulong s_noExecute;
    private static bool s_hasGigabytePages;

    /// <summary>Physical address of the root.</summary>
    public static ulong Root => Machine.PhysicalOf(s_root);

    public static void Begin(bool hasNoExecute, bool hasGigabytePages)
    {
        s_noExecute = hasNoExecute ? Pte.NoExecute : 0;
        s_hasGigabytePages = hasGigabytePages;
        s_root = NewTable();

        // Slots that may be filled later must have their tables now: guests' roots copy the slots once.
        for (int slot = 0; slot < MemoryLayout.HypervisorSlots; slot++)
        {
            s_root[MemoryLayout.FirstHypervisorSlot + slot] = Machine.PhysicalOf(NewTable()) | Table;
        }
    }

    /// <summary>The image, page by page.</summary>
    public static void MapImage()
    {
        MapPages(ImageLayout.Start, ImageLayout.TextEnd, Code);
        MapPages(ImageLayout.TextEnd, ImageLayout.RodataEnd, Code | s_noExecute);
        MapPages(ImageLayout.RodataEnd, ImageLayout.End, Data | s_noExecute);
    }

    /// <summary>Direct map of [<paramref name="start"/>, <paramref name="end"/>), physical, page-aligned.</summary>
    public static void MapDirect(ulong start, ulong end)
    {
        ulong address = start;
        while (address < end)
        {
            ulong size = MemoryLayout.PageSize;
            int level = 1;
            if (s_hasGigabytePages && (address & (OneGigabyte - 1)) == 0 && end - address >= OneGigabyte)
            {
                size = OneGigabyte;
                level = 3;
            }
            else if ((address & (MemoryLayout.LargePage - 1)) == 0 && end - address >= MemoryLayout.LargePage)
            {
                size = MemoryLayout.LargePage;
                level = 2;
            }

            Map(MemoryLayout.DirectMap + address, address, Data | s_noExecute, level);
            address += size;
        }
    }

    /// <summary>
    /// The framebuffer's pages at <see cref="MemoryLayout.Framebuffer"/>, write-combining, and with the same place in a
    /// 2 MiB page as in physical memory. Nothing beside them is mapped: it may be registers of a device.
    /// </summary>
    public static void MapFramebuffer(ulong physical, ulong bytes)
    {
        ulong address = physical & ~MemoryLayout.PageMask;
        ulong end = (physical + bytes + MemoryLayout.PageMask) & ~MemoryLayout.PageMask;
        ulong distance = MemoryLayout.Framebuffer - (physical & ~(MemoryLayout.LargePage - 1));
        while (address < end)
        {
            bool isLarge = (address & (MemoryLayout.LargePage - 1)) == 0 && end - address >= MemoryLayout.LargePage;
            ulong flags = Data | s_noExecute | (isLarge ? Pte.LargePat : Pte.Pat);
            Map(address + distance, address, flags, isLarge ? 2 : 1);
            address += isLarge ? MemoryLayout.LargePage : MemoryLayout.PageSize;
        }
    }

    /// <summary>Where a byte of the framebuffer is seen.</summary>
    public static byte* FramebufferAt(ulong physical) =>
        (byte*)(MemoryLayout.Framebuffer + (physical & (MemoryLayout.LargePage - 1)));

    /// <summary>
    /// The frame table and both views of the machine-to-physical table, in 2 MiB pieces. Where <paramref name="host"/> has
    /// no RAM, all of the frame table is one and the same piece, and the other table has a hole. Contents are for
    /// <see cref="FrameTables"/> to write.
    /// </summary>
    public static void MapFrameTables(MemoryMap* host, ulong frames)
    {
        ulong hole = 0;
        for (ulong first = 0; first < frames; first += FrameTables.FramesPerPiece)
        {
            bool hasRam = FrameTables.HasRam(host, first, FrameTables.FramesPerPiece);
            if (!hasRam && hole == 0)
            {
                hole = BootMemory.AllocateLarge();
            }

            ulong physical = hasRam ? BootMemory.AllocateLarge() : hole;
            Map(MemoryLayout.FrameTable + (first * FrameTables.EntrySize), physical, Data | s_noExecute, 2);
        }

        for (ulong first = 0; first < frames; first += FrameTables.PhysicalPerPiece)
        {
            if (FrameTables.HasRam(host, first, FrameTables.PhysicalPerPiece))
            {
                ulong physical = BootMemory.AllocateLarge();
                ulong offset = first * FrameTables.PhysicalSize;
                Map(MemoryLayout.MachineToPhysical + offset, physical, Data | s_noExecute, 2);
                Map(
                    MemoryLayout.MachineToPhysicalReadOnly + offset,
                    physical,
                    Pte.Present | Pte.User | Pte.Accessed | Pte.Global | s_noExecute,
                    2);
            }
        }

        // Guests read that view from ring 3: the user bit is needed at every level.
        ulong* l3 = (ulong*)Machine.Direct(s_root[MemoryLayout.FirstHypervisorSlot] & Pte.AddressMask);
        s_root[MemoryLayout.FirstHypervisorSlot] |= Pte.User;
        for (int index = 0; index < Pte.Entries; index++)
        {
            if ((l3[index] & Pte.Present) != 0)
            {
                l3[index] |= Pte.User;
            }
        }
    }

    /// <summary>
    /// A CPU's block: trampoline code, data page, stacks with unmapped guards, one GDT frame; windows stay empty. Pages are those at
    /// <paramref name="physical"/> with the same offsets. Returns the level-1 entries of the block.
    /// </summary>
    public static ulong* MapPerCpuBlock(uint cpu, ulong physical)
    {
        ulong block = MemoryLayout.PerCpuBase + ((ulong)cpu << MemoryLayout.PerCpuShift);
        ulong* first = LeafSlot(block);
        ulong data = Pte.Present | Pte.Writable | Pte.Accessed | Pte.Dirty | s_noExecute;
        MapRange(first, physical, MemoryLayout.PerCpuGdt + (14 * MemoryLayout.PageSize), 1, data);
        MapRange(first, physical, MemoryLayout.PerCpuData, 1, data);
        MapRange(first, physical, MemoryLayout.PerCpuStack, 8, data);
        MapRange(first, physical, MemoryLayout.PerCpuDebugStackTop - MemoryLayout.PageSize, 1, data);
        MapRange(first, physical, MemoryLayout.PerCpuNmiStackTop - MemoryLayout.PageSize, 1, data);
        MapRange(first, physical, MemoryLayout.PerCpuDoubleFaultStackTop - MemoryLayout.PageSize, 1, data);
        MapRange(first, physical, MemoryLayout.PerCpuMachineCheckStackTop - MemoryLayout.PageSize, 1, data);
        first[MemoryLayout.PerCpuSyscallCode >> MemoryLayout.PageShift] =
            ImageLayout.PhysicalOf(ImageLayout.SyscallTrampoline) | Pte.Present | Pte.Accessed;
        Check.That(StackGuard.HasGuards(first), "unmapped pages below the stacks"u8);
        return first;
    }

    /// <summary>The level-1 table of the device window.</summary>
    public static ulong* DeviceTable() => LeafSlot(MemoryLayout.DeviceMemory);

    private static void MapRange(ulong* first, ulong physical, ulong offset, int pages, ulong flags)
    {
        for (int page = 0; page < pages; page++)
        {
            ulong at = offset + ((ulong)page << MemoryLayout.PageShift);
            first[at >> MemoryLayout.PageShift] = (physical + at) | flags;
        }
    }

    private static void MapPages(ulong start, ulong end, ulong flags)
    {
        for (ulong address = start; address < end; address += MemoryLayout.PageSize)
        {
            Map(address, ImageLayout.PhysicalOf(address), flags, 1);
        }
    }

    private static void Map(ulong address, ulong physical, ulong flags, int level)
    {
        ulong* table = s_root;
        for (int current = 4; current > level; current--)
        {
            table = Below(table + Pte.IndexOf(address, current));
        }

        table[Pte.IndexOf(address, level)] = physical | flags | (level > 1 ? Pte.PageSize : 0);
    }

    private static ulong* LeafSlot(ulong address)
    {
        ulong* table = s_root;
        for (int level = 4; level > 1; level--)
        {
            table = Below(table + Pte.IndexOf(address, level));
        }

        return table + Pte.IndexOf(address, 1);
    }

    private static ulong* Below(ulong* entry)
    {
        if ((*entry & Pte.Present) == 0)
        {
            *entry = Machine.PhysicalOf(NewTable()) | Table;
        }

        return (ulong*)Machine.Direct(*entry & Pte.AddressMask);
    }

    private static ulong* NewTable() => (ulong*)Machine.Direct(BootMemory.Allocate(MemoryLayout.PageSize));
}
