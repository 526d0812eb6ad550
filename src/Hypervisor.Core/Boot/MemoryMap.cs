// SPDX-License-Identifier: MIT
// Firmware hands over maps that are unsorted, overlap and disagree with themselves. Normalise sweeps over the addresses
// from boundary to boundary: each stretch gets the most restrictive type that any entry claims for it, and equal
// neighbours become one. The result is sorted, disjoint, and its RAM consists of whole pages. Quadratic in at most 1024
// entries, once at boot, and without memory of its own: the second half of the structure takes the result.

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Boot;

/// <summary>A bounded map of physical memory.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe partial struct MemoryMap
{
    public const int Capacity = 1024;
    private const int WordsPerRegion = 3;

    private fixed ulong _regions[Capacity * WordsPerRegion];
    private fixed ulong _scratch[Capacity * WordsPerRegion];
    private int _count;

    public readonly int Count => _count;

    /// <summary>Region <paramref name="index"/>, below <see cref="Count"/>.</summary>
    public readonly MemoryRegion this[int index]
    {
        get
        {
            Check.That((uint)index < (uint)_count, "region of the memory map"u8);
            fixed (ulong* words = _regions)
            {
                return ((MemoryRegion*)words)[index];
            }
        }
    }

    /// <summary>Bytes of RAM; meaningful once the map is normalised.</summary>
    public readonly ulong TotalRam => Total(MemoryType.Ram);

    /// <summary>The address after the highest byte of RAM, or 0.</summary>
    public readonly ulong EndOfRam
    {
        get
        {
            ulong end = 0;
            for (int i = 0; i < _count; i++)
            {
                MemoryRegion region = this[i];
                if (region.Type == MemoryType.Ram && region.End > end)
                {
                    end = region.End;
                }
            }

            return end;
        }
    }

    public void Clear() => _count = 0;

    /// <summary>Appends a region as the firmware states it; false when the map is full. Empty regions are left out,
    /// what wraps ends at the top of the address space, unknown types count as reserved.</summary>
    public bool TryAdd(ulong start, ulong length, uint type)
    {
        if (length == 0)
        {
            return true;
        }

        if (length > ulong.MaxValue - start)
        {
            length = ulong.MaxValue - start;
        }

        MemoryType known = type is >= (uint)MemoryType.Ram and <= (uint)MemoryType.Unusable
            ? (MemoryType)type
            : MemoryType.Reserved;
        return length == 0 || TryAppend(new MemoryRegion(start, length, known));
    }

    /// <summary>Lengthens the region added last when the new one continues it; false, and no change, when it does
    /// not.</summary>
    public bool TryExtendLast(ulong start, ulong length, MemoryType type)
    {
        if (_count == 0)
        {
            return false;
        }

        MemoryRegion last = this[_count - 1];
        if (last.Type != type || last.End != start || length > ulong.MaxValue - start)
        {
            return false;
        }

        Replace(_count - 1, new MemoryRegion(last.Base, last.Length + length, type));
        return true;
    }

    public readonly ulong Total(MemoryType type)
    {
        ulong total = 0;
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type == type)
            {
                total += region.Length;
            }
        }

        return total;
    }

    /// <summary>True when the whole range is of the one type (in a normalised map).</summary>
    public readonly bool IsAll(ulong start, ulong end, MemoryType type)
    {
        for (int i = 0; i < _count && start < end; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type == type && region.Base <= start && start < region.End)
            {
                start = region.End;
            }
        }

        return start >= end;
    }

    /// <summary>True when any byte of the range is claimed by an entry of the type.</summary>
    public readonly bool Overlaps(ulong start, ulong end, MemoryType type)
    {
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type == type && region.Base < end && start < region.End)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Sorts, merges and resolves overlaps; RAM shrinks to whole pages.</summary>
    public BootError Normalise()
    {
        int produced = 0;
        ulong position = 0;
        while (FindStretch(position, out ulong start, out ulong end, out MemoryType type))
        {
            position = end;
            if (!TryProduce(ref produced, new MemoryRegion(start, end - start, type)))
            {
                return BootError.MemoryMapTooFragmented;
            }
        }

        TakeScratch(produced);
        ClipRamToPages();
        return BootError.Ok;
    }

    /// <summary>Takes the range, widened to whole pages, out of RAM; other types keep it. The map must be
    /// normalised.</summary>
    public BootError Reserve(ulong start, ulong end)
    {
        start &= ~MemoryLayout.PageMask;
        end = RoundUp(end);
        if (start >= end)
        {
            return BootError.Ok;
        }

        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type != MemoryType.Ram || region.End <= start || region.Base >= end)
            {
                continue;
            }

            bool hasHead = region.Base < start;
            bool hasTail = region.End > end;
            MemoryRegion tail = new(end, region.End - end, MemoryType.Ram);
            if (hasHead)
            {
                Replace(i, new MemoryRegion(region.Base, start - region.Base, MemoryType.Ram));
                if (hasTail && !TryInsert(i + 1, tail))
                {
                    return BootError.MemoryMapTooFragmented;
                }
            }
            else if (hasTail)
            {
                Replace(i, tail);
            }
            else
            {
                RemoveAt(i);
                i--;
            }
        }

        return BootError.Ok;
    }

    /// <summary>Drops RAM from <paramref name="limit"/> on: the option <c>mem</c>, and what the direct map has no
    /// room for.</summary>
    public void LimitRam(ulong limit)
    {
        limit &= ~MemoryLayout.PageMask;
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type != MemoryType.Ram || region.End <= limit)
            {
                continue;
            }

            if (region.Base >= limit)
            {
                RemoveAt(i);
                i--;
            }
            else
            {
                Replace(i, new MemoryRegion(region.Base, limit - region.Base, MemoryType.Ram));
            }
        }
    }

    /// <summary>The next page boundary; an address in the last page of the address space has none and gets its
    /// own.</summary>
    private static ulong RoundUp(ulong address) => address > ~MemoryLayout.PageMask
        ? ~MemoryLayout.PageMask
        : (address + MemoryLayout.PageMask) & ~MemoryLayout.PageMask;

    /// <summary>The order in which types win where entries overlap.</summary>
    private static int Restrictiveness(MemoryType type) => type switch
    {
        MemoryType.Ram => 0,
        MemoryType.AcpiReclaimable => 1,
        MemoryType.AcpiNonVolatile => 2,
        MemoryType.Reserved => 3,
        _ => 4,
    };

    /// <summary>The first stretch at or after <paramref name="position"/> that some entry claims and inside which no
    /// entry begins or ends.</summary>
    private readonly bool FindStretch(ulong position, out ulong start, out ulong end, out MemoryType type)
    {
        start = ulong.MaxValue;
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.End > position)
            {
                ulong first = region.Base > position ? region.Base : position;
                start = first < start ? first : start;
            }
        }

        end = ulong.MaxValue;
        type = MemoryType.Ram;
        bool found = false;
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Base <= start && start < region.End)
            {
                found = true;
                end = region.End < end ? region.End : end;
                type = Restrictiveness(region.Type) > Restrictiveness(type) ? region.Type : type;
            }
            else if (region.Base > start && region.Base < end)
            {
                end = region.Base;
            }
        }

        return found;
    }

    private bool TryProduce(ref int produced, MemoryRegion region)
    {
        fixed (ulong* words = _scratch)
        {
            MemoryRegion* regions = (MemoryRegion*)words;
            if (produced > 0 && regions[produced - 1].Type == region.Type && regions[produced - 1].End == region.Base)
            {
                regions[produced - 1].Length += region.Length;
                return true;
            }

            if (produced == Capacity)
            {
                return false;
            }

            regions[produced++] = region;
            return true;
        }
    }

    private void TakeScratch(int produced)
    {
        fixed (ulong* target = _regions, source = _scratch)
        {
            for (int i = 0; i < produced * WordsPerRegion; i++)
            {
                target[i] = source[i];
            }
        }

        _count = produced;
    }

    private void ClipRamToPages()
    {
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type != MemoryType.Ram)
            {
                continue;
            }

            ulong start = RoundUp(region.Base);
            ulong end = region.End & ~MemoryLayout.PageMask;
            if (start >= end)
            {
                RemoveAt(i);
                i--;
            }
            else
            {
                Replace(i, new MemoryRegion(start, end - start, MemoryType.Ram));
            }
        }
    }

    private bool TryAppend(MemoryRegion region) => TryInsert(_count, region);

    private void Replace(int index, MemoryRegion region)
    {
        fixed (ulong* words = _regions)
        {
            ((MemoryRegion*)words)[index] = region;
        }
    }

    private bool TryInsert(int index, MemoryRegion region)
    {
        if (_count == Capacity)
        {
            return false;
        }

        fixed (ulong* words = _regions)
        {
            MemoryRegion* regions = (MemoryRegion*)words;
            for (int i = _count; i > index; i--)
            {
                regions[i] = regions[i - 1];
            }

            regions[index] = region;
        }

        _count++;
        return true;
    }

    private void RemoveAt(int index)
    {
        fixed (ulong* words = _regions)
        {
            MemoryRegion* regions = (MemoryRegion*)words;
            for (int i = index; i < _count - 1; i++)
            {
                regions[i] = regions[i + 1];
            }
        }

        _count--;
    }
}
