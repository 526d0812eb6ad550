// SPDX-License-Identifier: MIT
//
// The page that a guest shares with the store: struct xenstore_domain_interface. The guest may write all of it at any
// moment. So every index is read once and checked before it is used, contents are copied out before they are looked
// at, and the daemon never reads back what it wrote itself: its own indices it keeps.
using System;
using System.Threading;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Store.Connections;

/// <summary>The two queues of a domain and the store, and the four indices.</summary>
public sealed unsafe class StoreRing : IDisposable
{
    private readonly NativeRegion _region;

    /// <summary>Takes over the page.</summary>
    public StoreRing(NativeRegion region) => _region = region;

    /// <summary>How many bytes the guest has put in, counted modulo 2^32.</summary>
    public uint RequestsProduced => Volatile.Read(ref Page->ReqProd);

    /// <summary>How many of them are taken out.</summary>
    public uint RequestsConsumed
    {
        get => Volatile.Read(ref Page->ReqCons);
        set => Publish(ref Page->ReqCons, value);
    }

    /// <summary>How many bytes of answers the guest has taken out.</summary>
    public uint AnswersConsumed => Volatile.Read(ref Page->RspCons);

    /// <summary>How many are put in.</summary>
    public uint AnswersProduced
    {
        get => Volatile.Read(ref Page->RspProd);
        set => Publish(ref Page->RspProd, value);
    }

    /// <summary>Does the guest want to begin anew?</summary>
    public bool WantsReconnection => Volatile.Read(ref Page->Connection) == (uint)XenStoreConnection.Reconnect;

    private XenStoreDomainInterface* Page => (XenStoreDomainInterface*)_region.Address;

    /// <summary>Copies bytes of requests out, from an index on; the caller has checked that they are there.</summary>
    public void CopyRequests(uint index, Span<byte> target) =>
        CopyAround(new Span<byte>(Page->Req, XenStoreLimits.RingSize), index, target);

    /// <summary>Copies bytes of answers in, from an index on; the caller has checked that there is room.</summary>
    public void CopyAnswers(uint index, ReadOnlySpan<byte> source)
    {
        Span<byte> ring = new(Page->Rsp, XenStoreLimits.RingSize);
        int start = (int)(index % XenStoreLimits.RingSize);
        int first = Math.Min(source.Length, XenStoreLimits.RingSize - start);
        source[..first].CopyTo(ring[start..]);
        source[first..].CopyTo(ring);
    }

    /// <summary>Tells the guest what this daemon can do.</summary>
    public void OfferFeatures() => Volatile.Write(ref Page->ServerFeatures,
        XenStoreServerFeatures.Reconnection | XenStoreServerFeatures.Error);

    /// <summary>Tells the guest why its ring is not served any more.</summary>
    public void Complain(XenStoreError error) => Volatile.Write(ref Page->Error, (uint)error);

    /// <summary>Both queues are empty, and the connection is made.</summary>
    public void Reset()
    {
        Volatile.Write(ref Page->ReqCons, 0);
        Volatile.Write(ref Page->ReqProd, 0);
        Volatile.Write(ref Page->RspCons, 0);
        Volatile.Write(ref Page->RspProd, 0);
        Volatile.Write(ref Page->Error, (uint)XenStoreError.None);
        Volatile.Write(ref Page->Connection, (uint)XenStoreConnection.Connected);
    }

    /// <inheritdoc/>
    public void Dispose() => _region.Dispose();

    private static void CopyAround(ReadOnlySpan<byte> ring, uint index, Span<byte> target)
    {
        int start = (int)(index % XenStoreLimits.RingSize);
        int first = Math.Min(target.Length, XenStoreLimits.RingSize - start);
        ring.Slice(start, first).CopyTo(target);
        ring[..(target.Length - first)].CopyTo(target[first..]);
    }

    /// <summary>
    /// An index goes out behind the contents, and what is read next is read after it: the other side looks at this
    /// index after it has moved its own, and one of the two sees the other's move.
    /// </summary>
    private static void Publish(ref uint index, uint value)
    {
        Volatile.Write(ref index, value);
        Interlocked.MemoryBarrier();
    }
}
