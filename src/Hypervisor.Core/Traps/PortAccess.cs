// SPDX-License-Identifier: MIT
// Ports. Without hardware access a guest finds every port absent: reads give all ones, writes vanish. Domain-0 reaches
// the machine's, but for those the hypervisor drives itself (its serial port, the PICs, PIT channels 0 and 1) and the PCI
// configuration mechanism, whose address register is latched for each domain so that the hypervisor's own accesses do
// not disturb it. Guest user mode may use a port when the guest kernel's I/O bitmap or IOPL says so.

using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Pci;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>IN, OUT, INS and OUTS of guests.</summary>
public static unsafe class PortAccess
{
    private const uint StringSlice = 64;

    private static ushort s_ownSerialPort;
    private static ushort s_otherSerialPort;

    /// <summary>First of the eight ports of each serial line that the hypervisor keeps; 0 for none.</summary>
    public static void SetOwnSerialPorts(ushort first, ushort second)
    {
        s_ownSerialPort = first;
        s_otherSerialPort = second;
    }

    public static bool Single(Vcpu* vcpu, CpuUserRegs* frame, in DecodedInstruction instruction)
    {
        ushort port = instruction.Has(InstructionFlags.Immediate) ? (ushort)instruction.Immediate : (ushort)frame->Rdx;
        int size = instruction.OperandSize;
        if (!IsPermitted(vcpu, port, size))
        {
            return false;
        }

        if (instruction.Kind == InstructionKind.In)
        {
            GuestRegisters.Write(frame, 0, size, Read(vcpu->Domain, port, size));
        }
        else
        {
            Write(vcpu->Domain, port, size, (uint)GuestRegisters.Read(frame, 0, size));
        }

        GuestRegisters.Advance(frame, instruction);
        return true;
    }

    /// <summary>Up to <see cref="StringSlice"/> steps; a longer repetition faults again and goes on.</summary>
    public static bool String(Vcpu* vcpu, CpuUserRegs* frame, in DecodedInstruction instruction)
    {
        ushort port = (ushort)frame->Rdx;
        int size = instruction.OperandSize;
        if (!IsPermitted(vcpu, port, size))
        {
            return false;
        }

        ulong fsBase = Machine.ReadMsr(Msr.FsBase);
        ulong gsBase = Machine.ReadMsr(Msr.GsBase);
        for (uint step = 0; step < StringSlice; step++)
        {
            if (StringStep.Remaining(instruction, frame) == 0)
            {
                GuestRegisters.Advance(frame, instruction);
                return true;
            }

            ulong address = InstructionDecoder.EffectiveAddress(instruction, frame, fsBase, gsBase);
            ulong value = 0;
            if (instruction.Kind == InstructionKind.Ins)
            {
                value = Read(vcpu->Domain, port, size);
                if (!GuestMemory.Write(address, &value, (nuint)size))
                {
                    GuestBounce.InjectPageFault(vcpu, frame, address, 6);
                    return true;
                }
            }
            else
            {
                if (!GuestMemory.Read(address, &value, (nuint)size))
                {
                    GuestBounce.InjectPageFault(vcpu, frame, address, 4);
                    return true;
                }

                Write(vcpu->Domain, port, size, (uint)value);
            }

            ulong before = frame->Rip;
            StringStep.Complete(instruction, frame);
            if (frame->Rip != before)
            {
                return true;
            }
        }

        return true;
    }

    private static bool IsPermitted(Vcpu* vcpu, ushort port, int size)
    {
        if (vcpu->InKernelMode || vcpu->IoPrivilegeLevel >= 3)
        {
            return true;
        }

        if (vcpu->IoBitmap == 0 || port + (uint)size > vcpu->IoBitmapPorts)
        {
            return false;
        }

        // The bitmap is the kernel's, in whose memory user mode has no part.
        for (int index = 0; index < size; index++)
        {
            if (!GuestWalk.TryReadByte(vcpu, vcpu->IoBitmap + ((ulong)(port + index) >> 3), out byte bits)
                || ((bits >> ((port + index) & 7)) & 1) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private static uint Read(Domain* domain, ushort port, int size)
    {
        uint absent = size == 4 ? 0xFFFFFFFF : (1u << (8 * size)) - 1;
        if (!domain->HasHardwareAccess || IsHypervisors(port, size))
        {
            return absent;
        }

        if (port is >= 0xCF8 and < 0xD00)
        {
            return ReadConfiguration(domain, port, size) & absent;
        }

        return size switch
        {
            1 => Machine.In8(port),
            2 => Machine.In16(port),
            _ => Machine.In32(port),
        };
    }

    private static void Write(Domain* domain, ushort port, int size, uint value)
    {
        if (!domain->HasHardwareAccess || IsHypervisors(port, size))
        {
            return;
        }

        if (port is >= 0xCF8 and < 0xD00)
        {
            WriteConfiguration(domain, port, size, value);
            return;
        }

        switch (size)
        {
            case 1:
                Machine.Out8(port, (byte)value);
                break;
            case 2:
                Machine.Out16(port, (ushort)value);
                break;
            default:
                Machine.Out32(port, value);
                break;
        }
    }

    private static bool IsHypervisors(ushort port, int size)
    {
        int last = port + size - 1;
        return Overlaps(port, last, 0x20, 0x21) || Overlaps(port, last, 0xA0, 0xA1)
            || Overlaps(port, last, 0x40, 0x41) || Overlaps(port, last, 0x43, 0x43)
            || (s_ownSerialPort != 0 && Overlaps(port, last, s_ownSerialPort, s_ownSerialPort + 7))
            || (s_otherSerialPort != 0 && Overlaps(port, last, s_otherSerialPort, s_otherSerialPort + 7));
    }

    private static bool Overlaps(int first, int last, int from, int to) => first <= to && last >= from;

    private static uint ReadConfiguration(Domain* domain, ushort port, int size)
    {
        if (port < 0xCFC)
        {
            return port == 0xCF8 && size == 4 ? domain->PciConfigAddress : 0xFFFFFFFF;
        }

        return (domain->PciConfigAddress & 0x8000_0000) == 0
            ? 0xFFFFFFFF
            : PciConfig.ReadLatched(domain->PciConfigAddress, port - 0xCFC, size);
    }

    private static void WriteConfiguration(Domain* domain, ushort port, int size, uint value)
    {
        if (port < 0xCFC)
        {
            if (port == 0xCF8 && size == 4)
            {
                domain->PciConfigAddress = value;
            }
            else if (port == 0xCF9 && size == 1)
            {
                // The reset control register shares the address range.
                Machine.Out8(0xCF9, (byte)value);
            }

            return;
        }

        if ((domain->PciConfigAddress & 0x8000_0000) != 0)
        {
            PciConfig.WriteLatched(domain->PciConfigAddress, port - 0xCFC, size, value);
        }
    }
}
