// SPDX-License-Identifier: MIT
// Interrupts of devices by number: up to 255 the number is the GSI, beyond are messages in the order in which they were
// asked for. Domains name physical interrupts (pirq) by the same numbers, so there is no translation to keep; what they
// need is the right to one, which map_pirq grants.
//
// Life of an interrupt: map_pirq assigns a vector and notes the domain; bind_pirq programs and unmasks the source; each
// occurrence raises the port; closing the port masks the source again; unmap_pirq takes vector and right away.
//
// Edges and messages are acknowledged at once and may come again at any time: the port's pending bit absorbs them. A
// level-triggered pin is masked before it is acknowledged and stays so until every domain that got it has said it is
// done (PHYSDEVOP_eoi, or unmasking the port): no priority of the local APIC is held meanwhile, and a guest that
// never answers blocks its own device and those on the same line.
//
// Storms, and domains that sit on a shared line: IrqThrottle.
//
// Locking: s_lock covers allocation and the table of vectors; each descriptor has its own lock, under which ports are
// raised: nobody binds or unbinds with an event table's lock held.

using System.Threading;
using Hypervisor.Core.Events;

namespace Hypervisor.Core.Interrupts;

/// <summary>All interrupts of devices, and the vectors they use.</summary>
public static unsafe class IrqTable
{
    /// <summary>Numbers below are GSIs.</summary>
    public const uint FirstMessage = 256;
    public const uint Size = 512;

    /// <summary>Bytes that <see cref="Initialise"/> wants, zeroed.</summary>
    public static ulong MemorySize => (Size * (ulong)sizeof(IrqDescriptor)) + (256 * sizeof(ushort));

    private const uint IsaIrqs = 16;

    private static IrqDescriptor* s_irqs;
    private static ushort* s_irqOfVector;
    private static SpinLock s_lock;
    private static long s_strays;
    private static long s_spurious;

    /// <summary>Interrupts on vectors that nobody has asked for.</summary>
    public static ulong Strays => (ulong)Volatile.Read(ref s_strays);

    /// <summary>Interrupts that the local APIC withdrew before they were served (its spurious vector).</summary>
    public static ulong Spurious => (ulong)Volatile.Read(ref s_spurious);

    /// <summary>Gives the table its memory. Once, at boot.</summary>
    public static void Initialise(void* memory)
    {
        s_irqOfVector = (ushort*)((byte*)memory + (Size * (ulong)sizeof(IrqDescriptor)));
        for (uint gsi = 0; gsi < FirstMessage; gsi++)
        {
            // ISA signals by edges, PCI by low levels; the MADT and Domain-0 know the exceptions.
            IrqDescriptor* irq = (IrqDescriptor*)memory + gsi;
            irq->IsLevel = gsi >= IsaIrqs;
            irq->IsActiveLow = irq->IsLevel;
        }

        s_irqs = (IrqDescriptor*)memory;
        s_strays = 0;
        s_spurious = 0;
    }

    /// <summary>The spurious vector has come: nothing is to be served or ended.</summary>
    public static void CountSpurious() => _ = Interlocked.Add(ref s_spurious, 1);

    /// <summary>Takes over what the firmware says of ISA interrupts.</summary>
    public static void ApplyOverrides(Acpi.AcpiInformation* acpi)
    {
        for (int i = 0; i < acpi->OverrideCount; i++)
        {
            Acpi.AcpiOverride entry = acpi->Override(i);
            if (entry.Gsi < FirstMessage)
            {
                s_irqs[entry.Gsi].IsLevel = entry.Mode.IsLevel;
                s_irqs[entry.Gsi].IsActiveLow = entry.Mode.IsActiveLow;
            }
        }
    }

    /// <summary>The descriptor, or null where the number is none.</summary>
    internal static IrqDescriptor* Get(uint irq) => irq < Size && s_irqs != null ? s_irqs + irq : null;

    internal static uint NumberOf(IrqDescriptor* irq) => (uint)(irq - s_irqs);

    /// <summary>Gives the pin a vector if it has none; null where there is no such pin or no vector is left.</summary>
    internal static IrqDescriptor* TakePin(uint gsi)
    {
        if (gsi >= FirstMessage || s_irqs == null || !Machine.HasGsi(gsi))
        {
            return null;
        }

        s_lock.Acquire();
        IrqDescriptor* irq = s_irqs + gsi;
        bool taken = irq->Vector != 0 || TryAssignVector(gsi);
        if (taken)
        {
            irq->Kind = IrqKind.Pin;
        }

        s_lock.Release();
        return taken ? irq : null;
    }

    /// <summary>A free descriptor for a message, with a vector; null where numbers or vectors have run out.</summary>
    public static IrqDescriptor* TakeMessage(IrqKind kind)
    {
        if (s_irqs == null)
        {
            return null;
        }

        IrqDescriptor* found = null;
        s_lock.Acquire();
        for (uint number = FirstMessage; number < Size && found == null; number++)
        {
            if (s_irqs[number].Kind == IrqKind.None && TryAssignVector(number))
            {
                found = s_irqs + number;
                found->Kind = kind;
                found->IsLevel = false;
                found->IsStorming = false;
                found->Cpu = 0;
                found->Count = 0;
                found->WindowCount = 0;
                found->Storms = 0;
                found->IsSwitchedOff = false;
            }
        }

        s_lock.Release();
        return found;
    }

    /// <summary>Gives number and vector back. The source is masked and nobody has a binding.</summary>
    internal static void Release(IrqDescriptor* irq)
    {
        s_lock.Acquire();
        s_irqOfVector[irq->Vector] = 0;
        irq->Vector = 0;
        irq->Kind = IrqKind.None;
        irq->Internal = InternalIrq.None;
        irq->TableEntry = null;
        s_lock.Release();
    }

    /// <summary>Serves an interrupt on a dynamic vector, the EOI included.</summary>
    public static void Handle(int vector)
    {
        uint number = s_irqOfVector == null ? 0u : s_irqOfVector[vector & 0xFF];
        if (number == 0)
        {
            _ = Interlocked.Add(ref s_strays, 1);
            Machine.EndOfInterrupt();
            return;
        }

        IrqDescriptor* irq = s_irqs + (number - 1);
        irq->Lock.Acquire();
        if (irq->Vector != vector)
        {
            // Given back between the look-up and the lock.
            irq->Lock.Release();
            _ = Interlocked.Add(ref s_strays, 1);
            Machine.EndOfInterrupt();
            return;
        }

        irq->Count++;
        IrqThrottle.Count(irq, number - 1);
        InternalIrq handler = irq->Internal;
        if (handler != InternalIrq.None)
        {
            irq->Lock.Release();
            Machine.EndOfInterrupt();
            HandleInternal(handler);
            return;
        }

        if (irq->IsLevel)
        {
            Machine.MaskGsi(number - 1);
        }

        Machine.EndOfInterrupt();
        Raise(irq, number - 1);
        irq->Lock.Release();
    }

    /// <summary>Lets the hypervisor itself serve a pin.</summary>
    /// <returns>False where there is no such pin, or a domain has it.</returns>
    public static bool TryBindInternal(uint gsi, InternalIrq handler, uint cpu)
    {
        IrqDescriptor* irq = TakePin(gsi);
        if (irq == null)
        {
            return false;
        }

        irq->Lock.Acquire();
        bool free = !HasBinding(irq);
        if (free)
        {
            // An internal handler reads its device until it is quiet, so edges suffice for lines that are no PCI lines.
            irq->Internal = handler;
            irq->Cpu = cpu;
            IrqSource.Program(irq, gsi);
            IrqSource.Unmask(irq, gsi);
        }

        irq->Lock.Release();
        return free;
    }

    internal static bool HasBinding(IrqDescriptor* irq)
    {
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            if (IrqDescriptor.Binding(irq, i)->Domain != null)
            {
                return true;
            }
        }

        return false;
    }

    internal static bool IsBoundAtAll(IrqDescriptor* irq)
    {
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            IrqBinding* binding = IrqDescriptor.Binding(irq, i);
            if (binding->Domain != null && binding->IsBound)
            {
                return true;
            }
        }

        return false;
    }

    internal static bool IsInFlight(IrqDescriptor* irq)
    {
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            IrqBinding* binding = IrqDescriptor.Binding(irq, i);
            if (binding->Domain != null && binding->IsInFlight)
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryAssignVector(uint number)
    {
        for (int vector = Vector.FirstDynamic; vector <= Vector.LastDynamic; vector++)
        {
            // Guests reach these two by INT.
            if (vector is Vector.LegacySyscall or Vector.Hypercall || s_irqOfVector[vector] != 0)
            {
                continue;
            }

            s_irqOfVector[vector] = (ushort)(number + 1);
            s_irqs[number].Vector = (byte)vector;
            return true;
        }

        return false;
    }

    private static void Raise(IrqDescriptor* irq, uint number)
    {
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            IrqBinding* binding = IrqDescriptor.Binding(irq, i);

            if (binding->Domain != null && binding->IsBound)
            {
                binding->IsInFlight = irq->IsLevel;
                binding->RaisedAt = irq->IsLevel ? Machine.ReadTsc() : 0;
                EventDelivery.RaisePirq(binding->Domain, number);
            }
        }
    }

    private static void HandleInternal(InternalIrq handler)
    {
        switch (handler)
        {
            case InternalIrq.Console:
                Machine.ServeConsoleInterrupt();
                break;
            default:
                break;
        }
    }
}
