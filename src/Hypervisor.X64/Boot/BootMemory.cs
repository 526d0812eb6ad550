// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;

namespace Hypervisor.X64.Boot;

/// <summary>Memory for what exists before the frame table does: taken from the map of free RAM, never returned.</summary>
public static unsafe class BootMemory
{
    /// <summary>What the boot stub's tables map.</summary>
    private const ulong Reachable = 1UL << 32;

    /// <summary>Zeroed pages below 4 GiB; the boot ends when there are none.</summary>
    public static ulong Allocate(ulong bytes, ulong alignment = MemoryLayout.PageSize)
    {
        if (!BootData.Free->TryTake(bytes, alignment, Reachable, out ulong address))
        {
            Boot.Stop("too little memory: "u8, "the hypervisor's own tables do not fit below 4 GiB"u8);
        }

        Machine.Zero(Machine.Direct(address), (nuint)bytes);
        return address;
    }

    /// <summary>2 MiB wherever they are, the highest first. What they contain is not known, and until the final tables
    /// are in force they may be out of reach.</summary>
    public static ulong AllocateLarge()
    {
        if (!BootData.Free->TryTake(MemoryLayout.LargePage, MemoryLayout.LargePage, ulong.MaxValue, out ulong address))
        {
            Boot.Stop("too little memory: "u8, "there is no room for the table of frames"u8);
        }

        return address;
    }
}
