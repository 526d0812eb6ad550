// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>How a kernel is packed, told by its first bytes. Ring 0 unpacks gzip, XZ and zstd.</summary>
public enum PayloadFormat
{
    Unknown = 0,
    Elf,
    Gzip,
    Bzip2,
    Lzma,
    Xz,
    Lzo,
    Lz4,
    Zstd,
}
