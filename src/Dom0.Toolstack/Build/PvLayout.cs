// SPDX-License-Identifier: MIT
//
// The initial memory of a paravirtualized guest, in the order that xen.h promises above struct start_info:
//
//   0 … kernel | ramdisk | P2M list | start_info | xenstore page | console page | page tables | boot stack | padding
//
// each part page aligned, all of it mapped from the kernel's virtual base on, at least 512 KiB of padding, and the end
// of the mapping rounded up to 4 MiB. Two ELF notes move parts behind that mapping: INIT_P2M gives the P2M list an
// address range of its own (its page tables stand right behind the list and belong to it: the guest frees both
// together), and MOD_START_PFN lets the ramdisk lie unmapped. The number of page tables depends on the end of the
// mapping, which depends on the number of page tables: the search begins with none and grows until both agree.
using System;

namespace Dom0.Toolstack.Build;

/// <summary>Where everything lies in a new guest's memory. Addresses are virtual, frames are guest frames.</summary>
public sealed class PvLayout
{
    private const ulong PageSize = 4096;
    private const ulong Padding = 512 * 1024;
    private const ulong EndAlignment = 4 * 1024 * 1024;

    private readonly ulong _virtualBase;

    private PvLayout(PvKernel kernel, ulong ramdiskSize, ulong pages)
    {
        _virtualBase = kernel.VirtualBase;
        ulong p2mPages = Pages(pages * sizeof(ulong));
        ulong at = 0;
        foreach (PvSegment segment in kernel.Segments)
        {
            at = Math.Max(at, Pages(segment.GuestAddress + segment.MemorySize));
        }

        KernelEndFrame = at;
        RamdiskPages = Pages(ramdiskSize);
        IsRamdiskMapped = RamdiskPages > 0 && !kernel.TakesUnmappedRamdisk;
        if (IsRamdiskMapped)
        {
            RamdiskFrame = Take(ref at, RamdiskPages);
        }

        if (kernel.P2mBase is null)
        {
            P2mFrame = Take(ref at, p2mPages);
            P2mFrames = p2mPages;
        }

        StartInfoFrame = Take(ref at, 1);
        StoreFrame = Take(ref at, 1);
        ConsoleFrame = Take(ref at, 1);
        KernelArea = PlanKernelArea(at);
        at += (ulong)KernelArea.TableCount;
        StackFrame = Take(ref at, 1);
        MappedFrames = (KernelArea.End - KernelArea.Start) / PageSize;
        at = MappedFrames;
        if (kernel.P2mBase is { } p2mBase)
        {
            P2mFrame = Take(ref at, p2mPages);
            P2mArea = new PageTableArea(p2mBase, p2mBase + (p2mPages * PageSize), P2mFrame, at, hasTop: false);
            at += (ulong)P2mArea.TableCount;
            P2mFrames = at - P2mFrame;
        }

        if (RamdiskPages > 0 && !IsRamdiskMapped)
        {
            RamdiskFrame = Take(ref at, RamdiskPages);
        }

        UsedFrames = at;
    }

    /// <summary>First frame behind the kernel.</summary>
    public ulong KernelEndFrame { get; }

    /// <summary>First frame of the ramdisk.</summary>
    public ulong RamdiskFrame { get; }

    /// <summary>Frames of the ramdisk; 0 without one.</summary>
    public ulong RamdiskPages { get; }

    /// <summary>The ramdisk has a virtual address.</summary>
    public bool IsRamdiskMapped { get; }

    /// <summary>First frame of the P2M list.</summary>
    public ulong P2mFrame { get; }

    /// <summary>Frames of the P2M list and, where it has them, of its own page tables.</summary>
    public ulong P2mFrames { get; }

    /// <summary>The range that the P2M list is mapped in, if it is not part of the kernel's.</summary>
    public PageTableArea? P2mArea { get; }

    /// <summary>Frame of <c>struct start_info</c>.</summary>
    public ulong StartInfoFrame { get; }

    /// <summary>Frame of the ring to the store.</summary>
    public ulong StoreFrame { get; }

    /// <summary>Frame of the console's ring.</summary>
    public ulong ConsoleFrame { get; }

    /// <summary>The mapping from the kernel's virtual base on, and its tables.</summary>
    public PageTableArea KernelArea { get; }

    /// <summary>Frame of the boot stack.</summary>
    public ulong StackFrame { get; }

    /// <summary>Frames below this one are mapped at the kernel's virtual base.</summary>
    public ulong MappedFrames { get; }

    /// <summary>Frames below this one have a purpose; the rest is free memory.</summary>
    public ulong UsedFrames { get; }

    /// <summary>All ranges to map; the first brings the top-level table.</summary>
    public PageTableArea[] Areas => P2mArea is null ? [KernelArea] : [KernelArea, P2mArea];

    /// <summary>Lays a guest with <paramref name="pages"/> frames out.</summary>
    /// <exception cref="ToolstackException">It does not fit; the message says how much is needed.</exception>
    public static PvLayout Plan(PvKernel kernel, ulong ramdiskSize, ulong pages)
    {
        if ((kernel.VirtualBase & (PageSize - 1)) != 0 || (kernel.P2mBase & (PageSize - 1)) is > 0)
        {
            throw new ToolstackException("the kernel's ELF notes give a base address that is not page aligned",
                "Use a kernel for Xen PV guests");
        }

        foreach (PvSegment segment in kernel.Segments)
        {
            // A guest never has more memory than this, and the sums below must not wrap around.
            if (segment.GuestAddress >= 1UL << 40 || segment.MemorySize >= 1UL << 40)
            {
                throw new ToolstackException(
                    $"the kernel has a segment of {segment.MemorySize} bytes at {segment.GuestAddress:x}, which no "
                        + "guest can hold",
                    "Check that the file is a 64-bit kernel for Xen PV guests");
            }
        }

        PvLayout layout = new(kernel, ramdiskSize, pages);
        if (layout.UsedFrames <= pages)
        {
            return layout;
        }

        ulong neededMiB = (layout.UsedFrames + 255) / 256;
        throw new ToolstackException(
            $"memory: {pages / 256} MiB are too few for this kernel and ramdisk, which take {neededMiB} MiB at the "
                + "start",
            $"Set memory to {neededMiB + 64} or more");
    }

    /// <summary>The virtual address of a frame inside the kernel's mapping.</summary>
    public ulong VirtualAddress(ulong frame) => _virtualBase + (frame * PageSize);

    /// <summary>Is the frame one of the page tables?</summary>
    public bool IsTable(ulong frame)
    {
        ulong first = KernelArea.TableFrame(4, 0);
        return (frame >= first && frame < first + (ulong)KernelArea.TableCount) ||
            (P2mArea is not null && frame >= P2mArea.TableFrame(3, 0)
                && frame < P2mArea.TableFrame(3, 0) + (ulong)P2mArea.TableCount);
    }

    private static ulong Pages(ulong bytes) => (bytes + PageSize - 1) / PageSize;

    private static ulong Take(ref ulong at, ulong pages)
    {
        ulong first = at;
        at += pages;
        return first;
    }

    private PageTableArea PlanKernelArea(ulong firstTable)
    {
        int tables = 0;
        while (true)
        {
            ulong used = ((firstTable + (ulong)tables + 1) * PageSize) + Padding;
            ulong end = (used + EndAlignment - 1) & ~(EndAlignment - 1);
            PageTableArea area = new(_virtualBase, _virtualBase + end, 0, firstTable, hasTop: true);
            if (area.TableCount <= tables)
            {
                return area;
            }

            tables = area.TableCount;
        }
    }
}
