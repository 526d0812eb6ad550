// SPDX-License-Identifier: MIT
//
// A saved domain is a file in four layers, each of which Xen's own tools read and write as well (docs/save-format.md):
//
//   xl's file header      "Xen saved domain, xl format", byte order, flags, the configuration as JSON
//   libxl's stream        header "LibxlFmt", one record LIBXC_CONTEXT …
//   libxc's image         … behind which the image stands: its header, the domain's header, the records up to END …
//   libxl's stream        … and the record END
//
// Numbers in the headers of stream and image are big-endian, all others little-endian.
using System;
using System.Runtime.CompilerServices;
using Dom0.Toolstack.Hypercalls;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Constants of the file's layers.</summary>
internal static class SaveFileLayout
{
    public const int FileHeaderSize = 48;
    public const uint ByteOrderMark = 0x01020304;

    /// <summary>The configuration is JSON, and the stream is of libxl's second format: both are required.</summary>
    public const uint MandatoryFlags = 3;

    public const ulong LibxlIdent = 0x4c69_6278_6c46_6d74;
    public const uint LibxlVersion = 2;
    public const uint LibxlEnd = 0;
    public const uint LibxlContext = 1;

    public const int ImageHeaderSize = 24;
    public const ulong ImageMarker = ulong.MaxValue;
    public const uint ImageIdent = 0x5845_4e46;
    public const uint ImageVersion = 3;
    public const uint OldestImageVersion = 2;
    public const uint DomainTypePv = 1;

    public const int PageShift = 12;
    public const int PageSize = 4096;
    public const int EntriesPerPage = 512;
    public const int BatchPages = 1024;

    public const int RecordHeaderSize = 8;
    public const int ChecksumSize = sizeof(ulong);

    /// <summary>No configuration is longer.</summary>
    public const int MaximumConfiguration = 1024 * 1024;

    /// <summary>No record that belongs to a guest of 1 TiB is longer.</summary>
    public const int MaximumBody = 16 * 1024 * 1024;

    /// <summary>One more than the highest guest frame: 1 TiB.</summary>
    public const ulong MaximumFrames = 1UL << 28;

    public const int PageTypeShift = 60;
    public const ulong PageFrameMask = (1UL << 52) - 1;

    public const int VcpuHeaderSize = 8;
    public const int MaximumXsave = 1024 * 1024;
    public const int MaximumExtended = 128;

    public static readonly int VcpuSize = Unsafe.SizeOf<VcpuGuestContext>();
    public static readonly int ExtendedSize = StateControl.ExtendedSize;
    public static readonly int MsrSize = Unsafe.SizeOf<DomCtlVcpuMsr>();
    public static readonly int LeafSize = Unsafe.SizeOf<CpuIdLeaf>();
    public static readonly int PolicyMsrSize = Unsafe.SizeOf<MsrEntry>();

    public static ReadOnlySpan<byte> Magic => "Xen saved domain, xl format\n \0 \r"u8;

    public static int Padded(int length) => (length + 7) & ~7;
}
