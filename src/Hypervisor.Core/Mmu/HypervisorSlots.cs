// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Mmu;

/// <summary>The hypervisor's part of every root table: L4 slots 256 to 271.</summary>
public static unsafe class HypervisorSlots
{
    private struct Slots
    {
        public fixed ulong Entries[MemoryLayout.HypervisorSlots];
    }

    private static Slots s_slots;

    /// <summary>Root with nothing but these slots, for CPUs without a guest.</summary>
    public static ulong IdleCr3 { get; set; }

    /// <summary>Announces the entries of the hypervisor's own root.</summary>
    public static void Initialise(ulong* root)
    {
        for (int index = 0; index < MemoryLayout.HypervisorSlots; index++)
        {
            s_slots.Entries[index] = root[MemoryLayout.FirstHypervisorSlot + index];
        }

        IdleCr3 = Machine.PhysicalOf(root);
    }

    public static bool Contains(int index) =>
        (uint)(index - MemoryLayout.FirstHypervisorSlot) < MemoryLayout.HypervisorSlots;

    public static bool AreIn(ulong* root)
    {
        // The processor marks entries as accessed.
        for (int index = 0; index < MemoryLayout.HypervisorSlots; index++)
        {
            if (((root[MemoryLayout.FirstHypervisorSlot + index] ^ s_slots.Entries[index]) & ~Pte.Accessed) != 0)
            {
                return false;
            }
        }

        return true;
    }

    public static void Install(ulong* root)
    {
        for (int index = 0; index < MemoryLayout.HypervisorSlots; index++)
        {
            root[MemoryLayout.FirstHypervisorSlot + index] = s_slots.Entries[index];
        }
    }
}
