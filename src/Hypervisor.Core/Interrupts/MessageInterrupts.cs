// SPDX-License-Identifier: MIT
// Message-signalled interrupts (PCI Local Bus 3.0 §6.8): a device writes Data to Address, and the address names a
// local APIC (Intel SDM Vol. 3A §11.11), so that whoever writes these registers decides which vector is raised where.
// That is the hypervisor alone. Domain-0 enables and disables the capability as a whole by its control register, as
// it does without us.
//
// MSI keeps one message in configuration space, whose registers domains' writes do not reach (IsProtected); MSI-X has a
// table in a memory BAR, of which the hypervisor maps one page a message and domains none writable
// (ReadOnlyDeviceMemory).

using Hypervisor.Core.Mmu;
using Hypervisor.Core.Pci;
using Xen.Abi;

namespace Hypervisor.Core.Interrupts;

/// <summary>MSI and MSI-X of devices.</summary>
public static unsafe class MessageInterrupts
{
    private const uint AddressBase = 0xFEE0_0000;

    // MSI capability.
    private const uint Control = 2;
    private const uint AddressLow = 4;
    private const uint AddressHigh = 8;
    private const uint ControlWide = 1 << 7;
    private const uint ControlCanMask = 1 << 8;
    private const uint ControlMultiple = 7 << 4;
    private const uint ControlMsiEnable = 1;

    // MSI-X capability and table entry, in words.
    private const uint TableLocation = 4;
    private const uint TableSizeMask = 0x7FF;
    private const uint PendingLocation = 8;
    private const uint BarIndexMask = 7;
    private const uint EntrySize = 16;
    private const int EntryAddressLow = 0;
    private const int EntryAddressHigh = 1;
    private const int EntryData = 2;
    private const int EntryControl = 3;
    private const uint EntryMasked = 1;

    private const uint Command = 4;
    private const uint CommandMemory = 1 << 1;
    private const uint FirstBar = 0x10;

    /// <summary>Prepares a message of a function and writes it, masked where that is possible.</summary>
    /// <param name="device">The function.</param>
    /// <param name="isMsiX">Which of its capabilities.</param>
    /// <param name="entry">Entry of the MSI-X table.</param>
    /// <param name="statedTable">Where Domain-0 says the table's BAR is: for functions whose BARs read as zero.</param>
    /// <param name="irq">The new interrupt; null unless Ok.</param>
    /// <returns>NoDev: no such function or capability; Inval: no such entry; Busy: the message is in use; NoSpace: no
    /// number, vector or mapping left.</returns>
    internal static Errno Allocate(
        PciAddress device, bool isMsiX, uint entry, ulong statedTable, out IrqDescriptor* irq)
    {
        irq = null;
        uint capability = PciCapability.Find(device, isMsiX ? PciCapability.MsiX : PciCapability.Msi);
        if (capability == 0)
        {
            return Errno.NoDev;
        }

        uint control = PciConfig.Read(device, capability + Control, 2);
        if (entry > (isMsiX ? control & TableSizeMask : 0))
        {
            return Errno.Inval;
        }

        if (Find(device, isMsiX, entry) != null)
        {
            return Errno.Busy;
        }

        uint* tableEntry = null;
        if (isMsiX)
        {
            Errno error = MapEntry(device, capability, entry, statedTable, out tableEntry);
            if (error != Errno.Ok)
            {
                return error;
            }
        }

        irq = IrqTable.TakeMessage(isMsiX ? IrqKind.MsiX : IrqKind.Msi);
        if (irq == null)
        {
            return Errno.NoSpace;
        }

        irq->Device = device;
        irq->Capability = (byte)capability;
        irq->Entry = (ushort)entry;
        irq->IsWide = (control & ControlWide) != 0;
        irq->CanMask = isMsiX || (control & ControlCanMask) != 0;
        irq->TableEntry = tableEntry;
        irq->Lock.Acquire();
        IrqSource.Program(irq, IrqTable.NumberOf(irq));
        irq->Lock.Release();
        return Errno.Ok;
    }

    /// <summary>Writes address and data; masked first, so that no half-written message leaves.</summary>
    internal static void Program(IrqDescriptor* irq, uint apicId)
    {
        _ = TrySetMask(irq, true);
        WriteMessage(irq, apicId);
    }

    internal static void Retarget(IrqDescriptor* irq, uint apicId)
    {
        bool wasMasked = IsMasked(irq);
        if (irq->CanMask && !wasMasked)
        {
            _ = TrySetMask(irq, true);
        }

        WriteMessage(irq, apicId);
        if (irq->CanMask && !wasMasked)
        {
            _ = TrySetMask(irq, false);
        }
    }

    internal static bool TrySetMask(IrqDescriptor* irq, bool masked)
    {
        if (irq->Kind == IrqKind.MsiX)
        {
            uint control = Machine.ReadDevice32(irq->TableEntry + EntryControl);
            Machine.WriteDevice32(
                irq->TableEntry + EntryControl, masked ? control | EntryMasked : control & ~EntryMasked);

            // The write is posted; the read brings it to the device before the caller goes on.
            _ = Machine.ReadDevice32(irq->TableEntry + EntryControl);
            return true;
        }

        if (!irq->CanMask)
        {
            return false;
        }

        uint register = MaskRegister(irq);
        uint bits = PciConfig.Read(irq->Device, register, 4);
        PciConfig.Write(irq->Device, register, 4, masked ? bits | 1 : bits & ~1u);
        return true;
    }

    /// <summary>Clears the enable bit of an MSI capability; false when it was clear or the function has no such
    /// bit.</summary>
    internal static bool TrySwitchOff(IrqDescriptor* irq)
    {
        uint register = irq->Capability + Control;
        uint control = irq->Kind == IrqKind.Msi ? PciConfig.Read(irq->Device, register, 2) : 0;
        if ((control & ControlMsiEnable) == 0)
        {
            return false;
        }

        PciConfig.Write(irq->Device, register, 2, control & ~ControlMsiEnable);
        return true;
    }

    /// <summary>Sets the bit that <see cref="TrySwitchOff"/> has cleared.</summary>
    internal static void SwitchOn(IrqDescriptor* irq)
    {
        uint register = irq->Capability + Control;
        PciConfig.Write(irq->Device, register, 2, PciConfig.Read(irq->Device, register, 2) | ControlMsiEnable);
    }

    /// <summary>Keeps domains from writing the function's MSI-X table and pending bits, where its BARs are now.</summary>
    /// <returns>NoDev: no such function or capability. NxIo: its BARs name no device memory. NoSpace: too many
    /// tables.</returns>
    internal static Errno Protect(PciAddress device, ulong statedTable)
    {
        uint capability = PciCapability.Find(device, PciCapability.MsiX);
        if (capability == 0)
        {
            return Errno.NoDev;
        }

        uint entries = (PciConfig.Read(device, capability + Control, 2) & TableSizeMask) + 1;
        ulong table = Locate(device, capability + TableLocation, statedTable);
        if (table == 0)
        {
            return Errno.NxIo;
        }

        ReadOnlyDeviceMemory.Remove(device.Raw);
        ulong pending = Locate(device, capability + PendingLocation, 0);
        bool isKept = ReadOnlyDeviceMemory.Add(device.Raw, table, entries * EntrySize)
            && (pending == 0 || ReadOnlyDeviceMemory.Add(device.Raw, pending, (entries + 63) / 64 * 8));
        return isKept ? Errno.Ok : Errno.NoSpace;
    }

    /// <summary>The function goes, or gives its table up.</summary>
    internal static void Unprotect(PciAddress device) => ReadOnlyDeviceMemory.Remove(device.Raw);

    /// <summary>What the message's registers hold now.</summary>
    internal static void ReadBack(IrqDescriptor* irq, out ulong address, out uint data, out bool isMasked)
    {
        isMasked = IsMasked(irq);
        if (irq->Kind == IrqKind.MsiX)
        {
            address = Machine.ReadDevice32(irq->TableEntry + EntryAddressLow)
                | ((ulong)Machine.ReadDevice32(irq->TableEntry + EntryAddressHigh) << 32);
            data = Machine.ReadDevice32(irq->TableEntry + EntryData);
            return;
        }

        address = PciConfig.Read(irq->Device, irq->Capability + AddressLow, 4);
        if (irq->IsWide)
        {
            address |= (ulong)PciConfig.Read(irq->Device, irq->Capability + AddressHigh, 4) << 32;
        }

        data = PciConfig.Read(irq->Device, DataRegister(irq), 2);
    }

    /// <summary>Writes every message of a function again, after a reset or a sleep lost them.</summary>
    /// <returns>Messages written.</returns>
    internal static int Restore(PciAddress device)
    {
        int count = 0;
        for (uint number = IrqTable.FirstMessage; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            if (irq == null || irq->Kind == IrqKind.None || irq->Device.Raw != device.Raw)
            {
                continue;
            }

            irq->Lock.Acquire();
            IrqSource.Program(irq, number);
            if (IrqTable.IsBoundAtAll(irq) && !irq->IsStorming)
            {
                IrqSource.Unmask(irq, number);
            }

            irq->Lock.Release();
            count++;
        }

        return count;
    }

    /// <summary>The interrupt of a message in use, or null.</summary>
    internal static IrqDescriptor* Find(PciAddress device, bool isMsiX, uint entry)
    {
        IrqKind kind = isMsiX ? IrqKind.MsiX : IrqKind.Msi;
        for (uint number = IrqTable.FirstMessage; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            if (irq != null && irq->Kind == kind && irq->Device.Raw == device.Raw && irq->Entry == entry)
            {
                return irq;
            }
        }

        return null;
    }

    /// <summary>True when a message of the function is in use.</summary>
    internal static bool IsUsed(PciAddress device, IrqKind kind)
    {
        for (uint number = IrqTable.FirstMessage; number < IrqTable.Size; number++)
        {
            IrqDescriptor* irq = IrqTable.Get(number);
            if (irq != null && irq->Kind == kind && irq->Device.Raw == device.Raw)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>True when a write to configuration space would touch a message that the hypervisor has
    /// written.</summary>
    internal static bool IsProtected(PciAddress device, uint register, uint bytes)
    {
        IrqDescriptor* irq = Find(device, false, 0);
        if (irq == null)
        {
            return false;
        }

        // Address, data and mask; the control register before them is Domain-0's.
        uint first = irq->Capability + AddressLow;
        uint end = irq->Capability + (irq->IsWide ? 0x10u : 0x0C) + (irq->CanMask ? 4u : 0);
        return register < end && register + bytes > first;
    }

    private static void WriteMessage(IrqDescriptor* irq, uint apicId)
    {
        uint address = AddressBase | ((apicId & 0xFF) << 12);
        if (irq->Kind == IrqKind.MsiX)
        {
            Machine.WriteDevice32(irq->TableEntry + EntryAddressLow, address);
            Machine.WriteDevice32(irq->TableEntry + EntryAddressHigh, 0);
            Machine.WriteDevice32(irq->TableEntry + EntryData, irq->Vector);
            return;
        }

        // One vector: whatever was enabled before is not what this message means.
        uint control = PciConfig.Read(irq->Device, irq->Capability + Control, 2);
        if ((control & ControlMultiple) != 0)
        {
            PciConfig.Write(irq->Device, irq->Capability + Control, 2, control & ~ControlMultiple);
        }

        PciConfig.Write(irq->Device, irq->Capability + AddressLow, 4, address);
        if (irq->IsWide)
        {
            PciConfig.Write(irq->Device, irq->Capability + AddressHigh, 4, 0);
        }

        PciConfig.Write(irq->Device, DataRegister(irq), 2, irq->Vector);
    }

    private static uint DataRegister(IrqDescriptor* irq) => irq->Capability + (irq->IsWide ? 12u : 8u);

    private static uint MaskRegister(IrqDescriptor* irq) => irq->Capability + (irq->IsWide ? 0x10u : 0x0C);

    private static bool IsMasked(IrqDescriptor* irq) =>
        irq->CanMask && (irq->Kind == IrqKind.MsiX
            ? (Machine.ReadDevice32(irq->TableEntry + EntryControl) & EntryMasked) != 0
            : (PciConfig.Read(irq->Device, MaskRegister(irq), 4) & 1) != 0);

    private static Errno MapEntry(
        PciAddress device, uint capability, uint entry, ulong statedTable, out uint* tableEntry)
    {
        tableEntry = null;

        // Without memory decoding the table is not there; Domain-0 turns it on before it asks.
        if ((PciConfig.Read(device, Command, 2) & CommandMemory) == 0)
        {
            return Errno.NxIo;
        }

        ulong table = Locate(device, capability + TableLocation, statedTable);
        ulong address = table + (entry * EntrySize);
        if (table == 0 || address < table || IsRam(Mfn.OfAddress(address)))
        {
            return Errno.NxIo;
        }

        Errno error = Protect(device, statedTable);
        if (error != Errno.Ok)
        {
            return error;
        }

        byte* page = (byte*)Machine.MapDevice(address & ~MemoryLayout.PageMask, MemoryLayout.PageSize);
        if (page == null)
        {
            return Errno.NoSpace;
        }

        tableEntry = (uint*)(page + (address & MemoryLayout.PageMask));
        return Errno.Ok;
    }

    /// <summary>Physical address of what a register of the capability points to, or 0.</summary>
    private static ulong Locate(PciAddress device, uint register, ulong statedBar)
    {
        uint location = PciConfig.Read(device, register, 4);
        ulong bar = ReadBar(device, location & BarIndexMask);
        bar = bar != 0 ? bar : statedBar & ~0xFUL;
        ulong address = bar + (location & ~BarIndexMask);

        // RAM in the place of a table would let a function's registers name memory of the hypervisor.
        return bar == 0 || address < bar || IsRam(Mfn.OfAddress(address)) ? 0 : address;
    }

    private static bool IsRam(Mfn frame) =>
        FrameTable.IsValid(frame) && FrameTable.Page(frame)->Owner != FrameTable.OwnerIo;

    /// <summary>Base of a memory BAR, or 0.</summary>
    private static ulong ReadBar(PciAddress device, uint index)
    {
        if (index > 5)
        {
            return 0;
        }

        uint register = FirstBar + (index * 4);
        uint low = PciConfig.Read(device, register, 4);
        if ((low & 1) != 0)
        {
            return 0;
        }

        ulong high = (low & 6) == 4 && index < 5 ? PciConfig.Read(device, register + 4, 4) : 0;
        return (high << 32) | (low & ~0xFu);
    }
}
