// SPDX-License-Identifier: MIT
// Frame table and machine-to-physical table are mapped in pieces of 2 MiB. A piece is there where the frames that it tells
// of include RAM, so the time and memory that they take go by the RAM that there is, not by the highest address. In the
// frame table the holes are all mapped to one piece that says "no RAM": looking up a frame number remains one comparison.

using Hypervisor.Core.Boot;
using Hypervisor.Core.Mmu;

namespace Hypervisor.X64.Boot;

/// <summary>First contents of the tables that <see cref="FinalTables.MapFrameTables"/> has mapped.</summary>
public static unsafe class FrameTables
{
    public const ulong EntrySize = 32;
    public const ulong PhysicalSize = 8;
    public const ulong FramesPerPiece = MemoryLayout.LargePage / EntrySize;
    public const ulong PhysicalPerPiece = MemoryLayout.LargePage / PhysicalSize;

    private const ulong PagesPerPiece = MemoryLayout.LargePage / MemoryLayout.PageSize;

    /// <summary>Whether any of <paramref name="count"/> frames from <paramref name="first"/> on is RAM.</summary>
    public static bool HasRam(MemoryMap* host, ulong first, ulong count) =>
        host->HasRam(first << MemoryLayout.PageShift, (first + count) << MemoryLayout.PageShift);

    /// <summary>
    /// Describes all frames but those of <paramref name="free"/>, which are the allocator's to describe: RAM that is in use
    /// is the hypervisor's, lest a domain map it as device memory; the rest, and a PC's first megabyte, is no RAM.
    /// </summary>
    public static void Describe(MemoryMap* host, MemoryMap* free)
    {
        ulong frames = host->EndOfRam >> MemoryLayout.PageShift;
        FrameTable.Announce(frames, CpuFeatures.PhysicalAddressBits);
        if (CpuFeatures.LeaksCache())
        {
            AbsentEntries.Guard(host->EndOfRam, CpuFeatures.PhysicalAddressBits);
        }

        bool isHoleDescribed = false;
        for (ulong first = 0; first < frames; first += FramesPerPiece)
        {
            ulong end = first + FramesPerPiece;
            if (HasRam(host, first, FramesPerPiece))
            {
                DescribePiece(host, free, first, end);
            }
            else if (!isHoleDescribed)
            {
                FrameTable.Describe(first, end, FrameTable.OwnerIo, 1);
                isHoleDescribed = true;
            }
        }

        for (ulong first = 0; first < frames; first += PhysicalPerPiece)
        {
            if (HasRam(host, first, PhysicalPerPiece))
            {
                ulong* entries = Machine.MachineToPhysical + first;
                for (ulong index = 0; index < PhysicalPerPiece; index++)
                {
                    entries[index] = DomainPages.InvalidMachineToPhysical;
                }

                Show(first);
            }
        }
    }

    private static void DescribePiece(MemoryMap* host, MemoryMap* free, ulong first, ulong end)
    {
        for (ulong frame = first; frame < end;)
        {
            ulong address = frame << MemoryLayout.PageShift;
            bool isFree = free->IsRam(address, out ulong freeEnd);
            bool isRam = host->IsRam(address, out ulong ramEnd) && address >= BootData.LowMemoryEnd;
            ulong next = (freeEnd < ramEnd ? freeEnd : ramEnd) >> MemoryLayout.PageShift;
            next = address < BootData.LowMemoryEnd ? frame + 1 : next < end ? next : end;
            if (!isFree)
            {
                FrameTable.Describe(
                    frame,
                    next,
                    isRam ? FrameTable.OwnerHypervisor : FrameTable.OwnerIo,
                    isRam ? PageInfo.HypervisorFrame | 1 : 1);
            }

            frame = next;
        }
    }

    /// <summary>The frames of a piece of the machine-to-physical table: tools may map them, read-only.</summary>
    private static void Show(ulong first)
    {
        ulong address = MemoryLayout.MachineToPhysicalReadOnly + (first * PhysicalSize);
        ulong table = FinalTables.Root;
        for (int level = 4; level > 1; level--)
        {
            table = ((ulong*)Machine.Direct(table & Pte.AddressMask))[Pte.IndexOf(address, level)];
        }

        Mfn piece = Mfn.OfAddress(table & Pte.AddressMask & ~(MemoryLayout.LargePage - 1));
        for (ulong page = 0; page < PagesPerPiece; page++)
        {
            PageInfo* info = FrameTable.Page(piece + page);
            info->Owner = FrameTable.OwnerShown;
            info->Count = PageInfo.HypervisorFrame | 1;

            // A type that is not Writable, in use for ever: nobody gets write access.
            info->Type = PageType.Descriptors | PageType.Validated | 1;
        }
    }
}
