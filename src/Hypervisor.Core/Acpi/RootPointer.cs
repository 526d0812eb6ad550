// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Acpi;

/// <summary>The RSDP (ACPI 6.5 §5.2.5): where it is and what it points to.</summary>
internal unsafe struct RootPointer
{
    private const ulong Signature = 0x2052_5450_2044_5352; // "RSD PTR "
    private const int ShortLength = 20;
    private const int LongLength = 36;
    private const ulong EbdaSegmentAt = 0x40E;
    private const ulong EbdaSearched = 1024;
    private const ulong BiosStart = 0xE0000;
    private const ulong BiosEnd = 0x100000;

    internal ulong Address;
    internal byte Revision;
    internal uint Rsdt;
    internal ulong Xsdt;

    /// <summary>Reads one that is at hand, such as the loader's copy.</summary>
    internal static bool TryRead(byte* bytes, ulong length, out RootPointer pointer)
    {
        pointer = default;
        if (bytes == null || length < ShortLength || *(ulong*)bytes != Signature
            || !AcpiTable.SumIsZero(bytes, ShortLength))
        {
            return false;
        }

        pointer.Revision = bytes[15];
        pointer.Rsdt = *(uint*)(bytes + 16);
        if (pointer.Revision < 2)
        {
            return true;
        }

        // A later revision whose longer part is broken still has the sound short one.
        if (length >= LongLength)
        {
            uint stated = *(uint*)(bytes + 20);
            if (stated >= LongLength && stated <= length && AcpiTable.SumIsZero(bytes, stated))
            {
                pointer.Xsdt = *(ulong*)(bytes + 24);
            }
        }

        return true;
    }

    /// <summary>Looks where BIOS leaves it: in the first KiB of the extended data area, then below 1 MiB.</summary>
    internal static bool TryFind(PhysicalWindow window, out RootPointer pointer)
    {
        byte* segment = window.At(EbdaSegmentAt, 2);
        ulong ebda = segment == null ? 0 : (ulong)(*(ushort*)segment) << 4;
        pointer = default;
        return (ebda >= 0x400 && TrySearch(window, ebda, ebda + EbdaSearched, out pointer))
            || TrySearch(window, BiosStart, BiosEnd, out pointer);
    }

    private static bool TrySearch(PhysicalWindow window, ulong start, ulong end, out RootPointer pointer)
    {
        for (ulong address = start; address < end; address += 16)
        {
            // The last places have no room for the long form.
            byte* bytes = window.At(address, LongLength);
            ulong length = LongLength;
            if (bytes == null)
            {
                bytes = window.At(address, ShortLength);
                length = ShortLength;
            }

            if (TryRead(bytes, length, out pointer))
            {
                pointer.Address = address;
                return true;
            }
        }

        pointer = default;
        return false;
    }
}
