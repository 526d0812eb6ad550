// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Mmu;

/// <summary>Entries of levels 2 to 4: each refers to a table of the level below, of the same domain.</summary>
public static unsafe class TableEntries
{
    /// <summary>Bits that may be set; a large page would map frames that nobody counted.</summary>
    private const ulong Refused = Pte.PageSize | Pte.Global | Pte.ReservedMask;

    /// <summary>Takes the references of a present entry; gives it the user bit that ring 3 needs at every level.</summary>
    public static TableResult Get(Domain* domain, ref ulong entry, int level)
    {
        if ((entry & Refused) != 0)
        {
            return TableResult.Refused;
        }

        TableResult result = PageTables.Get(domain, Pte.FrameOf(entry), level - 1);
        entry |= Pte.User;
        return result;
    }
}
