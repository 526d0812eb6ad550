// SPDX-License-Identifier: MIT
// #GP of guests: software interrupts that the IDT refuses, privileged instructions that the hypervisor carries out, and faults
// that are simply the guest's.

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Handles #GP.</summary>
public static unsafe class GeneralProtection
{
    private const uint External = 1;
    private const uint IdtEntry = 2;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void FromGuest(Vcpu* vcpu, CpuUserRegs* frame)
    {
        uint error = frame->ErrorCode;
        if ((error & (External | IdtEntry)) == IdtEntry)
        {
            if (TrySoftwareInterrupt(vcpu, frame))
            {
                return;
            }
        }
        else if (error == 0 && PrivilegedOps.TryEmulate(vcpu, frame))
        {
            return;
        }

        GuestBounce.InjectWithError(vcpu, frame, Vector.GeneralProtection, error);
    }

    /// <summary>INT n. The vector is read from the instruction: emulators disagree about it in the error code.</summary>
    private static bool TrySoftwareInterrupt(Vcpu* vcpu, CpuUserRegs* frame)
    {
        ulong code;
        if (!GuestMemory.IsOutsideHole(frame->Rip, 2) || Machine.CopyFromGuest(&code, frame->Rip, 2) != 0
            || (code & 0xFF) != 0xCD)
        {
            return false;
        }

        int vector = (int)(code >> 8) & 0xFF;
        TrapInfo* handler = vcpu->Traps + vector;
        int privilege = vcpu->InKernelMode ? 1 : 3;
        if (handler->Address == 0 || (handler->Flags & 3) < privilege)
        {
            return false;
        }

        frame->Rip += 2;
        GuestBounce.Inject(vcpu, frame, vector);
        return true;
    }
}
