// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>BLKIF_OP_*</c>: values of <see cref="BlkIfRequest.Operation"/>.</summary>
public enum BlkIfOperation : byte
{
    /// <summary><c>BLKIF_OP_READ</c>.</summary>
    Read = 0,

    /// <summary><c>BLKIF_OP_WRITE</c>.</summary>
    Write = 1,

    /// <summary><c>BLKIF_OP_WRITE_BARRIER</c>.</summary>
    WriteBarrier = 2,

    /// <summary><c>BLKIF_OP_FLUSH_DISKCACHE</c>.</summary>
    FlushDiskCache = 3,

    /// <summary><c>BLKIF_OP_RESERVED_1</c>.</summary>
    Reserved1 = 4,

    /// <summary><c>BLKIF_OP_DISCARD</c>.</summary>
    Discard = 5,

    /// <summary><c>BLKIF_OP_INDIRECT</c>: the segments are in granted frames.</summary>
    Indirect = 6,
}

/// <summary><c>BLKIF_RSP_*</c>: values of <see cref="BlkIfResponse.Status"/>.</summary>
public enum BlkIfStatus : short
{
    /// <summary><c>BLKIF_RSP_EOPNOTSUPP</c>.</summary>
    Eopnotsupp = -2,

    /// <summary><c>BLKIF_RSP_ERROR</c>.</summary>
    Error = -1,

    /// <summary><c>BLKIF_RSP_OKAY</c>.</summary>
    Okay = 0,
}

/// <summary><c>BLKIF_MAX_*</c>: sizes of requests.</summary>
public static class BlkIfLimits
{
    /// <summary><c>BLKIF_MAX_SEGMENTS_PER_REQUEST</c>.</summary>
    public const int SegmentsPerRequest = 11;

    /// <summary><c>BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST</c>.</summary>
    public const int IndirectPagesPerRequest = 8;
}

/// <summary><c>BLKIF_DISCARD_*</c>: bits of <see cref="BlkIfRequestDiscard.Flag"/>.</summary>
public static class BlkIfDiscardFlags
{
    /// <summary><c>BLKIF_DISCARD_SECURE</c>.</summary>
    public const byte Secure = 0x1;
}

/// <summary><c>VDISK_*</c>: value of the "info" node of a disk.</summary>
public static class VirtualDiskFlags
{
    /// <summary><c>VDISK_CDROM</c>.</summary>
    public const uint CdRom = 0x1;

    /// <summary><c>VDISK_REMOVABLE</c>.</summary>
    public const uint Removable = 0x2;

    /// <summary><c>VDISK_READONLY</c>.</summary>
    public const uint ReadOnly = 0x4;
}

/// <summary><c>struct blkif_request_segment</c>: one granted frame.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BlkIfRequestSegment
{
    /// <summary><c>gref</c>.</summary>
    public GrantRef GrantRef;

    /// <summary><c>first_sect</c>: first of its eight sectors.</summary>
    public byte FirstSect;

    /// <summary><c>last_sect</c>: last, inclusive.</summary>
    public byte LastSect;
}

/// <summary><c>struct blkif_request</c>: one request, 64-bit guests.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct BlkIfRequest
{
    /// <summary><c>operation</c>: <see cref="BlkIfOperation"/>.</summary>
    public byte Operation;

    /// <summary><c>nr_segments</c>.</summary>
    public byte NrSegments;

    /// <summary><c>handle</c>.</summary>
    public ushort Handle;

    /// <summary><c>id</c>: echoed in the answer.</summary>
    public ulong Id;

    /// <summary><c>sector_number</c>: in units of 512 bytes.</summary>
    public ulong SectorNumber;

    /// <summary><c>seg</c>.</summary>
    public fixed uint RawSeg[11 * 2];

    /// <summary><c>seg</c>: element <paramref name="index"/> of 11; the caller has checked the index.</summary>
    public BlkIfRequestSegment* Seg(int index)
    {
        fixed (uint* first = RawSeg)
        {
            return (BlkIfRequestSegment*)first + index;
        }
    }
}

/// <summary><c>struct blkif_request_discard</c>: request seen as a discard.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BlkIfRequestDiscard
{
    /// <summary><c>operation</c>.</summary>
    public byte Operation;

    /// <summary><c>flag</c>: <see cref="BlkIfDiscardFlags"/>.</summary>
    public byte Flag;

    /// <summary><c>handle</c>.</summary>
    public ushort Handle;

    /// <summary><c>id</c>.</summary>
    public ulong Id;

    /// <summary><c>sector_number</c>.</summary>
    public ulong SectorNumber;

    /// <summary><c>nr_sectors</c>.</summary>
    public ulong NrSectors;
}

/// <summary><c>struct blkif_request_indirect</c>: request seen as an indirect one.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct BlkIfRequestIndirect
{
    /// <summary><c>operation</c>.</summary>
    public byte Operation;

    /// <summary><c>indirect_op</c>: <see cref="BlkIfOperation"/>.</summary>
    public byte IndirectOp;

    /// <summary><c>nr_segments</c>.</summary>
    public ushort NrSegments;

    /// <summary><c>id</c>.</summary>
    public ulong Id;

    /// <summary><c>sector_number</c>.</summary>
    public ulong SectorNumber;

    /// <summary><c>handle</c>.</summary>
    public ushort Handle;

    /// <summary><c>indirect_grefs</c>: frames full of <see cref="BlkIfRequestSegment"/>.</summary>
    public fixed uint IndirectGrantRefs[8];
}

/// <summary><c>struct blkif_response</c>: one answer.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BlkIfResponse
{
    /// <summary><c>id</c>.</summary>
    public ulong Id;

    /// <summary><c>operation</c>.</summary>
    public byte Operation;

    /// <summary><c>status</c>: <see cref="BlkIfStatus"/>.</summary>
    public short Status;
}
