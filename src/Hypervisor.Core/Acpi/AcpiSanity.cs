// SPDX-License-Identifier: MIT
// A table with a sound checksum may still place a device where memory is. Its registers would be mapped, and RAM written to
// that is somebody's.

using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Acpi;

/// <summary>Compares what the tables say with the memory map.</summary>
public static unsafe class AcpiSanity
{
    private const int BusShift = 20;

    /// <summary>Forgets devices whose registers would lie in RAM or beyond what the processor can address; gives how many.
    /// The map is normalised.</summary>
    public static int DropImpossible(AcpiInformation* acpi, MemoryMap* host, int addressBits)
    {
        int dropped = 0;
        for (int index = acpi->IoApicCount - 1; index >= 0; index--)
        {
            if (!CanBeDevice(host, acpi->IoApic(index).Address, MemoryLayout.PageSize, addressBits))
            {
                acpi->RemoveIoApic(index);
                dropped++;
            }
        }

        for (int index = acpi->ConfigSpaceCount - 1; index >= 0; index--)
        {
            AcpiConfigSpace space = acpi->ConfigSpace(index);
            ulong offset = (ulong)space.FirstBus << BusShift;
            ulong length = (ulong)(space.LastBus - space.FirstBus + 1) << BusShift;
            if (space.LastBus < space.FirstBus || space.Address > ulong.MaxValue - offset
                || !CanBeDevice(host, space.Address + offset, length, addressBits))
            {
                acpi->RemoveConfigSpace(index);
                dropped++;
            }
        }

        if (acpi->HasHpet && !CanBeDevice(host, acpi->HpetAddress, MemoryLayout.PageSize, addressBits))
        {
            acpi->HasHpet = false;
            acpi->HpetAddress = 0;
            dropped++;
        }

        return dropped;
    }

    private static bool CanBeDevice(MemoryMap* host, ulong address, ulong length, int addressBits)
    {
        ulong limit = 1UL << addressBits;
        return address < limit && length <= limit - address && !host->HasRam(address, address + length);
    }
}
