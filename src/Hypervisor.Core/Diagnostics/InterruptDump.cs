// SPDX-License-Identifier: MIT

using Hypervisor.Core.Acpi;
using Hypervisor.Core.Interrupts;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Debug keys i, M and z: interrupts of devices, their messages, the I/O APICs.</summary>
public static unsafe class InterruptDump
{
    private const uint RegisterVersion = 1;
    private const uint FirstEntry = 0x10;

    /// <summary>Every interrupt in use, with its domains.</summary>
    public static void Print()
    {
        Log.Error("interrupts: "u8).Decimal(IrqTable.Strays).Text(" on vectors of nobody, "u8)
            .Decimal(IrqTable.Spurious).Text(" spurious"u8).End();
        for (uint number = 0; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            if (irq != null && irq->Kind != IrqKind.None)
            {
                irq->Lock.Acquire();
                Print(irq, number);
                irq->Lock.Release();
            }
        }
    }

    /// <summary>Every message, with the function that sends it and what is in its registers.</summary>
    public static void PrintMessages()
    {
        Log.Error("messages:"u8).End();
        for (uint number = IrqTable.FirstMessage; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            if (irq == null || irq->Kind is not (IrqKind.Msi or IrqKind.MsiX))
            {
                continue;
            }

            irq->Lock.Acquire();
            if (irq->Kind is IrqKind.Msi or IrqKind.MsiX)
            {
                MessageInterrupts.ReadBack(irq, out ulong address, out uint data, out bool isMasked);
                Log.Error("  irq "u8).Decimal(number).Text(irq->Kind == IrqKind.Msi ? " MSI "u8 : " MSI-X "u8)
                    .Hex(irq->Device.Segment, 4).Text(":"u8).Hex(irq->Device.Raw >> 8 & 0xFF, 2).Text(":"u8)
                    .Hex(irq->Device.Raw >> 3 & 0x1F, 2).Text("."u8).Decimal(irq->Device.Raw & 7)
                    .Text(" entry "u8).Decimal((uint)irq->Entry).Text(" vector "u8).Hex(irq->Vector, 2)
                    .Text(" address "u8).Hex(address, 8).Text(" data "u8).Hex(data, 4)
                    .Text(!irq->CanMask ? " no mask"u8 : isMasked ? " masked"u8 : ""u8)
                    .Text(irq->IsSwitchedOff ? " switched off"u8 : ""u8).End();
            }

            irq->Lock.Release();
        }
    }

    /// <summary>Redirection entries as they stand in the controllers.</summary>
    public static void PrintControllers()
    {
        AcpiInformation* acpi = AcpiTables.Current;
        Log.Error("I/O APICs: "u8).Decimal(acpi == null ? 0 : acpi->IoApicCount).End();
        for (int i = 0; acpi != null && i < acpi->IoApicCount; i++)
        {
            AcpiIoApic controller = acpi->IoApic(i);
            uint version;
            if (!Machine.TryReadIoApic(controller.Address, RegisterVersion, &version))
            {
                Log.Error("I/O APIC at "u8).Hex(controller.Address).Text(": not in use"u8).End();
                continue;
            }

            uint pins = (version >> 16 & 0xFF) + 1;
            Log.Error("I/O APIC at "u8).Hex(controller.Address).Text(": version "u8).Hex(version & 0xFF, 2)
                .Text(", interrupts "u8).Decimal(controller.GsiBase).Text(" to "u8)
                .Decimal(controller.GsiBase + pins - 1).End();
            for (uint pin = 0; pin < pins; pin++)
            {
                uint low;
                uint high;
                if (Machine.TryReadIoApic(controller.Address, FirstEntry + (2 * pin), &low)
                    && Machine.TryReadIoApic(controller.Address, FirstEntry + (2 * pin) + 1, &high)
                    && (low & 0xFF) != 0)
                {
                    PrintEntry(controller.GsiBase + pin, low, high);
                }
            }
        }
    }

    private static void PrintEntry(uint gsi, uint low, uint high) =>
        Log.Error("  pin of irq "u8).Decimal(gsi).Text(" vector "u8).Hex(low & 0xFF, 2)
            .Text(" APIC "u8).Decimal(high >> 24)
            .Text((low & 1 << 15) != 0 ? " level"u8 : " edge"u8)
            .Text((low & 1 << 13) != 0 ? " low"u8 : " high"u8)
            .Text((low & 1 << 12) != 0 ? " sending"u8 : ""u8)
            .Text((low & 1 << 14) != 0 ? " awaits EOI"u8 : ""u8)
            .Text((low & 1 << 16) != 0 ? " masked"u8 : ""u8).End();

    private static void Print(IrqDescriptor* irq, uint number)
    {
        LogLine line = Log.Error("  irq "u8).Decimal(number).Text(" vector "u8).Hex(irq->Vector, 2)
            .Text(irq->Kind == IrqKind.Pin ? irq->IsLevel ? " level"u8 : " edge"u8 : " message"u8)
            .Text(" CPU "u8).Decimal(irq->Cpu).Text(" count "u8).Decimal(irq->Count);
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            IrqBinding* binding = IrqDescriptor.Binding(irq, i);
            if (binding->Domain != null)
            {
                line = line.Text(" d"u8).Decimal((uint)binding->Domain->Id)
                    .Text(binding->IsInFlight ? " in flight"u8 : binding->IsBound ? " bound"u8 : " mapped"u8);
            }
        }

        if (irq->Storms != 0)
        {
            line = line.Text(" storms "u8).Decimal(irq->Storms);
        }

        line.Text(irq->Internal != InternalIrq.None ? " hypervisor"u8 : ""u8)
            .Text(irq->IsStorming ? " held back"u8 : ""u8).End();
    }
}
