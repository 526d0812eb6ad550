// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Interrupts;

/// <summary>Masks and programs an interrupt where it comes from: pin or message. The caller holds the descriptor's
/// lock.</summary>
internal static unsafe class IrqSource
{
    /// <summary>Writes vector and destination; the source is masked afterwards, if it can be.</summary>
    internal static void Program(IrqDescriptor* irq, uint number)
    {
        uint apicId = Machine.CpuOf(irq->Cpu)->LocalApicId;
        if (irq->Kind == IrqKind.Pin)
        {
            Machine.ProgramGsi(number, irq->Vector, apicId, irq->IsLevel, irq->IsActiveLow);
        }
        else
        {
            MessageInterrupts.Program(irq, apicId);
        }
    }

    /// <summary>Sends it to another CPU without changing the mask.</summary>
    internal static void Retarget(IrqDescriptor* irq, uint number, uint cpu)
    {
        irq->Cpu = cpu;
        uint apicId = Machine.CpuOf(cpu)->LocalApicId;
        if (irq->Kind == IrqKind.Pin)
        {
            Machine.SetGsiDestination(number, apicId);
        }
        else
        {
            MessageInterrupts.Retarget(irq, apicId);
        }
    }

    /// <summary>False where the source has no mask: an MSI function without per-vector masking.</summary>
    internal static bool TryMask(IrqDescriptor* irq, uint number)
    {
        switch (irq->Kind)
        {
            case IrqKind.Pin:
                Machine.MaskGsi(number);
                return true;
            case IrqKind.Msi:
            case IrqKind.MsiX:
                return MessageInterrupts.TrySetMask(irq, true);
            default:
                return false;
        }
    }

    /// <summary>Keeps the source from interrupting, by its mask or, where it has none, by switching messages off.</summary>
    internal static void Hold(IrqDescriptor* irq, uint number)
    {
        if (!TryMask(irq, number))
        {
            irq->IsSwitchedOff = MessageInterrupts.TrySwitchOff(irq);
        }
    }

    /// <summary>Undoes <see cref="Hold"/>.</summary>
    internal static void LetGo(IrqDescriptor* irq, uint number)
    {
        if (irq->IsSwitchedOff)
        {
            irq->IsSwitchedOff = false;
            MessageInterrupts.SwitchOn(irq);
        }

        Unmask(irq, number);
    }

    internal static void Unmask(IrqDescriptor* irq, uint number)
    {
        if (irq->Kind == IrqKind.Pin)
        {
            Machine.UnmaskGsi(number);
        }
        else
        {
            _ = MessageInterrupts.TrySetMask(irq, false); // what cannot be masked is not masked
        }
    }
}
