// SPDX-License-Identifier: MIT
// Domains by number. A domain leaves the table with its last reference, one of which stands for its memory; until
// then it can be looked up, dying or not. Locking: Lock protects the table's slots and the lifecycle fields; it
// nests inside nothing but MmuLock.

using System.Runtime.CompilerServices;
using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>All domains.</summary>
public static unsafe class DomainTable
{
    /// <summary>Numbers 0 to 7FEFh; the rest of sixteen bits are names such as DOMID_SELF.</summary>
    public const int Size = 0x7FF0;

    private static ulong* s_slots;
    private static SpinLock s_lock;
    private static uint s_end;

    /// <summary>One past the highest number that was ever taken.</summary>
    public static uint End => s_end;

    /// <summary>Gives the table its memory: <see cref="Size"/> zeroed words. Once, at boot.</summary>
    public static void Initialise(ulong* slots)
    {
        s_slots = slots;
        s_end = 0;
    }

    /// <summary>The domain with this number, or null. No reference is taken: the caller holds off its release (see
    /// <see cref="TryGet"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Domain* Peek(uint id) => id < Size ? (Domain*)s_slots[id] : null;

    /// <summary>The domain with a reference that <see cref="Put"/> gives back, or null.</summary>
    public static Domain* TryGet(uint id)
    {
        s_lock.Acquire();
        Domain* domain = Peek(id);
        if (domain != null)
        {
            domain->References++;
        }

        s_lock.Release();
        return domain;
    }

    /// <summary>As <see cref="TryGet"/>, with DOMID_SELF standing for <paramref name="self"/>.</summary>
    public static Domain* TryGetOrSelf(Domain* self, uint id) =>
        TryGet(id == 0x7FF0 ? self->Id : id);

    /// <summary>Gives a reference back; true when it was the last one and the caller must release the
    /// structure.</summary>
    public static bool Put(Domain* domain)
    {
        s_lock.Acquire();
        bool last = --domain->References == 0;
        if (last && Peek(domain->Id) == domain)
        {
            // Under the lock: nobody may find what is about to be freed.
            s_slots[domain->Id] = 0;
        }

        s_lock.Release();
        if (last)
        {
            DomainLifecycle.Release(domain);
        }

        return last;
    }

    /// <summary>Enters the domain under its number; false when the number is taken.</summary>
    public static bool TryAdd(Domain* domain)
    {
        s_lock.Acquire();
        bool free = s_slots[domain->Id] == 0;
        if (free)
        {
            s_slots[domain->Id] = (ulong)domain;
            s_end = s_end > domain->Id ? s_end : domain->Id + 1u;
        }

        s_lock.Release();
        return free;
    }
}
