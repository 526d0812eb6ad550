// SPDX-License-Identifier: MIT

using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Small things that the tools set for a domain.</summary>
public static unsafe class DomainSettings
{
    private const int KilobytesShift = MemoryLayout.PageShift - 10;
    private const uint TscDefault = 0;
    private const uint TscNeverEmulate = 2;

    public static HypercallResult SetMaxMemory(Domain* domain, ulong kilobytes)
    {
        // Less than it has is allowed: the domain then gets nothing until it has given enough back.
        ulong pages = kilobytes >> KilobytesShift;
        domain->PageLock.Acquire();
        domain->MaxPages = pages < uint.MaxValue ? pages : uint.MaxValue;
        domain->PageLock.Release();
        return Errno.Ok;
    }

    public static HypercallResult SetHandle(Domain* domain, byte* handle)
    {
        for (int index = 0; index < 16; index++)
        {
            domain->Handle[index] = handle[index];
        }

        return Errno.Ok;
    }

    public static HypercallResult SetTimeOffset(Domain* domain, long seconds)
    {
        domain->Time.OffsetSeconds = seconds;
        Wallclock.Publish(domain);
        return Errno.Ok;
    }

    /// <summary>Every domain reads the processor's own counter.</summary>
    /// <returns>OpNotSupp: emulation of the counter is asked for. Inval: no such mode.</returns>
    public static HypercallResult SetTscInfo(Domain* domain, in DomCtlTscInfo info)
    {
        if (info.TscMode > TscNeverEmulate)
        {
            return Errno.Inval;
        }

        if (info.TscMode != TscDefault && info.TscMode != TscNeverEmulate)
        {
            return Errno.OpNotSupp;
        }

        domain->Time.TscMode = info.TscMode;
        domain->Time.TscIncarnation = info.Incarnation;
        return Errno.Ok;
    }

    public static HypercallResult GetTscInfo(Domain* domain, DomCtlTscInfo* info)
    {
        *info = default;
        info->TscMode = domain->Time.TscMode;
        info->Incarnation = domain->Time.TscIncarnation;
        if (domain->Time.TscMode == TscDefault)
        {
            info->GtscKhz = (uint)(SystemTime.TscHz / 1000);
            info->ElapsedNsec = SystemTime.Now();
        }

        return Errno.Ok;
    }

    /// <summary>There is one node: a map without it is refused.</summary>
    public static HypercallResult SetNodeAffinity(in XenCtlBitmap map)
    {
        Errno error = ControlBitmap.Read(map, out ulong nodes);
        return error != Errno.Ok ? error : (nodes & 1) == 0 ? Errno.Inval : Errno.Ok;
    }

    public static HypercallResult GetNodeAffinity(in XenCtlBitmap map) => ControlBitmap.Write(map, 1, 1);
}
