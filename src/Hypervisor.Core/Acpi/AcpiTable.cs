// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Acpi;

/// <summary>A table whose header (ACPI 6.5 §5.2.6), extent and checksum are sound.</summary>
internal unsafe struct AcpiTable
{
    internal const uint HeaderLength = 36;
    private const uint LargestTable = 16 << 20;

    internal byte* Bytes;
    internal uint Length;

    internal readonly uint Signature => *(uint*)Bytes;

    internal readonly byte Revision => Bytes[8];

    internal static bool TryOpen(PhysicalWindow window, ulong address, out AcpiTable table, out uint signature)
    {
        table = default;
        signature = 0;
        byte* header = address == 0 ? null : window.At(address, HeaderLength);
        if (header == null)
        {
            return false;
        }

        signature = *(uint*)header;
        uint length = *(uint*)(header + 4);
        if (length < HeaderLength || length > LargestTable || !window.Contains(address, length)
            || !SumIsZero(header, length))
        {
            return false;
        }

        table.Bytes = header;
        table.Length = length;
        return true;
    }

    internal static bool SumIsZero(byte* bytes, ulong length)
    {
        byte sum = 0;
        for (ulong i = 0; i < length; i++)
        {
            sum += bytes[i];
        }

        return sum == 0;
    }

    internal readonly bool Has(uint offset, uint length) => offset <= Length && length <= Length - offset;

    /// <summary>A field, or zero where an older table ends before it.</summary>
    internal readonly byte Byte(uint offset) => Has(offset, 1) ? Bytes[offset] : (byte)0;

    internal readonly ushort UInt16(uint offset) => Has(offset, 2) ? *(ushort*)(Bytes + offset) : (ushort)0;

    internal readonly uint UInt32(uint offset) => Has(offset, 4) ? *(uint*)(Bytes + offset) : 0;

    internal readonly ulong UInt64(uint offset) => Has(offset, 8) ? *(ulong*)(Bytes + offset) : 0;

    internal readonly AcpiRegister Register(uint offset) => new()
    {
        Space = Byte(offset),
        BitWidth = Byte(offset + 1),
        Address = UInt64(offset + 4),
    };
}
