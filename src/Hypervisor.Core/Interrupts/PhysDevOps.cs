// SPDX-License-Identifier: MIT
// physdev_op: what a domain that drives devices asks about interrupts, ports and PCI functions. Any domain may set its
// port privileges (which matter only to one with hardware access) and serve interrupts it was given; the rest is the
// privileged domain's.

using Hypervisor.Core.Pci;
using Xen.Abi;

namespace Hypervisor.Core.Interrupts;

/// <summary>Bodies of <c>physdev_op</c>.</summary>
public static unsafe class PhysDevOps
{
    private const uint MaxPorts = 65536;

    public static HypercallResult Dispatch(Vcpu* vcpu, uint command, ulong argument, CpuUserRegs* frame) =>
        (PhysDevCommand)command switch
        {
            PhysDevCommand.SetIopl => SetIopl(vcpu, argument),
            PhysDevCommand.SetIoBitmap => SetIoBitmap(vcpu, argument),
            PhysDevCommand.Eoi => Eoi(vcpu->Domain, argument),
            PhysDevCommand.IrqStatusQuery => QueryStatus(vcpu->Domain, argument),

            // There is no shared bitmap of interrupts to end (pirq_eoi_gmfn): guests ask about each instead.
            _ => !IsPrivileged((PhysDevCommand)command) ? Errno.NoSys
                : !vcpu->Domain->IsPrivileged ? Errno.Perm
                : DispatchPrivileged(vcpu->Domain, command, argument),
        };

    /// <summary>What there is, but not for everybody.</summary>
    private static bool IsPrivileged(PhysDevCommand command) => command
        is PhysDevCommand.ApicRead or PhysDevCommand.ApicWrite or PhysDevCommand.AllocIrqVector
        or PhysDevCommand.FreeIrqVector or PhysDevCommand.MapPirq or PhysDevCommand.UnmapPirq or PhysDevCommand.SetupGsi
        or PhysDevCommand.PciDeviceAdd or PhysDevCommand.PciDeviceRemove or PhysDevCommand.RestoreMsiExt
        or PhysDevCommand.PrepareMsix or PhysDevCommand.ReleaseMsix or PhysDevCommand.ManagePciAdd
        or PhysDevCommand.ManagePciRemove or PhysDevCommand.RestoreMsi or PhysDevCommand.ManagePciAddExt
        or PhysDevCommand.PciMmCfgReserved or PhysDevCommand.DbgpOp;

    private static HypercallResult DispatchPrivileged(Domain* domain, uint command, ulong argument) =>
        (PhysDevCommand)command switch
        {
            PhysDevCommand.ApicRead => ReadApic(argument),
            PhysDevCommand.ApicWrite => WriteApic(argument),
            PhysDevCommand.AllocIrqVector => AllocateVector(argument),
            PhysDevCommand.FreeIrqVector => Errno.Ok,
            PhysDevCommand.MapPirq => Map(domain, argument),
            PhysDevCommand.UnmapPirq => Unmap(domain, argument),
            PhysDevCommand.SetupGsi => SetupGsi(argument),
            PhysDevCommand.PciDeviceAdd => WithDevice(command, argument, (nuint)sizeof(PhysDevPciDeviceAdd)),
            PhysDevCommand.PciDeviceRemove or PhysDevCommand.RestoreMsiExt or PhysDevCommand.PrepareMsix
                or PhysDevCommand.ReleaseMsix => WithDevice(command, argument, (nuint)sizeof(PhysDevPciDevice)),
            PhysDevCommand.ManagePciAdd or PhysDevCommand.ManagePciRemove or PhysDevCommand.RestoreMsi
                or PhysDevCommand.ManagePciAddExt => WithOldDevice(command, argument),
            PhysDevCommand.PciMmCfgReserved => ReserveConfigSpace(argument),
            PhysDevCommand.DbgpOp => DebugPort(argument),
            _ => Errno.NoSys,
        };

    private static Errno SetIopl(Vcpu* vcpu, ulong argument)
    {
        PhysDevSetIopl operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        if (operation.Iopl > 3)
        {
            return Errno.Inval;
        }

        vcpu->IoPrivilegeLevel = (byte)operation.Iopl;
        return Errno.Ok;
    }

    /// <summary>The bitmap is read when a port is used: here only its place is noted.</summary>
    private static Errno SetIoBitmap(Vcpu* vcpu, ulong argument)
    {
        PhysDevSetIoBitmap operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        if (operation.NrPorts > MaxPorts || !GuestMemory.IsOutsideHole(operation.Bitmap, MaxPorts / 8))
        {
            return Errno.Inval;
        }

        vcpu->IoBitmap = operation.Bitmap;
        vcpu->IoBitmapPorts = operation.NrPorts;
        return Errno.Ok;
    }

    private static Errno Eoi(Domain* domain, ulong argument)
    {
        PhysDevEoi operation;
        return !GuestMemory.Read(argument, &operation) ? Errno.Fault : PhysicalIrqs.End(domain, operation.Irq);
    }

    private static Errno QueryStatus(Domain* domain, ulong argument)
    {
        PhysDevIrqStatusQuery operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        if (operation.Irq >= IrqTable.Size)
        {
            return Errno.Inval;
        }

        operation.Flags = PhysicalIrqs.Status(domain, operation.Irq);
        return GuestMemory.Write(argument, &operation) ? Errno.Ok : Errno.Fault;
    }

    private static Errno ReadApic(ulong argument)
    {
        PhysDevApic operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        uint value;
        if (!Machine.TryReadIoApic(operation.ApicPhysbase, operation.Reg, &value))
        {
            return Errno.Inval;
        }

        operation.Value = value;
        return GuestMemory.Write(argument, &operation) ? Errno.Ok : Errno.Fault;
    }

    /// <summary>
    /// Kernels from before setup_gsi write redirection entries; vector and destination are not theirs, and what is left
    /// is how the line signals. Nothing of it is taken: setup_gsi says the same, and says for which interrupt.
    /// </summary>
    private static Errno WriteApic(ulong argument)
    {
        PhysDevApic operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        uint value;
        return Machine.TryReadIoApic(operation.ApicPhysbase, operation.Reg, &value) ? Errno.Perm : Errno.Inval;
    }

    private static Errno AllocateVector(ulong argument)
    {
        PhysDevIrq operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        IrqDescriptor* irq = IrqTable.TakePin(operation.Irq);
        if (irq == null)
        {
            return Errno.Inval;
        }

        operation.Vector = irq->Vector;
        return GuestMemory.Write(argument, &operation) ? Errno.Ok : Errno.Fault;
    }

    private static Errno SetupGsi(ulong argument)
    {
        PhysDevSetupGsi operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        return operation.Gsi < 0
            ? Errno.Inval
            : PhysicalIrqs.SetMode((uint)operation.Gsi, operation.Triggering != 0, operation.Polarity != 0);
    }

    private static Errno Map(Domain* caller, ulong argument)
    {
        PhysDevMapPirq operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        Domain* domain = DomainTable.TryGetOrSelf(caller, operation.Domid.Raw);
        if (domain == null)
        {
            return Errno.Srch;
        }

        Errno error = domain->IsDying ? Errno.Inval : Map(domain, &operation);
        if (error == Errno.Ok && !GuestMemory.Write(argument, &operation))
        {
            _ = PhysicalIrqs.Unmap(domain, (uint)operation.Pirq); // the caller never learnt of it
            error = Errno.Fault;
        }

        _ = DomainTable.Put(domain);
        return error;
    }

    private static Errno Map(Domain* domain, PhysDevMapPirq* operation)
    {
        switch ((MapPirqType)operation->Type)
        {
            case MapPirqType.Gsi:
                return MapPin(domain, operation);
            case MapPirqType.Msi:
                return MapMessage(domain, operation, 0);
            case MapPirqType.MsiSeg:
                return MapMessage(domain, operation, (uint)operation->Bus >> 16);
            case MapPirqType.MultiMsi:
                // One vector is what a driver falls back to.
                if (operation->EntryNr != 1)
                {
                    return Errno.OpNotSupp;
                }

                operation->EntryNr = 0;
                operation->TableBase = 0;
                Errno error = MapMessage(domain, operation, (uint)operation->Bus >> 16);
                operation->EntryNr = 1;
                return error;
            default:
                return Errno.Inval;
        }
    }

    /// <summary>Numbers are the same on both sides: a domain that wants another one cannot be served.</summary>
    private static Errno MapPin(Domain* domain, PhysDevMapPirq* operation)
    {
        if (operation->Index < 0 || (operation->Pirq >= 0 && operation->Pirq != operation->Index))
        {
            return Errno.Inval;
        }

        Errno error = PhysicalIrqs.MapPin(domain, (uint)operation->Index);
        operation->Pirq = operation->Index;
        return error;
    }

    private static Errno MapMessage(Domain* domain, PhysDevMapPirq* operation, uint segment)
    {
        if (operation->Pirq >= 0 || operation->EntryNr < 0)
        {
            return Errno.Inval;
        }

        PciAddress device = new(segment, (uint)operation->Bus & 0xFF, (uint)operation->DevFn);
        bool isMsiX = operation->TableBase != 0;
        Errno error = PhysicalIrqs.MapMessage(
            domain, device, isMsiX, isMsiX ? (uint)operation->EntryNr : 0, operation->TableBase, out uint pirq);
        operation->Pirq = (int)pirq;
        return error;
    }

    private static Errno Unmap(Domain* caller, ulong argument)
    {
        PhysDevUnmapPirq operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        if (operation.Pirq < 0)
        {
            return Errno.Inval;
        }

        Domain* domain = DomainTable.TryGetOrSelf(caller, operation.Domid.Raw);
        if (domain == null)
        {
            return Errno.Srch;
        }

        Errno error = PhysicalIrqs.Unmap(domain, (uint)operation.Pirq);
        _ = DomainTable.Put(domain);
        return error;
    }

    /// <summary>Both structures begin with segment, bus and devfn.</summary>
    private static Errno WithDevice(uint command, ulong argument, nuint length)
    {
        PhysDevPciDeviceAdd operation = default;
        if (!GuestMemory.Read(argument, &operation, length))
        {
            return Errno.Fault;
        }

        return OnDevice((PhysDevCommand)command, new PciAddress(operation.Seg, operation.Bus, operation.DevFn));
    }

    private static Errno WithOldDevice(uint command, ulong argument)
    {
        PhysDevManagePci operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        return OnDevice((PhysDevCommand)command, new PciAddress(0, operation.Bus, operation.DevFn));
    }

    private static Errno OnDevice(PhysDevCommand command, PciAddress device)
    {
        switch (command)
        {
            case PhysDevCommand.PciDeviceRemove:
            case PhysDevCommand.ManagePciRemove:
                PhysicalIrqs.ReleaseDevice(device);
                MessageInterrupts.Unprotect(device);
                return Errno.Ok;
            case PhysDevCommand.RestoreMsi:
            case PhysDevCommand.RestoreMsiExt:
                return MessageInterrupts.Restore(device) == 0 ? Errno.Srch : Errno.Ok;
            case PhysDevCommand.PrepareMsix:
                return MessageInterrupts.Protect(device, 0);
            case PhysDevCommand.ReleaseMsix:
                return ReleaseTable(device);
            default:
                // Before its driver maps the table; a function without one, or without addresses yet, has none to keep.
                _ = MessageInterrupts.Protect(device, 0);

                // A function beyond the reach of the configuration ports is Domain-0's to know.
                return device.Segment != 0 || PciConfig.Exists(device) ? Errno.Ok : Errno.NoDev;
        }
    }

    private static Errno ReleaseTable(PciAddress device)
    {
        if (MessageInterrupts.IsUsed(device, IrqKind.MsiX))
        {
            return Errno.Busy;
        }

        MessageInterrupts.Unprotect(device);
        return Errno.Ok;
    }

    /// <summary>Domain-0 tells where configuration space is in memory; the hypervisor stays with the ports.</summary>
    private static Errno ReserveConfigSpace(ulong argument)
    {
        PhysDevPciMmCfgReserved operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        return operation.StartBus > operation.EndBus ? Errno.Inval : Errno.Ok;
    }

    /// <summary>No debug port of a USB controller is the hypervisor's: Domain-0 may reset it at will.</summary>
    private static Errno DebugPort(ulong argument)
    {
        PhysDevDbgpOp operation;
        if (!GuestMemory.Read(argument, &operation))
        {
            return Errno.Fault;
        }

        return operation.Op is (byte)DebugPortOperation.Prepare or (byte)DebugPortOperation.Done
            ? Errno.Ok
            : Errno.Inval;
    }
}
