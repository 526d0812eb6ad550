// SPDX-License-Identifier: MIT
// Device memory that domains may read and not write: MSI-X tables with their pending bits, because whoever writes a
// table decides which vector is raised on which CPU, and PCI configuration space in memory, where the MSI capability
// lies. A mapping that asks for writing gets its right taken away without an error, since drivers map whole BARs; a
// write that comes nevertheless faults and is carried out as far as it is harmless (DeviceWrite).
//
// Ranges are bytes, protection is by page. Locking: s_lock protects the list; innermost.

namespace Hypervisor.Core.Mmu;

/// <summary>Ranges of device memory that no domain writes.</summary>
public static unsafe class ReadOnlyDeviceMemory
{
    /// <summary>Owner of ranges that belong to no PCI function.</summary>
    public const uint NoDevice = 0xFFFF_FFFF;

    private const int MaxRanges = 256;

    private struct Ranges
    {
        public fixed ulong Start[MaxRanges];
        public fixed ulong End[MaxRanges];
        public fixed uint Owner[MaxRanges];
        public int Used;
    }

    private static Ranges s_ranges;
    private static SpinLock s_lock;

    /// <summary>Forgets all ranges.</summary>
    public static void Initialise() => s_ranges.Used = 0;

    /// <summary>From now on mappings of these bytes are read-only; a mapping that stands stays what it is.</summary>
    /// <returns>False when the list is full or the range is none.</returns>
    public static bool Add(uint owner, ulong start, ulong length)
    {
        if (length == 0 || start + length < start)
        {
            return false;
        }

        s_lock.Acquire();
        bool isKnown = false;
        for (int i = 0; i < s_ranges.Used && !isKnown; i++)
        {
            isKnown = s_ranges.Owner[i] == owner && s_ranges.Start[i] == start && s_ranges.End[i] == start + length;
        }

        bool fits = isKnown || s_ranges.Used < MaxRanges;
        if (fits && !isKnown)
        {
            int place = s_ranges.Used++;
            s_ranges.Start[place] = start;
            s_ranges.End[place] = start + length;
            s_ranges.Owner[place] = owner;
        }

        s_lock.Release();
        return fits;
    }

    /// <summary>The function has no table any more.</summary>
    public static void Remove(uint owner)
    {
        s_lock.Acquire();
        for (int i = s_ranges.Used - 1; i >= 0; i--)
        {
            if (s_ranges.Owner[i] == owner)
            {
                int last = --s_ranges.Used;
                s_ranges.Start[i] = s_ranges.Start[last];
                s_ranges.End[i] = s_ranges.End[last];
                s_ranges.Owner[i] = s_ranges.Owner[last];
            }
        }

        s_lock.Release();
    }

    /// <summary>Some byte of the page is protected.</summary>
    public static bool HasPage(Mfn mfn) => Overlaps(mfn.Address, MemoryLayout.PageSize);

    /// <summary>Some of these bytes are protected.</summary>
    public static bool Overlaps(ulong address, ulong length)
    {
        if (s_ranges.Used == 0)
        {
            return false;
        }

        s_lock.Acquire();
        bool found = false;
        for (int i = 0; i < s_ranges.Used && !found; i++)
        {
            found = address < s_ranges.End[i] && address + length > s_ranges.Start[i];
        }

        s_lock.Release();
        return found;
    }
}
