// SPDX-License-Identifier: MIT
// Privileged instructions of PV guests, which fault in ring 3. What each does to the guest's virtual CPU is decided here;
// InstructionDecoder says what the instruction is, MsrPolicy and CpuidPolicy what the guest may see, PortAccess which
// ports it may touch.

using System.Runtime.CompilerServices;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Carries out privileged instructions.</summary>
public static unsafe class PrivilegedOps
{
    // What a guest may change in CR4 and is shown of it.
    private const ulong GuestCr4 =
        Cr4.Tsd | Cr4.De | Cr4.Pce | Cr4.FsGsBase | Cr4.OsXsave;

    private const ulong ShownCr4 =
        Cr4.Pse | Cr4.Pae | Cr4.Mce | Cr4.Pge | Cr4.OsFxsr | Cr4.OsXmmExcept;

    private const ulong ShownCr0 = Cr0.Pe | Cr0.Mp | Cr0.Et | Cr0.Ne | Cr0.Wp | Cr0.Am | Cr0.Pg;

    /// <summary>#UD: forced CPUID ("ud2 'xen' cpuid", what a PV kernel writes to see the virtual CPU), or the guest's own.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void InvalidOpcode(Vcpu* vcpu, CpuUserRegs* frame)
    {
        CodeBuffer code;
        int available = CodeBytes.Read(frame->Rip, (byte*)&code);
        if (!InstructionDecoder.IsForcedCpuid((byte*)&code, available))
        {
            GuestBounce.Inject(vcpu, frame, Vector.InvalidOpcode);
            return;
        }

        Cpuid(vcpu, frame);
        frame->Rip += 7;
    }

    /// <summary>True when the instruction was carried out; false when the fault is the guest's.</summary>
    [SkipLocalsInit]
    public static bool TryEmulate(Vcpu* vcpu, CpuUserRegs* frame)
    {
        CodeBuffer code;
        int available = CodeBytes.Read(frame->Rip, (byte*)&code);
        DecodedInstruction instruction;
        if (InstructionDecoder.Decode((byte*)&code, available, CodeBytes.WidthOf(vcpu, frame), out instruction)
            != DecodeStatus.Ok)
        {
            return false;
        }

        switch (instruction.Kind)
        {
            case InstructionKind.In:
            case InstructionKind.Out:
                return PortAccess.Single(vcpu, frame, instruction);
            case InstructionKind.Ins:
            case InstructionKind.Outs:
                return PortAccess.String(vcpu, frame, instruction);
            case InstructionKind.Cli:
            case InstructionKind.Sti:
                // The virtual interrupt flag lives in vcpu_info; kernels that write this mean it before they know.
                if (!vcpu->InKernelMode && vcpu->IoPrivilegeLevel < 3)
                {
                    return false;
                }

                break;
            case InstructionKind.Rdtsc:
            case InstructionKind.Rdtscp:
                ReadTsc(vcpu, frame, instruction.Kind == InstructionKind.Rdtscp);
                break;
            case InstructionKind.Cpuid:
                Cpuid(vcpu, frame);
                break;
            default:
                if (!vcpu->InKernelMode || !KernelOnly(vcpu, frame, instruction))
                {
                    return false;
                }

                break;
        }

        GuestRegisters.Advance(frame, instruction);
        return true;
    }

    private static bool KernelOnly(Vcpu* vcpu, CpuUserRegs* frame, in DecodedInstruction instruction)
    {
        switch (instruction.Kind)
        {
            case InstructionKind.Rdmsr:
                return ReadMsr(vcpu, frame);
            case InstructionKind.Wrmsr:
                return WriteMsr(vcpu, frame);
            case InstructionKind.Clts:
                SetTaskSwitched(vcpu, false);
                return true;
            case InstructionKind.Invd:
            case InstructionKind.Wbinvd:
                if (vcpu->Domain->HasHardwareAccess)
                {
                    Machine.WriteBackCaches();
                }

                return true;
            case InstructionKind.Invlpg:
                Machine.InvalidatePage(InstructionDecoder.EffectiveAddress(
                    instruction, frame, Machine.ReadMsr(Msr.FsBase), Machine.ReadMsr(Msr.GsBase)));
                return true;
            case InstructionKind.MovFromControl:
                return ReadControl(vcpu, frame, instruction);
            case InstructionKind.MovToControl:
                return WriteControl(vcpu, *GuestRegisters.Pointer(frame, instruction.Register), instruction.SystemRegister);
            case InstructionKind.MovFromDebug:
                *GuestRegisters.Pointer(frame, instruction.Register) =
                    DebugRegisterOps.Get(vcpu, instruction.SystemRegister);
                return true;
            case InstructionKind.MovToDebug:
                return DebugRegisterOps.Set(
                    vcpu, instruction.SystemRegister, *GuestRegisters.Pointer(frame, instruction.Register)) == Errno.Ok;
            case InstructionKind.Lmsw:
                if (instruction.Has(InstructionFlags.Memory))
                {
                    return false;
                }

                SetTaskSwitched(vcpu, (*GuestRegisters.Pointer(frame, instruction.Register) & Cr0.Ts) != 0);
                return true;
            case InstructionKind.Xsetbv:
                ulong value = (frame->Rdx << 32) | (uint)frame->Rax;
                if ((uint)frame->Rcx != 0 || !CpuidPolicy.IsValidXcr0(vcpu->Domain->CpuidPolicy, value))
                {
                    return false;
                }

                vcpu->Xcr0 = value;
                vcpu->Xcr0Accumulated |= value;
                Machine.WriteXcr0(value);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Sets or clears the guest's CR0.TS; the processor's is set on the way back.</summary>
    public static void SetTaskSwitched(Vcpu* vcpu, bool value)
    {
        vcpu->TaskSwitched = value;
        Machine.Cpu->TaskSwitchedSet = value ? (byte)1 : (byte)0;
    }

    private static bool ReadControl(Vcpu* vcpu, CpuUserRegs* frame, in DecodedInstruction instruction)
    {
        ulong value;
        switch (instruction.SystemRegister)
        {
            case 0:
                value = ShownCr0 | (vcpu->TaskSwitched ? Cr0.Ts : 0);
                break;
            case 2:
                value = vcpu->Info->Arch.Cr2;
                break;
            case 3:
                // Machine address: PV kernels know their roots by machine frame.
                value = vcpu->Cr3Kernel;
                break;
            case 4:
                value = ShownCr4 | vcpu->Cr4Guest;
                break;
            default:
                return false;
        }

        *GuestRegisters.Pointer(frame, instruction.Register) = value;
        return true;
    }

    private static bool WriteControl(Vcpu* vcpu, ulong value, int number)
    {
        switch (number)
        {
            case 0:
                // Only TS is the guest's.
                if (((value ^ ShownCr0) & ~Cr0.Ts) != 0)
                {
                    return false;
                }

                SetTaskSwitched(vcpu, (value & Cr0.Ts) != 0);
                return true;
            case 2:
                vcpu->Info->Arch.Cr2 = value;
                return true;
            case 3:
                return VcpuRoots.SetKernel(vcpu, Mfn.OfAddress(value)) == Errno.Ok;
            case 4:
                vcpu->Cr4Guest = value & GuestCr4 & ContextSwitch.AllowedCr4(vcpu);
                ContextSwitch.LoadCr4(vcpu);
                return true;
            default:
                return false;
        }
    }

    [SkipLocalsInit]
    private static void Cpuid(Vcpu* vcpu, CpuUserRegs* frame)
    {
        // The clock's part matters to the hypervisor's own leaves only, and this is on the way of every CPUID of a kernel.
        CpuidContext context;
        CpuidContext* parts = &context;
        uint leaf = (uint)frame->Rax;
        if (leaf >> 8 == CpuPolicy.FirstHypervisorLeaf >> 8)
        {
            *parts = GuestTime.CpuidClock(vcpu);
            parts->MachineAddressBits = FrameTable.AddressBits;
        }

        parts->VcpuId = vcpu->Id;

        // CR4.OSXSAVE is always on (ContextSwitch.LoadCr4): Linux looks for the bit before it writes CR4, and uses XSAVE only
        // where it shows.
        parts->OsXsave = ExtendedState.HostXcr0 != 0;
        parts->Xcr0 = vcpu->Xcr0;
        CpuidPolicy.Read(
            vcpu->Domain->CpuidPolicy, *parts, leaf, (uint)frame->Rcx, out CpuidResult result);
        frame->Rax = result.A;
        frame->Rbx = result.B;
        frame->Rcx = result.C;
        frame->Rdx = result.D;
    }

    private static void ReadTsc(Vcpu* vcpu, CpuUserRegs* frame, bool withAux)
    {
        ulong tsc = Machine.ReadTsc();
        frame->Rax = (uint)tsc;
        frame->Rdx = tsc >> 32;
        if (withAux)
        {
            frame->Rcx = vcpu->TscAux;
        }
    }

    private static MsrContext ContextOf(Vcpu* vcpu)
    {
        MsrContext context;
        context.Policy = vcpu->Domain->CpuidPolicy;
        context.VcpuId = vcpu->Id;
        context.HasHardwareAccess = vcpu->Domain->HasHardwareAccess;
        context.IsRelaxed = false;
        return context;
    }

    private static bool ReadMsr(Vcpu* vcpu, CpuUserRegs* frame)
    {
        uint msr = (uint)frame->Rcx;
        ulong value;
        if (msr == Msr.KernelGsBase)
        {
            // On every context switch of Linux: before any table.
            value = Machine.ReadMsr(Msr.KernelGsBase);
        }
        else
        {
            switch (MsrPolicy.Read(msr, ContextOf(vcpu), out value))
            {
                case MsrAction.Known:
                    break;
                case MsrAction.Host:
                    if (!Machine.TryReadMsr(msr, &value))
                    {
                        return false;
                    }

                    break;
                case MsrAction.Tsc:
                    value = Machine.ReadTsc();
                    break;
                case MsrAction.FsBase:
                    value = Machine.ReadMsr(Msr.FsBase);
                    break;
                case MsrAction.GsBase:
                    value = Machine.ReadMsr(Msr.GsBase);
                    break;
                case MsrAction.TscAux:
                    value = vcpu->TscAux;
                    break;
                default:
                    return false;
            }
        }

        frame->Rax = (uint)value;
        frame->Rdx = value >> 32;
        return true;
    }

    private static bool WriteMsr(Vcpu* vcpu, CpuUserRegs* frame)
    {
        uint msr = (uint)frame->Rcx;
        ulong value = (frame->Rdx << 32) | (uint)frame->Rax;
        switch (MsrPolicy.Write(msr, value, ContextOf(vcpu)))
        {
            case MsrAction.Ignore:
                return true;
            case MsrAction.FsBase:
                Machine.WriteMsr(Msr.FsBase, value);
                return true;
            case MsrAction.GsBase:
                Machine.WriteMsr(Msr.GsBase, value);
                return true;
            case MsrAction.KernelGsBase:
                Machine.WriteMsr(Msr.KernelGsBase, value);
                return true;
            case MsrAction.TscAux:
                vcpu->TscAux = (uint)value;
                Machine.WriteMsr(Msr.TscAux, (uint)value);
                return true;
            case MsrAction.HypercallPage:
                return HypercallPage.Fill(vcpu->Domain, Mfn.OfAddress(value)) == Errno.Ok;
            default:
                return false;
        }
    }
}
