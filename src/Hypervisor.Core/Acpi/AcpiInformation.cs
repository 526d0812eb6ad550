// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Acpi;

/// <summary>A CPU as the MADT names it (ACPI 6.5 §5.2.12.2 and §5.2.12.12).</summary>
public struct AcpiCpu
{
    public uint ApicId;

    /// <summary>What AML and Domain-0 call the CPU.</summary>
    public uint ProcessorId;

    /// <summary>Usable now; otherwise <see cref="IsOnlineCapable"/> says whether it may be plugged in later.</summary>
    public bool IsEnabled;
    public bool IsOnlineCapable;
}

/// <summary>An I/O APIC (§5.2.12.3).</summary>
public struct AcpiIoApic
{
    public ulong Address;
    public uint GsiBase;
    public byte Id;
}

/// <summary>How a line signals.</summary>
public struct IrqMode
{
    public bool IsLevel;
    public bool IsActiveLow;
}

/// <summary>An ISA interrupt that is not identity-mapped or not edge-triggered (§5.2.12.5).</summary>
public struct AcpiOverride
{
    public uint Gsi;
    public byte Source;
    public IrqMode Mode;
}

/// <summary>A line that raises NMI: of an I/O APIC (§5.2.12.6), or of a CPU's local APIC (§5.2.12.7).</summary>
public struct AcpiNmi
{
    /// <summary>GSI, or LINT number 0 or 1.</summary>
    public uint Line;

    /// <summary>For a local APIC: the processor, or <see cref="AllProcessors"/>.</summary>
    public uint ProcessorId;
    public bool IsLocal;
    public IrqMode Mode;

    public const uint AllProcessors = 0xFFFFFFFF;
}

/// <summary>A range of buses whose configuration space is in memory (PCI Firmware 3.3 §4.1.2).</summary>
public struct AcpiConfigSpace
{
    /// <summary>Where bus 0 of the segment would be.</summary>
    public ulong Address;
    public ushort Segment;
    public byte FirstBus;
    public byte LastBus;
}

/// <summary>A register in some address space (ACPI 6.5 §5.2.3.2).</summary>
public struct AcpiRegister
{
    public const byte InMemory = 0;
    public const byte InPorts = 1;
    public const byte InPciConfiguration = 2;

    public ulong Address;
    public byte Space;
    public byte BitWidth;
}

/// <summary>What the hypervisor keeps of the firmware's tables.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct AcpiInformation
{
    public const int MaxCpus = 256;
    public const int MaxIoApics = 16;
    public const int MaxOverrides = 32;
    public const int MaxNmis = 32;
    public const int MaxConfigSpaces = 8;

    public byte Revision;

    /// <summary>Physical addresses of root pointer (0 when only a copy exists), RSDT or XSDT, DSDT and FACS; 0 is
    /// none.</summary>
    public ulong RootPointer;
    public ulong RootTable;
    public ulong Dsdt;
    public ulong Facs;

    /// <summary>Tables named by the root that are unreadable or whose checksum is wrong, and the last one's
    /// signature.</summary>
    public int BadTables;
    public uint LastBadSignature;

    public bool HasMadt;
    public bool HasFadt;
    public bool HasHpet;

    /// <summary>An entry of the MADT had an impossible size, or there were more entries than room.</summary>
    public bool IsMadtDamaged;
    public ulong LocalApicAddress;

    /// <summary>The machine also has two 8259 controllers, which must be masked.</summary>
    public bool HasLegacyPics;
    public int CpuCount;
    public int IoApicCount;
    public int OverrideCount;
    public int NmiCount;

    public ushort SciIrq;
    public ushort SmiCommandPort;
    public byte AcpiEnableValue;
    public ushort Pm1aControlPort;
    public ushort Pm1bControlPort;

    /// <summary>Port of the power management timer (3.579545 MHz), or 0.</summary>
    public ushort PmTimerPort;
    public bool IsPmTimer32Bits;
    public bool IsHardwareReduced;
    public bool HasReset;
    public AcpiRegister Reset;
    public byte ResetValue;

    /// <summary>Index of the century in CMOS memory, or 0.</summary>
    public byte CenturyIndex;
    public bool HasNoCmosClock;
    public bool HasNoVga;
    public bool IsMsiForbidden;

    public ulong HpetAddress;
    public ushort HpetMinimumTick;
    public int ConfigSpaceCount;

    private fixed byte _cpus[MaxCpus * 12];
    private fixed ulong _ioApics[MaxIoApics * 2];
    private fixed uint _overrides[MaxOverrides * 2];
    private fixed uint _nmis[MaxNmis * 3];
    private fixed ulong _configSpaces[MaxConfigSpaces * 2];

    public readonly AcpiCpu Cpu(int index)
    {
        Check.That((uint)index < (uint)CpuCount, "number of a CPU in the MADT"u8);
        fixed (byte* cpus = _cpus)
        {
            return ((AcpiCpu*)cpus)[index];
        }
    }

    public readonly AcpiIoApic IoApic(int index)
    {
        Check.That((uint)index < (uint)IoApicCount, "number of an I/O APIC in the MADT"u8);
        fixed (ulong* ioApics = _ioApics)
        {
            return ((AcpiIoApic*)ioApics)[index];
        }
    }

    public readonly AcpiOverride Override(int index)
    {
        Check.That((uint)index < (uint)OverrideCount, "number of an override in the MADT"u8);
        fixed (uint* overrides = _overrides)
        {
            return ((AcpiOverride*)overrides)[index];
        }
    }

    public readonly AcpiNmi Nmi(int index)
    {
        Check.That((uint)index < (uint)NmiCount, "number of an NMI source in the MADT"u8);
        fixed (uint* nmis = _nmis)
        {
            return ((AcpiNmi*)nmis)[index];
        }
    }

    public readonly AcpiConfigSpace ConfigSpace(int index)
    {
        Check.That((uint)index < (uint)ConfigSpaceCount, "number of a range in the MCFG"u8);
        fixed (ulong* spaces = _configSpaces)
        {
            return ((AcpiConfigSpace*)spaces)[index];
        }
    }

    /// <summary>Where an ISA interrupt arrives and how it signals: the override's word, or the bus's
    /// convention.</summary>
    public readonly uint GsiOfIsa(byte irq, out IrqMode mode)
    {
        for (int i = 0; i < OverrideCount; i++)
        {
            AcpiOverride entry = Override(i);
            if (entry.Source == irq)
            {
                mode = entry.Mode;
                return entry.Gsi;
            }
        }

        mode = default;
        return irq;
    }

    internal void RemoveIoApic(int index)
    {
        fixed (ulong* ioApics = _ioApics)
        {
            IoApicCount--;
            for (int i = index; i < IoApicCount; i++)
            {
                ((AcpiIoApic*)ioApics)[i] = ((AcpiIoApic*)ioApics)[i + 1];
            }
        }
    }

    internal void RemoveConfigSpace(int index)
    {
        fixed (ulong* spaces = _configSpaces)
        {
            ConfigSpaceCount--;
            for (int i = index; i < ConfigSpaceCount; i++)
            {
                ((AcpiConfigSpace*)spaces)[i] = ((AcpiConfigSpace*)spaces)[i + 1];
            }
        }
    }

    internal bool TryAdd(AcpiCpu cpu)
    {
        if (CpuCount == MaxCpus)
        {
            return false;
        }

        fixed (byte* cpus = _cpus)
        {
            ((AcpiCpu*)cpus)[CpuCount++] = cpu;
        }

        return true;
    }

    internal bool TryAdd(AcpiIoApic ioApic)
    {
        if (IoApicCount == MaxIoApics)
        {
            return false;
        }

        fixed (ulong* ioApics = _ioApics)
        {
            ((AcpiIoApic*)ioApics)[IoApicCount++] = ioApic;
        }

        return true;
    }

    internal bool TryAdd(AcpiOverride entry)
    {
        if (OverrideCount == MaxOverrides)
        {
            return false;
        }

        fixed (uint* overrides = _overrides)
        {
            ((AcpiOverride*)overrides)[OverrideCount++] = entry;
        }

        return true;
    }

    internal bool TryAdd(AcpiNmi nmi)
    {
        if (NmiCount == MaxNmis)
        {
            return false;
        }

        fixed (uint* nmis = _nmis)
        {
            ((AcpiNmi*)nmis)[NmiCount++] = nmi;
        }

        return true;
    }

    public bool TryAdd(AcpiConfigSpace space)
    {
        if (ConfigSpaceCount == MaxConfigSpaces)
        {
            return false;
        }

        fixed (ulong* spaces = _configSpaces)
        {
            ((AcpiConfigSpace*)spaces)[ConfigSpaceCount++] = space;
        }

        return true;
    }
}
