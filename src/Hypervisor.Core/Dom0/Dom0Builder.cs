// SPDX-License-Identifier: MIT
// The first domain, from a kernel file to a vCPU that can be scheduled. The layout, in pseudo-physical pages and in the kernel's
// map (virtual = physical + VIRT_BASE), is the one that the start-of-day comment of the public header xen.h promises:
//
//     kernel image                    where its segments say
//     start_info                      one page
//     page tables                     root first, mapped read-only
//     boot stack                      one page
//     padding                         at least 512 KiB; the map ends on a 4 MiB boundary
//     RAM disk                        not mapped; start_info has its frame number (MOD_START_PFN)
//     P2M list and its tables         mapped at INIT_P2M, outside the kernel's map
//
// The tables are written through the direct map and then validated like any guest's, which takes the references that
// running guests' tables hold.

using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xen.Images;

namespace Hypervisor.Core.Dom0;

/// <summary>Builds the first domain.</summary>
public static unsafe class Dom0Builder
{
    private const ulong LeafFlags = Pte.Present | Pte.Writable | Pte.User | Pte.Accessed | Pte.Dirty;
    private const ulong TableFlags = Pte.Present | Pte.Writable | Pte.User | Pte.Accessed;
    private const ulong MaxUnpacked = 512UL << 20;
    private const ulong Padding = 512UL << 10;
    private const ulong MapAlignment = 4UL << 20;
    private const int ChunkOrder = 9;

    private struct Plan
    {
        public ElfImage Elf;
        public XenNotes Notes;
        public ulong VirtualBase;
        public ulong StartInfoPage;
        public ulong TablesPage;
        public ulong TablePages;
        public ulong StackPage;
        public ulong MappedPages;
        public ulong RamdiskPage;
        public ulong RamdiskPages;
        public ulong P2MPage;
        public ulong P2MListPages;
        public ulong P2MPages;
        public ulong FirstMappedPage;

        /// <summary>Pages from the first on that something is put into.</summary>
        public ulong UsedPages;
    }

    /// <summary>
    /// Builds <paramref name="domain"/>, which is empty and has its vCPUs, from <paramref name="image"/>. On failure
    /// <paramref name="imageError"/> says more when the kernel file is to blame.
    /// </summary>
    public static Dom0Error Build(Domain* domain, in Dom0Image image, out ImageError imageError)
    {
        Plan plan = default;
        imageError = ImageError.Ok;
        byte* unpacked = Unpack(image, out nuint unpackedLength, out ulong unpackedPages, out imageError);
        if (unpacked == null)
        {
            return imageError == ImageError.Ok ? Dom0Error.NoRoomToUnpack : Dom0Error.Image;
        }

        Dom0Error error = BuildUnpacked(
            domain, image, unpacked, unpackedLength, ref unpackedPages, ref plan, out imageError);
        PageAllocator.FreeRun(unpacked, unpackedPages);
        return error;
    }

    private static byte* Unpack(in Dom0Image image, out nuint length, out ulong pages, out ImageError error)
    {
        length = 0;
        pages = 0;
        int workOrder = OrderOf(KernelImage.WorkSize);
        byte* work = (byte*)PageAllocator.AllocatePages(workOrder);
        if (work == null)
        {
            error = ImageError.Ok;
            return null;
        }

        byte* unpacked = null;
        error = KernelImage.Measure(image.Kernel, image.KernelLength, work, KernelImage.WorkSize, out ulong size);
        if (error == ImageError.Ok && size <= MaxUnpacked)
        {
            pages = Pages(size);
            unpacked = (byte*)PageAllocator.AllocateRun(pages);
            if (unpacked != null)
            {
                error = KernelImage.Unpack(
                    image.Kernel,
                    image.KernelLength,
                    unpacked,
                    (nuint)(pages << MemoryLayout.PageShift),
                    work,
                    KernelImage.WorkSize,
                    out length);
                if (error != ImageError.Ok)
                {
                    PageAllocator.FreeRun(unpacked, pages);
                    unpacked = null;
                }
            }
        }

        PageAllocator.FreePages(work, workOrder);
        return unpacked;
    }

    /// <summary>Gives the unpacked file's memory back as soon as the kernel is loaded, and says so in
    /// <paramref name="elfPages"/>: on a small machine the rest of the domain needs it.</summary>
    private static Dom0Error BuildUnpacked(
        Domain* domain,
        in Dom0Image image,
        byte* elf,
        nuint elfLength,
        ref ulong elfPages,
        ref Plan plan,
        out ImageError imageError)
    {
        imageError = ElfImage.Open(elf, elfLength, out plan.Elf);
        if (imageError == ImageError.Ok)
        {
            imageError = XenNotes.Read(plan.Elf, out plan.Notes);
        }

        if (imageError != ImageError.Ok)
        {
            return Dom0Error.Image;
        }

        if (!image.IsUnprivileged && !plan.Notes.CanBeDom0)
        {
            return Dom0Error.NotForDom0;
        }

        if (image.CommandLineLength >= StartInfoLimits.CmdLine)
        {
            return Dom0Error.CommandLineTooLong;
        }

        Dom0Error error = MakePlan(image, ref plan);
        if (error != Dom0Error.Ok)
        {
            return error;
        }

        // Scratch list of frames, pfn → mfn, until the domain has its own.
        ulong listPages = Pages(image.Pages * sizeof(ulong));
        ulong* frames = (ulong*)PageAllocator.AllocateRun(listPages);
        if (frames == null)
        {
            return Dom0Error.OutOfMemory;
        }

        error = AllocateMemory(domain, 0, plan.UsedPages, frames) ? Dom0Error.Ok : Dom0Error.OutOfMemory;
        if (error == Dom0Error.Ok)
        {
            LoadKernel(plan, frames);
            PageAllocator.FreeRun(elf, elfPages);
            elfPages = 0;
            error = AllocateMemory(domain, plan.UsedPages, image.Pages, frames) ? Dom0Error.Ok : Dom0Error.OutOfMemory;
        }

        if (error == Dom0Error.Ok)
        {
            CopyIn(frames, plan.RamdiskPage, image.Ramdisk, image.RamdiskLength);
            Mfn root = WriteTables(plan, frames, image.Pages);
            WriteStartInfo(domain, image, plan, frames);
            error = Start(domain, plan, root);
        }

        PageAllocator.FreeRun(frames, listPages);
        return error;
    }

    private static Dom0Error MakePlan(in Dom0Image image, ref Plan plan)
    {
        plan.VirtualBase = plan.Notes.VirtBase - plan.Notes.PaddrOffset;
        plan.FirstMappedPage = 0;
        ulong page = (plan.Elf.PhysicalEnd - plan.Notes.PaddrOffset + MemoryLayout.PageMask) >> MemoryLayout.PageShift;
        if (page > 1UL << (30 - MemoryLayout.PageShift))
        {
            return Dom0Error.KernelTooLarge;
        }

        ulong ramdiskPages = Pages(image.RamdiskLength);
        plan.RamdiskPages = ramdiskPages;
        bool mapRamdisk = !plan.Notes.TakesModuleAsPfn;
        bool mapP2M = !plan.Notes.Has(XenNoteType.InitP2m);
        plan.P2MListPages = Pages(image.Pages * 8);
        if (mapRamdisk)
        {
            plan.RamdiskPage = page;
            page += ramdiskPages;
        }

        if (mapP2M)
        {
            plan.P2MPage = page;
            plan.P2MPages = plan.P2MListPages;
            page += plan.P2MListPages;
        }

        plan.StartInfoPage = page++;
        plan.TablesPage = page;

        // Tables for the map depend on where it ends, which depends on them: grow until it fits.
        for (plan.TablePages = 4; ; plan.TablePages++)
        {
            ulong end = (plan.TablesPage + plan.TablePages + 1) << MemoryLayout.PageShift;
            end = (plan.VirtualBase + end + Padding + MapAlignment - 1) & ~(MapAlignment - 1);
            ulong leafTables = (end - (plan.VirtualBase & ~(MapAlignment - 1))) >> 21;
            ulong gigabytes = ((end - 1) >> 30) - (plan.VirtualBase >> 30) + 1;
            plan.MappedPages = (end - plan.VirtualBase) >> MemoryLayout.PageShift;
            if (1 + 1 + gigabytes + leafTables <= plan.TablePages)
            {
                break;
            }
        }

        plan.StackPage = plan.TablesPage + plan.TablePages;
        page = plan.MappedPages;
        if (!mapRamdisk)
        {
            plan.RamdiskPage = page;
            page += ramdiskPages;
        }

        if (!mapP2M)
        {
            plan.P2MPage = page;
            ulong leafTables = (plan.P2MListPages + Pte.Entries - 1) / Pte.Entries;
            ulong middleTables = (leafTables + Pte.Entries - 1) / Pte.Entries;
            plan.P2MPages = plan.P2MListPages + leafTables + middleTables + 1;
            page += plan.P2MPages;
        }

        plan.UsedPages = page;
        return page + 1024 > image.Pages ? Dom0Error.MemoryTooSmall : Dom0Error.Ok;
    }

    /// <summary>Gives the domain the frames of [<paramref name="pfn"/>, <paramref name="pages"/>).</summary>
    private static bool AllocateMemory(Domain* domain, ulong pfn, ulong pages, ulong* frames)
    {
        int order = ChunkOrder;
        while (pfn < pages)
        {
            while (1UL << order > pages - pfn)
            {
                order--;
            }

            Mfn first = DomainPages.Allocate(domain, order, 64);
            if (first.IsNone)
            {
                if (order == 0)
                {
                    return false;
                }

                order--;
                continue;
            }

            for (ulong index = 0; index < 1UL << order; index++)
            {
                frames[pfn + index] = first.Raw + index;
                Machine.MachineToPhysical[first.Raw + index] = pfn + index;
            }

            pfn += 1UL << order;
        }

        return true;
    }

    private static void LoadKernel(in Plan plan, ulong* frames)
    {
        int number = 0;
        while (plan.Elf.NextLoad(ref number, out ElfSegment segment))
        {
            ulong physical = segment.PhysicalAddress - plan.Notes.PaddrOffset;
            CopyBytes(frames, physical, plan.Elf.Data(segment), (nuint)segment.FileSize);
        }

        if (plan.Notes.Has(XenNoteType.HypercallPage))
        {
            ulong pfn = (plan.Notes.HypercallPage - plan.VirtualBase) >> MemoryLayout.PageShift;
            if (pfn < plan.MappedPages)
            {
                Traps.HypercallPage.Write((byte*)Machine.Direct(new Mfn(frames[pfn])));
            }
        }
    }

    private static void CopyIn(ulong* frames, ulong page, byte* source, nuint length)
    {
        if (source != null)
        {
            CopyBytes(frames, page << MemoryLayout.PageShift, source, length);
        }
    }

    private static void CopyBytes(ulong* frames, ulong physical, byte* source, nuint length)
    {
        while (length != 0)
        {
            ulong offset = physical & MemoryLayout.PageMask;
            nuint part = (nuint)(MemoryLayout.PageSize - offset);
            part = part < length ? part : length;
            byte* target = (byte*)Machine.Direct(new Mfn(frames[physical >> MemoryLayout.PageShift])) + offset;
            Machine.Copy(target, source, part);
            physical += part;
            source += part;
            length -= part;
        }
    }

    private static Mfn WriteTables(in Plan plan, ulong* frames, ulong pages)
    {
        ulong next = plan.TablesPage;
        Mfn root = new(frames[next++]);
        for (ulong page = 0; page < plan.MappedPages; page++)
        {
            ulong flags = LeafFlags;
            if (page >= plan.TablesPage && page < plan.TablesPage + plan.TablePages)
            {
                flags &= ~Pte.Writable;
            }

            MapPage(root, plan.VirtualBase + (page << MemoryLayout.PageShift), frames[page], flags, frames, ref next);
        }

        // The list itself, and a map of it where the kernel wants one of its own.
        for (ulong pfn = 0; pfn < pages; pfn++)
        {
            ulong* list = (ulong*)Machine.Direct(new Mfn(frames[plan.P2MPage + (pfn / Pte.Entries)]));
            list[pfn % Pte.Entries] = frames[pfn];
        }

        if (plan.Notes.Has(XenNoteType.InitP2m))
        {
            next = plan.P2MPage + plan.P2MListPages;
            for (ulong page = 0; page < plan.P2MListPages; page++)
            {
                ulong address = plan.Notes.InitP2m + (page << MemoryLayout.PageShift);
                MapPage(root, address, frames[plan.P2MPage + page], LeafFlags, frames, ref next);
            }
        }

        return root;
    }

    private static void MapPage(Mfn root, ulong address, ulong mfn, ulong flags, ulong* frames, ref ulong next)
    {
        ulong* table = (ulong*)Machine.Direct(root);
        for (int level = 4; level > 1; level--)
        {
            ulong* entry = table + Pte.IndexOf(address, level);
            if ((*entry & Pte.Present) == 0)
            {
                *entry = Pte.Make(new Mfn(frames[next++]), TableFlags);
            }

            table = (ulong*)Machine.Direct(Pte.FrameOf(*entry));
        }

        table[Pte.IndexOf(address, 1)] = Pte.Make(new Mfn(mfn), flags);
    }

    private static void WriteStartInfo(Domain* domain, in Dom0Image image, in Plan plan, ulong* frames)
    {
        StartInfo* info = (StartInfo*)Machine.Direct(new Mfn(frames[plan.StartInfoPage]));
        System.ReadOnlySpan<byte> magic = "xen-3.0-x86_64"u8;
        for (int index = 0; index < magic.Length; index++)
        {
            info->Magic[index] = magic[index];
        }

        info->NrPages = image.Pages;
        info->SharedInfo = domain->SharedInfoFrame.Address;
        info->Flags = image.IsUnprivileged ? 0 : StartInfoFlags.Privileged | StartInfoFlags.Initdomain;
        info->PtBase = plan.VirtualBase + (plan.TablesPage << MemoryLayout.PageShift);
        info->NrPtFrames = plan.TablePages;
        if (plan.Notes.Has(XenNoteType.InitP2m))
        {
            info->MfnList = plan.Notes.InitP2m;
            info->FirstP2MPfn = plan.P2MPage;
            info->NrP2MFrames = plan.P2MPages;
        }
        else
        {
            info->MfnList = plan.VirtualBase + (plan.P2MPage << MemoryLayout.PageShift);
        }

        info->Flags |= StartInfoFlags.VirtP2M4tools;
        if (image.Ramdisk != null)
        {
            info->ModLen = image.RamdiskLength;
            if (plan.Notes.TakesModuleAsPfn)
            {
                info->ModStart = plan.RamdiskPage;
                info->Flags |= StartInfoFlags.ModStartPfn;
            }
            else
            {
                info->ModStart = plan.VirtualBase + (plan.RamdiskPage << MemoryLayout.PageShift);
            }
        }

        for (int index = 0; index < image.CommandLineLength; index++)
        {
            info->CmdLine[index] = (sbyte)image.CommandLine[index];
        }

        if (!image.IsUnprivileged && image.HasScreen)
        {
            info->ConsoleDom0InfoOff = (uint)sizeof(StartInfo);
            info->ConsoleDom0InfoSize = (uint)sizeof(Dom0VgaConsoleInfo);
            *(Dom0VgaConsoleInfo*)(info + 1) = image.Screen;
        }
    }

    private static Dom0Error Start(Domain* domain, in Plan plan, Mfn root)
    {
        Vcpu* vcpu = domain->VcpuOf(0);
        VcpuGuestContext* context = (VcpuGuestContext*)PageAllocator.AllocatePages(1);
        if (context == null)
        {
            return Dom0Error.OutOfMemory;
        }

        ulong stack = plan.VirtualBase + ((plan.StackPage + 1) << MemoryLayout.PageShift);
        context->Flags = VgcfFlags.InKernel;
        context->UserRegs.Rip = plan.Notes.Entry;
        context->UserRegs.Rsi = plan.VirtualBase + (plan.StartInfoPage << MemoryLayout.PageShift);
        context->UserRegs.Rsp = stack;
        context->UserRegs.Cs = Traps.GuestBounce.FlatKernelCs;
        context->UserRegs.Ss = Traps.GuestBounce.FlatKernelSs;
        context->UserRegs.Rflags = Rflags.If;
        context->KernelSs = Traps.GuestBounce.FlatKernelSs;
        context->KernelSp = stack;
        context->CtrlReg[3] = root.Address;
        HypercallResult result;
        do
        {
            result = VcpuContext.Apply(vcpu, context);
        }
        while (result.IsPreempted);

        PageAllocator.FreePages(context, 1);
        if (result.Raw != 0)
        {
            return vcpu->KernelRoot.IsNone ? Dom0Error.TablesRefused : Dom0Error.ContextRefused;
        }

        // Kernels unpin the root they were given once they have their own.
        if (MmuExtOps.Pin(domain, root, 4) != Errno.Ok)
        {
            return Dom0Error.TablesRefused;
        }

        vcpu->Info->EventChannelUpcallMask = 1;
        vcpu->Offline = false;
        return Dom0Error.Ok;
    }

    private static ulong Pages(ulong bytes) => (bytes + MemoryLayout.PageMask) >> MemoryLayout.PageShift;

    private static int OrderOf(ulong bytes)
    {
        int order = 0;
        while (MemoryLayout.PageSize << order < bytes)
        {
            order++;
        }

        return order;
    }
}
