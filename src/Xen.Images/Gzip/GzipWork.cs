// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>How the caller's work memory is divided while a gzip file is unpacked.</summary>
internal unsafe struct GzipWork
{
    public fixed uint Crc32Tables[Crc32.TableEntries];
    public fixed uint LiteralTable[DeflateTable.LiteralEntries];
    public fixed uint DistanceTable[DeflateTable.DistanceEntries];
    public fixed ushort Sorted[DeflateTable.SymbolLimit];
    public fixed byte Lengths[DeflateStream.LengthsCapacity];
    public DeflateInput Input;
}
