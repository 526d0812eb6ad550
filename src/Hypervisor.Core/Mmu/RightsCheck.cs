// SPDX-License-Identifier: MIT
// W^X, looked up in the page tables themselves: whatever the code that built them meant, this is what the processor obeys.
// Rights of a page are those that all levels grant: writable and user where every entry says so, executable where none
// forbids it.

namespace Hypervisor.Core.Mmu;

/// <summary>What is wrong with the rights of a page.</summary>
public enum RightsFault
{
    None,
    WritableAndExecutable,

    /// <summary>Guests can reach a page that they need not: all but the read-only view of the machine-to-physical
    /// table.</summary>
    OpenToGuests,
    WritableByGuests,
}

/// <summary>Walks the hypervisor's part of an address space.</summary>
public static unsafe class RightsCheck
{
    private const ulong EndOfView = MemoryLayout.MachineToPhysicalReadOnly + (1UL << 39);

    /// <summary>The first page of the hypervisor's slots with more rights than anything needs, and its address.</summary>
    /// <param name="root">Physical address of the root table.</param>
    /// <param name="address">Where the page is mapped.</param>
    public static RightsFault Find(ulong root, out ulong address)
    {
        ulong* table = (ulong*)Machine.Direct(root);
        for (int slot = 0; slot < MemoryLayout.HypervisorSlots; slot++)
        {
            address = MemoryLayout.HypervisorStart + ((ulong)slot << 39);
            RightsFault fault = Check(
                table[MemoryLayout.FirstHypervisorSlot + slot], 4, Pte.Writable | Pte.User, 0, ref address);
            if (fault != RightsFault.None)
            {
                return fault;
            }
        }

        address = 0;
        return RightsFault.None;
    }

    private static RightsFault Check(ulong entry, int level, ulong granted, ulong forbidden, ref ulong address)
    {
        if ((entry & Pte.Present) == 0)
        {
            return RightsFault.None;
        }

        granted &= entry;
        forbidden |= entry & Pte.NoExecute;
        if (level == 1 || (level < 4 && (entry & Pte.PageSize) != 0))
        {
            return Judge(granted, forbidden, address);
        }

        ulong* table = (ulong*)Machine.Direct(entry & Pte.AddressMask);
        ulong first = address;
        for (int index = 0; index < Pte.Entries; index++)
        {
            address = first + ((ulong)index << (3 + (9 * (level - 1))));
            RightsFault fault = Check(table[index], level - 1, granted, forbidden, ref address);
            if (fault != RightsFault.None)
            {
                return fault;
            }
        }

        return RightsFault.None;
    }

    private static RightsFault Judge(ulong granted, ulong forbidden, ulong address)
    {
        bool isWritable = (granted & Pte.Writable) != 0;
        bool isGuests = (granted & Pte.User) != 0;
        return isWritable && isGuests ? RightsFault.WritableByGuests
            : isGuests && (address >= EndOfView || address < MemoryLayout.MachineToPhysicalReadOnly)
                ? RightsFault.OpenToGuests
            : isWritable && forbidden == 0 ? RightsFault.WritableAndExecutable
            : RightsFault.None;
    }
}
