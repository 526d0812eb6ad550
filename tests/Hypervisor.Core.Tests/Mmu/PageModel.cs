// SPDX-License-Identifier: MIT

using System.Collections.Generic;
using System.Globalization;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>
/// Counts every reference and every type from scratch, by looking at who refers to what, and compares with what the
/// frame table says. The rules are those at the head of PageInfo.cs.
/// </summary>
internal sealed unsafe class PageModel
{
    private readonly ulong[] _references;
    private readonly ulong[] _types;
    private readonly ulong[] _expectedType;
    private readonly List<string> _complaints = [];

    private PageModel()
    {
        ulong frames = FrameTable.Frames;
        _references = new ulong[frames];
        _types = new ulong[frames];
        _expectedType = new ulong[frames];
    }

    /// <summary>What is wrong; empty when all is well.</summary>
    public static IReadOnlyList<string> Check(params nint[] domains)
    {
        PageModel model = new();
        foreach (nint domain in domains)
        {
            model.CountDomain((Domain*)domain);
        }

        model.CountTables();
        model.Compare();
        foreach (nint domain in domains)
        {
            model.CheckList((Domain*)domain);
        }

        return model._complaints;
    }

    private void CountDomain(Domain* domain)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu == null)
            {
                continue;
            }

            AddTyped(vcpu->KernelRoot, PageType.L4);
            AddTyped(vcpu->UserRoot, PageType.L4);
            AddTyped(vcpu->InfoFrame, PageType.Writable);
            for (uint index = 0; index < (vcpu->GdtEntries + 511) / 512; index++)
            {
                AddTyped(new Mfn(vcpu->GdtFrames[index]), PageType.Descriptors);
            }

            for (uint index = 0; index < vcpu->ParkedCount; index++)
            {
                Mfn parked = new(vcpu->ParkedTables[index]);
                AddTyped(parked, FrameTable.Page(parked)->Type & PageType.Mask);
            }
        }

        // What the hypervisor shares has a base reference, with write access.
        AddTyped(domain->SharedInfoFrame, PageType.Writable);
        for (uint index = 0; index < domain->Grants.FrameCount; index++)
        {
            AddTyped(
                Mfn.OfAddress(Hypervisor.Machine.PhysicalOf(domain->Grants.Frames[index])), PageType.Writable);
        }

        CountMappings(&domain->Grants);
    }

    /// <summary>Handles of grants: one reference for each way of use, beside the one of a page-table entry.</summary>
    private void CountMappings(DomainGrants* grants)
    {
        const uint HandlesInPage = 256;
        const uint ActiveInPage = 256;
        for (uint handle = 0; handle < grants->MappingPages * HandlesInPage; handle++)
        {
            Mapping* mapping = grants->Mappings[handle / HandlesInPage] + (handle % HandlesInPage);
            foreach (MappingState use in (MappingState[])[MappingState.Host, MappingState.Device])
            {
                if ((mapping->State & use) == 0)
                {
                    continue;
                }

                ActiveGrant** active = DomainTable.Peek(mapping->Granter)->Grants.Active;
                ActiveGrant* grant = active[mapping->Reference / ActiveInPage] + (mapping->Reference % ActiveInPage);
                if ((mapping->State & MappingState.ReadOnly) != 0)
                {
                    _references[grant->Frame]++;
                }
                else
                {
                    AddTyped(new Mfn(grant->Frame), PageType.Writable);
                }
            }
        }
    }

    private void CountTables()
    {
        for (ulong frame = 0; frame < FrameTable.Frames; frame++)
        {
            PageInfo* page = FrameTable.Page(new Mfn(frame));
            if (page->Owner == FrameTable.OwnerIo || (page->Count & PageInfo.ReferenceMask) == 0)
            {
                continue;
            }

            if ((page->Count & PageInfo.Allocated) != 0)
            {
                _references[frame]++;
            }

            int level = PageType.LevelOf(page->Type);
            if ((page->Type & PageType.Pinned) != 0)
            {
                AddTyped(new Mfn(frame), page->Type & PageType.Mask);
            }

            bool isPartial = (page->Type & PageType.Partial) != 0;
            if (isPartial && (page->Type & PageType.CountMask) == 0)
            {
                _references[frame]++;
            }

            bool isTable = level != 0 && (isPartial || (page->Type & PageType.CountMask) != 0);
            if (isTable)
            {
                int entries = isPartial ? (int)((page->Type & PageType.EntriesMask) >> PageType.EntriesShift) : 512;
                CountEntries(new Mfn(frame), level, entries);
            }
        }
    }

    private void CountEntries(Mfn table, int level, int entries)
    {
        ulong* slots = (ulong*)Hypervisor.Machine.Direct(table);
        for (int index = 0; index < entries; index++)
        {
            ulong entry = slots[index];
            if ((entry & Pte.Present) == 0 || (level == 4 && HypervisorSlots.Contains(index)))
            {
                continue;
            }

            Mfn target = Pte.FrameOf(entry);
            if (level > 1)
            {
                Require((entry & Pte.PageSize) == 0, table, "has a large page");
                AddTyped(target, PageType.OfLevel(level - 1));
            }
            else if (FrameTable.IsValid(target) && FrameTable.Page(target)->Owner != FrameTable.OwnerIo)
            {
                if ((entry & Pte.Writable) != 0)
                {
                    AddTyped(target, PageType.Writable);
                }
                else
                {
                    _references[target.Raw]++;
                }
            }

            Require((entry & Pte.User) != 0, table, "has an entry without the user bit");
            Require(level != 1 || (entry & Pte.Global) == 0, table, "has a global entry");
        }
    }

    private void AddTyped(Mfn mfn, ulong type)
    {
        if (mfn.IsNone)
        {
            return;
        }

        _references[mfn.Raw]++;
        _types[mfn.Raw]++;
        Require(
            _expectedType[mfn.Raw] == 0 || _expectedType[mfn.Raw] == type, mfn, "is used as two things at once");
        _expectedType[mfn.Raw] = type;
    }

    private void Compare()
    {
        for (ulong frame = 0; frame < FrameTable.Frames; frame++)
        {
            Mfn mfn = new(frame);
            PageInfo* page = FrameTable.Page(mfn);
            if (page->Owner == FrameTable.OwnerIo)
            {
                continue;
            }

            // The hypervisor's own: referred to only where a frame once shared is still mapped.
            bool isUnshared = page->Owner == FrameTable.OwnerHypervisor
                && (page->Type & PageType.Mask) == PageType.Writable && _references[frame] != 0;
            if ((page->Owner is FrameTable.OwnerHypervisor or FrameTable.OwnerNone) && !isUnshared)
            {
                Require(_references[frame] == 0, mfn, "is nobody's and referred to");
                continue;
            }

            ulong references = page->Count & PageInfo.ReferenceMask;
            Require(
                references == _references[frame], mfn, $"has {references} references, not {_references[frame]}");
            ulong types = page->Type & PageType.CountMask;
            Require(types == _types[frame], mfn, $"has {types} type references, not {_types[frame]}");
            Require(
                _expectedType[frame] == 0 || _expectedType[frame] == (page->Type & PageType.Mask), mfn,
                "is not what it is used as");
        }
    }

    private void CheckList(Domain* domain)
    {
        ulong count = 0;
        uint previous = FrameTable.EndOfList;
        for (Mfn mfn = domain->FirstPage; !mfn.IsNone; count++)
        {
            PageInfo* page = FrameTable.Page(mfn);
            Require(page->Owner == domain->Id, mfn, "is in another domain's list");
            Require(page->Previous == previous, mfn, "does not know its predecessor");
            previous = (uint)mfn.Raw;
            mfn = page->Next == FrameTable.EndOfList ? Mfn.None : new Mfn(page->Next);
            if (count > domain->TotalPages)
            {
                break;
            }
        }

        if (count != domain->TotalPages)
        {
            _complaints.Add($"domain {domain->Id} has {count} frames in its list, not {domain->TotalPages}");
        }
    }

    private void Require(bool condition, Mfn mfn, string what)
    {
        if (!condition)
        {
            PageInfo* page = FrameTable.Page(mfn);
            _complaints.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"frame {mfn.Raw:x} {what} (type {page->Type:x}, count {page->Count:x}, owner {page->Owner:x})"));
        }
    }
}
