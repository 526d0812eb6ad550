// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>NETTXF_*</c>: bits of <see cref="NetIfTxRequest.Flags"/>.</summary>
public static class NetTxFlags
{
    /// <summary><c>NETTXF_csum_blank</c>: the checksum is still to be computed.</summary>
    public const ushort CsumBlank = 0x1;

    /// <summary><c>NETTXF_data_validated</c>.</summary>
    public const ushort DataValidated = 0x2;

    /// <summary><c>NETTXF_more_data</c>: the packet goes on in the next request.</summary>
    public const ushort MoreData = 0x4;

    /// <summary><c>NETTXF_extra_info</c>: <see cref="NetIfExtraInfo"/> follows.</summary>
    public const ushort ExtraInfo = 0x8;
}

/// <summary><c>NETRXF_*</c>: bits of <see cref="NetIfRxResponse.Flags"/>.</summary>
public static class NetRxFlags
{
    /// <summary><c>NETRXF_data_validated</c>.</summary>
    public const ushort DataValidated = 0x1;

    /// <summary><c>NETRXF_csum_blank</c>.</summary>
    public const ushort CsumBlank = 0x2;

    /// <summary><c>NETRXF_more_data</c>: the packet goes on in the next answer.</summary>
    public const ushort MoreData = 0x4;

    /// <summary><c>NETRXF_extra_info</c>: <see cref="NetIfExtraInfo"/> follows.</summary>
    public const ushort ExtraInfo = 0x8;

    /// <summary><c>NETRXF_gso_prefix</c>.</summary>
    public const ushort GsoPrefix = 0x10;
}

/// <summary>
/// <c>NETIF_RSP_*</c>: values of <see cref="NetIfTxResponse.Status"/>; a positive status of a received packet is its
/// length.
/// </summary>
public enum NetIfStatus : short
{
    /// <summary><c>NETIF_RSP_DROPPED</c>.</summary>
    Dropped = -2,

    /// <summary><c>NETIF_RSP_ERROR</c>.</summary>
    Error = -1,

    /// <summary><c>NETIF_RSP_OKAY</c>.</summary>
    Okay = 0,

    /// <summary><c>NETIF_RSP_NULL</c>: slot of an extra record.</summary>
    Null = 1,
}

/// <summary><c>XEN_NETIF_EXTRA_TYPE_*</c>: values of <see cref="NetIfExtraInfo.Type"/>.</summary>
public enum NetIfExtraType : byte
{
    /// <summary><c>XEN_NETIF_EXTRA_TYPE_NONE</c>.</summary>
    None = 0,

    /// <summary><c>XEN_NETIF_EXTRA_TYPE_GSO</c>.</summary>
    Gso = 1,

    /// <summary><c>XEN_NETIF_EXTRA_TYPE_MCAST_ADD</c>.</summary>
    McastAdd = 2,

    /// <summary><c>XEN_NETIF_EXTRA_TYPE_MCAST_DEL</c>.</summary>
    McastDel = 3,

    /// <summary><c>XEN_NETIF_EXTRA_TYPE_HASH</c>.</summary>
    Hash = 4,

    /// <summary><c>XEN_NETIF_EXTRA_TYPE_MAX</c>: types are below.</summary>
    Max = 5,
}

/// <summary><c>XEN_NETIF_EXTRA_FLAG_*</c>: bits of <see cref="NetIfExtraInfo.Flags"/>.</summary>
public static class NetIfExtraFlags
{
    /// <summary><c>XEN_NETIF_EXTRA_FLAG_MORE</c>: another record follows.</summary>
    public const byte More = 0x1;
}

/// <summary><c>XEN_NETIF_GSO_TYPE_*</c>: values of <see cref="NetIfExtraInfo.GsoType"/>.</summary>
public enum NetIfGsoType : byte
{
    /// <summary><c>XEN_NETIF_GSO_TYPE_NONE</c>.</summary>
    None = 0,

    /// <summary><c>XEN_NETIF_GSO_TYPE_TCPV4</c>.</summary>
    Tcpv4 = 1,

    /// <summary><c>XEN_NETIF_GSO_TYPE_TCPV6</c>.</summary>
    Tcpv6 = 2,
}

/// <summary><c>XEN_NETIF_*</c>: sizes of packets.</summary>
public static class NetIfLimits
{
    /// <summary><c>XEN_NETIF_NR_SLOTS_MIN</c>: slots every back end must accept for a packet.</summary>
    public const int NrSlotsMin = 18;

    /// <summary><c>XEN_NETIF_MAX_TX_SIZE</c>.</summary>
    public const int MaxTxSize = 65535;
}

/// <summary>
/// <c>struct netif_tx_request</c>: a piece of a packet to be sent; size is that of the packet in its first piece.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct NetIfTxRequest
{
    /// <summary><c>gref</c>.</summary>
    public GrantRef GrantRef;

    /// <summary><c>offset</c>: within the frame.</summary>
    public ushort Offset;

    /// <summary><c>flags</c>: <see cref="NetTxFlags"/>.</summary>
    public ushort Flags;

    /// <summary><c>id</c>: echoed in the answer.</summary>
    public ushort Id;

    /// <summary><c>size</c>.</summary>
    public ushort Size;
}

/// <summary><c>struct netif_extra_info</c>: record that takes the place of a request or an answer.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x8)]
public unsafe struct NetIfExtraInfo
{
    /// <summary><c>type</c>: <see cref="NetIfExtraType"/>.</summary>
    [FieldOffset(0x0)]
    public byte Type;

    /// <summary><c>flags</c>: <see cref="NetIfExtraFlags"/>.</summary>
    [FieldOffset(0x1)]
    public byte Flags;

    /// <summary><c>u.gso.size</c>.</summary>
    [FieldOffset(0x2)]
    public ushort GsoSize;

    /// <summary><c>u.gso.type</c>.</summary>
    [FieldOffset(0x4)]
    public byte GsoType;

    /// <summary><c>u.gso.pad</c>.</summary>
    [FieldOffset(0x5)]
    public byte GsoPad;

    /// <summary><c>u.gso.features</c>.</summary>
    [FieldOffset(0x6)]
    public ushort GsoFeatures;

    /// <summary><c>u.mcast.addr</c>.</summary>
    [FieldOffset(0x2)]
    public fixed byte McastAddr[6];

    /// <summary><c>u.hash.type</c>.</summary>
    [FieldOffset(0x2)]
    public byte HashType;

    /// <summary><c>u.hash.algorithm</c>.</summary>
    [FieldOffset(0x3)]
    public byte HashAlgorithm;

    /// <summary><c>u.hash.value</c>.</summary>
    [FieldOffset(0x4)]
    public fixed byte HashValue[4];

    /// <summary><c>u.pad</c>.</summary>
    [FieldOffset(0x2)]
    public fixed ushort Pad[3];
}

/// <summary><c>struct netif_tx_response</c>: a piece was sent.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NetIfTxResponse
{
    /// <summary><c>id</c>.</summary>
    public ushort Id;

    /// <summary><c>status</c>: <see cref="NetIfStatus"/>.</summary>
    public short Status;
}

/// <summary><c>struct netif_rx_request</c>: a frame for received packets.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NetIfRxRequest
{
    /// <summary><c>id</c>.</summary>
    public ushort Id;

    /// <summary><c>pad</c>.</summary>
    public ushort Pad;

    /// <summary><c>gref</c>.</summary>
    public GrantRef GrantRef;
}

/// <summary><c>struct netif_rx_response</c>: a piece of a received packet.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NetIfRxResponse
{
    /// <summary><c>id</c>.</summary>
    public ushort Id;

    /// <summary><c>offset</c>.</summary>
    public ushort Offset;

    /// <summary><c>flags</c>: <see cref="NetRxFlags"/>.</summary>
    public ushort Flags;

    /// <summary><c>status</c>: bytes, or <see cref="NetIfStatus"/>.</summary>
    public short Status;
}
