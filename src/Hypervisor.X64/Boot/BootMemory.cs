// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;

namespace Hypervisor.X64.Boot;

/// <summary>Memory for what exists before the frame table does: taken from the top of the largest RAM below 4 GiB, never returned.</summary>
public static unsafe class BootMemory
{
    private static ulong s_start;
    private static ulong s_next;

    /// <summary>Lowest address handed out, and the end of the region it was taken from.</summary>
    public static ulong Start => s_next;

    public static ulong End { get; private set; }

    /// <summary>Chooses the region from a map without what is in use. False: there is no RAM.</summary>
    public static bool Initialise(MemoryMap* free)
    {
        ulong best = 0;
        for (int index = 0; index < free->Count; index++)
        {
            MemoryRegion region = (*free)[index];
            ulong end = region.End < 1UL << 32 ? region.End : 1UL << 32;
            if (region.Type == MemoryType.Ram && region.Base < end && end - region.Base > best)
            {
                best = end - region.Base;
                s_start = region.Base;
                s_next = end;
                End = end;
            }
        }

        return best != 0;
    }

    /// <summary>Zeroed pages, aligned to <paramref name="alignment"/>; the boot ends when there are none.</summary>
    public static ulong Allocate(ulong bytes, ulong alignment = MemoryLayout.PageSize)
    {
        bytes = (bytes + MemoryLayout.PageMask) & ~MemoryLayout.PageMask;
        if (bytes > s_next - s_start || ((s_next - bytes) & ~(alignment - 1)) < s_start)
        {
            Boot.Stop("too little memory: "u8, "the hypervisor's own tables do not fit below 4 GiB"u8);
        }

        s_next = (s_next - bytes) & ~(alignment - 1);
        Machine.Zero(Machine.Direct(s_next), (nuint)bytes);
        return s_next;
    }
}
