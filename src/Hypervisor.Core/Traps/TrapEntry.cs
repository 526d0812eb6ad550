// SPDX-License-Identifier: MIT

using System.Runtime;
using System.Runtime.CompilerServices;
using Hypervisor.Core.Console;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Where the assembly stubs hand exceptions over.</summary>
public static unsafe class TrapEntry
{
    /// <summary>An exception while a guest ran. <paramref name="frame"/> holds all its registers; <paramref name="address"/> is
    /// CR2, which means something with a page fault only.</summary>
    [RuntimeExport("trap_from_guest")]
    public static void FromGuest(Vcpu* vcpu, CpuUserRegs* frame, ulong address)
    {
        // The frequent ones jump on without a stack frame here; the rest is one call away.
        int vector = (byte)frame->EntryVector;
        vcpu->Counters.Traps++;
        switch (vector)
        {
            case Vector.PageFault:
                PageFault.FromGuest(vcpu, frame, address);
                return;
            case Vector.GeneralProtection:
                GeneralProtection.FromGuest(vcpu, frame);
                return;
            case Vector.InvalidOpcode:
                PrivilegedOps.InvalidOpcode(vcpu, frame);
                return;
            case Vector.Breakpoint:
                GuestBounce.Inject(vcpu, frame, Vector.Breakpoint);
                return;
            default:
                Rare(vcpu, frame, vector);
                return;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rare(Vcpu* vcpu, CpuUserRegs* frame, int vector)
    {
        switch (vector)
        {
            case Vector.Overflow:
            case Vector.DivideError:
            case Vector.BoundRange:
            case Vector.FloatingPoint:
            case Vector.SimdFloatingPoint:
                GuestBounce.Inject(vcpu, frame, vector);
                break;
            case Vector.DeviceNotAvailable:
                // The guest's TS does its work once: the interface clears it with the delivery.
                vcpu->TaskSwitched = false;
                Machine.Cpu->TaskSwitchedSet = 0;
                GuestBounce.Inject(vcpu, frame, vector);
                break;
            case Vector.Debug:
                DebugTrap(vcpu, frame);
                break;
            case Vector.Nmi:
                Nmis.FromGuest(vcpu, frame);
                break;
            case Vector.MachineCheck:
                Panic.Because("machine check"u8);
                break;
            case Vector.SegmentNotPresent:
            case Vector.StackSegment:
            case Vector.InvalidTss:
            case Vector.AlignmentCheck:
                GuestBounce.InjectWithError(vcpu, frame, vector, frame->ErrorCode);
                break;
            default:
                GuestMessages.Warning(vcpu->Domain, "unexpected exception "u8).Decimal(vector).End();
                GuestBounce.Inject(vcpu, frame, Vector.InvalidOpcode);
                break;
        }
    }

    private static void DebugTrap(Vcpu* vcpu, CpuUserRegs* frame)
    {
        // Bits 0–3 and 13–15 say why; they accumulate until the guest clears them.
        vcpu->DebugRegisters[6] |= Machine.ReadDebugRegister(6) & 0xE00F;
        Machine.WriteDebugRegister(6, 0xFFFF0FF0);
        GuestBounce.Inject(vcpu, frame, Vector.Debug);
    }
}
