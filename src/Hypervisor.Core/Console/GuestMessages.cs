// SPDX-License-Identifier: MIT
// What the hypervisor says because of something a guest did. A guest could make it say that without end, so these lines
// have thresholds of their own (guest_loglvl), and each domain an account: so many lines in a period, the rest is counted
// and told in one line. Locking: s_lock protects all accounts; nothing is taken inside.

using System.Threading;

namespace Hypervisor.Core.Console;

/// <summary>Log lines that guests cause.</summary>
public static unsafe class GuestMessages
{
    private static SpinLock s_lock;
    private static int s_always;
    private static int s_limited;
    private static int s_hasSuppressed;

    /// <summary>Lines up to the first level always pass, those up to the second within the domain's account; -1 is
    /// none.</summary>
    public static void Configure(int always, int limited)
    {
        s_always = always;
        s_limited = limited;
    }

    public static LogLine Error(Domain* domain, System.ReadOnlySpan<byte> text) => Begin(0, domain).Text(text);

    public static LogLine Warning(Domain* domain, System.ReadOnlySpan<byte> text) => Begin(1, domain).Text(text);

    /// <summary>Tells how many lines did not pass, for domains whose period is over.</summary>
    public static void ReportSuppressed()
    {
        if (Interlocked.Exchange(ref s_hasSuppressed, 0) == 0)
        {
            return;
        }

        uint id = 0;
        for (Domain* domain = Diagnostics.DomainWalk.Next(ref id); domain != null;
            domain = Diagnostics.DomainWalk.Next(ref id))
        {
            Report(domain, atOnce: false);
            if (domain->Messages.HasSuppressed)
            {
                Volatile.Write(ref s_hasSuppressed, 1);
            }

            _ = DomainTable.Put(domain);
        }
    }

    /// <summary>Tells it at once: the domain ends.</summary>
    public static void Report(Domain* domain) => Report(domain, atOnce: true);

    private static void Report(Domain* domain, bool atOnce)
    {
        s_lock.Acquire();
        uint suppressed = domain->Messages.TakeSuppressed(Machine.ReadTsc(), atOnce);
        s_lock.Release();
        if (suppressed != 0)
        {
            Log.Write(true).Text("d"u8).Decimal((uint)domain->Id).Text(": "u8).Decimal(suppressed)
                .Text(" messages suppressed"u8).End();
        }
    }

    private static LogLine Begin(int level, Domain* domain)
    {
        bool passes = level <= s_always;
        if (!passes && level <= s_limited)
        {
            s_lock.Acquire();
            passes = domain->Messages.TryPass(Machine.ReadTsc());
            s_lock.Release();
            if (!passes)
            {
                Volatile.Write(ref s_hasSuppressed, 1);
            }
        }

        return Log.Write(passes).Text("d"u8).Decimal((uint)domain->Id).Text(": "u8);
    }
}
