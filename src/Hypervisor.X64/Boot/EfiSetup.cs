// SPDX-License-Identifier: MIT

using Hypervisor.Core.Boot;
using Hypervisor.Core.Efi;

namespace Hypervisor.X64.Boot;

/// <summary>What a machine with EFI firmware tells, before the memory map is put in order.</summary>
public static unsafe class EfiSetup
{
    /// <summary>Reads the tables that the loader names; without them the boot goes on.</summary>
    public static void Read(PhysicalWindow window)
    {
        if (!BootData.Information->IsEfi)
        {
            return;
        }

        EfiFirmware* firmware = BootData.Efi;
        EfiError error = EfiTables.Read(window, BootData.Information, firmware);
        if (error != EfiError.Ok)
        {
            Log.Warning("EFI: "u8).Text(EfiErrors.Describe(error))
                .Text("; Domain-0 is told nothing of EFI and may lack ACPI"u8).End();
            return;
        }

        EfiTables.Current = firmware;
        Log.Info("EFI "u8).Decimal(firmware->Revision >> 16).Text("."u8).Decimal((firmware->Revision & 0xFFFF) / 10)
            .Text(": "u8).Decimal(firmware->ConfigurationEntries).Text(" configuration tables, "u8)
            .Decimal(firmware->RangeCount).Text(" pieces of memory"u8).End();
        if (firmware->LostRanges != 0)
        {
            Log.Warning("EFI: the memory map is too long, "u8).Decimal(firmware->LostRanges)
                .Text(" pieces of it are left out"u8).End();
        }
    }
}
