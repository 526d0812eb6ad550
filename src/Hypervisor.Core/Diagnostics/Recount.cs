// SPDX-License-Identifier: MIT
// Debug key k: counts all references and types of all frames from scratch and compares them with what the frame table
// says (PageInfo.cs has the rules). Nothing of the frame table's counts is believed, but which frames are tables and how far
// a table is checked; a table that nobody uses, or a use of what is no table, is a mismatch again.
//
//   who refers                                         as
//   the owner of a frame, while it has not let go      reference
//   the hypervisor: shared_info, grant table           writable
//   a vCPU: kernel's and user's root, parked tables    level 4; as the table is
//           vcpu_info, control block of events         writable
//           GDT; LDT as far as a CPU's window has it   descriptors
//   a domain's event words                             writable
//   a pin; an interrupted check; a destruction's table as the table is; reference; as the table is
//   an entry of level 2 to 4; of level 1               level below; reference, writable if it says so
//   a handle of a grant mapping                        reference, writable unless read-only
//
// All CPUs stand still meanwhile, at a place where no reference is on its way. That takes some tenths of a second for each
// GiB, for whose length no guest runs; the watchdog is told.

using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Time;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Checks the frame table against everything that refers to frames.</summary>
public static unsafe class Recount
{
    /// <summary>Frames between two turns for others' requests.</summary>
    private const ulong TurnMask = 0x3FF;

    /// <summary>Stops the machine, recounts, and says what was found.</summary>
    public static void Print()
    {
        if (!Standstill.TryBegin())
        {
            return;
        }

        ulong start = SystemTime.Now();
        bool hasMemory = TryRun(out ulong domains, out ulong mismatches);
        ulong milliseconds = (SystemTime.Now() - start) / SystemTime.Millisecond;
        Standstill.End();
        if (!hasMemory)
        {
            Log.Error("no page is free to count in"u8).End();
            return;
        }

        Log.Error("recount of "u8).Decimal(FrameTable.Frames).Text(" frames, "u8).Decimal(domains).Text(" domains, "u8)
            .Decimal(milliseconds).Text(" ms: "u8).Decimal(mismatches).Text(" mismatches"u8).End();
    }

    /// <summary>Recounts; each mismatch is a line on the console, up to a number.</summary>
    /// <returns>False: no memory.</returns>
    /// <remarks>Precondition: nobody else changes anything meanwhile.</remarks>
    public static bool TryRun(out ulong domains, out ulong mismatches)
    {
        RecountLedger ledger = default;
        domains = 0;
        mismatches = 0;
        if (!ledger.TryOpen(FrameTable.Frames))
        {
            return false;
        }

        for (ulong first = 0; first < FrameTable.Frames; first = ledger.End)
        {
            ledger.Begin(first, FrameTable.Frames);
            domains = 0;
            for (uint id = 0; id < DomainTable.End; id++)
            {
                Domain* domain = DomainTable.Peek(id);
                if (domain != null)
                {
                    domains++;
                    CountDomain(ref ledger, domain);
                }
            }

            CountDescriptorWindows(ref ledger);
            Compare(ref ledger);
        }

        CheckRoots(ref ledger);
        mismatches = ledger.Mismatches;
        ledger.Close();
        return true;
    }

    private static void CountDomain(ref RecountLedger ledger, Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                CountVcpu(ref ledger, vcpu);
            }
        }

        ledger.AddTyped(domain->SharedInfoFrame, PageType.Writable);
        for (uint index = 0; index < domain->Grants.FrameCount; index++)
        {
            ledger.AddTyped(GrantTable.FrameAt(domain, index), PageType.Writable);
        }

        for (uint page = 0; domain->Events.Fifo != null && page < domain->Events.Fifo->PageCount; page++)
        {
            ledger.AddTyped(FrameBehind((void*)domain->Events.Fifo->Pages[page]), PageType.Writable);
        }

        if (domain->DestructionTable != 0)
        {
            AddTable(ref ledger, new Mfn(domain->DestructionTable));
        }

        ulong granted = CountMappings(ref ledger, domain);
        ulong foreign = CountFrames(ref ledger, domain);

        // Each mapping of a grant has one entry; the tools' foreign mappings have none of these.
        if (!domain->IsPrivileged && !domain->IsDying && foreign > granted && ledger.Complain())
        {
            Log.Error("  domain "u8).Decimal((uint)domain->Id).Text(" maps "u8).Decimal(foreign)
                .Text(" frames of others by "u8).Decimal(granted).Text(" grants"u8).End();
        }
    }

    private static void CountVcpu(ref RecountLedger ledger, Vcpu* vcpu)
    {
        AddRoot(ref ledger, vcpu->KernelRoot);
        AddRoot(ref ledger, vcpu->UserRoot);
        if (!vcpu->InfoFrame.IsNone)
        {
            ledger.AddTyped(vcpu->InfoFrame, PageType.Writable);
        }

        if (vcpu->Events.Fifo.Control != null)
        {
            ledger.AddTyped(FrameBehind(vcpu->Events.Fifo.Control), PageType.Writable);
        }

        for (uint index = 0; index < DescriptorTables.GdtFrameCount(vcpu); index++)
        {
            ledger.AddTyped(new Mfn(vcpu->GdtFrames[index]), PageType.Descriptors);
        }

        for (uint index = 0; index < vcpu->ParkedCount; index++)
        {
            AddTable(ref ledger, new Mfn(vcpu->ParkedTables[index]));
        }
    }

    private static void AddRoot(ref RecountLedger ledger, Mfn root)
    {
        if (!root.IsNone && root.Raw != 0)
        {
            ledger.AddTyped(root, PageType.L4);
        }
    }

    private static void AddTable(ref RecountLedger ledger, Mfn table) =>
        ledger.AddTyped(table, FrameTable.Page(table)->Type & PageType.Mask);

    /// <summary>Records of grant mappings; gives how many have an entry in a page table.</summary>
    private static ulong CountMappings(ref RecountLedger ledger, Domain* domain)
    {
        ulong granted = 0;
        for (uint handle = 0; handle < GrantMappings.CountOf(domain); handle++)
        {
            Mapping* mapping = GrantMappings.At(&domain->Grants, handle);
            bool isRead = (mapping->State & MappingState.ReadOnly) != 0;
            if ((mapping->State & MappingState.Host) != 0)
            {
                granted++;
                AddMapping(ref ledger, mapping, isRead);
            }

            if ((mapping->State & MappingState.Device) != 0)
            {
                AddMapping(ref ledger, mapping, isRead);
            }
        }

        return granted;
    }

    private static void AddMapping(ref RecountLedger ledger, Mapping* mapping, bool isRead)
    {
        // The granter exists while a frame of its is held.
        Mfn frame = GrantPins.FrameOf(DomainTable.Peek(mapping->Granter), mapping->Reference);
        if (isRead)
        {
            ledger.Add(frame);
        }
        else
        {
            ledger.AddTyped(frame, PageType.Writable);
        }
    }

    /// <summary>The frames that a domain owns, and what its tables refer to; gives how many entries map other domains'
    /// frames.</summary>
    private static ulong CountFrames(ref RecountLedger ledger, Domain* domain)
    {
        ulong foreign = 0;
        ulong count = 0;
        for (Mfn mfn = domain->FirstPage; !mfn.IsNone && FrameTable.IsValid(mfn) && count <= domain->TotalPages; count++)
        {
            PageInfo* page = FrameTable.Page(mfn);
            if (page->Owner != domain->Id && ledger.Complain())
            {
                Log.Error("  frame "u8).Hex(mfn.Raw).Text(" is in the list of domain "u8).Decimal((uint)domain->Id)
                    .Text(" and belongs to "u8).Decimal((uint)page->Owner).End();
            }

            foreign += CountFrame(ref ledger, domain, mfn, page);
            mfn = page->Next == FrameTable.EndOfList ? Mfn.None : new Mfn(page->Next);
            if ((count & TurnMask) == 0)
            {
                Standstill.Turn();
            }
        }

        if (count != domain->TotalPages && ledger.Complain())
        {
            Log.Error("  domain "u8).Decimal((uint)domain->Id).Text(" has "u8).Decimal(count)
                .Text(" frames in its list, "u8).Decimal(domain->TotalPages).Text(" counted"u8).End();
        }

        return foreign;
    }

    private static ulong CountFrame(ref RecountLedger ledger, Domain* domain, Mfn mfn, PageInfo* page)
    {
        if ((page->Count & PageInfo.Allocated) != 0)
        {
            ledger.Add(mfn);
        }

        if ((page->Type & PageType.Pinned) != 0)
        {
            AddTable(ref ledger, mfn);
        }

        bool isPartial = (page->Type & PageType.Partial) != 0;
        bool isUsed = (page->Type & PageType.CountMask) != 0;
        if (isPartial && !isUsed)
        {
            ledger.Add(mfn);
        }

        int level = PageType.LevelOf(page->Type);
        if (level == 0 || !(isPartial || isUsed))
        {
            return 0;
        }

        if (level == 4 && !isPartial && !HypervisorSlots.AreIn((ulong*)Machine.Direct(mfn)) && ledger.Complain())
        {
            Log.Error("  frame "u8).Hex(mfn.Raw).Text(", a table of level 4, lacks the hypervisor's slots"u8).End();
        }

        uint entries = isPartial
            ? (uint)((page->Type & PageType.EntriesMask) >> PageType.EntriesShift)
            : Pte.Entries;
        return CountEntries(ref ledger, domain, mfn, level, entries);
    }

    private static ulong CountEntries(ref RecountLedger ledger, Domain* domain, Mfn table, int level, uint entries)
    {
        const ulong NeverAtLevel1 = Pte.Global | Pte.ReservedMask;
        const ulong NeverAbove = Pte.PageSize | Pte.Global | Pte.ReservedMask;
        ulong foreign = 0;
        ulong* slots = (ulong*)Machine.Direct(table);
        for (int index = 0; index < entries; index++)
        {
            ulong entry = slots[index];
            if ((entry & Pte.Present) == 0 || (level == 4 && HypervisorSlots.Contains(index)))
            {
                continue;
            }

            ulong never = level == 1 ? NeverAtLevel1 : NeverAbove;
            if (((entry & never) != 0 || (entry & Pte.User) == 0) && ledger.Complain())
            {
                Log.Error("  frame "u8).Hex(table.Raw).Text(", a table of level "u8).Decimal((uint)level)
                    .Text(", has an entry that no guest may have, at "u8).Decimal((uint)index).Text(": "u8).Hex(entry).End();
            }

            Mfn target = Pte.FrameOf(entry);
            if (level > 1)
            {
                ledger.AddTyped(target, PageType.OfLevel(level - 1));
            }
            else if (FrameTable.IsValid(target) && FrameTable.Page(target)->Owner != FrameTable.OwnerIo)
            {
                foreign += FrameTable.Page(target)->Owner == domain->Id ? 0u : 1;
                if ((entry & Pte.Writable) != 0)
                {
                    ledger.AddTyped(target, PageType.Writable);
                }
                else
                {
                    ledger.Add(target);
                }
            }
        }

        return foreign;
    }

    /// <summary>LDT frames that CPUs show at the moment.</summary>
    private static void CountDescriptorWindows(ref RecountLedger ledger)
    {
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            for (int page = 0; page < DescriptorTables.LdtPages; page++)
            {
                ulong entry = DescriptorTables.LdtWindowEntry(Machine.CpuOf(cpu), page);
                if (entry != 0)
                {
                    ledger.AddTyped(Pte.FrameOf(entry), PageType.Descriptors);
                }
            }
        }
    }

    private static void Compare(ref RecountLedger ledger)
    {
        for (ulong frame = ledger.First; frame < ledger.End; frame++)
        {
            if ((frame & TurnMask) == 0)
            {
                Standstill.Turn();
            }

            PageInfo* page = FrameTable.Page(new Mfn(frame));
            ulong references = ledger.ReferencesTo(frame);
            ulong uses = ledger.UsesOf(frame);
            if (page->Owner == FrameTable.OwnerIo)
            {
                continue;
            }

            if (page->Owner == FrameTable.OwnerShown)
            {
                // The hypervisor's own reference and type stay for ever.
                references++;
                uses++;
            }
            else if (IsNobodys(page))
            {
                if (references != 0 && ledger.Complain())
                {
                    Tell(page, frame).Text(" is nobody's, and "u8).Decimal(references).Text(" refer to it"u8).End();
                }

                continue;
            }

            ulong type = page->Type & PageType.Mask;
            bool isRight = references == (page->Count & PageInfo.ReferenceMask)
                && uses == (page->Type & PageType.CountMask)
                && (uses == 0 || page->Owner == FrameTable.OwnerShown || ledger.TypeOf(frame) == type);
            if (!isRight && ledger.Complain())
            {
                Tell(page, frame).Text(" has "u8).Decimal(page->Count & PageInfo.ReferenceMask)
                    .Text(" references, found "u8).Decimal(references).Text("; "u8)
                    .Decimal(page->Type & PageType.CountMask).Text(" as "u8).Text(RecountLedger.NameOf(type))
                    .Text(", found "u8).Decimal(uses).Text(" as "u8)
                    .Text(RecountLedger.NameOf(ledger.TypeOf(frame))).End();
            }
        }
    }

    /// <summary>Free, or the hypervisor's own; but not a frame that it once shared and that is still mapped.</summary>
    private static bool IsNobodys(PageInfo* page) => page->Owner == FrameTable.OwnerNone
        || (page->Owner == FrameTable.OwnerHypervisor
            && (page->State != FrameState.Used || (page->Type & PageType.Mask) != PageType.Writable));

    private static LogLine Tell(PageInfo* page, ulong frame) =>
        Log.Error("  frame "u8).Hex(frame).Text(" of "u8).Decimal((uint)page->Owner);

    /// <summary>What the CPUs have loaded is a checked root, or the hypervisor's own.</summary>
    private static void CheckRoots(ref RecountLedger ledger)
    {
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            ulong cr3 = Machine.CpuOf(cpu)->Cr3 & Pte.AddressMask;
            if (cr3 == 0 || cr3 == (HypervisorSlots.IdleCr3 & Pte.AddressMask))
            {
                continue;
            }

            PageInfo* page = FrameTable.Page(Mfn.OfAddress(cr3));
            bool isRoot = FrameTable.IsValid(Mfn.OfAddress(cr3))
                && (PageType.LevelOf(page->Type) == 4 && (page->Type & PageType.Validated) != 0
                    && (page->Type & PageType.CountMask) != 0);
            if (!isRoot && ledger.Complain())
            {
                Log.Error("  CPU "u8).Decimal(cpu).Text(" has a root loaded that is none, frame "u8)
                    .Hex(Mfn.OfAddress(cr3).Raw).End();
            }
        }
    }

    private static Mfn FrameBehind(void* direct) => Mfn.OfAddress(Machine.PhysicalOf(direct));
}
