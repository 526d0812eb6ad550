// SPDX-License-Identifier: MIT

using Hypervisor.Core.Acpi;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Time;
using Hypervisor.Core.Traps;
using Hypervisor.X64.Apic;
using Hypervisor.X64.Console;
using Hypervisor.X64.Timers;

namespace Hypervisor.X64.Boot;

/// <summary>Clocks and interrupt controllers.</summary>
public static unsafe class InterruptSetup
{
    private const ulong HpetLength = 0x400;

    /// <summary>Measures the time stamp counter, then sets up local APIC, I/O APICs and the tables of interrupts.</summary>
    public static void Prepare()
    {
        AcpiInformation* acpi = BootData.Acpi;
        if (!Tsc.TryCalibrate(acpi))
        {
            Boot.Stop("no timer: "u8, "neither the ACPI timer nor the PIT counts, so the time stamp counter's rate is unknown"u8);
        }

        SystemTime.Calibrate(Tsc.Hertz);
        SystemTime.IsTscStable = true;
        ClockWatch.Start(Tsc.Watcher, Tsc.IsInvariant);
        LegacyPic.Disable();
        Pit.Silence();
        if (!LocalApic.TryInitialise(acpi, BootData.Options->UseX2Apic))
        {
            Boot.Stop("no local APIC: "u8, "the processor reports none"u8);
        }

        LocalApic.EnableOnThisCpu(acpi, 0);
        if (!LocalApic.TryCalibrateTimer(Tsc.Hertz))
        {
            Boot.Stop("no timer: "u8, "the local APIC's timer does not count"u8);
        }

        int orders = 0;
        while ((MemoryLayout.PageSize << orders) < IrqTable.MemorySize)
        {
            orders++;
        }

        IrqTable.Initialise(PageAllocator.AllocatePages(orders));
        int controllers = IoApic.Discover(acpi);
        IrqTable.ApplyOverrides(acpi);
        for (int index = 0; index < acpi->IoApicCount; index++)
        {
            _ = DeviceMemoryRules.Refuse(Mfn.OfAddress(acpi->IoApic(index).Address), 1);
        }

        KeepConfigurationSpace(acpi);
        Consoles.Connect(acpi);
        Log.Info("time stamp counter "u8).Decimal(Tsc.Hertz / 1000).Text(" kHz "u8)
            .Text("("u8).Text(Tsc.Describe(Tsc.Source)).Text(")"u8).Text(", I/O APICs: "u8).Decimal(controllers).End();
        Wallclock.Set(Rtc.ReadSeconds(acpi), 0);

        Machine.Cpu->LocalApicId = LocalApic.Id;
        _ = DeviceMemoryRules.Refuse(Mfn.OfAddress(LocalApic.PhysicalAddress), 1);
        PortAccess.SetOwnSerialPorts(Consoles.OwnedPort(0), Consoles.OwnedPort(1));
    }

    /// <summary>Domain-0's writes to configuration space in memory are looked at like those by the ports.</summary>
    private static void KeepConfigurationSpace(AcpiInformation* acpi)
    {
        ReadOnlyDeviceMemory.Initialise();
        if (acpi->HasHpet)
        {
            // It is read here, and Domain-0 may read it.
            _ = ReadOnlyDeviceMemory.Add(ReadOnlyDeviceMemory.NoDevice, acpi->HpetAddress, HpetLength);
        }

        for (int index = 0; index < acpi->ConfigSpaceCount; index++)
        {
            AcpiConfigSpace space = acpi->ConfigSpace(index);
            _ = ReadOnlyDeviceMemory.Add(
                ReadOnlyDeviceMemory.NoDevice,
                space.Address + ((ulong)space.FirstBus << 20),
                (ulong)(space.LastBus - space.FirstBus + 1) << 20);
        }
    }
}
