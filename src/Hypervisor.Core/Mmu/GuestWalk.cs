// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor.Core.Mmu;

/// <summary>Finds entries in the page tables of the guest that runs.</summary>
public static unsafe class GuestWalk
{
    /// <summary>
    /// The level-1 entry that translates <paramref name="address"/> under <paramref name="root"/>, or null where a table on the
    /// way is missing or the address is the hypervisor's. <paramref name="table"/> is the frame of the level-1 table.
    /// </summary>
    /// <remarks>Under the domain's MmuLock: validated tables name validated tables only.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong* LeafSlot(Mfn root, ulong address, out Mfn table)
    {
        table = Mfn.None;
        ulong entry = ((ulong*)Machine.Direct(root))[(address >> 39) & 511];
        if ((entry & Pte.Present) == 0 || !GuestMemory.IsOutsideHole(address, 1))
        {
            return null;
        }

        entry = ((ulong*)Machine.Direct(entry & Pte.AddressMask))[(address >> 30) & 511];
        if ((entry & Pte.Present) == 0)
        {
            return null;
        }

        entry = ((ulong*)Machine.Direct(entry & Pte.AddressMask))[(address >> 21) & 511];
        if ((entry & Pte.Present) == 0)
        {
            return null;
        }

        table = Pte.FrameOf(entry);
        return (ulong*)Machine.Direct(entry & Pte.AddressMask) + ((address >> 12) & 511);
    }

    /// <summary>Reads a byte of memory that the guest's kernel has mapped, also while user mode's root is loaded.</summary>
    /// <returns>False: nothing is there, or no memory.</returns>
    public static bool TryReadByte(Vcpu* vcpu, ulong address, out byte value)
    {
        Domain* domain = vcpu->Domain;
        value = 0;
        domain->MmuLock.Acquire();
        ulong* slot = LeafSlot(vcpu->KernelRoot, address, out _);
        bool isThere = slot != null && (*slot & Pte.Present) != 0 && FrameTable.IsValid(Pte.FrameOf(*slot))
            && FrameTable.Page(Pte.FrameOf(*slot))->Owner != FrameTable.OwnerIo;
        if (isThere)
        {
            value = ((byte*)Machine.Direct(Pte.FrameOf(*slot)))[address & MemoryLayout.PageMask];
        }

        domain->MmuLock.Release();
        return isThere;
    }

    /// <summary>The root in use: the kernel's or the user's.</summary>
    public static Mfn CurrentRoot(Vcpu* vcpu) => vcpu->InKernelMode ? vcpu->KernelRoot : vcpu->UserRoot;
}
