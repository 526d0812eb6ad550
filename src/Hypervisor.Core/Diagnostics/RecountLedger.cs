// SPDX-License-Identifier: MIT
// What a recount has found so far of a run of frames: a word for each, in memory taken for the time of the recount. A
// machine with more frames than the memory shows is gone through several times.
//
//   63..60 type that the uses want   59..32 uses with that type   31..0 references

using System;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Diagnostics;

/// <summary>References and uses found of frames [<see cref="First"/>, <see cref="End"/>).</summary>
internal unsafe struct RecountLedger
{
    /// <summary>4 MiB: 2 GiB of frames at once.</summary>
    private const int LargestOrder = 10;

    private const int UsesShift = 32;
    private const ulong UsesMask = 0x0FFF_FFFFUL << UsesShift;
    private const ulong ReferencesMask = 0xFFFF_FFFFUL;

    /// <summary>Mismatches that are printed one by one.</summary>
    private const ulong MostLines = 32;

    private ulong* _words;
    private int _order;

    public ulong First;
    public ulong End;
    public ulong Mismatches;

    /// <summary>Takes as much memory as is useful and there.</summary>
    public bool TryOpen(ulong frames)
    {
        _order = LargestOrder;
        while (_order > 0 && Capacity >= 2 * frames)
        {
            _order--;
        }

        while ((_words = (ulong*)PageAllocator.AllocatePages(_order)) == null)
        {
            if (_order-- == 0)
            {
                return false;
            }
        }

        return true;
    }

    public readonly void Close() => PageAllocator.FreePages(_words, _order);

    /// <summary>The run of frames from <paramref name="first"/> on, of which nothing is known.</summary>
    public void Begin(ulong first, ulong frames)
    {
        First = first;
        End = first + Capacity < frames ? first + Capacity : frames;
        Machine.Zero(_words, (nuint)((End - First) * sizeof(ulong)));
    }

    /// <summary>A reference without a type.</summary>
    public readonly void Add(Mfn mfn)
    {
        if (mfn.Raw >= First && mfn.Raw < End)
        {
            _words[mfn.Raw - First]++;
        }
    }

    /// <summary>A reference as <paramref name="type"/>.</summary>
    public void AddTyped(Mfn mfn, ulong type)
    {
        if (mfn.Raw < First || mfn.Raw >= End)
        {
            return;
        }

        ulong* word = _words + (mfn.Raw - First);
        ulong known = *word & PageType.Mask;
        if ((*word & UsesMask) != 0 && known != type)
        {
            if (Complain())
            {
                Log.Error("  frame "u8).Hex(mfn.Raw).Text(" is used as "u8).Text(NameOf(known)).Text(" and as "u8)
                    .Text(NameOf(type)).End();
            }
        }

        *word = (*word & ~PageType.Mask) + (1UL << UsesShift) + 1 | type;
    }

    /// <summary>One mismatch more; true: it is to be printed.</summary>
    public bool Complain() => ++Mismatches <= MostLines;

    public static ReadOnlySpan<byte> NameOf(ulong type) => (type & PageType.Mask) switch
    {
        PageType.None => "nothing"u8,
        PageType.L1 => "a table of level 1"u8,
        PageType.L2 => "a table of level 2"u8,
        PageType.L3 => "a table of level 3"u8,
        PageType.L4 => "a table of level 4"u8,
        PageType.Descriptors => "descriptors"u8,
        PageType.Writable => "writable memory"u8,
        _ => "a type that there is not"u8,
    };

    public readonly ulong ReferencesTo(ulong frame) => _words[frame - First] & ReferencesMask;

    public readonly ulong UsesOf(ulong frame) => (_words[frame - First] & UsesMask) >> UsesShift;

    public readonly ulong TypeOf(ulong frame) => _words[frame - First] & PageType.Mask;

    private readonly ulong Capacity => MemoryLayout.PageSize << _order >> 3;
}
