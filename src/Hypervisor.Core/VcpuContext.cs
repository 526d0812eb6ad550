// SPDX-License-Identifier: MIT

using System.Threading;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>The whole state of a vCPU as <c>vcpu_guest_context</c>: set by tools and by VCPUOP_initialise, read by tools.</summary>
public static unsafe class VcpuContext
{
    private const int ContextOrder = 1;
    private const ulong RefusedFlags = Rflags.Iopl | Rflags.Vm;

    /// <summary>Reads the context at <paramref name="guestAddress"/> and makes it the vCPU's, which is not running.</summary>
    /// <returns>Fault, NoMem, Inval: an address, frame or selector that the interface forbids. May give way.</returns>
    public static HypercallResult Set(Vcpu* vcpu, ulong guestAddress)
    {
        VcpuGuestContext* context = (VcpuGuestContext*)PageAllocator.AllocatePages(ContextOrder);
        if (context == null)
        {
            return Errno.NoMem;
        }

        HypercallResult result = GuestMemory.Read(guestAddress, context, (nuint)sizeof(VcpuGuestContext))
            ? Apply(vcpu, context)
            : Errno.Fault;
        PageAllocator.FreePages(context, ContextOrder);
        return result;
    }

    /// <summary>Writes the state of a vCPU that is not running to <paramref name="guestAddress"/>.</summary>
    public static HypercallResult Get(Vcpu* vcpu, ulong guestAddress)
    {
        VcpuGuestContext* context = (VcpuGuestContext*)PageAllocator.AllocatePages(ContextOrder);
        if (context == null)
        {
            return Errno.NoMem;
        }

        Fill(vcpu, context);
        bool written = GuestMemory.Write(guestAddress, context, (nuint)sizeof(VcpuGuestContext));
        PageAllocator.FreePages(context, ContextOrder);
        return written ? Errno.Ok : Errno.Fault;
    }

    /// <summary>As <see cref="Set"/>, from the hypervisor's memory.</summary>
    public static HypercallResult Apply(Vcpu* vcpu, VcpuGuestContext* context)
    {
        // A vCPU that was running may still be loaded on this CPU.
        CpuInfo* cpu = Machine.Cpu;
        if (cpu->Loaded == vcpu && cpu->Current != vcpu)
        {
            ContextSwitch.Evict(cpu, vcpu);
        }

        if (Volatile.Read(ref vcpu->LoadedOn) != Vcpu.NotLoaded)
        {
            return Errno.Busy;
        }

        CpuUserRegs* registers = &context->UserRegs;
        if (!IsCodeOrNull(context->EventCallbackEip) || !IsCodeOrNull(context->FailsafeCallbackEip)
            || !IsCodeOrNull(context->SyscallCallbackEip) || !GuestAddress.IsCanonical(registers->Rip)
            || !GuestAddress.IsCanonical(context->FsBase) || !GuestAddress.IsCanonical(context->GsBaseKernel)
            || !GuestAddress.IsCanonical(context->GsBaseUser))
        {
            return Errno.Inval;
        }

        for (int index = 0; index < 256; index++)
        {
            if (!IsCodeOrNull(context->TrapCtxt(index)->Address))
            {
                return Errno.Inval;
            }
        }

        Errno error = DescriptorTables.SetGdt(vcpu, context->GdtFrames, (uint)context->GdtEnts);
        if (error != Errno.Ok)
        {
            return error;
        }

        error = VcpuRoots.SetKernel(vcpu, Mfn.OfAddress(context->CtrlReg[3]));
        if (error == Errno.Ok && context->CtrlReg[1] != 0)
        {
            error = VcpuRoots.SetUser(vcpu, Mfn.OfAddress(context->CtrlReg[1]));
        }

        if (error != Errno.Ok)
        {
            return error == Errno.Restart ? HypercallResult.Preempted : error;
        }

        vcpu->Registers = *registers;
        vcpu->Registers.Cs |= 3;
        vcpu->Registers.Ss |= 3;
        vcpu->Registers.Rflags = (registers->Rflags & ~RefusedFlags) | Rflags.If | 2;
        vcpu->Registers.EntryVector = 0;
        vcpu->DsSelector = registers->Ds;
        vcpu->EsSelector = registers->Es;
        vcpu->FsSelector = registers->Fs;
        vcpu->GsSelector = registers->Gs;
        vcpu->InKernelMode = (context->Flags & VgcfFlags.InKernel) != 0;
        if (!vcpu->InKernelMode && vcpu->UserRoot.IsNone)
        {
            return Errno.Inval;
        }

        for (int index = 0; index < 256; index++)
        {
            TrapInfo entry = *context->TrapCtxt(index);
            vcpu->Traps[index] = entry;
            vcpu->Traps[index].Vector = (byte)index;
        }

        vcpu->LdtBase = context->LdtBase;
        vcpu->LdtEntries = context->LdtEnts <= 8192 ? (uint)context->LdtEnts : 0;
        vcpu->KernelStack = context->KernelSp;
        vcpu->KernelStackSegment = context->KernelSs;
        vcpu->TaskSwitched = (context->CtrlReg[0] & Cr0.Ts) != 0;
        vcpu->Cr4Guest = context->CtrlReg[4] & ContextSwitch.AllowedCr4(vcpu);
        vcpu->EventCallback = context->EventCallbackEip;
        vcpu->FailsafeCallback = context->FailsafeCallbackEip;
        vcpu->SyscallCallback = context->SyscallCallbackEip;
        vcpu->FailsafeMasksEvents = (context->Flags & VgcfFlags.FailsafeDisablesEvents) != 0;
        vcpu->SyscallMasksEvents = (context->Flags & VgcfFlags.SyscallDisablesEvents) != 0;
        vcpu->FsBase = context->FsBase;
        vcpu->GsBaseKernel = context->GsBaseKernel;
        vcpu->GsBaseUser = context->GsBaseUser;
        for (int number = 0; number < 4; number++)
        {
            _ = DebugRegisterOps.Set(vcpu, number, context->DebugReg[number]);
        }

        _ = DebugRegisterOps.Set(vcpu, 6, context->DebugReg[6]);
        _ = DebugRegisterOps.Set(vcpu, 7, context->DebugReg[7]);
        ExtendedState.Reset(vcpu->ExtendedState);
        if ((context->Flags & VgcfFlags.I387Valid) != 0)
        {
            Machine.Copy(vcpu->ExtendedState, context->FpuCtxt, 512);
            *(uint*)(vcpu->ExtendedState + 24) &= 0xFFFF;
        }

        if (!vcpu->Initialised)
        {
            vcpu->Xcr0 = 1;
            vcpu->Domain->VmAssist |= context->VmAssist & (1UL << (int)VmAssistType.WritablePageTables);
        }

        vcpu->Initialised = true;
        return Errno.Ok;
    }

    private static void Fill(Vcpu* vcpu, VcpuGuestContext* context)
    {
        CpuInfo* cpu = Machine.Cpu;
        if (cpu->Loaded == vcpu && cpu->Current != vcpu)
        {
            ContextSwitch.Evict(cpu, vcpu);
        }

        context->UserRegs = vcpu->Registers;
        context->UserRegs.Ds = (ushort)vcpu->DsSelector;
        context->UserRegs.Es = (ushort)vcpu->EsSelector;
        context->UserRegs.Fs = (ushort)vcpu->FsSelector;
        context->UserRegs.Gs = (ushort)vcpu->GsSelector;
        context->UserRegs.EntryVector = 0;
        context->UserRegs.ErrorCode = 0;
        context->Flags = VgcfFlags.I387Valid | (vcpu->InKernelMode ? VgcfFlags.InKernel : 0)
            | (vcpu->FailsafeMasksEvents ? VgcfFlags.FailsafeDisablesEvents : 0)
            | (vcpu->SyscallMasksEvents ? VgcfFlags.SyscallDisablesEvents : 0)
            | (vcpu->Offline ? 0 : VgcfFlags.Online);
        Machine.Copy(context->FpuCtxt, vcpu->ExtendedState, 512);
        for (int index = 0; index < 256; index++)
        {
            *context->TrapCtxt(index) = vcpu->Traps[index];
        }

        context->LdtBase = vcpu->LdtBase;
        context->LdtEnts = vcpu->LdtEntries;
        for (int index = 0; index < Vcpu.MaxGdtFrames; index++)
        {
            context->GdtFrames[index] = vcpu->GdtFrames[index];
        }

        context->GdtEnts = vcpu->GdtEntries;
        context->KernelSs = vcpu->KernelStackSegment;
        context->KernelSp = vcpu->KernelStack;
        context->CtrlReg[0] = Cr0.Pe | Cr0.Pg | Cr0.Wp | Cr0.Ne | Cr0.Et | (vcpu->TaskSwitched ? Cr0.Ts : 0);
        context->CtrlReg[1] = vcpu->UserRoot.IsNone ? 0 : vcpu->UserRoot.Address | 1;
        context->CtrlReg[3] = vcpu->KernelRoot.Address;
        context->CtrlReg[4] = vcpu->Cr4Guest | Cr4.Pae;
        for (int number = 0; number < 8; number++)
        {
            context->DebugReg[number] = vcpu->DebugRegisters[number];
        }

        context->EventCallbackEip = vcpu->EventCallback;
        context->FailsafeCallbackEip = vcpu->FailsafeCallback;
        context->SyscallCallbackEip = vcpu->SyscallCallback;
        context->VmAssist = vcpu->Domain->VmAssist;
        context->FsBase = vcpu->FsBase;
        context->GsBaseKernel = vcpu->GsBaseKernel;
        context->GsBaseUser = vcpu->GsBaseUser;
    }

    private static bool IsCodeOrNull(ulong address) => address == 0 || GuestAddress.IsCode(address);
}
