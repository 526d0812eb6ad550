// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>enum xsd_sockmsg_type</c>: values of <see cref="XsdSockMsg.Type"/>.</summary>
public enum XsdSockMsgType : uint
{
    /// <summary><c>XS_CONTROL</c>.</summary>
    Control = 0,

    /// <summary><c>XS_DIRECTORY</c>.</summary>
    Directory = 1,

    /// <summary><c>XS_READ</c>.</summary>
    Read = 2,

    /// <summary><c>XS_GET_PERMS</c>.</summary>
    GetPerms = 3,

    /// <summary><c>XS_WATCH</c>.</summary>
    Watch = 4,

    /// <summary><c>XS_UNWATCH</c>.</summary>
    Unwatch = 5,

    /// <summary><c>XS_TRANSACTION_START</c>.</summary>
    TransactionStart = 6,

    /// <summary><c>XS_TRANSACTION_END</c>.</summary>
    TransactionEnd = 7,

    /// <summary><c>XS_INTRODUCE</c>.</summary>
    Introduce = 8,

    /// <summary><c>XS_RELEASE</c>.</summary>
    Release = 9,

    /// <summary><c>XS_GET_DOMAIN_PATH</c>.</summary>
    GetDomainPath = 10,

    /// <summary><c>XS_WRITE</c>.</summary>
    Write = 11,

    /// <summary><c>XS_MKDIR</c>.</summary>
    MkDir = 12,

    /// <summary><c>XS_RM</c>.</summary>
    Rm = 13,

    /// <summary><c>XS_SET_PERMS</c>.</summary>
    SetPerms = 14,

    /// <summary><c>XS_WATCH_EVENT</c>.</summary>
    WatchEvent = 15,

    /// <summary><c>XS_ERROR</c>.</summary>
    Error = 16,

    /// <summary><c>XS_IS_DOMAIN_INTRODUCED</c>.</summary>
    IsDomainIntroduced = 17,

    /// <summary><c>XS_RESUME</c>.</summary>
    Resume = 18,

    /// <summary><c>XS_SET_TARGET</c>.</summary>
    SetTarget = 19,

    /// <summary><c>XS_RESET_WATCHES</c>.</summary>
    ResetWatches = 21,

    /// <summary><c>XS_DIRECTORY_PART</c>: a long directory piece by piece.</summary>
    DirectoryPart = 22,

    /// <summary><c>XS_INVALID</c>: will never be a type.</summary>
    Invalid = 65535,
}

/// <summary><c>enum xs_watch_type</c>: order of the two texts of a watch event.</summary>
public enum XsWatchType : uint
{
    /// <summary><c>XS_WATCH_PATH</c>.</summary>
    Path = 0,

    /// <summary><c>XS_WATCH_TOKEN</c>.</summary>
    Token = 1,
}

/// <summary><c>struct xsd_sockmsg</c>: head of every message; the body follows.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct XsdSockMsg
{
    /// <summary><c>type</c>: <see cref="XsdSockMsgType"/>.</summary>
    public uint Type;

    /// <summary><c>req_id</c>: echoed in the answer.</summary>
    public uint ReqId;

    /// <summary><c>tx_id</c>: 0 outside a transaction.</summary>
    public uint TxId;

    /// <summary><c>len</c>: bytes of the body.</summary>
    public uint Len;
}

/// <summary>
/// <c>struct xenstore_domain_interface</c>: store ring: requests and answers; indices run freely and are taken modulo
/// <see cref="XenStoreLimits.RingSize"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct XenStoreDomainInterface
{
    /// <summary><c>req</c>: from guest to store.</summary>
    public fixed byte Req[1024];

    /// <summary><c>rsp</c>: from store to guest.</summary>
    public fixed byte Rsp[1024];

    /// <summary><c>req_cons</c>.</summary>
    public uint ReqCons;

    /// <summary><c>req_prod</c>.</summary>
    public uint ReqProd;

    /// <summary><c>rsp_cons</c>.</summary>
    public uint RspCons;

    /// <summary><c>rsp_prod</c>.</summary>
    public uint RspProd;

    /// <summary><c>server_features</c>: <see cref="XenStoreServerFeatures"/>.</summary>
    public uint ServerFeatures;

    /// <summary><c>connection</c>: <see cref="XenStoreConnection"/>.</summary>
    public uint Connection;

    /// <summary><c>error</c>: <see cref="XenStoreError"/>.</summary>
    public uint Error;
}

/// <summary><c>XENSTORE_*</c>: sizes of the protocol.</summary>
public static class XenStoreLimits
{
    /// <summary><c>XENSTORE_RING_SIZE</c>.</summary>
    public const int RingSize = 1024;

    /// <summary><c>XENSTORE_PAYLOAD_MAX</c>: a longer body ends the connection.</summary>
    public const int PayloadMax = 4096;

    /// <summary><c>XENSTORE_ABS_PATH_MAX</c>: a longer path is an error.</summary>
    public const int AbsPathMax = 3072;

    /// <summary><c>XENSTORE_REL_PATH_MAX</c>: a longer path is an error.</summary>
    public const int RelPathMax = 2048;
}

/// <summary><c>XENSTORE_SERVER_FEATURE_*</c>: bits of <see cref="XenStoreDomainInterface.ServerFeatures"/>.</summary>
public static class XenStoreServerFeatures
{
    /// <summary><c>XENSTORE_SERVER_FEATURE_RECONNECTION</c>.</summary>
    public const uint Reconnection = 0x1;

    /// <summary><c>XENSTORE_SERVER_FEATURE_ERROR</c>.</summary>
    public const uint Error = 0x2;
}

/// <summary>
/// <c>XENSTORE_CONNECTED, XENSTORE_RECONNECT</c>: values of <see cref="XenStoreDomainInterface.Connection"/>.
/// </summary>
public enum XenStoreConnection : uint
{
    /// <summary><c>XENSTORE_CONNECTED</c>.</summary>
    Connected = 0,

    /// <summary><c>XENSTORE_RECONNECT</c>.</summary>
    Reconnect = 1,
}

/// <summary><c>XENSTORE_ERROR_*</c>: values of <see cref="XenStoreDomainInterface.Error"/>.</summary>
public enum XenStoreError : uint
{
    /// <summary><c>XENSTORE_ERROR_NONE</c>.</summary>
    None = 0,

    /// <summary><c>XENSTORE_ERROR_COMM</c>.</summary>
    Comm = 1,

    /// <summary><c>XENSTORE_ERROR_RINGIDX</c>.</summary>
    Ringidx = 2,

    /// <summary><c>XENSTORE_ERROR_PROTO</c>.</summary>
    Proto = 3,
}
