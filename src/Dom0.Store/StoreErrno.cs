// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Store;

/// <summary>Why a request is refused: the errors that the protocol has words for (<c>xsd_errors</c>).</summary>
public enum StoreErrno
{
    /// <summary>Not refused.</summary>
    Ok,

    /// <summary>The request is malformed, or names a node in a way that no node is named.</summary>
    Invalid,

    /// <summary>The connection's domain may not do that.</summary>
    AccessDenied,

    /// <summary>The same watch exists.</summary>
    Exists,

    /// <summary>There is no such node, watch, transaction or domain.</summary>
    NoEntry,

    /// <summary>The domain holds as much memory of the store as it may.</summary>
    NoMemory,

    /// <summary>A quota of nodes, node size, permissions or transactions is used up.</summary>
    NoSpace,

    /// <summary>The hypervisor refused what the request needs.</summary>
    InputOutput,

    /// <summary>No such operation.</summary>
    NotImplemented,

    /// <summary>The connection came by the read-only socket.</summary>
    ReadOnly,

    /// <summary>A transaction inside a transaction.</summary>
    Busy,

    /// <summary>Somebody else changed what the transaction looked at: do it again.</summary>
    Again,

    /// <summary>The answer does not fit into a message, or the quota of watches is used up.</summary>
    TooBig,

    /// <summary>Only the owner may give a node away, and a guest not even then.</summary>
    NotPermitted,
}

/// <summary>The protocol's words for errors; the only place that knows them.</summary>
public static class StoreErrnoText
{
    /// <summary>The word, as bytes with its closing zero.</summary>
    public static ReadOnlySpan<byte> Word(StoreErrno error) => error switch
    {
        StoreErrno.AccessDenied => "EACCES\0"u8,
        StoreErrno.Exists => "EEXIST\0"u8,
        StoreErrno.NoEntry => "ENOENT\0"u8,
        StoreErrno.NoMemory => "ENOMEM\0"u8,
        StoreErrno.NoSpace => "ENOSPC\0"u8,
        StoreErrno.InputOutput => "EIO\0"u8,
        StoreErrno.NotImplemented => "ENOSYS\0"u8,
        StoreErrno.ReadOnly => "EROFS\0"u8,
        StoreErrno.Busy => "EBUSY\0"u8,
        StoreErrno.Again => "EAGAIN\0"u8,
        StoreErrno.TooBig => "E2BIG\0"u8,
        StoreErrno.NotPermitted => "EPERM\0"u8,
        _ => "EINVAL\0"u8,
    };
}
