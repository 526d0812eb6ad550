// SPDX-License-Identifier: MIT
// xAPIC or x2APIC. x2APIC mode is worth having for its cheap commands and its 32-bit numbers. Where firmware has turned it
// on it stays: it cannot be left without a reset of the APIC, and other CPUs' numbers may need it. Where firmware has not, it is
// entered if the processor can and every number fits into 8 bits: I/O APICs and message interrupts name a CPU by 8 bits
// without interrupt remapping, which is not set up here, so larger numbers would gain nothing.

using System;
using Hypervisor.Core.Acpi;

namespace Hypervisor.Core.Apic;

/// <summary>The mode and why it was chosen.</summary>
public enum ApicModeReason
{
    /// <summary>x2APIC: firmware has turned it on.</summary>
    X2ByFirmware,

    /// <summary>x2APIC: the processor has it.</summary>
    X2Entered,

    /// <summary>xAPIC: the processor has no other.</summary>
    NoX2,

    /// <summary>xAPIC: the command line says so.</summary>
    Forbidden,

    /// <summary>xAPIC: a CPU's number is beyond what device interrupts can name.</summary>
    LargeIds,
}

/// <summary>Decides on the mode of the local APICs.</summary>
public static unsafe class ApicModes
{
    /// <summary>The highest number that 8 bits can name; 255 means all.</summary>
    public const uint HighestNarrowId = 254;

    public static ApicModeReason Choose(bool isOn, bool hasX2, bool mayUseX2, uint highestId) =>
        isOn ? ApicModeReason.X2ByFirmware
        : !hasX2 ? ApicModeReason.NoX2
        : !mayUseX2 ? ApicModeReason.Forbidden
        : highestId > HighestNarrowId ? ApicModeReason.LargeIds
        : ApicModeReason.X2Entered;

    public static bool IsX2(ApicModeReason reason) => reason is ApicModeReason.X2ByFirmware or ApicModeReason.X2Entered;

    /// <summary>The highest number of a CPU that is enabled; 0 where the tables list none.</summary>
    public static uint HighestId(AcpiInformation* acpi)
    {
        uint highest = 0;
        for (int index = 0; index < acpi->CpuCount; index++)
        {
            AcpiCpu cpu = acpi->Cpu(index);
            highest = cpu.IsEnabled && cpu.ApicId > highest ? cpu.ApicId : highest;
        }

        return highest;
    }

    /// <summary>Whether an I/O APIC or a message can reach the CPU with this number.</summary>
    public static bool IsReachableByDevices(uint apicId) => apicId <= HighestNarrowId;

    public static ReadOnlySpan<byte> Describe(ApicModeReason reason) => reason switch
    {
        ApicModeReason.X2ByFirmware => "x2APIC mode, as firmware has left it"u8,
        ApicModeReason.X2Entered => "x2APIC mode"u8,
        ApicModeReason.NoX2 => "xAPIC mode"u8,
        ApicModeReason.Forbidden => "xAPIC mode, as the command line wants it"u8,
        _ => "xAPIC mode, as device interrupts cannot name a number beyond 254"u8,
    };
}
