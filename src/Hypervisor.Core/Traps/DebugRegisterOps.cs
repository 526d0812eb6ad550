// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Hypercalls set_debugreg and get_debugreg, and the instructions that mean the same.</summary>
public static unsafe class DebugRegisterOps
{
    // DR7 (Intel SDM Vol. 3B §17.2.4): GD must stay clear, I/O breakpoints (type 2) are the hypervisor's.
    private const ulong Dr7Reserved = 0xFFFF_FFFF_0000_D800 | (1 << 13);
    private const ulong Dr7Enables = 0xFF;

    public static ulong Get(Vcpu* vcpu, int number) => number switch
    {
        0 or 1 or 2 or 3 => vcpu->DebugRegisters[number],
        4 or 6 => vcpu->DebugRegisters[6] | 0xFFFF0FF0,
        5 or 7 => vcpu->DebugRegisters[7] | 0x400,
        _ => 0,
    };

    /// <returns>Inval: no such register, an address of the hypervisor's, a reserved bit. Perm: what only hardware sets.</returns>
    public static Errno Set(Vcpu* vcpu, int number, ulong value)
    {
        switch (number)
        {
            case 0:
            case 1:
            case 2:
            case 3:
                if (!GuestMemory.IsOutsideHole(value, 8) || !GuestAddress.IsCanonical(value))
                {
                    return Errno.Perm;
                }

                vcpu->DebugRegisters[number] = value;
                break;
            case 4:
            case 6:
                vcpu->DebugRegisters[6] = value & 0xE00F;
                return Errno.Ok;
            case 5:
            case 7:
                if (value >> 32 != 0)
                {
                    return Errno.Inval;
                }

                value &= ~Dr7Reserved;
                for (int index = 0; index < 4; index++)
                {
                    // Type 2 with CR4.DE would watch ports.
                    if (((value >> (16 + (4 * index))) & 3) == 2)
                    {
                        return Errno.Perm;
                    }
                }

                vcpu->DebugRegisters[7] = value;
                break;
            default:
                return Errno.Inval;
        }

        if (Machine.Cpu->Current == vcpu)
        {
            Load(vcpu);
        }

        return Errno.Ok;
    }

    /// <summary>Puts the vCPU's breakpoints into the processor, unless there are none here and there.</summary>
    public static void Load(Vcpu* vcpu)
    {
        if ((vcpu->DebugRegisters[7] & Dr7Enables) == 0)
        {
            Machine.WriteDebugRegister(7, 0x400);
            return;
        }

        for (int number = 0; number < 4; number++)
        {
            Machine.WriteDebugRegister(number, vcpu->DebugRegisters[number]);
        }

        Machine.WriteDebugRegister(6, 0xFFFF0FF0);
        Machine.WriteDebugRegister(7, vcpu->DebugRegisters[7] | 0x400);
    }
}
