// SPDX-License-Identifier: MIT
// Which CPU may still hold a stale translation? A global clock ticks with every flush; each CPU remembers the tick with
// which its last one began, each frame the clock when its last mapping (or its last use as a table) had gone. A CPU
// whose flush began later than the frame's stamp cannot remember the frame, so most flushes for safety fall away.
//
// The order makes it true on several CPUs:
//
//   who unmaps     removes the entry (a locked store), then reads the clock, stamps the frame, drops its reference
//   who flushes    ticks (a locked addition), then loads CR3, then publishes that tick as its own
//
// A published tick above the stamp was drawn after the clock was read, and CR3 was loaded after that: the entry was gone
// by then. Of several who unmap a frame at once the latest clock must win, so a stamp only moves forward.
//
// A CPU that needs others to flush marks them, interrupts them and waits until each has published a later tick, by
// whatever flush. A CPU that waits, for this or for a lock, serves such marks itself (Machine.SpinWait): interrupts are
// disabled in the hypervisor, and the one who wants the flush may be the holder of the lock.
//
// Guests' translations are never global, so loading CR3 flushes them all; the hypervisor's own are, and do not change.

using System.Runtime.CompilerServices;
using System.Threading;

namespace Hypervisor.Core.Mmu;

/// <summary>Flushes TLBs of this and of other CPUs.</summary>
public static unsafe class TlbFlush
{
    private const ulong AllCpus = ulong.MaxValue;

    /// <summary>Clock ticks that a CPU may lag behind before <see cref="Refresh"/> makes it flush: differences of stamps
    /// have a sign.</summary>
    private const uint LongestLag = 1 << 29;

    private static int s_clock;

    /// <summary>The stamp for a frame that stops being mapped now.</summary>
    public static uint Clock
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (uint)Volatile.Read(ref s_clock);
    }

    /// <summary>This CPU is about to load CR3: what to give to <see cref="End"/> when it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Begin() => (uint)Interlocked.Add(ref s_clock, 1);

    /// <summary>CR3 has been loaded since <see cref="Begin"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void End(CpuInfo* cpu, uint stamp) => Volatile.Write(ref cpu->FlushStamp, stamp);

    /// <summary>Forgets every translation of guests on this CPU.</summary>
    public static void Local()
    {
        CpuInfo* cpu = Machine.Cpu;
        Count(cpu);
        Forget(cpu);
    }

    /// <summary>Notes that a mapping of the frame has just gone; before its reference goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Stamp(PageInfo* page)
    {
        if (Machine.OnlineCpus == 1)
        {
            page->FlushStamp = (uint)s_clock;
        }
        else
        {
            StampForward(page);
        }
    }

    /// <summary>Makes sure that no CPU remembers a frame stamped <paramref name="stamp"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BeforeReuse(uint stamp)
    {
        // Signed distance: the clock may wrap.
        if ((int)(Machine.Cpu->FlushStamp - stamp) <= 0)
        {
            Local();
        }

        if (Machine.OnlineCpus > 1)
        {
            Others(AllCpus, stamp);
        }
    }

    /// <summary>Flushes on every CPU that may hold translations of <paramref name="domain"/>.</summary>
    public static void Domain(Domain* domain)
    {
        Local();
        if (Machine.OnlineCpus > 1)
        {
            Others(CpusOf(domain), Clock);
        }
    }

    /// <summary>Flushes one page on every CPU that may hold translations of <paramref name="domain"/>.</summary>
    public static void DomainPage(Domain* domain, ulong address)
    {
        Count(Machine.Cpu);
        Machine.InvalidatePage(address);
        if (Machine.OnlineCpus > 1)
        {
            Interlocked.MemoryBarrier();
            Others(CpusOf(domain), Clock);
        }
    }

    /// <summary>Does what other CPUs want of this one: from their interrupt, and wherever this CPU waits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Serve(CpuInfo* cpu)
    {
        if (Volatile.Read(ref cpu->FlushWanted) != 0)
        {
            _ = Interlocked.Exchange(ref cpu->FlushWanted, 0);
            Forget(cpu);
        }
    }

    /// <summary>Lets no CPU's stamp become so old that it would look new: an idle CPU may not flush for long. To be called
    /// from time to time.</summary>
    public static void Refresh()
    {
        if (Machine.OnlineCpus > 1)
        {
            Others(AllCpus, Clock - LongestLag);
        }
    }

    private static void Forget(CpuInfo* cpu)
    {
        uint stamp = Begin();
        Machine.WriteCr3(cpu->Cr3);
        End(cpu, stamp);
    }

    /// <summary>Books a flush to the vCPU whose call needs it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Count(CpuInfo* cpu)
    {
        Vcpu* vcpu = (Vcpu*)cpu->Current;
        if (vcpu != null)
        {
            vcpu->Counters.Flushes++;
        }
    }

    /// <summary>CPUs that run vCPUs of the domain or have their registers loaded. Any other loads CR3 before it runs
    /// one.</summary>
    private static ulong CpusOf(Domain* domain)
    {
        ulong cpus = 0;
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            uint cpu = vcpu == null ? Vcpu.NotLoaded : Volatile.Read(ref vcpu->LoadedOn);
            if (cpu != Vcpu.NotLoaded)
            {
                cpus |= 1UL << (int)cpu;
            }
        }

        return cpus;
    }

    /// <summary>Waits until each of <paramref name="cpus"/> but this one has begun and ended a flush after
    /// <paramref name="stamp"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Others(ulong cpus, uint stamp)
    {
        CpuInfo* info = Machine.Cpu;
        Vcpu* vcpu = (Vcpu*)info->Current;
        uint own = info->CpuId;
        ulong waiting = 0;
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            if (cpu == own || (cpus >> (int)cpu & 1) == 0 || HasFlushedAfter(cpu, stamp))
            {
                continue;
            }

            // A mark that is there already has an interrupt on its way.
            waiting |= 1UL << (int)cpu;
            if (Interlocked.Exchange(ref Machine.CpuOf(cpu)->FlushWanted, 1) == 0)
            {
                Machine.RequestFlush(cpu);
                if (vcpu != null)
                {
                    vcpu->Counters.Shootdowns++;
                }
            }
        }

        for (; waiting != 0; waiting &= waiting - 1)
        {
            uint cpu = (uint)Machine.LowestBit(waiting);
            while (!HasFlushedAfter(cpu, stamp))
            {
                Machine.SpinWait();
            }
        }
    }

    private static bool HasFlushedAfter(uint cpu, uint stamp) =>
        (int)(Volatile.Read(ref Machine.CpuOf(cpu)->FlushStamp) - stamp) > 0;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StampForward(PageInfo* page)
    {
        uint clock = Clock;
        uint seen = Volatile.Read(ref page->FlushStamp);
        while ((int)(clock - seen) > 0)
        {
            uint found = Interlocked.CompareExchange(ref page->FlushStamp, clock, seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }
}
