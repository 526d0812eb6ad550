// SPDX-License-Identifier: MIT
// A kernel with hardware access writes to device memory that it may only read (ReadOnlyDeviceMemory). What is carried
// out on its behalf: configuration space in memory, as if by the ports, so that the same registers are kept; and
// registers that share a page with an MSI-X table. Writes to the table itself vanish.

using System.Threading;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Console;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Pci;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Stores of the hardware domain's kernel to protected device memory.</summary>
public static unsafe class DeviceWrite
{
    private const uint PortRegisters = 0x100;

    /// <summary>True when the faulting store has been dealt with and the guest goes on behind it; plain stores only,
    /// as drivers make them.</summary>
    public static bool TryEmulate(Vcpu* vcpu, CpuUserRegs* frame, ulong address)
    {
        Domain* domain = vcpu->Domain;
        domain->MmuLock.Acquire();
        bool done = EmulateLocked(vcpu, frame, address);
        domain->MmuLock.Release();
        return done;
    }

    private static bool EmulateLocked(Vcpu* vcpu, CpuUserRegs* frame, ulong address)
    {
        ulong* leaf = GuestWalk.LeafSlot(vcpu->KernelRoot, address, out _);
        if (leaf == null || (*leaf & (Pte.Present | Pte.Writable)) != Pte.Present)
        {
            return false;
        }

        Mfn mfn = Pte.FrameOf(*leaf);
        bool isDevice = !FrameTable.IsValid(mfn) || FrameTable.Page(mfn)->Owner == FrameTable.OwnerIo;
        if (!isDevice || !ReadOnlyDeviceMemory.HasPage(mfn))
        {
            return false;
        }

        CodeBuffer buffer;
        byte* code = (byte*)&buffer;
        int available = CodeBytes.Read(frame->Rip, code);
        if (InstructionDecoder.Decode(code, available, CodeWidth.Bits64, out DecodedInstruction instruction)
                != DecodeStatus.Ok
            || instruction.Kind != InstructionKind.Mov || !instruction.Has(InstructionFlags.Memory)
            || InstructionDecoder.EffectiveAddress(
                instruction, frame, Machine.ReadMsr(Msr.FsBase), Machine.ReadMsr(Msr.GsBase)) != address)
        {
            return false;
        }

        ulong physical = mfn.Address | (address & MemoryLayout.PageMask);
        int size = instruction.OperandSize;

        // Aligned, so within one register and one page.
        if ((physical & (ulong)(size - 1)) != 0
            || !PageTableWrite.Evaluate(instruction, frame, (int)(address & 7), 0, 0, out ulong shifted))
        {
            return false;
        }

        Store(vcpu->Domain, physical, size, shifted >> (8 * (int)(address & 7)));
        PageTableWrite.Complete(instruction, frame, (int)(address & 7), 0);
        return true;
    }

    private static void Store(Domain* domain, ulong physical, int size, ulong value)
    {
        if (TryFindFunction(physical, out PciAddress device, out uint register))
        {
            if (device.Segment == 0 && register < PortRegisters && size <= 4)
            {
                PciConfig.WriteFiltered(device, register, size, (uint)value);
                return;
            }

            // A wide store reaches two registers of the part that ports reach: no driver makes one.
            if (register >= PortRegisters)
            {
                StoreToDevice(domain, physical, size, value);
            }

            return;
        }

        if (!ReadOnlyDeviceMemory.Overlaps(physical, (ulong)size))
        {
            StoreToDevice(domain, physical, size, value);
        }
    }

    private static bool TryFindFunction(ulong physical, out PciAddress device, out uint register)
    {
        AcpiInformation* acpi = AcpiTables.Current;
        for (int i = 0; acpi != null && i < acpi->ConfigSpaceCount; i++)
        {
            AcpiConfigSpace space = acpi->ConfigSpace(i);
            ulong offset = physical - space.Address;
            if (offset >> 20 >= space.FirstBus && offset >> 20 <= space.LastBus)
            {
                device = new PciAddress(space.Segment, (uint)(offset >> 20), (uint)(offset >> 12) & 0xFF);
                register = (uint)offset & 0xFFF;
                return true;
            }
        }

        device = default;
        register = 0;
        return false;
    }

    private static void StoreToDevice(Domain* domain, ulong physical, int size, ulong value)
    {
        byte* page = (byte*)Machine.MapDevice(physical & ~MemoryLayout.PageMask, MemoryLayout.PageSize);
        if (page == null)
        {
            GuestMessages.Warning(domain, "no room to map device memory at "u8).Hex(physical)
                .Text(", a write is lost"u8).End();
            return;
        }

        byte* target = page + (physical & MemoryLayout.PageMask);
        switch (size)
        {
            case 1:
                Volatile.Write(ref *target, (byte)value);
                break;
            case 2:
                Volatile.Write(ref *(ushort*)target, (ushort)value);
                break;
            case 4:
                Volatile.Write(ref *(uint*)target, (uint)value);
                break;
            default:
                Volatile.Write(ref *(ulong*)target, value);
                break;
        }
    }
}
