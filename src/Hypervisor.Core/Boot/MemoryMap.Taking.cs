// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <content>Memory taken out of a map before there is an allocator, and questions about stretches of it.</content>
public unsafe partial struct MemoryMap
{
    /// <summary>
    /// Takes whole pages out of the highest RAM that ends at or below <paramref name="limit"/> and has room for them.
    /// The map must be normalised. False: there is no such RAM, or no entry left for what remains of it.
    /// </summary>
    /// <param name="bytes">How much, not 0; rounded up to pages.</param>
    /// <param name="alignment">Of the address; a power of two, a page or more.</param>
    /// <param name="limit">The address after the last byte allowed.</param>
    /// <param name="start">The address of what was taken.</param>
    public bool TryTake(ulong bytes, ulong alignment, ulong limit, out ulong start)
    {
        start = 0;
        if (bytes > ulong.MaxValue - MemoryLayout.PageMask)
        {
            return false;
        }

        bytes = (bytes + MemoryLayout.PageMask) & ~MemoryLayout.PageMask;
        for (int i = _count - 1; i >= 0; i--)
        {
            MemoryRegion region = this[i];
            ulong end = (region.End < limit ? region.End : limit) & ~MemoryLayout.PageMask;
            if (region.Type != MemoryType.Ram || end < bytes)
            {
                continue;
            }

            start = (end - bytes) & ~(alignment - 1);
            if (start >= region.Base)
            {
                // A cut in the middle needs one more entry; where there is none, the next region may do.
                bool needsEntry = start > region.Base && start + bytes < region.End;
                if (!needsEntry || _count < Capacity)
                {
                    return Reserve(start, start + bytes) == BootError.Ok;
                }
            }
        }

        return false;
    }

    /// <summary>True when RAM (of a normalised map) touches [<paramref name="start"/>, <paramref name="end"/>).</summary>
    public readonly bool HasRam(ulong start, ulong end)
    {
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type == MemoryType.Ram && region.Base < end && region.End > start)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Whether an address is RAM (of a normalised map), and where that ends: <paramref name="end"/> is the first address
    /// after it for which the answer may be another.
    /// </summary>
    public readonly bool IsRam(ulong address, out ulong end)
    {
        end = ulong.MaxValue;
        for (int i = 0; i < _count; i++)
        {
            MemoryRegion region = this[i];
            if (region.Type != MemoryType.Ram || region.End <= address)
            {
                continue;
            }

            if (region.Base <= address)
            {
                end = region.End;
                return true;
            }

            end = region.Base < end ? region.Base : end;
        }

        return false;
    }
}
