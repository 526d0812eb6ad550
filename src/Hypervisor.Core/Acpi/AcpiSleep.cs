// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Acpi;

/// <summary>Enters a sleep state with the values that Domain-0 found in AML (XENPF_enter_acpi_sleep), and resets the
/// machine.</summary>
public static unsafe class AcpiSleep
{
    private const ushort SleepEnable = 1 << 13;
    private const ushort SleepType = 7 << 10;

    /// <summary>The only bit beside those of sleep that a write must keep: interrupts are ACPI's, not SMM's.</summary>
    private const ushort SciEnable = 1 << 0;

    /// <summary>Port writes to wait for the power to go: well over a second.</summary>
    private const int Patience = 1_000_000;

    /// <summary>Does not return where the machine obeys.</summary>
    /// <returns>ENODEV where the firmware names no control port, EIO where nothing happened.</returns>
    public static Errno Enter(uint pm1aValue, uint pm1bValue)
    {
        AcpiInformation* acpi = AcpiTables.Current;
        if (acpi == null || acpi->Pm1aControlPort == 0)
        {
            return Errno.NoDev;
        }

        ushort valueA = (ushort)(pm1aValue & (SleepType | SciEnable));
        ushort valueB = (ushort)(pm1bValue & (SleepType | SciEnable));
        Machine.WriteBackCaches();

        // Two steps, as ACPI 6.5 §16.1.2 wants: the type first, then the bit that acts upon it.
        Write(acpi, valueA, valueB);
        Write(acpi, (ushort)(valueA | SleepEnable), (ushort)(valueB | SleepEnable));
        for (int turn = 0; turn < Patience; turn++)
        {
            _ = Machine.In16(acpi->Pm1aControlPort);
        }

        return Errno.Io;
    }

    /// <summary>Resets through the register that the firmware names; returns where there is none or it does
    /// nothing.</summary>
    public static void TryReset()
    {
        AcpiInformation* acpi = AcpiTables.Current;
        if (acpi == null || !acpi->HasReset)
        {
            return;
        }

        if (acpi->Reset.Space == AcpiRegister.InPorts)
        {
            Machine.Out8((ushort)acpi->Reset.Address, acpi->ResetValue);
            return;
        }

        // Device in bits 47–32, function in 31–16, offset in 15–0; the bus is 0. The machine ends here: no lock.
        ulong address = acpi->Reset.Address;
        uint device = (uint)(address >> 32) & 31;
        uint function = (uint)(address >> 16) & 7;
        uint offset = (uint)address & 0xFF;
        Machine.Out32(0xCF8, 0x8000_0000 | (device << 11) | (function << 8) | (offset & 0xFC));
        Machine.Out8((ushort)(0xCFC + (offset & 3)), acpi->ResetValue);
    }

    private static void Write(AcpiInformation* acpi, ushort valueA, ushort valueB)
    {
        Machine.Out16(acpi->Pm1aControlPort, valueA);
        if (acpi->Pm1bControlPort != 0)
        {
            Machine.Out16(acpi->Pm1bControlPort, valueB);
        }
    }
}
