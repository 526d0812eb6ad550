// SPDX-License-Identifier: MIT
// The time of day, as the second since 1970 at which system time was zero. Domain-0 sets
// it (XENPF_settime64, and boot from the CMOS clock); every domain reads it in its shared_info, shifted by what the
// tools asked for. A guest adds system time.
//
// Locking: s_lock protects the two numbers and serialises writers of shared_info. Nests outside DomainTable's lock.

using System.Threading;
using Xen.Abi;

namespace Hypervisor.Core.Time;

/// <summary>The wall clock.</summary>
public static unsafe class Wallclock
{
    private static SpinLock s_lock;
    private static ulong s_seconds;
    private static uint s_nanoseconds;

    /// <summary>Second since 1970 at system time zero.</summary>
    public static ulong BootSeconds => s_seconds;

    public static uint BootNanoseconds => s_nanoseconds;

    /// <summary>It is now <paramref name="seconds"/> and <paramref name="nanoseconds"/> since 1970.</summary>
    public static void Set(ulong seconds, uint nanoseconds) => Set(seconds, nanoseconds, SystemTime.Now());

    /// <summary>It was that time of day at <paramref name="systemTime"/>. Every domain is told.</summary>
    public static void Set(ulong seconds, uint nanoseconds, ulong systemTime)
    {
        ulong wholeSeconds = seconds + (nanoseconds / SystemTime.Second);
        ulong systemSeconds = systemTime / SystemTime.Second;
        long fraction = (long)(nanoseconds % SystemTime.Second) - (long)(systemTime % SystemTime.Second);
        if (fraction < 0)
        {
            fraction += (long)SystemTime.Second;
            systemSeconds++;
        }

        s_lock.Acquire();
        s_seconds = wholeSeconds - systemSeconds;
        s_nanoseconds = (uint)fraction;
        s_lock.Release();

        for (uint id = 0; id < DomainTable.Size; id++)
        {
            if (DomainTable.Peek(id) == null)
            {
                continue;
            }

            Domain* domain = DomainTable.TryGet(id);
            if (domain != null)
            {
                Publish(domain);
                _ = DomainTable.Put(domain);
            }
        }
    }

    /// <summary>Writes the domain's wall clock into its shared_info, if it has one.</summary>
    public static void Publish(Domain* domain)
    {
        SharedInfo* shared = domain->SharedInfo;
        if (shared == null)
        {
            return;
        }

        s_lock.Acquire();
        ulong seconds = s_seconds + (ulong)domain->Time.OffsetSeconds;
        uint version = shared->WcVersion | 1;
        Volatile.Write(ref shared->WcVersion, version);
        shared->WcSec = (uint)seconds;
        shared->WcSecHi = (uint)(seconds >> 32);
        shared->WcNsec = s_nanoseconds;
        Volatile.Write(ref shared->WcVersion, version + 1);
        s_lock.Release();
    }
}
