// SPDX-License-Identifier: MIT
// Firmware's tables are read once, at boot, through a window of physical memory, and what the hypervisor needs of them
// is copied. Domain-0 interprets the rest, AML included, itself. Nothing in the tables is believed: a table with a
// wrong checksum or an impossible length is skipped and counted; an entry that does not fit its table ends the
// reading of it.

using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Acpi;

/// <summary>Finds and reads the tables.</summary>
public static unsafe class AcpiTables
{
    private const uint RsdtSignature = 0x5444_5352;
    private const uint XsdtSignature = 0x5444_5358;
    private const uint MadtSignature = 0x4349_5041; // "APIC"
    private const uint FadtSignature = 0x5043_4146; // "FACP"
    private const uint HpetSignature = 0x5445_5048;
    private const uint McfgSignature = 0x4746_434D;
    private const uint MaxTables = 256;

    private static AcpiInformation* s_current;

    /// <summary>What the machine's tables say; null before the boot has read them.</summary>
    public static AcpiInformation* Current
    {
        get => s_current;
        set => s_current = value;
    }

    /// <summary>Reads what there is into <paramref name="information"/>, which is zeroed.</summary>
    /// <param name="window">Physical memory that is mapped.</param>
    /// <param name="copy">The loader's copy of the root pointer, or null.</param>
    /// <param name="copyLength">Bytes of the copy.</param>
    /// <param name="information">Takes the result.</param>
    public static AcpiError Read(PhysicalWindow window, byte* copy, uint copyLength, AcpiInformation* information)
    {
        if (!RootPointer.TryRead(copy, (ulong)copyLength, out RootPointer pointer)
            && !RootPointer.TryFind(window, out pointer))
        {
            return AcpiError.NoRootPointer;
        }

        // The copy says nothing of where the original is; a BIOS's is where it always is.
        information->RootPointer = pointer.Address;
        information->Revision = pointer.Revision;
        bool isWide = AcpiTable.TryOpen(window, pointer.Xsdt, out AcpiTable root, out _)
            && root.Signature == XsdtSignature;
        if (!isWide && !(AcpiTable.TryOpen(window, pointer.Rsdt, out root, out _) && root.Signature == RsdtSignature))
        {
            return AcpiError.RootTableUnusable;
        }

        information->RootTable = isWide ? pointer.Xsdt : pointer.Rsdt;
        uint entrySize = isWide ? 8u : 4u;
        uint count = (root.Length - AcpiTable.HeaderLength) / entrySize;
        for (uint i = 0; i < count && i < MaxTables; i++)
        {
            uint offset = AcpiTable.HeaderLength + (i * entrySize);
            ulong address = isWide ? root.UInt64(offset) : root.UInt32(offset);
            ReadTable(window, address, information);
        }

        return !information->HasMadt ? AcpiError.NoMadt
            : information->CpuCount == 0 ? AcpiError.NoLocalApic
            : information->IoApicCount == 0 ? AcpiError.NoIoApic
            : AcpiError.Ok;
    }

    private static void ReadTable(PhysicalWindow window, ulong address, AcpiInformation* information)
    {
        if (address == 0)
        {
            return;
        }

        if (!AcpiTable.TryOpen(window, address, out AcpiTable table, out uint signature))
        {
            information->BadTables++;
            information->LastBadSignature = signature;
            return;
        }

        // Should a table be there twice, the first one counts.
        switch (table.Signature)
        {
            case MadtSignature when !information->HasMadt:
                Madt.Read(in table, information);
                break;
            case FadtSignature when !information->HasFadt:
                Fadt.Read(in table, information);
                break;
            case HpetSignature when !information->HasHpet:
                ReadHpet(in table, information);
                break;
            case McfgSignature when information->ConfigSpaceCount == 0:
                ReadConfigSpaces(in table, information);
                break;
            default:
                break;
        }
    }

    /// <summary>What ACPI calls the CPU with this APIC id; the id itself where the tables do not say.</summary>
    public static uint ProcessorIdOf(uint apicId)
    {
        AcpiInformation* acpi = Current;
        for (int index = 0; acpi != null && index < acpi->CpuCount; index++)
        {
            AcpiCpu cpu = acpi->Cpu(index);
            if (cpu.ApicId == apicId)
            {
                return cpu.ProcessorId;
            }
        }

        return apicId;
    }

    /// <summary>HPET specification 1.0a §3.2.4.</summary>
    private static void ReadHpet(in AcpiTable table, AcpiInformation* information)
    {
        AcpiRegister register = table.Register(40);
        if (table.Length < 56 || register.Space != AcpiRegister.InMemory || register.Address == 0)
        {
            return;
        }

        information->HasHpet = true;
        information->HpetAddress = register.Address;
        information->HpetMinimumTick = table.UInt16(53);
    }

    private static void ReadConfigSpaces(in AcpiTable table, AcpiInformation* information)
    {
        const uint First = 44;
        const uint Size = 16;
        for (uint offset = First; table.Has(offset, Size); offset += Size)
        {
            AcpiConfigSpace space = new()
            {
                Address = table.UInt64(offset),
                Segment = table.UInt16(offset + 8),
                FirstBus = table.Byte(offset + 10),
                LastBus = table.Byte(offset + 11),
            };
            bool isSound = space.Address != 0 && (space.Address & 0xFFFFF) == 0 && space.FirstBus <= space.LastBus
                && space.Address <= (1UL << 52) - (256UL << 20);
            if (isSound && !information->TryAdd(space))
            {
                return;
            }
        }
    }
}
