// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Efi;

/// <summary>What the hypervisor keeps of EFI's tables: copies, so that nobody changes them afterwards.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct EfiFirmware
{
    public const int MaxRanges = 512;
    public const int MaxVendor = 100;
    private const int WordsPerRange = 4;

    /// <summary>Physical address of the system table.</summary>
    public ulong SystemTable;

    /// <summary>Of the UEFI specification: major version in the upper half, minor times ten in the lower.</summary>
    public uint Revision;

    /// <summary>The vendor's own number.</summary>
    public uint FirmwareRevision;

    /// <summary>Physical address and number of the pairs of GUID and address.</summary>
    public ulong Configuration;
    public uint ConfigurationEntries;

    /// <summary>Of the runtime services' table, or 0 where that is unusable.</summary>
    public uint RuntimeRevision;

    /// <summary>Services that may be called, by physical address; 0 where one may not.</summary>
    public ulong GetTime;
    public ulong GetVariable;
    public ulong GetNextVariableName;
    public ulong QueryVariableInfo;

    /// <summary>UCS-2, without a terminator.</summary>
    public fixed ushort Vendor[MaxVendor];
    public int VendorLength;

    /// <summary>Descriptors of the memory map for which there was no room.</summary>
    public uint LostRanges;

    private fixed ulong _ranges[MaxRanges * WordsPerRange];
    private int _rangeCount;

    public readonly int RangeCount => _rangeCount;

    public readonly bool HasRuntime =>
        (GetTime | GetVariable | GetNextVariableName | QueryVariableInfo) != 0;

    /// <summary>From here on nothing of the firmware may be called.</summary>
    public void ForgetRuntime()
    {
        GetTime = 0;
        GetVariable = 0;
        GetNextVariableName = 0;
        QueryVariableInfo = 0;
    }

    /// <summary>Range <paramref name="index"/>, below <see cref="RangeCount"/>.</summary>
    public readonly EfiMemoryRange Range(int index)
    {
        Check.That((uint)index < (uint)_rangeCount, "range of EFI's memory map"u8);
        fixed (ulong* words = _ranges)
        {
            return ((EfiMemoryRange*)words)[index];
        }
    }

    /// <summary>The range that holds <paramref name="address"/>; false where none does.</summary>
    public readonly bool TryFind(ulong address, out EfiMemoryRange range)
    {
        for (int index = 0; index < _rangeCount; index++)
        {
            range = Range(index);
            if (range.Start <= address && address < range.End)
            {
                return true;
            }
        }

        range = default;
        return false;
    }

    internal void Add(EfiMemoryRange range)
    {
        if (_rangeCount == MaxRanges)
        {
            LostRanges++;
            return;
        }

        fixed (ulong* words = _ranges)
        {
            ((EfiMemoryRange*)words)[_rangeCount++] = range;
        }
    }
}
