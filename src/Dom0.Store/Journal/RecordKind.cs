// SPDX-License-Identifier: MIT
namespace Dom0.Store.Journal;

/// <summary>What a record of the journal tells. The numbers stand in files that a later version reads.</summary>
public enum RecordKind : byte
{
    /// <summary>A new node: path, value, permissions.</summary>
    Create = 1,

    /// <summary>A value: path, value.</summary>
    SetValue = 2,

    /// <summary>Permissions: path, permissions.</summary>
    SetPermissions = 3,

    /// <summary>A node gone: path.</summary>
    Remove = 4,

    /// <summary>Who may watch a special event: name, permissions.</summary>
    Special = 5,

    /// <summary>A domain's ring, known or changed: number, frame, port, target, flags.</summary>
    Domain = 6,

    /// <summary>A domain is released: number.</summary>
    DomainGone = 7,

    /// <summary>A watch of a ring: domain, path, token, what is cut off.</summary>
    Watch = 8,

    /// <summary>A watch ended: domain, path, token.</summary>
    Unwatch = 9,

    /// <summary>All watches and transactions of a ring ended: domain.</summary>
    Forget = 10,

    /// <summary>A transaction of a ring: domain, number.</summary>
    TransactionStart = 11,

    /// <summary>The end of one: domain, number.</summary>
    TransactionEnd = 12,

    /// <summary>Bytes taken from a ring: domain, index behind them, whether they end a request, those that do not.</summary>
    Input = 13,

    /// <summary>An answer for a ring: domain, message.</summary>
    Answer = 14,

    /// <summary>An event for a ring: domain, watch (path, token), path, message.</summary>
    Event = 15,

    /// <summary>What of the messages is in the ring: domain, index behind it.</summary>
    Delivered = 16,

    /// <summary>Waiting events of a watch are dropped: domain, path, token.</summary>
    DropEvents = 17,

    /// <summary>A limit: kind, value.</summary>
    Quota = 18,

    /// <summary>The counter of steps: value. Snapshots only.</summary>
    Serial = 19,

    /// <summary>Where a ring stands: domain, index of requests, index of answers, half a request.</summary>
    Ring = 20,

    /// <summary>Both queues of a ring are emptied and its indices are 0: domain.</summary>
    RingReset = 21,

    /// <summary>The snapshot is complete; what follows happened after it.</summary>
    SnapshotEnd = 22,
}
