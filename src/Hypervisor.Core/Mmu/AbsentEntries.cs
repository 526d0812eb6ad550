// SPDX-License-Identifier: MIT
// Page-table entries that are not present. Processors with the L1 terminal fault read ahead through them all the same: what
// the first-level cache holds at the address in such an entry can be told from outside, whoever's memory it is. Guests write
// these entries as they like, so on such a processor one that names RAM is refused. Linux inverts the address of what it
// keeps there, which makes it lie beyond all RAM, and so never meets this rule.
//
// The cache compares 44 bits of an address at least on processors that have so many, and fewer on older ones. An entry with
// address 0 says nothing: the first page of RAM is nobody's.
// Domain-0 is exempt: it can read all memory anyway.

using System.Runtime.CompilerServices;

namespace Hypervisor.Core.Mmu;

/// <summary>Entries that map nothing, and what they may contain.</summary>
public static class AbsentEntries
{
    private const int ComparedBits = 44;

    private static ulong s_mask;

    /// <summary>One less than the first address that may be named, as address 0 less one is the highest of all; 0 while
    /// there is no rule.</summary>
    private static ulong s_limit;

    /// <summary>From now on entries that name an address below <paramref name="endOfRam"/> are refused; 0 ends that.
    /// </summary>
    public static void Guard(ulong endOfRam, int physicalAddressBits)
    {
        int bits = physicalAddressBits < ComparedBits ? physicalAddressBits : ComparedBits;
        s_mask = ((1UL << bits) - 1) & Pte.AddressMask;
        s_limit = endOfRam == 0 ? 0 : endOfRam - 1;
    }

    /// <summary>Whether <paramref name="domain"/> may have this entry, which is not present, in a page table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe bool IsAllowed(Domain* domain, ulong entry) =>
        (entry & s_mask) - 1 >= s_limit || IsExempt(domain, entry);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe bool IsExempt(Domain* domain, ulong entry)
    {
        if (domain->IsPrivileged)
        {
            return true;
        }

        Console.GuestMessages.Warning(domain, "refused the page-table entry "u8).Hex(entry, 16)
            .Text(": it is not present, but names RAM (L1 terminal fault)"u8).End();
        return false;
    }
}
