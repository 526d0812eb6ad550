// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>How the caller's work memory is divided while an XZ file is unpacked.</summary>
internal unsafe struct XzWork
{
    public LzmaModel Model;
    public fixed byte Tail[LzmaChunk.TailSize];
    public fixed uint Crc32Tables[Crc32.TableEntries];
    public fixed ulong Crc64Tables[Crc64.TableEntries];
    public fixed uint Sha256Work[Sha256.WorkEntries];
    public fixed byte Digest[Sha256.DigestSize];
}
