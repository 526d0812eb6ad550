// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Acpi;

/// <summary>The multiple APIC description table (ACPI 6.5 §5.2.12).</summary>
internal static unsafe class Madt
{
    private const uint FirstEntry = 44;
    private const uint HasPics = 1 << 0;
    private const uint Enabled = 1 << 0;
    private const uint OnlineCapable = 1 << 1;
    private const uint AllX2Processors = 0xFFFFFFFF;
    private const byte AllProcessors = 0xFF;

    private enum Entry : byte
    {
        LocalApic = 0,
        IoApic = 1,
        Override = 2,
        NmiSource = 3,
        LocalApicNmi = 4,
        LocalApicAddress = 5,
        LocalX2Apic = 9,
        LocalX2ApicNmi = 10,
    }

    internal static void Read(in AcpiTable table, AcpiInformation* information)
    {
        if (table.Length < FirstEntry)
        {
            return;
        }

        information->HasMadt = true;
        information->LocalApicAddress = table.UInt32(36);
        information->HasLegacyPics = (table.UInt32(40) & HasPics) != 0;
        uint offset = FirstEntry;
        while (table.Has(offset, 2))
        {
            byte length = table.Byte(offset + 1);
            if (length < 2 || !table.Has(offset, length))
            {
                information->IsMadtDamaged = true;
                return;
            }

            Entry type = (Entry)table.Byte(offset);
            if (length < SmallestLength(type) || !Add(type, in table, offset, information))
            {
                information->IsMadtDamaged = true;
            }

            offset += length;
        }
    }

    private static uint SmallestLength(Entry type) => type switch
    {
        Entry.LocalApic or Entry.NmiSource => 8,
        Entry.IoApic or Entry.LocalApicAddress or Entry.LocalX2ApicNmi => 12,
        Entry.Override => 10,
        Entry.LocalApicNmi => 6,
        Entry.LocalX2Apic => 16,
        _ => 2,
    };

    private static bool Add(Entry type, in AcpiTable table, uint offset, AcpiInformation* information)
    {
        switch (type)
        {
            case Entry.LocalApic:
                return AddCpu(table.Byte(offset + 3), table.Byte(offset + 2), table.UInt32(offset + 4), information);
            case Entry.LocalX2Apic:
                return AddCpu(
                    table.UInt32(offset + 4), table.UInt32(offset + 12), table.UInt32(offset + 8), information);
            case Entry.IoApic:
                uint address = table.UInt32(offset + 4);
                return address != 0 && information->TryAdd(new AcpiIoApic
                {
                    Address = address,
                    GsiBase = table.UInt32(offset + 8),
                    Id = table.Byte(offset + 2),
                });
            case Entry.Override:
                return AddOverride(in table, offset, information);
            case Entry.NmiSource:
                return information->TryAdd(new AcpiNmi
                {
                    Line = table.UInt32(offset + 4),
                    Mode = ModeOf(table.UInt16(offset + 2)),
                });
            case Entry.LocalApicNmi:
                byte processor = table.Byte(offset + 2);
                return AddLocalNmi(
                    processor == AllProcessors ? AcpiNmi.AllProcessors : processor,
                    table.UInt16(offset + 3),
                    table.Byte(offset + 5),
                    information);
            case Entry.LocalX2ApicNmi:
                uint x2Processor = table.UInt32(offset + 4);
                return AddLocalNmi(
                    x2Processor == AllX2Processors ? AcpiNmi.AllProcessors : x2Processor,
                    table.UInt16(offset + 2),
                    table.Byte(offset + 8),
                    information);
            case Entry.LocalApicAddress:
                information->LocalApicAddress = table.UInt64(offset + 4);
                return true;
            default:
                return true;
        }
    }

    /// <summary>Some firmware lists a CPU by both kinds of entry, and unused slots by the number that means
    /// none.</summary>
    private static bool AddCpu(uint apicId, uint processorId, uint flags, AcpiInformation* information)
    {
        bool isEnabled = (flags & Enabled) != 0;
        bool isOnlineCapable = (flags & OnlineCapable) != 0;
        if (apicId is 0xFF or 0xFFFFFFFF || (!isEnabled && !isOnlineCapable))
        {
            return true;
        }

        for (int i = 0; i < information->CpuCount; i++)
        {
            if (information->Cpu(i).ApicId == apicId)
            {
                return true;
            }
        }

        return information->TryAdd(new AcpiCpu
        {
            ApicId = apicId,
            ProcessorId = processorId,
            IsEnabled = isEnabled,
            IsOnlineCapable = isOnlineCapable,
        });
    }

    private static bool AddOverride(in AcpiTable table, uint offset, AcpiInformation* information)
    {
        byte source = table.Byte(offset + 3);
        if (table.Byte(offset + 2) != 0 || source > 15)
        {
            return false;
        }

        for (int i = 0; i < information->OverrideCount; i++)
        {
            if (information->Override(i).Source == source)
            {
                return true;
            }
        }

        return information->TryAdd(new AcpiOverride
        {
            Source = source,
            Gsi = table.UInt32(offset + 4),
            Mode = ModeOf(table.UInt16(offset + 8)),
        });
    }

    private static bool AddLocalNmi(uint processor, ushort flags, byte line, AcpiInformation* information) =>
        line <= 1 && information->TryAdd(new AcpiNmi
        {
            Line = line,
            ProcessorId = processor,
            IsLocal = true,
            Mode = ModeOf(flags),
        });

    /// <summary>MPS INTI flags (table 5.26); what conforms to the bus is ISA's edge, active high.</summary>
    private static IrqMode ModeOf(ushort flags) => new()
    {
        IsActiveLow = (flags & 3) == 3,
        IsLevel = (flags >> 2 & 3) == 3,
    };
}
