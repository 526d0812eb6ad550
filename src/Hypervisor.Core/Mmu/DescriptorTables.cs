// SPDX-License-Identifier: MIT
// GDT and LDT of PV guests. The guest names frames (GDT) or a virtual range (LDT); the frames get the type Descriptors, for
// which each descriptor was checked: no privilege below 3, no system descriptors. The processor sees them through this
// CPU's window (MemoryLayout.PerCpuGdt), whose last frame holds the hypervisor's own descriptors at selector E000h on. The
// LDT window is filled on demand: a selector load that finds it empty faults, and the fault handler maps the page.

using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Descriptor tables of vCPUs.</summary>
public static unsafe class DescriptorTables
{
    private const ulong DescriptorPresent = 1UL << 47;
    private const ulong DescriptorSegment = 1UL << 44;
    private const ulong DescriptorType = 0x1FUL << 40;
    private const ulong DescriptorPrivilege = 3UL << 45;
    private const uint EntriesPerFrame = 512;
    private const uint MaxLdtEntries = 8192;

    /// <summary>The selectors that every guest finds in its GDT (FLAT_RING3_*) and no guest may redefine.</summary>
    public const uint FirstReservedEntry = Vcpu.MaxGdtFrames * EntriesPerFrame;

    /// <summary>Pages of the LDT window.</summary>
    public const int LdtPages = 16;

    private static ulong s_emptyEntry;
    private static ulong s_noExecute;

    /// <summary>Gives the window's unused frames a page of null descriptors, so that selectors beyond a guest's table are #GP, as
    /// on a processor of its own. Once, at boot; the page is zero and stays so.</summary>
    /// <param name="zeroPage">That page.</param>
    /// <param name="hasNoExecute">Entries may carry the no-execute bit; elsewhere it is reserved.</param>
    public static void Initialise(void* zeroPage, bool hasNoExecute)
    {
        s_noExecute = hasNoExecute ? Pte.NoExecute : 0;
        s_emptyEntry = Pte.Make(
            Mfn.OfAddress(Machine.PhysicalOf(zeroPage)), Pte.Present | s_noExecute | Pte.Accessed);
    }

    /// <summary>Makes a descriptor harmless, or says that it cannot be.</summary>
    public static bool Check(ref ulong descriptor)
    {
        if ((descriptor & DescriptorPresent) == 0)
        {
            return true;
        }

        if ((descriptor & DescriptorSegment) == 0 && (descriptor & DescriptorType) != 0)
        {
            return false;
        }

        descriptor |= DescriptorPrivilege;
        return true;
    }

    /// <summary>Reference and Descriptors type for a frame of <paramref name="domain"/>, under MmuLock.</summary>
    public static bool GetFrame(Domain* domain, Mfn mfn)
    {
        if (!FrameTable.IsValid(mfn))
        {
            return false;
        }

        PageInfo* page = FrameTable.Page(mfn);
        if (!PageReference.TryGet(page, domain))
        {
            return false;
        }

        ulong type = page->Type;
        if ((type & PageType.Mask) == PageType.Descriptors && (type & PageType.CountMask) != 0)
        {
            page->Type++;
            return true;
        }

        if ((type & (PageType.CountMask | PageType.Partial)) == 0 && (page->Count & PageInfo.HypervisorFrame) == 0)
        {
            if (Interlocked.CompareExchange(ref page->Type, PageType.Descriptors | 1, type) == type)
            {
                // From now on nobody can map it to write; who did has forgotten it before the check.
                TlbFlush.BeforeReuse(page->FlushStamp);
                if (CheckFrame(mfn))
                {
                    page->Type |= PageType.Validated;
                    return true;
                }

                page->Type = PageType.None;
            }
        }

        PageReference.Put(page);
        return false;
    }

    public static void PutFrame(Mfn mfn)
    {
        PageInfo* page = FrameTable.Page(mfn);
        TlbFlush.Stamp(page);
        ulong type = page->Type - 1;
        bool isLast = (type & PageType.CountMask) == 0;
        Volatile.Write(
            ref page->Type, isLast ? PageType.Released(PageType.Descriptors, Volatile.Read(ref page->FlushStamp)) : type);
        PageReference.Put(page);
    }

    /// <summary>Hypercall set_gdt: up to 14 frames, <paramref name="entries"/> descriptors.</summary>
    public static Errno SetGdt(Vcpu* vcpu, ulong* frames, uint entries)
    {
        if (entries > FirstReservedEntry)
        {
            return Errno.Inval;
        }

        Domain* domain = vcpu->Domain;
        uint count = (entries + EntriesPerFrame - 1) / EntriesPerFrame;
        domain->MmuLock.Acquire();
        for (uint index = 0; index < count; index++)
        {
            if (!GetFrame(domain, new Mfn(frames[index])))
            {
                while (index-- != 0)
                {
                    PutFrame(new Mfn(frames[index]));
                }

                domain->MmuLock.Release();
                return Errno.Inval;
            }
        }

        ReleaseGdtLocked(vcpu);
        for (uint index = 0; index < count; index++)
        {
            vcpu->GdtFrames[index] = frames[index];
        }

        vcpu->GdtEntries = entries;
        domain->MmuLock.Release();
        if (Machine.Cpu->Current == vcpu)
        {
            LoadGdt(vcpu);
        }

        return Errno.Ok;
    }

    /// <summary>Frames of the vCPU's GDT.</summary>
    public static uint GdtFrameCount(Vcpu* vcpu) => (vcpu->GdtEntries + EntriesPerFrame - 1) / EntriesPerFrame;

    /// <summary>What a CPU's LDT window shows at the moment; 0 for nothing.</summary>
    public static ulong LdtWindowEntry(CpuInfo* cpu, int page) =>
        ((ulong*)cpu->BlockTable)[(MemoryLayout.PerCpuLdt >> MemoryLayout.PageShift) + (uint)page];

    /// <summary>Lets go of the GDT of a vCPU that no CPU has loaded.</summary>
    public static void Release(Vcpu* vcpu)
    {
        vcpu->Domain->MmuLock.Acquire();
        ReleaseGdtLocked(vcpu);
        vcpu->Domain->MmuLock.Release();
        vcpu->LdtEntries = 0;
    }

    /// <summary>Makes this CPU's GDT window show the vCPU's frames; guests' part only, the last frame is the CPU's own.</summary>
    public static void LoadGdt(Vcpu* vcpu)
    {
        uint count = GdtFrameCount(vcpu);
        ulong* window = WindowEntries(MemoryLayout.PerCpuGdt);
        ulong address = Machine.PerCpuBlock + MemoryLayout.PerCpuGdt;
        for (uint index = 0; index < Vcpu.MaxGdtFrames; index++)
        {
            ulong entry = index < count
                ? Pte.Make(new Mfn(vcpu->GdtFrames[index]), Pte.Present | Pte.Writable | s_noExecute | Pte.Accessed | Pte.Dirty)
                : s_emptyEntry;
            if (window[index] != entry)
            {
                window[index] = entry;
                Machine.InvalidatePage(address + ((ulong)index << MemoryLayout.PageShift));
            }
        }
    }

    /// <summary>MMUEXT_SET_LDT: a page-aligned virtual range of the guest; 0 entries take the LDT away.</summary>
    public static Errno SetLdt(Vcpu* vcpu, ulong address, uint entries)
    {
        if (entries > MaxLdtEntries || (address & MemoryLayout.PageMask) != 0
            || (entries != 0 && !GuestMemory.IsOutsideHole(address, entries * 8UL)))
        {
            return Errno.Inval;
        }

        if (vcpu->LdtEntries != 0 || entries != 0)
        {
            EmptyLdtWindow(vcpu->Domain);
            vcpu->LdtBase = address;
            vcpu->LdtEntries = entries;
            LoadLdt(vcpu);
        }

        return Errno.Ok;
    }

    /// <summary>Points this CPU's LDT register at its window, with the vCPU's limit; the window starts empty.</summary>
    public static void LoadLdt(Vcpu* vcpu) =>
        Machine.SetLocalDescriptorTable(Machine.PerCpuBlock + MemoryLayout.PerCpuLdt, vcpu->LdtEntries);

    /// <summary>Drops the references behind the LDT window; before another vCPU is loaded.</summary>
    public static void EmptyLdtWindow(Domain* domain)
    {
        ulong* window = WindowEntries(MemoryLayout.PerCpuLdt);
        for (int index = 0; index < LdtPages; index++)
        {
            ulong entry = window[index];
            if (entry != 0)
            {
                window[index] = 0;
                Machine.InvalidatePage(
                    Machine.PerCpuBlock + MemoryLayout.PerCpuLdt + ((ulong)index << MemoryLayout.PageShift));
                domain->MmuLock.Acquire();
                PutFrame(Pte.FrameOf(entry));
                domain->MmuLock.Release();
            }
        }
    }

    /// <summary>
    /// Fills page <paramref name="offset"/> of the LDT window from the guest's range. False: there is nothing to fill, and the
    /// fault is the guest's, at its own address of the LDT.
    /// </summary>
    public static bool FillLdtWindow(Vcpu* vcpu, ulong offset)
    {
        if (offset >= vcpu->LdtEntries * 8UL)
        {
            return false;
        }

        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        ulong* slot = GuestWalk.LeafSlot(vcpu->KernelRoot, vcpu->LdtBase + offset, out _);
        bool filled = slot != null && (*slot & Pte.Present) != 0 && GetFrame(domain, Pte.FrameOf(*slot));
        if (filled)
        {
            WindowEntries(MemoryLayout.PerCpuLdt)[offset >> MemoryLayout.PageShift] = Pte.Make(
                Pte.FrameOf(*slot), Pte.Present | Pte.Writable | s_noExecute | Pte.Accessed | Pte.Dirty);
        }

        domain->MmuLock.Release();
        return filled;
    }

    /// <summary>Hypercall update_descriptor: one descriptor at a machine address, in a table or in writable memory.</summary>
    public static Errno Update(Vcpu* vcpu, ulong machineAddress, ulong descriptor)
    {
        Mfn mfn = Mfn.OfAddress(machineAddress);
        Domain* domain = vcpu->Domain;
        if ((machineAddress & 7) != 0 || !FrameTable.IsValid(mfn) || !Check(ref descriptor))
        {
            return Errno.Inval;
        }

        PageInfo* page = FrameTable.Page(mfn);
        Errno error = Errno.Ok;
        domain->MmuLock.Acquire();
        if (page->Owner == domain->Id && (page->Type & PageType.Mask) == PageType.Descriptors
            && (page->Type & PageType.CountMask) != 0)
        {
            Volatile.Write(ref *(ulong*)Machine.Direct(machineAddress), descriptor);
        }
        else if (PageReference.TryGetWritable(page, domain))
        {
            Volatile.Write(ref *(ulong*)Machine.Direct(machineAddress), descriptor);
            PageReference.PutWritable(page);
        }
        else
        {
            error = Errno.Inval;
        }

        domain->MmuLock.Release();
        return error;
    }

    private static void ReleaseGdtLocked(Vcpu* vcpu)
    {
        uint count = GdtFrameCount(vcpu);
        for (uint index = 0; index < count; index++)
        {
            PutFrame(new Mfn(vcpu->GdtFrames[index]));
            vcpu->GdtFrames[index] = 0;
        }

        vcpu->GdtEntries = 0;
    }

    private static bool CheckFrame(Mfn mfn)
    {
        ulong* descriptors = (ulong*)Machine.Direct(mfn);
        for (uint index = 0; index < EntriesPerFrame; index++)
        {
            ulong descriptor = descriptors[index];
            if (!Check(ref descriptor))
            {
                return false;
            }

            descriptors[index] = descriptor;
        }

        return true;
    }

    /// <summary>Level-1 entries of this CPU's block, from <paramref name="offset"/> on.</summary>
    private static ulong* WindowEntries(ulong offset) => Machine.PerCpuTable + (offset >> MemoryLayout.PageShift);
}
