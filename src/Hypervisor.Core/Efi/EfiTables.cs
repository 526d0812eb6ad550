// SPDX-License-Identifier: MIT
// EFI's tables are read once, at boot, through a window of physical memory, and what Domain-0 may ask for is copied. The
// firmware's memory that the tables lie in, and that its runtime services need, is added to the memory map as reserved:
// the most restrictive claim wins there, so none of it is handed out as RAM.

using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Efi;

/// <summary>Reads EFI's 64-bit system table (UEFI 2.10 §4.3) and what hangs on it.</summary>
public static unsafe class EfiTables
{
    private const ulong SystemSignature = 0x5453_5953_2049_4249; // "IBI SYST"
    private const ulong RuntimeSignature = 0x5652_4553_544E_5552; // "RUNTSERV"
    private const ulong SystemTableSize = 120;
    private const ulong RuntimeHeaderSize = 24;

    // EFI_RUNTIME_SERVICES of UEFI 2.0.
    private const ulong RuntimeTableSize = 136;
    private const int GetTimeAt = 24;
    private const int GetVariableAt = 72;
    private const int GetNextVariableNameAt = 80;
    private const int QueryVariableInfoAt = 128;
    private const ulong ConfigurationEntrySize = 24;
    private const uint MaxConfigurationEntries = 1024;
    private const uint SmallestDescriptor = 40;
    private const uint LargestDescriptor = 4096;

    // EFI_ACPI_20_TABLE_GUID and EFI_ACPI_TABLE_GUID, as two words each.
    private const ulong Acpi2GuidLow = 0x11D3_E4F1_8868_E871;
    private const ulong Acpi2GuidHigh = 0x8188_3CC7_8000_22BC;
    private const ulong Acpi1GuidLow = 0x11D3_2D88_EB9D_2D30;
    private const ulong Acpi1GuidHigh = 0x4DC1_3F27_9000_169A;
    private const uint Acpi2Length = 36;
    private const uint Acpi1Length = 20;

    private static EfiFirmware* s_current;

    /// <summary>What the machine's firmware says; null where it is not EFI, or said nothing usable.</summary>
    public static EfiFirmware* Current
    {
        get => s_current;
        set => s_current = value;
    }

    /// <summary>
    /// Reads what <paramref name="information"/> names into <paramref name="firmware"/>, which is zeroed, and adds the
    /// firmware's memory to the information's memory map, which is not normalised yet.
    /// </summary>
    public static EfiError Read(PhysicalWindow window, BootInformation* information, EfiFirmware* firmware)
    {
        if (information->EfiSystemTable64 == 0)
        {
            return EfiError.NoSystemTable;
        }

        byte* table = window.At(information->EfiSystemTable64, SystemTableSize);
        if (table == null)
        {
            return EfiError.SystemTableOutOfReach;
        }

        if (*(ulong*)table != SystemSignature || *(uint*)(table + 12) < SystemTableSize)
        {
            return EfiError.NotASystemTable;
        }

        ulong count = *(ulong*)(table + 104);
        ulong configuration = *(ulong*)(table + 112);
        if (count > MaxConfigurationEntries || window.At(configuration, count * ConfigurationEntrySize) == null)
        {
            return EfiError.ConfigurationOutOfReach;
        }

        firmware->SystemTable = information->EfiSystemTable64;
        firmware->Revision = *(uint*)(table + 8);
        firmware->FirmwareRevision = *(uint*)(table + 32);
        firmware->Configuration = configuration;
        firmware->ConfigurationEntries = (uint)count;
        ulong vendor = *(ulong*)(table + 24);
        ReadVendor(window, vendor, firmware);
        EfiError error = ReadMemoryMap(window, information, firmware);
        if (error != EfiError.Ok)
        {
            return error;
        }

        ReadRuntime(window, *(ulong*)(table + 88), firmware);

        // Should the map be full, it is refused as a whole when it is normalised.
        bool kept = Reserve(information, firmware->SystemTable, SystemTableSize)
            && Reserve(information, configuration, count * ConfigurationEntrySize)
            && Reserve(information, vendor, ((ulong)firmware->VendorLength + 1) * 2)
            && ReserveRuntime(information, firmware);
        if (!kept)
        {
            return EfiError.MemoryMapWrong;
        }

        if (information->RsdpLength == 0)
        {
            FindRsdp(window, information, firmware);
        }

        return EfiError.Ok;
    }

    private static void ReadVendor(PhysicalWindow window, ulong address, EfiFirmware* firmware)
    {
        for (; firmware->VendorLength < EfiFirmware.MaxVendor; firmware->VendorLength++)
        {
            ushort* character = (ushort*)window.At(address + ((ulong)firmware->VendorLength * 2), 2);
            if (address == 0 || character == null || *character == 0)
            {
                return;
            }

            firmware->Vendor[firmware->VendorLength] = *character;
        }
    }

    private static void ReadRuntime(PhysicalWindow window, ulong address, EfiFirmware* firmware)
    {
        byte* table = window.At(address, RuntimeHeaderSize);
        if (address != 0 && table != null && *(ulong*)table == RuntimeSignature)
        {
            firmware->RuntimeRevision = *(uint*)(table + 8);
            table = *(uint*)(table + 12) < RuntimeTableSize ? null : window.At(address, RuntimeTableSize);
            if (table != null)
            {
                firmware->GetTime = Function(table, GetTimeAt, firmware);
                firmware->GetVariable = Function(table, GetVariableAt, firmware);
                firmware->GetNextVariableName = Function(table, GetNextVariableNameAt, firmware);
                firmware->QueryVariableInfo = Function(table, QueryVariableInfoAt, firmware);
            }
        }
    }

    /// <summary>A service's address, or 0 where that is no memory which the firmware keeps.</summary>
    private static ulong Function(byte* table, int offset, EfiFirmware* firmware)
    {
        ulong address = *(ulong*)(table + offset);
        return firmware->TryFind(address, out EfiMemoryRange range) && range.IsRuntime ? address : 0;
    }

    /// <summary>The map is there when the loader left boot services, and it is not needed to boot.</summary>
    private static EfiError ReadMemoryMap(PhysicalWindow window, BootInformation* information, EfiFirmware* firmware)
    {
        if (information->EfiMapAddress == 0)
        {
            return EfiError.Ok;
        }

        uint size = information->EfiDescriptorSize;
        byte* map = window.At(information->EfiMapAddress, information->EfiMapLength);
        if (map == null)
        {
            return EfiError.MemoryMapOutOfReach;
        }

        if (size < SmallestDescriptor || size > LargestDescriptor || (size & 7) != 0)
        {
            return EfiError.MemoryMapWrong;
        }

        for (uint left = information->EfiMapLength; left >= size; left -= size, map += size)
        {
            ulong start = *(ulong*)(map + 8);
            ulong pages = *(ulong*)(map + 24);
            if ((start & MemoryLayout.PageMask) != 0 || pages > (ulong.MaxValue - start) >> MemoryLayout.PageShift)
            {
                return EfiError.MemoryMapWrong;
            }

            EfiMemoryRange range;
            range.Start = start;
            range.End = start + (pages << MemoryLayout.PageShift);
            range.Attributes = *(ulong*)(map + 32);
            range.Type = *(uint*)map;
            firmware->Add(range);
        }

        return EfiError.Ok;
    }

    private static bool ReserveRuntime(BootInformation* information, EfiFirmware* firmware)
    {
        for (int index = 0; index < firmware->RangeCount; index++)
        {
            EfiMemoryRange range = firmware->Range(index);
            bool isAcpi = range.Type is EfiMemoryMap.AcpiReclaimType or EfiMemoryMap.AcpiNonVolatileType;
            if (range.IsRuntime && !isAcpi
                && !Reserve(information, range.Start, range.End - range.Start))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Reserve(BootInformation* information, ulong start, ulong length) =>
        information->MemoryMap.TryExtendLast(start, length, MemoryType.Reserved)
        || information->MemoryMap.TryAdd(start, length, (uint)MemoryType.Reserved);

    private static void FindRsdp(PhysicalWindow window, BootInformation* information, EfiFirmware* firmware)
    {
        byte* entry = window.At(
            firmware->Configuration, firmware->ConfigurationEntries * ConfigurationEntrySize);
        for (uint index = 0; index < firmware->ConfigurationEntries; index++, entry += ConfigurationEntrySize)
        {
            ulong* words = (ulong*)entry;
            uint length = words[0] == Acpi2GuidLow && words[1] == Acpi2GuidHigh ? Acpi2Length
                : words[0] == Acpi1GuidLow && words[1] == Acpi1GuidHigh ? Acpi1Length
                : 0;
            byte* rsdp = length > (uint)information->RsdpLength ? window.At(words[2], length) : null;
            for (uint at = 0; rsdp != null && at < length; at++)
            {
                information->Rsdp[at] = rsdp[at];
            }

            information->RsdpLength = rsdp != null ? (int)length : information->RsdpLength;
        }
    }
}
