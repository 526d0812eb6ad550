// SPDX-License-Identifier: MIT
// What domains do with interrupts; see IrqTable for the life of one. A pirq is the irq of the same number to which the
// domain has been given the right.
// Locking: each call takes the descriptor's lock; no caller holds an event table's, which nests inside.

using Xen.Abi;

namespace Hypervisor.Core.Interrupts;

/// <summary>Physical interrupts of domains.</summary>
public static unsafe class PhysicalIrqs
{
    /// <summary>Gives the domain the right to a pin.</summary>
    /// <returns>Inval: no such pin. Busy: too many domains have it.</returns>
    public static Errno MapPin(Domain* domain, uint gsi)
    {
        IrqDescriptor* irq = IrqTable.TakePin(gsi);
        return irq == null ? Errno.Inval : Grant(irq, domain);
    }

    /// <summary>Gives the domain a message of a device.</summary>
    public static Errno MapMessage(
        Domain* domain, Pci.PciAddress device, bool isMsiX, uint entry, ulong statedTable, out uint pirq)
    {
        pirq = 0;
        Errno error = MessageInterrupts.Allocate(device, isMsiX, entry, statedTable, out IrqDescriptor* irq);
        if (error != Errno.Ok)
        {
            return error;
        }

        pirq = IrqTable.NumberOf(irq);
        return Grant(irq, domain);
    }

    /// <summary>Takes the right back, and the binding with it. The last one gives the interrupt itself back.</summary>
    /// <returns>Inval: the domain does not have it.</returns>
    public static Errno Unmap(Domain* domain, uint pirq)
    {
        IrqDescriptor* irq = IrqTable.Get(pirq);
        if (irq == null)
        {
            return Errno.Inval;
        }

        irq->Lock.Acquire();
        IrqBinding* binding = IrqDescriptor.BindingOf(irq, domain);
        if (binding != null)
        {
            StopBinding(irq, pirq, binding);
            *binding = default;
        }

        bool isLast = binding != null && irq->Internal == InternalIrq.None && !IrqTable.HasBinding(irq);
        irq->Lock.Release();
        if (isLast)
        {
            IrqTable.Release(irq);
        }

        return binding == null ? Errno.Inval : Errno.Ok;
    }

    /// <summary>The domain ends: everything it has is taken back.</summary>
    public static void ReleaseAll(Domain* domain)
    {
        for (uint number = 0; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            if (irq != null && irq->Kind != IrqKind.None)
            {
                _ = Unmap(domain, number); // most are not the domain's
            }
        }
    }

    /// <summary>Takes every message of a device away from whoever has it: the device goes.</summary>
    public static void ReleaseDevice(Pci.PciAddress device)
    {
        for (uint number = IrqTable.FirstMessage; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            for (int i = 0; irq != null && irq->Device.Raw == device.Raw && i < IrqDescriptor.MaxBindings; i++)
            {
                Domain* owner = irq->Kind == IrqKind.None ? null : IrqDescriptor.Binding(irq, i)->Domain;
                if (owner != null)
                {
                    _ = Unmap(owner, number); // the binding was just seen; a second caller may have been faster
                }
            }
        }
    }

    /// <summary>Routes the interrupt to the domain; <paramref name="share"/>: others may have it, too.</summary>
    /// <returns>Inval: the domain has no right to it. Busy: the hypervisor serves it itself, or another domain has it and
    /// either will not share.</returns>
    public static Errno Bind(Domain* domain, uint pirq, bool share)
    {
        IrqDescriptor* irq = IrqTable.Get(pirq);
        if (irq == null)
        {
            return Errno.Inval;
        }

        irq->Lock.Acquire();
        Errno error = BindLocked(irq, pirq, domain, share);
        irq->Lock.Release();
        return error;
    }

    /// <summary>The port is closed.</summary>
    public static void Unbind(Domain* domain, uint pirq)
    {
        IrqDescriptor* irq = IrqTable.Get(pirq);
        if (irq == null)
        {
            return;
        }

        irq->Lock.Acquire();
        IrqBinding* binding = IrqDescriptor.BindingOf(irq, domain);
        if (binding != null)
        {
            StopBinding(irq, pirq, binding);
        }

        irq->Lock.Release();
    }

    /// <summary>The domain unmasked the port: it is done with the last occurrence.</summary>
    public static void OnUnmask(Domain* domain, uint pirq) => _ = End(domain, pirq);

    /// <summary>The domain has served its device (PHYSDEVOP_eoi): a level-triggered line may come again.</summary>
    /// <returns>Inval: the domain has no right to it.</returns>
    public static Errno End(Domain* domain, uint pirq)
    {
        IrqDescriptor* irq = IrqTable.Get(pirq);
        if (irq == null)
        {
            return Errno.Inval;
        }

        irq->Lock.Acquire();
        IrqBinding* binding = IrqDescriptor.BindingOf(irq, domain);
        if (binding != null && binding->IsInFlight)
        {
            binding->IsInFlight = false;
            UnmaskIfIdle(irq, pirq);
        }

        irq->Lock.Release();
        return binding == null ? Errno.Inval : Errno.Ok;
    }

    /// <summary>Delivers it on another CPU from now on: where the vCPU that serves it runs.</summary>
    public static void SetCpu(Domain* domain, uint pirq, uint cpu)
    {
        IrqDescriptor* irq = IrqTable.Get(pirq);
        if (irq == null)
        {
            return;
        }

        irq->Lock.Acquire();
        IrqBinding* binding = IrqDescriptor.BindingOf(irq, domain);
        if (binding != null && binding->IsBound && irq->Cpu != cpu)
        {
            IrqSource.Retarget(irq, pirq, cpu);
        }

        irq->Lock.Release();
    }

    /// <summary>How the line signals, as Domain-0 reads it from AML.</summary>
    /// <returns>Inval: no such pin. Exist: somebody has said so before, or has the line in use.</returns>
    public static Errno SetMode(uint gsi, bool isLevel, bool isActiveLow)
    {
        IrqDescriptor* irq = gsi < IrqTable.FirstMessage && Machine.HasGsi(gsi) ? IrqTable.Get(gsi) : null;
        if (irq == null)
        {
            return Errno.Inval;
        }

        irq->Lock.Acquire();
        bool isFirst = !irq->HasMode && irq->Internal == InternalIrq.None && !IrqTable.IsBoundAtAll(irq);
        if (isFirst)
        {
            irq->HasMode = true;
            irq->IsLevel = isLevel;
            irq->IsActiveLow = isActiveLow;
        }

        irq->Lock.Release();
        return isFirst ? Errno.Ok : Errno.Exist;
    }

    /// <summary>XENIRQSTAT bits: what the domain owes for each occurrence, and whether it shares.</summary>
    public static uint Status(Domain* domain, uint pirq)
    {
        IrqDescriptor* irq = IrqTable.Get(pirq);
        if (irq == null)
        {
            return 0;
        }

        irq->Lock.Acquire();
        IrqBinding* binding = IrqDescriptor.BindingOf(irq, domain);
        uint flags = binding != null && irq->IsLevel ? IrqStatusFlags.NeedsEoi : 0;
        if (binding != null && binding->IsBound && binding->WillShare)
        {
            flags |= IrqStatusFlags.Shared;
        }

        irq->Lock.Release();
        return flags;
    }

    /// <summary>True when the domain may name the interrupt.</summary>
    public static bool IsMapped(Domain* domain, uint pirq)
    {
        IrqDescriptor* irq = IrqTable.Get(pirq);
        return irq != null && irq->Kind != IrqKind.None && IrqDescriptor.BindingOf(irq, domain) != null;
    }

    private static Errno Grant(IrqDescriptor* irq, Domain* domain)
    {
        irq->Lock.Acquire();
        IrqBinding* binding = IrqDescriptor.BindingOf(irq, domain);
        if (binding == null)
        {
            binding = IrqDescriptor.BindingOf(irq, null);
            if (binding != null)
            {
                *binding = new IrqBinding { Domain = domain };
            }
        }

        irq->Lock.Release();
        return binding == null ? Errno.Busy : Errno.Ok;
    }

    private static Errno BindLocked(IrqDescriptor* irq, uint pirq, Domain* domain, bool share)
    {
        IrqBinding* binding = IrqDescriptor.BindingOf(irq, domain);
        if (binding == null || irq->Kind == IrqKind.None)
        {
            return Errno.Inval;
        }

        if (binding->IsBound || irq->Internal != InternalIrq.None)
        {
            return Errno.Busy;
        }

        bool isFirst = true;
        for (int i = 0; i < IrqDescriptor.MaxBindings; i++)
        {
            IrqBinding* other = IrqDescriptor.Binding(irq, i);
            if (other->Domain != null && other->IsBound)
            {
                if (!share || !other->WillShare)
                {
                    return Errno.Busy;
                }

                isFirst = false;
            }
        }

        binding->IsBound = true;
        binding->WillShare = share;
        binding->IsInFlight = false;
        if (isFirst)
        {
            irq->IsStorming = false;
            irq->WindowCount = 0;
            if (irq->IsSwitchedOff)
            {
                irq->IsSwitchedOff = false;
                MessageInterrupts.SwitchOn(irq);
            }

            if (irq->Kind == IrqKind.Pin)
            {
                Machine.ClearStuckGsi(pirq);
            }

            IrqSource.Program(irq, pirq);
            IrqSource.Unmask(irq, pirq);
        }

        return Errno.Ok;
    }

    private static void StopBinding(IrqDescriptor* irq, uint pirq, IrqBinding* binding)
    {
        bool wasBound = binding->IsBound;
        binding->IsBound = false;
        binding->IsInFlight = false;
        if (!wasBound)
        {
            return;
        }

        if (!IrqTable.IsBoundAtAll(irq))
        {
            _ = IrqSource.TryMask(irq, pirq); // what has no mask is dropped when it arrives
        }
        else
        {
            UnmaskIfIdle(irq, pirq);
        }
    }

    /// <summary>A level-triggered line may come again when nobody has it in flight.</summary>
    internal static void UnmaskIfIdle(IrqDescriptor* irq, uint pirq)
    {
        if (!IrqTable.IsInFlight(irq) && IrqTable.IsBoundAtAll(irq) && !irq->IsStorming)
        {
            IrqSource.Unmask(irq, pirq);
        }
    }
}
