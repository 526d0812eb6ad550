// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Acpi;

/// <summary>The fixed description table (ACPI 6.5 §5.2.9): power management ports.</summary>
internal static unsafe class Fadt
{
    private const uint SmallestLength = 116;
    private const uint ResetSupported = 1 << 10;
    private const uint PmTimerIs32Bits = 1 << 8;
    private const uint HardwareReduced = 1 << 20;
    private const ushort NoVga = 1 << 2;
    private const ushort NoMsi = 1 << 3;
    private const ushort NoCmosClock = 1 << 5;

    internal static void Read(in AcpiTable table, AcpiInformation* information)
    {
        if (table.Length < SmallestLength)
        {
            return;
        }

        uint flags = table.UInt32(112);
        ushort boot = table.Revision >= 2 ? table.UInt16(109) : (ushort)0;
        information->HasFadt = true;
        information->Facs = Address(table.UInt64(132), table.UInt32(36));
        information->Dsdt = Address(table.UInt64(140), table.UInt32(40));
        information->CenturyIndex = table.Byte(108) < 128 ? table.Byte(108) : (byte)0;
        information->HasNoVga = (boot & NoVga) != 0;
        information->IsMsiForbidden = (boot & NoMsi) != 0;
        information->HasNoCmosClock = (boot & NoCmosClock) != 0;
        information->IsHardwareReduced = (flags & HardwareReduced) != 0;
        if (information->IsHardwareReduced)
        {
            return;
        }

        information->SciIrq = table.UInt16(46);
        information->SmiCommandPort = Port(table.UInt32(48));
        information->AcpiEnableValue = table.Byte(52);
        information->Pm1aControlPort = Port(table.Register(172), table.UInt32(64));
        information->Pm1bControlPort = Port(table.Register(184), table.UInt32(68));
        information->PmTimerPort = Port(table.Register(208), table.Byte(91) == 4 ? table.UInt32(76) : 0);
        information->IsPmTimer32Bits = (flags & PmTimerIs32Bits) != 0;

        AcpiRegister reset = table.Register(116);
        information->HasReset = (flags & ResetSupported) != 0 && table.Has(116, 13) && IsUsableReset(reset);
        information->Reset = reset;
        information->ResetValue = table.Byte(128);
    }

    /// <summary>The extended address, or the old one where there is none.</summary>
    private static ulong Address(ulong extended, uint old) => extended != 0 ? extended : old;

    private static ushort Port(uint address) => address <= 0xFFFF ? (ushort)address : (ushort)0;

    /// <summary>A block in ports; the old field serves where the extended one is missing, or is not in ports.</summary>
    private static ushort Port(AcpiRegister extended, uint old) =>
        extended.Space == AcpiRegister.InPorts && extended.Address is > 0 and <= 0xFFFF
            ? (ushort)extended.Address
            : Port(old);

    private static bool IsUsableReset(AcpiRegister register) => register.Space switch
    {
        AcpiRegister.InPorts => register.Address is > 0 and <= 0xFFFF,
        AcpiRegister.InPciConfiguration => true,
        _ => false,
    };
}
