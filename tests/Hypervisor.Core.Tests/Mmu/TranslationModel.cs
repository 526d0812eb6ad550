// SPDX-License-Identifier: MIT
// What processors may do with page tables and translations, looked at between any two steps of any CPU:
//
//   an entry of a checked table              names what its references say: a checked table of the level below, writable
//                                            memory if it may be written, a frame that somebody holds
//   a CPU may remember any translation that  until it loads CR3 while the translation is not there any more
//   was there once
//
// So no CPU may remember a frame as writable while it is a table or has descriptors, nor as a table while it is writable,
// nor at all when the frame is handed out anew. That is the invariant of PageInfo.cs, as a processor sees it.

using System;
using System.Globalization;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>The least favourable processors: they have every checked table loaded, and remember all they can.</summary>
internal sealed unsafe class TranslationModel
{
    /// <summary>Entries that the requests of tests are about; all others stay empty.</summary>
    private static readonly int[] s_indices = [0, 1, 2, 256, 271, 272, 511];

    private readonly ulong _first;
    private readonly int _frames;
    private readonly uint _allCpus;
    private readonly PageInfo* _pages;

    // CPUs that may remember the frame: as a table, with write access, at all.
    private readonly uint[] _asTable;
    private readonly uint[] _writable;
    private readonly uint[] _any;
    private readonly bool[] _wasFree;

    public TranslationModel(FakeMachine machine, ulong firstFrame)
    {
        _first = firstFrame;
        _frames = (int)(FrameTable.Frames - firstFrame);
        _allCpus = (1u << (int)machine.CpuCount) - 1;
        _pages = FrameTable.Page(new Mfn(firstFrame));
        _asTable = new uint[_frames];
        _writable = new uint[_frames];
        _any = new uint[_frames];
        _wasFree = new bool[_frames];
    }

    /// <summary>Something may have changed.</summary>
    public void Observe()
    {
        for (int frame = 0; frame < _frames; frame++)
        {
            ulong type = _pages[frame].Type;
            int level = PageType.LevelOf(type);
            if (level != 0 && IsChecked(type) && _pages[frame].State == FrameState.Used)
            {
                WalkTable(frame, level);
            }
        }

        for (int frame = 0; frame < _frames; frame++)
        {
            CheckFrame(frame);
        }
    }

    /// <summary>A CPU loads CR3. What is still there it may remember again at once.</summary>
    public void Forget(uint cpu)
    {
        uint others = ~(1u << (int)cpu);
        for (int frame = 0; frame < _frames; frame++)
        {
            _asTable[frame] &= others;
            _writable[frame] &= others;
            _any[frame] &= others;
        }

        Observe();
    }

    private static bool IsChecked(ulong type) =>
        (type & PageType.Validated) != 0 && (type & PageType.CountMask) != 0;

    private void WalkTable(int table, int level)
    {
        if (level == 4)
        {
            Remember(table, _asTable);
        }

        ulong* slots = (ulong*)Hypervisor.Machine.Direct(new Mfn(_first + (ulong)table));
        foreach (int index in s_indices)
        {
            ulong entry = slots[index];
            if ((entry & Pte.Present) == 0 || (level == 4 && HypervisorSlots.Contains(index)))
            {
                continue;
            }

            Mfn mfn = Pte.FrameOf(entry);
            if (!FrameTable.IsValid(mfn) || FrameTable.Page(mfn)->Owner == FrameTable.OwnerIo)
            {
                Require(level == 1, table, "names a table that is no memory");
                continue;
            }

            Require(mfn.Raw >= _first, table, "names memory that is nobody's");
            int target = (int)(mfn.Raw - _first);
            ulong type = _pages[target].Type;
            Require((_pages[target].Count & PageInfo.ReferenceMask) != 0, target, "is mapped and held by nobody");
            if (level > 1)
            {
                Require(
                    IsChecked(type) && PageType.LevelOf(type) == level - 1, target, $"is named by a table of level {level}");
                Require(_pages[target].Owner == _pages[table].Owner, target, "is another domain's table");
                Remember(target, _asTable);
            }
            else
            {
                bool isWritable = (entry & Pte.Writable) != 0;
                Require(
                    !isWritable || ((type & PageType.Mask) == PageType.Writable && (type & PageType.CountMask) != 0),
                    target, "is mapped with write access");
                Remember(target, isWritable ? _writable : _any);
            }
        }
    }

    private void Remember(int frame, uint[] how)
    {
        how[frame] = _allCpus;
        _any[frame] = _allCpus;
    }

    private void CheckFrame(int frame)
    {
        if ((_any[frame] | _asTable[frame] | _writable[frame]) != 0)
        {
            ulong type = _pages[frame].Type;
            bool isFree = _pages[frame].State != FrameState.Used;
            Require(isFree || !_wasFree[frame], frame, "is handed out and remembered");
            if (!isFree && IsChecked(type))
            {
                bool isWritable = (type & PageType.Mask) == PageType.Writable;
                Require(isWritable || _writable[frame] == 0, frame, "is remembered as writable");
                Require(!isWritable || _asTable[frame] == 0, frame, "is remembered as a table");
            }
        }

        _wasFree[frame] = _pages[frame].State != FrameState.Used;
    }

    private void Require(bool condition, int frame, string what)
    {
        if (!condition)
        {
            PageInfo* page = _pages + frame;
            throw new InvalidOperationException(string.Create(
                CultureInfo.InvariantCulture,
                $"frame {_first + (ulong)frame:x} {what} (type {page->Type:x}, count {page->Count:x}, owner {page->Owner:x},"
                + $" CPUs {_asTable[frame]:x} {_writable[frame]:x} {_any[frame]:x})"));
        }
    }
}
