// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Time;

/// <summary>Watchdogs of a domain (SCHEDOP_watchdog): one that is not poked in time shuts the domain down.</summary>
public static unsafe class Watchdogs
{
    public static void Initialise(Domain* domain)
    {
        TimerQueue* queue = (TimerQueue*)Machine.Cpu->TimerQueue;
        TimerQueue.Prepare(&domain->Time.Watchdog0, TimerKind.DomainWatchdog, domain, queue);
        TimerQueue.Prepare(&domain->Time.Watchdog1, TimerKind.DomainWatchdog, domain, queue);
    }

    /// <summary>The domain is dead: no watchdog of it acts any more.</summary>
    public static void Release(Domain* domain)
    {
        TimerQueue.Kill(&domain->Time.Watchdog0);
        TimerQueue.Kill(&domain->Time.Watchdog1);
    }

    /// <summary>
    /// Id 0 starts a watchdog and gives its id; another id with a timeout pokes it, without one stops it.
    ///</summary>
    public static HypercallResult Set(Domain* domain, ulong guestAddress)
    {
        SchedWatchdog request;
        if (!GuestMemory.Read(guestAddress, &request))
        {
            return Errno.Fault;
        }

        if (request.Id > DomainTime.WatchdogCount)
        {
            return Errno.Inval;
        }

        domain->Time.WatchdogLock.Acquire();
        HypercallResult result = request.Id == 0
            ? Start(domain, request.Timeout)
            : Change(domain, request.Id - 1, request.Timeout);
        domain->Time.WatchdogLock.Release();
        return result;
    }

    internal static void OnExpiry(Domain* domain) =>
        DomainLifecycle.Shutdown(domain, (byte)ShutdownReason.Watchdog);

    private static HypercallResult Start(Domain* domain, uint seconds)
    {
        if (seconds == 0)
        {
            return Errno.Inval;
        }

        for (uint index = 0; index < DomainTime.WatchdogCount; index++)
        {
            if ((domain->Time.WatchdogsInUse & 1u << (int)index) == 0)
            {
                domain->Time.WatchdogsInUse |= 1u << (int)index;
                TimerQueue.Set(Of(domain, index), SystemTime.Now() + (seconds * SystemTime.Second));
                return HypercallResult.Value((long)index + 1);
            }
        }

        return Errno.NoSpace;
    }

    private static HypercallResult Change(Domain* domain, uint index, uint seconds)
    {
        if ((domain->Time.WatchdogsInUse & 1u << (int)index) == 0)
        {
            return Errno.Inval;
        }

        if (seconds == 0)
        {
            domain->Time.WatchdogsInUse &= ~(1u << (int)index);
            TimerQueue.Stop(Of(domain, index));
        }
        else
        {
            TimerQueue.Set(Of(domain, index), SystemTime.Now() + (seconds * SystemTime.Second));
        }

        return Errno.Ok;
    }

    private static Timer* Of(Domain* domain, uint index) =>
        index == 0 ? &domain->Time.Watchdog0 : &domain->Time.Watchdog1;
}
