// SPDX-License-Identifier: MIT
// Which CPU may still hold a stale translation? A global clock ticks with every flush; each CPU remembers the tick of its last
// one, each frame the tick at which its last mapping (or its last use as a table) went away. A CPU whose flush is later than
// the frame's stamp cannot remember the frame, so most flushes for safety fall away.
//
// Guests' translations are never global, so loading CR3 flushes them all; the hypervisor's own are.

using System.Runtime.CompilerServices;
using System.Threading;

namespace Hypervisor.Core.Mmu;

/// <summary>Flushes TLBs of this and of other CPUs.</summary>
public static unsafe class TlbFlush
{
    private static int s_clock;

    /// <summary>The stamp for a frame that stops being mapped now.</summary>
    public static uint Clock
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)s_clock;
    }

    /// <summary>Forgets every translation of guests on this CPU.</summary>
    public static void Local()
    {
        CpuInfo* cpu = Machine.Cpu;
        Machine.WriteCr3(cpu->Cr3);
        cpu->FlushStamp = (uint)Interlocked.Add(ref s_clock, 1);
    }

    /// <summary>To be called after CR3 was loaded for another reason: that was a flush too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void NoteFlush(CpuInfo* cpu) => cpu->FlushStamp = (uint)(++s_clock);

    /// <summary>Makes sure that no CPU remembers a frame stamped <paramref name="stamp"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BeforeReuse(uint stamp)
    {
        // Signed distance: the clock may wrap.
        if ((int)(Machine.Cpu->FlushStamp - stamp) <= 0)
        {
            Local();
        }

        Machine.FlushOthersOlderThan(stamp);
    }

    /// <summary>Flushes on every CPU that may hold translations of <paramref name="domain"/>.</summary>
    public static void Domain(Domain* domain)
    {
        Local();
        Machine.FlushOthers();
    }

    /// <summary>Flushes one page on every CPU that may hold translations of <paramref name="domain"/>.</summary>
    public static void DomainPage(Domain* domain, ulong address)
    {
        Machine.InvalidatePage(address);
        Machine.FlushOthers();
    }
}
